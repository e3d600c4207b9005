"""When personal data must be gone: one named test for each line of the table, on real rows, and any history of an order.

The pure function is proved case by case in test_retention.py; PROVED says which test there, or elsewhere, stands for
which line, and a test here fails where one of them is gone.
"""

import importlib
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderhub import clock
from orderhub.errors import RuleViolation
from orders import entering
from orders.models import Order, OrderEvent
from orders.retention import facts_of, recompute
from privacy.retention import Rule
from shipments import tracking
from shipments.models import Label, Shipment
from shipments.models.shipment import TrackingStatus
from shipments.providers.base import Scan
from shipments.voiding import void
from tests.factories import make_order, make_shipment, make_store, make_user
from tests.orders.entries import make_manual_store
from tests.privacy.rows import shop
from tests.privacy.test_latch import take_in

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
# line of the table: (module, test) that prove it besides the ones below
PROVED = {
    "worked examples of R78": ("privacy.test_retention", "test_the_worked_examples"),
    "every case of the pure function": ("privacy.test_retention", "test_the_table_of_due_dates"),
    "DST, leap day, year end (F40)": ("privacy.test_retention", "test_a_day_is_24_hours_whatever_the_calendar_does"),
    "dates without time": ("privacy.test_retention", "test_the_ship_date_begins_at_midnight_of_the_store"),
    "absurd dates": ("privacy.test_retention", "test_an_absurd_date_counts_as_missing"),
    "R87 a second before": ("privacy.test_erasure", "test_nothing_goes_a_second_before_it_is_due"),
    "R87 at the instant": ("privacy.test_erasure", "test_at_the_due_instant_every_field_of_the_person_goes"),
    "R87 in batches, resumable": ("privacy.test_erasure", "test_a_sweep_stops_at_its_time_budget_and_says_there_is_more"),
    "R88": ("privacy.test_retention", "test_an_erased_order_never_becomes_undue"),
    "R83 the void screen says so": (
        "shipments.test_voiding_page", "test_r83_an_address_that_is_then_due_at_once_is_a_warning_before_the_void",
    ),
    "R81 tracked is frozen": ("shipments.test_buying", "test_r81_what_is_tracked_is_frozen_by_the_service"),
    "R79 scans by hand": ("shipments.test_tracking", "test_r79_of_an_untracked_service_the_delivery_is_shown_and_moves_no_date"),
    "R85 returns": ("shipments.test_returns", "test_r85_it_is_erased_with_an_order_that_is_erased_earlier"),
    "R84 labels on their own clock": ("privacy.test_erasure", "test_a_label_not_yet_due_outlives_its_order_and_goes_on_its_own_clock"),
    "FBA: nothing kept at import": ("orders.test_import_rules", "test_r27_nothing_of_a_person_is_kept_of_them_whatever_amazon_sends"),
    "FBA: never swept": ("privacy.test_erasure", "test_an_order_by_amazon_is_never_swept"),
    "customer R103": ("orders.test_customers_erasing", "test_r103_not_before_the_last_order"),
    "customer R104": (
        "orders.test_customers_erasing", "test_r104_one_order_from_elsewhere_keeps_the_customer_and_its_amazon_order_still_goes",
    ),
    "customer R105": (
        "orders.test_customers_erasing", "test_r105_what_came_from_amazon_goes_from_a_mixed_customer_with_its_last_amazon_order",
    ),
}  # fmt: skip


@pytest.mark.parametrize("line", PROVED)
def test_each_line_proved_elsewhere_still_is(line):
    module, name = PROVED[line]
    assert callable(getattr(importlib.import_module(f"tests.{module}"), name))


@pytest.fixture
def order(noon) -> Order:
    return make_order(shop(), first_imported_at=noon)


def due_of(order: Order) -> tuple[datetime, str]:
    return Order.objects.values_list("redaction_due_at", "redaction_rule").get(pk=order.pk)


