"""Voiding: every consequence is read before it happens (R47, R83), and nothing else happens."""

from datetime import timedelta

import pytest
from django.urls import reverse

from orderhub import clock
from orderhub.errors import RuleViolation
from orders.models import Order
from privacy import access
from shipments import dispatching, voiding, voidwords
from shipments.models import ManualUpdate, Shipment, ShipmentNotification
from shipments.parting import ChangedMeanwhile
from stores.models import Store
from stores.simulator import scenarios
from tests.factories import connect, make_order, make_shipment, make_store, make_user
from tests.orders.driving import import_now, notify_now
from tests.shipments.parcels import FIRST, SECOND, order_of, part_of, support, text_of
from tests.shipments.test_combining import combine

pytestmark = pytest.mark.django_db
State = ShipmentNotification.State


def url_of(shipment: Shipment) -> str:
    return reverse("admin:shipments_void", args=[shipment.pk])


def void(client, shipment: Shipment):
    """Read the page, then confirm it."""
    page = client.get(url_of(shipment))
    return text_of(page), client.post(url_of(shipment), {"seal": page.context["seal"]}, follow=True)


def test_an_unsent_notice_is_withdrawn_and_the_next_parcel_is_told(world, travel):
    account = connect(scenarios.NA, sources=("US",))
    world.add_order(scenarios.NA, created=clock.now() - timedelta(hours=1))
    travel(world, minutes=5)
    import_now(account)
    order = Order.objects.get()
    read, done = void(support(), make_shipment(order))
    assert "the notice is withdrawn, and Amazon will be told of the next parcel" in read
    assert "The shipment is void. Its units wait to be sent again." in text_of(done)
    notify_now(account)
    assert world.ledger == []
    make_shipment(Order.objects.get(), tracking_number=SECOND)
    notify_now(account)
    assert [(entry["tracking"], entry["effect"]) for entry in world.ledger] == [(SECOND, "created")]


@pytest.mark.parametrize("may_correct", [False, True])
def test_r47_a_sent_notice_stays_and_the_page_says_so(noon, may_correct):
    shipment = make_shipment()
    ShipmentNotification.objects.update(state=State.CONFIRMED, confirmed_at=noon, attempts=1, fence=1)
    Store.objects.update(correct_tracking=may_correct)
    read, _done = void(support(), shipment)
    assert f"Amazon keeps the number {FIRST}: a new label is not told." in read
    assert ("This store allows a correction" in read) is may_correct
    make_shipment(Order.objects.get(), tracking_number=SECOND)
    assert ShipmentNotification.objects.get().shipment == shipment


def test_the_notice_moves_to_another_parcel_that_is_named(noon):
    order = order_of(2)
    first = dispatching.ship(order, part_of(order, 1), now=noon)
    dispatching.ship(Order.objects.get(), part_of(order, 1, SECOND), now=noon)
    read, _done = void(support(), first)
    assert f"it will be told of the parcel with the number {SECOND} instead" in read
    assert ShipmentNotification.objects.get().shipment.tracking_number == SECOND


def test_a_later_part_leaves_the_notice_alone(noon):
    order = order_of(2)
    dispatching.ship(order, part_of(order, 1), now=noon)
    later = dispatching.ship(Order.objects.get(), part_of(order, 1, SECOND), now=noon)
    read, _done = void(support(), later)
    assert "The notice to Amazon is about another parcel of the order, and stays." in read
    assert ShipmentNotification.objects.get().shipment.tracking_number == FIRST


def test_r83_an_address_that_is_then_due_at_once_is_a_warning_before_the_void(noon):
    order = make_order(first_imported_at=noon - timedelta(days=10), redaction_due_at=noon + timedelta(days=4))
    shipment = make_shipment(order)
    clock.advance(days=5)
    client = support()
    page = client.get(url_of(shipment))
    assert "is then due to be erased at once" in text_of(page) and 'role="alert"' in page.content.decode()
    void(client, shipment)
    assert Order.objects.get().redaction_due_at <= clock.now()


def test_within_the_14_days_the_page_says_until_when_the_address_stays(noon):
    read, _done = void(support(), make_shipment())
    assert "Personal data will be kept until 4 Dec 2026, 12:00 UTC." in read and "at once" not in read


def test_the_page_of_a_parcel_of_several_orders_speaks_of_each(noon):
    store = make_store()
    lead = combine(order_of(1, store, ordered_at=noon - timedelta(days=1)), order_of(1, store))
    rider = lead.riders.get()
    client = support()
    read, _done = void(client, lead)
    assert "The parcel holds 2 orders: it is void for all of them." in read
    assert "It leaves the list “Updates by hand in Amazon”" in read and rider.order.order_number in read
    assert not Shipment.objects.filter(voided_at=None).exists() and not ManualUpdate.objects.open().exists()
    page = text_of(client.get(reverse("admin:orders_order_change", args=[rider.order_id])))
    assert "void since" in page


