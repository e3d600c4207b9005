"""When personal data must be gone: the rules' own examples, every case of the table, and what holds for all histories."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.models import Order
from orders.retention import recompute
from privacy.retention import Facts, Parcel, Periods, Rule, label_due, order_due, parcel_due
from shipments.models import Label
from tests.factories import make_shipment
from tests.privacy.rows import due_order, sweep

IMPORTED = datetime(2026, 10, 30, tzinfo=UTC)
FIRST = datetime(2026, 11, 1, tzinfo=UTC)  # the label of the worked examples is made here
DAY = timedelta(days=1)


def november(day: int) -> datetime:
    return datetime(2026, 11, day, tzinfo=UTC)


def december(day: int) -> datetime:
    return datetime(2026, 12, day, tzinfo=UTC)


def tracked(**given) -> Parcel:
    return Parcel(**({"created_at": FIRST, "tracked": True, "label_created_at": FIRST} | given))


def untracked(**given) -> Parcel:
    return Parcel(**({"created_at": FIRST, "tracked": False} | given))


def shipped(*parcels: Parcel, **given) -> Facts:
    return Facts(**({"imported_at": IMPORTED, "fully_shipped": True} | given), parcels=parcels)


@pytest.mark.parametrize(
    ("ship_date", "delivery", "due", "rule"),
    [
        pytest.param(november(1), november(5), december(1), Rule.SHIP_DATE, id="i ship date governs"),
        pytest.param(november(20), None, december(15), Rule.LABEL, id="ii never scanned, label governs"),
        pytest.param(november(20), november(3), december(3), Rule.DELIVERY, id="iii delivered before the ship date"),
        pytest.param(None, november(10), december(10), Rule.DELIVERY, id="iv no ship date"),
        pytest.param(None, None, december(15), Rule.LABEL, id="v neither ship date nor delivery"),
    ],
)
def test_the_worked_examples(ship_date, delivery, due, rule):
    parcel = tracked(shipped_at=ship_date, delivered_at=delivery)
    for found in (parcel_due(parcel), order_due(shipped(parcel)), label_due(parcel, order_due(shipped(parcel)))):
        assert (found.at, found.rule) == (due, rule)


@pytest.mark.parametrize(
    ("facts", "due", "rule"),
    [
        pytest.param(Facts(IMPORTED), IMPORTED + 14 * DAY, Rule.IMPORT, id="not shipped"),
        pytest.param(Facts(IMPORTED, fully_shipped=True), IMPORTED + 14 * DAY, Rule.IMPORT, id="shipped elsewhere"),
        pytest.param(shipped(untracked()), FIRST + 30 * DAY, Rule.CREATION, id="not tracked"),
        pytest.param(
            shipped(untracked(shipped_at=november(2), delivered_at=november(2) - 3 * DAY)),
            FIRST + 30 * DAY, Rule.CREATION, id="not tracked: scans typed by hand change nothing",
        ),
        pytest.param(
            shipped(tracked(shipped_at=november(4))), december(4), Rule.SHIP_DATE, id="tracked, never delivered"
        ),
        pytest.param(
            shipped(tracked(label_created_at=None)), FIRST + 44 * DAY, Rule.LABEL, id="without a label: its creation"
        ),
        pytest.param(
            shipped(tracked(active=False), fully_shipped=False), IMPORTED + 14 * DAY, Rule.IMPORT, id="voided, no other"
        ),
        pytest.param(
            shipped(tracked(active=False)), IMPORTED + 14 * DAY, Rule.IMPORT, id="only a return"
        ),
        pytest.param(
            shipped(untracked(), tracked(shipped_at=FIRST - 5 * DAY)),
            FIRST + 25 * DAY, Rule.SHIP_DATE, id="several shipments: the earliest",
        ),
        pytest.param(
            shipped(untracked(), fully_shipped=False), IMPORTED + 14 * DAY, Rule.IMPORT, id="partly shipped: import too"
        ),
        pytest.param(
            shipped(untracked(created_at=IMPORTED - 20 * DAY), fully_shipped=False),
            IMPORTED + 10 * DAY, Rule.CREATION, id="partly shipped: the shipment's term if earlier",
        ),
        pytest.param(
            shipped(untracked(created_at=IMPORTED + 13 * DAY)),
            IMPORTED + 43 * DAY, Rule.CREATION, id="shipped in time replaces the fourteen days",
        ),
        pytest.param(
            shipped(untracked(created_at=IMPORTED + 110 * DAY)),
            IMPORTED + 120 * DAY, Rule.CEILING, id="labelled again and again: the ceiling",
        ),
    ],
)  # fmt: skip
def test_the_table_of_due_dates(facts, due, rule):
    found = order_due(facts)
    assert (found.at, found.rule) == (due, rule)


@pytest.mark.parametrize("absurd", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)])
@pytest.mark.parametrize("column", ["shipped_at", "delivered_at"])
def test_an_absurd_date_counts_as_missing(column, absurd):
    assert parcel_due(tracked(**{column: absurd})) == parcel_due(tracked())


def test_dates_are_plausible_up_to_sixty_days_before_and_120_after():
    assert parcel_due(tracked(shipped_at=FIRST - 60 * DAY)).at == FIRST - 30 * DAY
    assert parcel_due(tracked(shipped_at=FIRST - 60 * DAY - timedelta(seconds=1))).rule is Rule.LABEL


@pytest.mark.parametrize("active", [True, False])
def test_a_label_that_is_not_in_use_goes_with_the_order_and_never_later_than_before(active):
    parcel = tracked(active=active)
    order = order_due(Facts(IMPORTED))
    assert label_due(parcel, order).at == (FIRST + 44 * DAY if active else IMPORTED + 14 * DAY)
    late = order_due(shipped(untracked(created_at=FIRST + 60 * DAY)))
    assert label_due(parcel, late).at == FIRST + 44 * DAY


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2027, 3, 20, 23, 30, tzinfo=ZoneInfo("Europe/Paris")),  # summer time begins within the term
        datetime(2026, 10, 20, 2, 30, tzinfo=ZoneInfo("America/New_York")),  # and ends
        datetime(2028, 2, 20, 12, 0, tzinfo=UTC),  # over 29 February
        datetime(2026, 12, 25, 12, 0, tzinfo=UTC),  # over the year's end
    ],
)
def test_a_day_is_24_hours_whatever_the_calendar_does(moment):
    start = moment.astimezone(UTC)
    assert order_due(Facts(start)).at - start == timedelta(hours=14 * 24)
    assert parcel_due(untracked(created_at=start)).at - start == timedelta(hours=30 * 24)
    assert parcel_due(tracked(created_at=start, label_created_at=start)).at - start == timedelta(hours=44 * 24)


@pytest.mark.parametrize("longer", [15, 31, 45, 10_000])
def test_periods_cannot_be_lengthened(longer):
    assert Periods(unshipped=longer, shipped=longer, label=longer) == Periods(
        unshipped=min(longer, 14), shipped=min(longer, 30), label=min(longer, 44)
    )


def test_periods_can_be_shortened_but_not_below_nothing():
    short = Periods(unshipped=3, shipped=7, label=9)
    assert order_due(Facts(IMPORTED), short).at == IMPORTED + 3 * DAY
    assert parcel_due(untracked(), short).at == FIRST + 7 * DAY
    assert parcel_due(tracked(), short).at == FIRST + 9 * DAY
    assert Periods(unshipped=-1) == Periods(unshipped=0)


# ---- what holds for every history

instants = st.datetimes(datetime(1969, 1, 1), datetime(2101, 1, 1), timezones=st.just(UTC))
near = st.datetimes(datetime(2026, 9, 1), datetime(2027, 3, 1), timezones=st.just(UTC))
any_date = st.none() | near | instants
parcels = st.builds(
    Parcel, created_at=near, tracked=st.booleans(), label_created_at=st.none() | near, shipped_at=any_date,
    delivered_at=any_date, active=st.booleans(),
)  # fmt: skip
histories = st.builds(
    Facts, imported_at=near, fully_shipped=st.booleans(), parcels=st.lists(parcels, max_size=4).map(tuple)
)
fixed = settings(derandomize=True, max_examples=200, deadline=None, database=None)


@fixed
@given(histories)
def test_never_later_than_120_days_after_the_import(facts):
    assert order_due(facts).at <= facts.imported_at + 120 * DAY


@fixed
@given(histories)
def test_never_later_than_thirty_days_after_a_delivery(facts):
    delivered = [
        parcel.delivered_at
        for parcel in facts.parcels
        if parcel.active and parcel.tracked and parcel.delivered_at
        and abs(parcel.delivered_at - parcel.created_at) <= 60 * DAY
    ]  # fmt: skip
    assert all(order_due(facts).at <= instant + 30 * DAY for instant in delivered)


@fixed
@given(histories)
def test_never_later_than_fourteen_days_after_the_import_while_something_is_not_shipped(facts):
    assert order_due(replace(facts, fully_shipped=False)).at <= facts.imported_at + 14 * DAY


@fixed
@given(histories)
def test_never_before_the_earliest_term_there_is(facts):
    """Only facts that exist set a term; the due date is one of them, never earlier than all."""
    terms = [facts.imported_at + 14 * DAY]
    for parcel in facts.parcels:
        terms += [parcel.created_at + 30 * DAY, (parcel.label_created_at or parcel.created_at) + 44 * DAY]
        terms += [instant + 30 * DAY for instant in (parcel.shipped_at, parcel.delivered_at) if instant]
    assert order_due(facts).at >= min(terms)
    assert order_due(facts).at in [*terms, facts.imported_at + 120 * DAY]


@fixed
@given(histories, near, st.sampled_from(["shipped_at", "delivered_at"]))
def test_recording_a_correction_never_extends(facts, told, column):
    """Rows keep the earliest plausible instant ever told: an earlier one is obeyed, a later one changes nothing."""
    for index, parcel in enumerate(facts.parcels):
        known = getattr(parcel, column)
        if abs(told - parcel.created_at) > 60 * DAY or (known and abs(known - parcel.created_at) > 60 * DAY):
            continue
        after = replace(parcel, **{column: min(filter(None, [known, told]))})
        corrected = replace(facts, parcels=(*facts.parcels[:index], after, *facts.parcels[index + 1 :]))
        assert order_due(corrected).at <= order_due(facts).at


@fixed
@given(histories, st.integers(-3, 60), st.integers(-3, 60), st.integers(-3, 60))
def test_no_setting_makes_it_later(facts, unshipped, sent, label):
    assert order_due(facts, Periods(unshipped, sent, label)).at <= order_due(facts).at


@fixed
@given(histories)
def test_the_order_of_parcels_does_not_matter(facts):
    found = {order_due(replace(facts, parcels=order)).at for order in itertools.permutations(facts.parcels)}
    assert len(found) == 1


@fixed
@given(parcels, histories)
def test_a_label_is_never_later_than_its_own_term(parcel, facts):
    assert label_due(parcel, order_due(facts)).at <= parcel_due(parcel).at


# ---- the same clock on rows


@pytest.mark.django_db
def test_shipping_in_time_moves_the_due_date_of_the_order_and_its_label(noon):
    order = due_order(due=noon + 14 * DAY)
    label = make_shipment(order).labels.get()
    order.refresh_from_db()
    assert (order.redaction_due_at, order.redaction_rule) == (noon + 30 * DAY, Rule.CREATION)
    assert (label.due_at, label.due_rule) == (noon + 30 * DAY, Rule.CREATION)


@pytest.mark.django_db
def test_a_tracking_number_typed_by_hand_is_not_tracking(noon):
    shipment = make_shipment(due_order(due=noon + 14 * DAY), ship_date=date(2026, 11, 1))
    assert not shipment.tracked
    assert Order.objects.get(pk=shipment.order_id).redaction_due_at == noon + 30 * DAY


@pytest.mark.django_db
def test_the_ship_date_begins_at_midnight_of_the_store(noon):
    shipment = make_shipment(due_order(due=noon + 14 * DAY), ship_date=date(2026, 11, 20))
    local = shipment.first_ship_at.astimezone(shipment.order.store.zone)
    assert (local.date(), local.hour, local.minute) == (date(2026, 11, 20), 0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "kept"), [(7, 7), (31, 30), (365, 30)])
def test_the_installations_setting_shortens_and_never_lengthens(noon, settings, days, kept):
    settings.RETENTION_SHIPPED_DAYS = days
    label = make_shipment(due_order(due=noon + 14 * DAY)).labels.get()
    assert Label.objects.get(pk=label.pk).due_at == noon + kept * DAY


@pytest.mark.django_db
def test_an_erased_order_never_becomes_undue(noon):
    shipment = make_shipment(due_order())
    Order.objects.filter(pk=shipment.order_id).update(redaction_due_at=noon, redaction_rule="import")
    sweep()
    order = Order.objects.get(pk=shipment.order_id)
    recompute(order)
    order.refresh_from_db()
    assert (order.redaction_due_at, order.redaction_rule, order.pii_state) == (noon, "import", "redacted")


@pytest.mark.django_db
def test_an_order_by_amazon_has_no_due_date_to_compute(noon):
    order = due_order(fulfilled_by="AFN", redaction_due_at=None)
    assert recompute(order) is None
    order.refresh_from_db()
    assert order.redaction_due_at is None