def sent(order: Order, *, tracked: bool = True, **wish) -> Shipment:
    """Shipped with a label; `tracked`: as a provider that reports scans would have it, frozen at creation."""
    shipment = make_shipment(Order.objects.select_related("store").get(pk=order.pk), **wish)
    if tracked:
        Shipment.objects.filter(pk=shipment.pk).update(tracked=True)
        follow(shipment)
    return Shipment.objects.select_related("order__store").get(pk=shipment.pk)


def follow(shipment: Shipment) -> None:
    """What a parcel that was tracked from the start would have set."""
    shipment.refresh_from_db()
    recompute(shipment.order)
    due = due_of(shipment.order)
    Label.objects.filter(shipment=shipment).update(due_at=due[0], due_rule=due[1])


def delivered(shipment: Shipment, at: datetime) -> None:
    tracking.apply(shipment, [Scan(TrackingStatus.DELIVERED, at)], now=clock.now())


def in_unit(order: Order) -> dict[int, int]:
    return {order.items.earliest("pk").pk: 1}


# -- not shipped


@pytest.mark.parametrize("status", ["awaiting_payment", "awaiting_shipment", "on_hold", "cancelled", "shipped"])
def test_r77_a25_a26_unshipped_import_plus_14_whatever_the_status(noon, status):
    order = make_order(shop(), status=status, first_imported_at=noon)
    recompute(order)
    assert due_of(order) == (noon + 14 * DAY, Rule.IMPORT)


def test_a27_the_first_import_counts_never_a_later_one(order, noon):
    for days in (1, 5, 9):
        take_in(order, at=noon + days * DAY)
        recompute(order)
    assert due_of(order) == (noon + 14 * DAY, Rule.IMPORT)
    order.refresh_from_db()
    assert order.first_imported_at == noon


def test_a25_a_hold_does_not_stop_the_clock(order, noon):
    order.hold("Held")
    clock.advance(days=3)
    recompute(order)
    assert due_of(order)[0] == noon + 14 * DAY


# -- tracked


def test_r78_tracked_and_delivered_the_earliest_of_three(order, noon):
    shipment = sent(order, ship_date=date(2026, 12, 10))  # typed ahead: the delivery comes before it
    delivered(shipment, noon + timedelta(minutes=30))
    assert due_of(order) == (noon + timedelta(minutes=30) + 30 * DAY, Rule.DELIVERY)


def test_r78_tracked_and_lost_ship_date_plus_30(order, noon):
    shipment = sent(order, ship_date=date(2026, 11, 21))
    assert due_of(order) == (shipment.first_ship_at + 30 * DAY, Rule.SHIP_DATE)


def test_r78_tracked_with_a_ship_date_more_than_14_days_ahead_label_plus_44(order, noon):
    sent(order, ship_date=date(2026, 12, 20))
    assert due_of(order) == (noon + 44 * DAY, Rule.LABEL)


def test_r78_tracked_without_a_ship_date_label_plus_44_and_import_plus_14_once_it_is_voided(order, noon):
    shipment = sent(order)
    Shipment.objects.filter(pk=shipment.pk).update(first_ship_at=None)
    recompute(shipment.order)
    assert due_of(order) == (noon + 44 * DAY, Rule.LABEL)
    void(shipment, by=make_user("Support"), now=clock.now())
    assert due_of(order) == (noon + 14 * DAY, Rule.IMPORT)


# -- not tracked


def test_r79_untracked_shipment_plus_30(order, noon):
    clock.advance(days=2)
    shipment = sent(order, tracked=False, ship_date=date(2026, 11, 1))
    delivered(shipment, noon + 2 * DAY)
    assert due_of(order) == (noon + 32 * DAY, Rule.CREATION)


def test_r80_marked_as_shipped_without_a_label_is_not_tracked(order, noon):
    shipment = sent(order, tracked=False, with_label=False)
    assert not shipment.tracked and not shipment.labels.exists()
    assert due_of(order) == (noon + 30 * DAY, Rule.CREATION)


# -- voided, several, partly


