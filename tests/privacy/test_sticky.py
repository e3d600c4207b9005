"""W6, R76, A22: erased data does not come back by any door, and whoever brings it is on record."""

from datetime import timedelta

import pytest

from orderhub import clock
from orderhub.errors import RuleViolation
from orders import correcting, latch, notes, roman
from orders.csvfile import importing as csv_importing
from orders.customization import content
from orders.entering import Entry
from orders.models import Order, OrderEvent, OrderItem
from orders.models.person import LATCHED
from orders.timeline import sentence
from privacy import markers
from privacy.models import SecurityEvent
from privacy.models.event import EventCode
from stores.simulator import scenarios
from stores.simulator.orders import SimAddress, SimItem
from tests.factories import connect, make_user
from tests.orders.driving import import_now
from tests.orders.entries import make_manual_store
from tests.orders.test_import_rules import add, change
from tests.privacy.rows import due_order, person_of, sweep

pytestmark = pytest.mark.django_db
Kind = OrderEvent.Kind
FULL_ADDRESS = {
    "name": "Grace Canary", "line1": "1 Sample Street", "line2": "Apt 4", "phone": "+1 555 0177", "city": "Austin",
    "state": "TX", "postal_code": "78701",
}  # fmt: skip
NAMES = ("Ada Example", "1 Sample Street", "Grace Canary")


@pytest.fixture
def agent(noon):
    return make_user("Support")


@pytest.fixture
def erased(noon) -> Order:
    order = due_order()
    sweep()
    return Order.objects.get(pk=order.pk)


def told(order: Order) -> tuple[OrderEvent, SecurityEvent]:
    """The one attempt on record; neither row holds a value."""
    event = order.events.get(kind__in=[Kind.BLOCKED, Kind.BLOCKED_WRITE])
    entry = SecurityEvent.objects.get(code=EventCode.ERASED_DATA_OFFERED)
    assert (entry.kind, entry.ids, entry.outcome) == ("order", [order.pk], "refused")
    texts = f"{event.params} {entry.reason} {entry.actor} {sentence(event)}"
    assert not any(name in texts for name in NAMES)
    return event, entry


def nothing_on_record() -> bool:
    return not SecurityEvent.objects.filter(code=EventCode.ERASED_DATA_OFFERED).exists() and not (
        OrderEvent.objects.filter(kind__in=[Kind.BLOCKED, Kind.BLOCKED_WRITE]).exists()
    )


# -- the import


@pytest.fixture
def shop(world):
    return connect(scenarios.NA, sources=("US",))


def test_f26_an_import_with_everything_in_it_moves_the_rest_and_is_recorded(world, shop, travel):
    items = [SimItem(gift=True, gift_message="From Grace Canary")]
    remote = add(world, items=items, address=SimAddress(**FULL_ADDRESS), buyer_email="grace@canary.example")
    import_now(shop)
    order = Order.objects.get()
    assert (order.person.recipient_name, order.person.street1) == ("Grace Canary", "1 Sample Street")
    Order.objects.update(redaction_due_at=clock.now())
    sweep()
    before = {name: getattr(person_of(order), name) for name in LATCHED}
    assert markers.AMAZON in before.values()
    change(world, travel, remote, address=SimAddress(**FULL_ADDRESS | {"line3": "Floor 9"}), service_level="EXPEDITED")
    import_now(shop)
    order.refresh_from_db()
    assert order.service_level == "EXPEDITED"
    assert {name: getattr(person_of(order), name) for name in LATCHED} == before
    written = str(list(OrderEvent.objects.values())) + str(list(SecurityEvent.objects.values()))
    assert not any(name in written for name in NAMES)
    event, entry = told(order)
    assert (event.kind, entry.actor, entry.user, entry.reason) == (Kind.BLOCKED, "import", None, "import")
    travel(world, minutes=10)
    import_now(shop)  # nothing changed at Amazon: nothing was offered
    assert order.events.filter(kind=Kind.BLOCKED).count() == 1


def test_an_import_of_an_order_that_stands_is_no_attempt(world, shop, travel):
    remote = add(world)
    import_now(shop)
    change(world, travel, remote, buyer_name="Grace Canary")
    import_now(shop)
    assert Order.objects.get().person.buyer_name == "Grace Canary"
    assert nothing_on_record()


# -- people at their desks


def test_an_address_in_roman_characters_is_ignored_and_recorded_with_its_writer(erased, agent, noon):
    with pytest.raises(RuleViolation, match="erased on schedule"):
        roman.write(erased, {"romanised_name": "Grace Canary"}, by=agent, now=noon)
    assert person_of(erased).romanised_name == markers.AMAZON
    event, entry = told(erased)
    assert (event.kind, event.actor, entry.user, entry.actor) == (Kind.BLOCKED_WRITE, agent, agent, "")
    assert sentence(event) == "Personal data written by a form of OrderHub ignored: already erased here"