def test_a_rider_is_voided_with_its_lead_only(noon):
    store = make_store()
    lead = combine(order_of(1, store, ordered_at=noon - timedelta(days=1)), order_of(1, store))
    answer = support().get(url_of(lead.riders.get()), follow=True)
    assert f"This order travels in the parcel of order {lead.order.order_number}: void that one." in text_of(answer)


def test_what_changed_since_the_page_was_read_is_shown_again(noon):
    shipment, client = make_shipment(), support()
    seal = client.get(url_of(shipment)).context["seal"]
    ShipmentNotification.objects.update(state=State.CONFIRMED, confirmed_at=noon, attempts=1, fence=1)
    answer = client.post(url_of(shipment), {"seal": seal})
    assert "Something changed meanwhile" in text_of(answer) and f"Amazon keeps the number {FIRST}" in text_of(answer)
    assert Shipment.objects.get().voided_at is None


@pytest.mark.parametrize("between", ["told", "by_hand", "erased"])
def test_what_changes_between_the_door_and_the_lock_stops_the_void(noon, between):
    """The seal is asked again where the orders are held: who changes one waits, or is seen."""
    store = make_store()
    shipment = combine(order_of(1, store, ordered_at=noon - timedelta(days=1)), order_of(1, store))
    in_hand = Shipment.objects.select_related("order__store__account").get(pk=shipment.pk)
    seal = voidwords.seal(voidwords.of(in_hand, now=noon))
    if between == "told":
        ShipmentNotification.objects.update(state=State.CONFIRMED, confirmed_at=noon, attempts=1, fence=1)
    if between == "by_hand":
        ManualUpdate.objects.update(done_at=noon, done_how=ManualUpdate.DoneHow.BY_HAND)
    if between == "erased":
        Order.objects.filter(pk=in_hand.order_id).update(first_imported_at=noon - timedelta(days=40))
    with pytest.raises(ChangedMeanwhile):
        voiding.void(in_hand, by=None, now=noon, as_seen=seal)
    assert Shipment.objects.filter(voided_at=None).count() == 2
    assert set(Order.objects.values_list("status", flat=True)) == {"shipped"}
    seal = voidwords.seal(voidwords.of(Shipment.objects.get(pk=shipment.pk), now=noon))
    voiding.void(Shipment.objects.get(pk=shipment.pk), by=None, now=noon, as_seen=seal)
    assert not Shipment.objects.filter(voided_at=None).exists()


@pytest.mark.parametrize(("between", "told"), [("voided_at", "voided already"), ("delivered_at", "was delivered")])
def test_who_comes_second_hears_what_happened(noon, between, told):
    in_hand = Shipment.objects.select_related("order__store__account").get(pk=make_shipment().pk)
    seal = voidwords.seal(voidwords.of(in_hand, now=noon))
    if between == "voided_at":
        voiding.void(Shipment.objects.get(), by=None, now=noon, as_seen=seal)
    else:
        Shipment.objects.update(delivered_at=noon)
    with pytest.raises(RuleViolation, match=told):
        voiding.void(in_hand, by=None, now=noon, as_seen=seal)


def test_reading_the_page_voids_nothing_and_a_second_void_is_refused(noon):
    shipment, client = make_shipment(), support()
    client.get(url_of(shipment))
    assert client.post(url_of(shipment)).status_code == 200  # without the seal of what was read
    assert Shipment.objects.get().voided_at is None
    void(client, shipment)
    assert "This shipment is voided already." in text_of(client.get(url_of(shipment), follow=True))


@pytest.mark.parametrize("role", list(access.ROLES))
def test_only_who_ships_voids(client, noon, role):
    shipment = make_shipment()
    client.force_login(make_user(role))
    may = role in {access.SUPPORT, access.WAREHOUSE}
    assert (client.get(url_of(shipment)).status_code == 200) is may
    assert (client.post(url_of(shipment)).status_code == 200) is may
    page = client.get(reverse("admin:orders_order_change", args=[shipment.order_id])).content.decode()
    assert ("Void this shipment…" in page) is may
    assert Shipment.objects.get().voided_at is None


def test_no_person_on_the_page(noon):
    page = support().get(url_of(make_shipment())).content.decode()
    assert not [text for text in ("Ada", "Sample Street", "78701") if text in page]
