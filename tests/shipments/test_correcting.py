"""A tracking number corrected at Amazon: the same parcel edited, never a second one. R45, R47, A14."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from orderhub import clock
from orderhub.errors import RuleViolation
from orders import timeline
from orders.models import OrderEvent
from shipments import correcting, noticewords, voiding
from shipments.models import ShipmentNotification
from stores.connectors.base import RemotePackage
from stores.models import Store
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect, make_shipment, make_user
from tests.orders.driving import import_now, notify_now, ship_everything, time_passes
from tests.shipments.notices import make_notice

pytestmark = pytest.mark.django_db
State = ShipmentNotification.State
NEW = "1Z999AA10123456784"


@pytest.fixture
def relabelled(simulate):
    """An order Amazon was told of, whose parcel was voided and sent anew: its world, account and first notice."""
    world = simulate(scenarios.empty(now=NOON))
    world.add_order(
        scenarios.NA, marketplace="US", created=NOON - timedelta(hours=2), updated=NOON - timedelta(hours=2)
    )
    account = connect(scenarios.NA, sources=("US",))
    Store.objects.update(correct_tracking=True)
    import_now(account)
    (order,) = ship_everything()
    notify_now(account)
    voiding.void(order.shipments.get(), by=None, now=clock.now())
    order.refresh_from_db()
    make_shipment(order, tracking_number=NEW, with_label=False)
    return world, account, first()


def first() -> ShipmentNotification:
    return ShipmentNotification.objects.select_related("order__store__account", "shipment").get(correction_of=None)


def child() -> ShipmentNotification:
    return ShipmentNotification.objects.select_related("order__store__account", "shipment").get(
        correction_of__isnull=False
    )


def effects(world) -> list[str]:
    return [entry["effect"] for entry in world.ledger]


def at_amazon(world) -> list[str]:
    (order,) = world.orders.values()
    return [package.tracking for package in order.packages]


def correct(notice, **given):
    return correcting.correct(notice, by=given.pop("by", None), now=clock.now())


def test_r47_a_new_label_after_a_void_tells_amazon_nothing(relabelled):
    world, account, notice = relabelled
    time_passes(world, minutes=30)
    assert effects(world) == ["created"] and world.calls("confirmShipment") == 1
    assert NEW not in at_amazon(world)
    assert ShipmentNotification.objects.count() == 1


def test_r45_r47_a_correction_edits_the_one_parcel(relabelled):
    world, account, notice = relabelled
    by = make_user("Support")
    correct(notice, by=by)
    time_passes(world, minutes=6)
    assert effects(world) == ["created", "edited"]
    assert len({entry["package_reference"] for entry in world.ledger}) == 1
    assert at_amazon(world) == [NEW]
    assert (child().state, child().package_reference, child().single_only) == (
        State.CONFIRMED, notice.package_reference, True,
    )  # fmt: skip
    assert first().confirmed_at == notice.confirmed_at
    lines = OrderEvent.objects.filter(kind="notice", params__change="corrected").order_by("pk")
    assert [line.params["state"] for line in lines] == [State.PENDING, State.CONFIRMED]
    assert lines[0].actor == by
    assert timeline.sentence(lines[0]) == "Notice to Amazon: waiting to be sent (correction of the tracking number)"


def test_a_second_correction_follows_a_second_void(relabelled):
    world, account, notice = relabelled
    correct(notice)
    time_passes(world, minutes=3)
    order = notice.order
    voiding.void(order.shipments.get(voided_at=None), by=None, now=clock.now())
    order.refresh_from_db()
    make_shipment(order, tracking_number="1Z999AA10123456793", with_label=False)
    correct(notice)
    time_passes(world, minutes=3)
    assert effects(world) == ["created", "edited", "edited"]
    assert at_amazon(world) == ["1Z999AA10123456793"]


def test_it_is_off_unless_the_store_asks_for_it(relabelled):
    world, account, notice = relabelled
    assert Store._meta.get_field("correct_tracking").default is False
    Store.objects.update(correct_tracking=False)
    with pytest.raises(RuleViolation, match="switch it on, on the store's page"):
        correct(notice)
    assert ShipmentNotification.objects.count() == 1


@pytest.mark.parametrize("state", [State.CONFIRMED_EXTERNAL, State.REJECTED, State.MANUAL, State.UNKNOWN])
def test_only_what_amazon_accepted_from_us_is_corrected(relabelled, state):
    world, account, notice = relabelled
    ShipmentNotification.objects.update(state=state)
    with pytest.raises(RuleViolation, match="no number to correct"):
        correct(notice)


def test_a_parcel_that_was_not_voided_keeps_its_number(noon):
    notice = make_notice(State.CONFIRMED)
    Store.objects.update(correct_tracking=True)
    with pytest.raises(RuleViolation, match="not voided"):
        correct(notice)


def test_a_label_of_amazons_own_is_not_told_again(relabelled):
    world, account, notice = relabelled
    notice.order.shipments.filter(voided_at=None).update(confirms_order=True)
    with pytest.raises(RuleViolation, match="Amazon's own"):
        correct(notice)


def test_where_the_connector_tells_amazon_nothing_is_corrected_here(relabelled):
    world, account, notice = relabelled
    shop = Store.objects.create(merchant=notice.order.store.merchant, name="Mirror", platform="bigcommerce")
    Store.objects.filter(pk=notice.order.store_id).update(
        linked_store=shop, linked_mails_off_at=NOON, amazon_told_by="connector"
    )
    with pytest.raises(RuleViolation, match="connector"):
        correct(notice)


def test_of_two_people_one_corrects(relabelled):
    world, account, notice = relabelled
    correct(notice)
    with pytest.raises(RuleViolation, match="under way"):
        correct(notice)
    assert ShipmentNotification.objects.count() == 2


def test_the_database_refuses_two_open_corrections(relabelled):
    world, account, notice = relabelled
    correct(notice)
    twin = child()
    twin.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)


def test_a_parcel_voided_before_the_correction_was_sent_takes_it_back(relabelled):
    world, account, notice = relabelled
    correct(notice)
    voiding.void(notice.order.shipments.get(voided_at=None), by=None, now=clock.now())
    time_passes(world, minutes=6)
    assert child().state == State.WITHDRAWN
    assert effects(world) == ["created"]


def test_r45_a_correction_whose_answer_was_lost_is_read_and_not_sent_twice(relabelled):
    world, account, notice = relabelled
    correct(notice)
    world.faults.arm("confirmShipment", "500_after", times=1)
    notify_now(account)
    assert child().state == State.UNKNOWN
    time_passes(world, minutes=6)
    assert child().state == State.CONFIRMED
    assert effects(world) == ["created", "edited"]


def test_the_old_number_under_our_reference_is_no_proof_of_a_correction(relabelled):
    world, account, notice = relabelled
    correct(notice)
    world.faults.arm("confirmShipment", "500_before", times=1)
    notify_now(account)
    time_passes(world, minutes=6)
    assert child().state == State.UNKNOWN  # read twice by now, and each time the old number was there
    assert effects(world) == ["created"]
    time_passes(world, minutes=18)
    assert child().state == State.CONFIRMED
    assert effects(world) == ["created", "edited"] and at_amazon(world) == [NEW]


def test_once_amazon_takes_no_corrections_any_more_it_is_refused_and_explained(relabelled):
    world, account, notice = relabelled
    world.strict_resend = True
    correct(notice)
    notify_now(account)
    time_passes(world, minutes=30)
    found = child()
    assert (found.state, found.error_code) == (State.REJECTED, "PackageToUpdateNotFound")
    words = noticewords.of(found, now=clock.now())
    assert "still shows the old one" in words.meaning and words.entry.key == "already-shipped"
    assert effects(world) == ["created"] and first().state == State.CONFIRMED
    assert world.calls("confirmShipment") == 2  # it does not knock for ever


def test_a_correction_never_goes_into_a_submission(relabelled):
    world, account, notice = relabelled
    correct(notice)
    assert not ShipmentNotification.objects.filter(ShipmentNotification.TOGETHER, pk=child().pk).exists()
    assert not child().is_first_word


@pytest.mark.parametrize(
    ("corrects", "reference", "number", "ours"),
    [
        (False, "7", "OLD", True), (False, "7", "", True), (False, "SC-1", "1Z", True), (False, "SC-1", "OLD", False),
        (False, "SC-1", "", False),
        (True, "7", "1Z", True), (True, "7", "OLD", False), (True, "SC-1", "1Z", False), (True, "7", "", False),
    ],
)  # fmt: skip
def test_what_counts_as_ours_at_amazon(corrects, reference, number, ours):
    class Row:
        package_reference, correction_of_id = "7", 1 if corrects else None

        class shipment:
            tracking_number = "1Z"

    class Remote:
        packages = (RemotePackage(reference, number, "UPS"), RemotePackage("other", "other", "UPS"))

    assert correcting.is_ours(Row, Remote) is ours