def test_a_note_is_ignored_and_recorded(erased, agent, noon):
    with pytest.raises(RuleViolation, match="takes no more notes"):
        notes.add(erased, "Grace Canary rang", by=agent, now=noon)
    assert not erased.notes.exists()
    assert told(erased)[1].user == agent


def test_a_correction_is_ignored_and_recorded(noon, agent):
    order = due_order(store=make_manual_store("handmade"))
    sweep()
    entry = Entry(order.order_number, {}, {"recipient_name": "Grace Canary"}, [])
    with pytest.raises(RuleViolation, match="was erased"):
        correcting.correct(order, entry, as_seen=correcting.seen(order), by=agent, now=noon)
    assert person_of(order).recipient_name == markers.AMAZON
    assert told(order)[1].user == agent


def test_a_correction_form_opened_before_the_erasure_is_recorded_at_its_door(noon, agent, client):
    order = due_order(store=make_manual_store("handmade"))
    sweep()
    client.force_login(agent)
    page = f"/admin/orders/order/{order.pk}/correct/"
    assert client.get(page).status_code == 302 and nothing_on_record()
    client.post(page, {"recipient_name": "Grace Canary"})
    assert told(order)[0].actor == agent


def test_customisation_from_the_api_is_ignored_and_recorded_with_its_client(erased):
    item = OrderItem.objects.get(order=erased)
    with pytest.raises(RuleViolation, match="takes no customisation"):
        content.keep(item, [{"label": "Name", "value": "Grace Canary"}], client="Till 4")
    event, entry = told(erased)
    assert (event.params, entry.actor) == ({"client": "Till 4"}, "Till 4")


# -- files

HEADER = "order_number,currency,sku,quantity,recipient_name,street1,city,country\n"


def test_a_file_brings_nobody_back_and_its_other_orders_come_in(noon, agent):
    store = make_manual_store("handmade")
    order = due_order(store=store)
    sweep()
    rows = f"{order.order_number},EUR,A,1,Grace Canary,1 Sample Street,Lyon,FR\nNEW-1,EUR,A,1,Ada Example,1 Sample Street,Lyon,FR\n"
    written, found = csv_importing.commit((HEADER + rows).encode(), store, by=agent, now=noon)
    assert [fresh.order_number for fresh in written] == ["NEW-1"] and found.known == [order.order_number]
    assert person_of(order).recipient_name == markers.AMAZON
    event, entry = told(order)
    assert (event.params, entry.user, entry.reason) == ({"client": "csv"}, agent, "csv")


def test_a_file_about_an_order_that_stands_or_without_a_person_is_no_attempt(noon, agent):
    store = make_manual_store("handmade")
    erased = due_order(store=store)
    sweep()
    standing = due_order(store=store, due=noon + timedelta(days=3))
    rows = f"{standing.order_number},EUR,A,1,Grace Canary,1 Sample Street,Lyon,FR\n{erased.order_number},EUR,A,1,,,,\n"
    csv_importing.commit((HEADER + rows + "NEW-1,EUR,A,1,Ada,,,\n").encode(), store, by=agent, now=noon)
    assert nothing_on_record()


# -- what doors share


def test_a22_a_whole_record_sent_back_moves_the_rest_and_the_rest_only(erased, noon):
    offered = {"recipient_name": "Grace Canary", "phone": markers.AMAZON, "postal_code": "78701", "ship_by": noon}
    assert latch.guard(erased, offered, client="Till 4", now=noon) == {"ship_by": noon}
    assert told(erased)[0].params == {"client": "Till 4"}


def test_markers_and_blanks_sent_back_are_no_attempt(erased, noon):
    offered = {"recipient_name": markers.AMAZON, "street2": "", "gift_message": markers.RGPD, "ship_by": noon}
    assert latch.guard(erased, offered, client="Till 4", now=noon) == {"ship_by": noon}
    assert nothing_on_record()


@pytest.mark.parametrize("state", ["redacting", "redacted"])
def test_an_order_being_erased_is_shut_already(noon, state):
    order = due_order()
    sweep()
    if state == "redacting":
        Order.objects.filter(pk=order.pk).update(pii_state=state, redacted_at=None)
    order.refresh_from_db()
    assert latch.guard(order, {"phone": "+1 555 0100"}, client="Till 4", now=noon) == {}


def test_an_order_that_stands_takes_everything(noon):
    order = due_order(due=noon + timedelta(days=3))
    offered = {"recipient_name": "Grace Canary", "postal_code": "78701"}
    assert latch.guard(order, offered, client="Till 4", now=noon) == offered
    assert nothing_on_record()


@pytest.mark.parametrize("name", [name for name in LATCHED if not name.startswith("custom_field")])
def test_every_personal_column_is_shut(erased, noon, name):
    assert name not in latch.guard(erased, {name: "Grace Canary"}, client="Till 4", now=noon)