def test_r83_a_voided_label_without_another_import_plus_14_and_due_at_once(order, noon):
    shipment = sent(order, tracked=False)
    label = shipment.labels.get()
    clock.advance(days=20)
    void(shipment, by=make_user("Support"), now=clock.now())
    assert due_of(order) == (noon + 14 * DAY, Rule.IMPORT)
    label.refresh_from_db()
    assert label.due_at == noon + 14 * DAY  # with the order, never later than before
    assert Order.objects.filter(redaction_due_at__lte=clock.now()).exists()


def test_r84_several_shipments_the_earliest_and_each_label_its_own(noon):
    order = make_order(shop(), lines=2, first_imported_at=noon)
    first = sent(order, tracked=False, items=in_unit(order))
    clock.advance(days=3)
    second = sent(order, tracked=False)
    assert due_of(order) == (noon + 30 * DAY, Rule.CREATION)
    assert [label.due_at for label in Label.objects.order_by("pk")] == [noon + 30 * DAY, noon + 33 * DAY]
    assert (first.labels.count(), second.labels.count()) == (1, 1)


def test_partly_shipped_import_plus_14_holds_for_the_open_part(noon):
    order = make_order(shop(), lines=2, first_imported_at=noon)
    sent(order, tracked=False, items=in_unit(order))
    assert due_of(order) == (noon + 14 * DAY, Rule.IMPORT)


def test_r82_shipped_in_time_replaces_import_plus_14(order, noon):
    clock.advance(days=13)
    sent(order, tracked=False)
    assert due_of(order) == (noon + 43 * DAY, Rule.CREATION)


def test_combined_orders_take_the_terms_of_the_parcel_they_share(order, noon):
    lead = sent(order, ship_date=date(2026, 11, 21))
    rider = make_order(shop(), first_imported_at=noon)
    Shipment.objects.filter(
        pk=(riding := make_shipment(rider, with_label=False, ship_date=date(2026, 11, 21))).pk
    ).update(combined_with=lead, tracked=True)
    follow(riding)
    delivered(lead, noon + timedelta(minutes=5))
    assert due_of(rider) == due_of(order)


# -- corrections and tricks (B37)


def test_b37_a_delivery_corrected_earlier_is_obeyed_and_later_is_ignored(order, noon):
    shipment = sent(order, ship_date=date(2026, 12, 20))
    for at, due in ((noon - DAY, noon + 29 * DAY), (noon, noon + 29 * DAY), (noon - 2 * DAY, noon + 28 * DAY)):
        delivered(Shipment.objects.get(pk=shipment.pk), at)
        assert due_of(order) == (due, Rule.DELIVERY)


@pytest.mark.parametrize("absurd", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)])
def test_future_and_absurd_dates_count_as_missing_never_as_never(order, noon, absurd):
    shipment = sent(order)
    Shipment.objects.filter(pk=shipment.pk).update(first_ship_at=absurd, first_delivered_at=absurd)
    recompute(Order.objects.select_related("store").get(pk=order.pk))
    assert due_of(order) == (noon + 44 * DAY, Rule.LABEL)


def test_b37_voided_and_labelled_again_and_again_never_beyond_import_plus_120(order, noon):
    agent = make_user("Support")
    for round_number in range(9):
        shipment = sent(order, tracked=False, tracking_number=f"1Z{round_number:010d}")
        assert due_of(order)[0] == min(noon + (13 * round_number + 30) * DAY, noon + 120 * DAY)
        clock.advance(days=13)
        void(shipment, by=agent, now=clock.now())
    assert due_of(order) == (noon + 14 * DAY, Rule.IMPORT)


def test_b37_an_order_is_not_entered_a_second_time_to_start_its_clock_anew(noon):
    store = make_manual_store("handmade")
    lines = [{"sku": "S", "asin": "", "title": "", "quantity": 1}]
    entry = entering.Entry("H-1", {"currency": "EUR"}, {"recipient_name": "Ada Example"}, lines)
    (order,) = entering.enter(store, [entry], kind=OrderEvent.Kind.ENTERED, by=make_user("Support"), now=noon)
    clock.advance(days=10)
    with pytest.raises(RuleViolation, match="already has an order"):
        entering.enter(store, [entry], kind=OrderEvent.Kind.FROM_FILE, by=make_user("Support"), now=clock.now())
    assert due_of(order) == (noon + 14 * DAY, Rule.IMPORT)


def test_r66_orders_from_elsewhere_have_no_date(noon):
    order = make_order(
        make_manual_store("manual"), origin_marketplace="manual", redaction_due_at=None, redaction_rule=""
    )
    recompute(order)
    assert due_of(order) == (None, "")


def test_a10_a_relay_address_makes_any_channels_order_amazons(noon):
    lines = [{"sku": "S", "asin": "", "title": "", "quantity": 1}]
    person = {"recipient_name": "Ada Example", "buyer_email": "x1@marketplace.amazon.fr"}
    entry = entering.Entry("M-1", {"currency": "EUR"}, person, lines)
    (order,) = entering.enter(
        make_manual_store("manual"), [entry], kind=OrderEvent.Kind.ENTERED, by=make_user("Support"), now=noon
    )
    assert due_of(order) == (noon + 14 * DAY, Rule.IMPORT)


# -- any history

DEEDS = ["ship tracked", "ship untracked", "void", "deliver", "correct delivery", "import again", "enter again", "wait"]
STEPS = st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 13)), max_size=9)


class History:
    """One order and what people and Amazon do to it. After each step the date keeps to the rules."""

    def __init__(self):
        self.order = make_order(make_store(), first_imported_at=clock.now())
        self.imported, self.agent, self.count = clock.now(), make_user("Support"), 0

    def live(self) -> Shipment | None:
        rows = Shipment.objects.select_related("order__store").filter(voided_at__isnull=True)
        return rows.order_by("pk").last()

    def ship(self, *, tracked: bool, days: int) -> None:
        if self.live() is None:
            self.count += 1
            day = (clock.now() + (days - 6) * DAY).date()
            sent(self.order, tracked=tracked, tracking_number=f"1Z{self.count:010d}", ship_date=day)

    def do(self, deed: str, days: int) -> None:
        shipment = self.live()
        if deed.startswith("ship"):
            self.ship(tracked=deed == "ship tracked", days=days)
        elif deed == "wait":
            clock.advance(days=days)
        elif deed == "import again":
            take_in(Order.objects.select_related("store__account").get(pk=self.order.pk), at=clock.now())
        elif deed == "enter again":
            recompute(Order.objects.select_related("store").get(pk=self.order.pk))
        elif shipment is not None and deed == "void" and shipment.delivered_at is None:
            void(shipment, by=self.agent, now=clock.now())
        elif shipment is not None and deed in {"deliver", "correct delivery"}:
            at = clock.now() - (days if deed == "deliver" else days - 6) * DAY
            delivered(shipment, min(at, clock.now()))

    def check(self, deed: str, before: datetime) -> None:
        due, rule = due_of(self.order)
        facts = facts_of(Order.objects.get(pk=self.order.pk))
        assert due <= self.imported + 120 * DAY
        active = [parcel for parcel in facts.parcels if parcel.active]
        if not active:
            assert (due, rule) == (self.imported + 14 * DAY, Rule.IMPORT)
        for parcel in active:
            if parcel.tracked and parcel.delivered_at and abs(parcel.delivered_at - parcel.created_at) < 60 * DAY:
                assert due <= parcel.delivered_at + 30 * DAY
        terms = [self.imported + 14 * DAY, self.imported + 120 * DAY]
        for parcel in active:
            terms += [parcel.created_at + 30 * DAY, (parcel.label_created_at or parcel.created_at) + 44 * DAY]
            terms += [at + 30 * DAY for at in (parcel.shipped_at, parcel.delivered_at) if at]
        assert due in terms and due >= min(terms)  # never early
        if not deed.startswith("ship"):
            assert due <= before or deed == "void", "only a shipment of its own starts another clock"


@settings(
    max_examples=20, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=STEPS)
def test_b37_no_history_extends_what_the_rules_allow(noon, steps):
    undo = transaction.savepoint()
    with clock.at(noon):
        history = History()
        for deed, days in steps:
            before = due_of(history.order)[0]
            history.do(deed, days)
            history.check(deed, before)
    transaction.savepoint_rollback(undo)
