"""W1, R86: what the privacy clock says is what the function that sets the date answers, and nothing else."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orders import clockwords, privacyclock
from orders.models import Order
from orders.privacyclock import State
from orders.retention import facts_of, recompute
from privacy import retention
from privacy.retention import Facts, Parcel, Periods, Rule
from privacy.terms import Event, Standing, changes, terms
from shipments import tracking, voiding
from shipments.models import Shipment
from shipments.providers.base import Scan
from tests.factories import make_order, make_shipment, make_store, make_user

START = datetime(2026, 11, 1, tzinfo=UTC)


def day(number: int, hour: int = 0) -> datetime:
    return START + timedelta(days=number - 1, hours=hour)


def parcel(**given) -> Parcel:
    return Parcel(**({"created_at": START, "tracked": True, "label_created_at": START} | given))


def whole(*parcels: Parcel) -> Facts:
    return Facts(imported_at=START, fully_shipped=True, parcels=parcels)


def standing(facts: Facts) -> dict[Rule, Standing]:
    return {term.rule: term.standing for term in terms(facts)}


# -- the terms, pure


@pytest.mark.parametrize(
    ("facts", "governs", "at"),
    [
        (Facts(START), Rule.IMPORT, day(15)),
        (whole(parcel(shipped_at=day(1), delivered_at=day(5))), Rule.SHIP_DATE, day(31)),  # (i)
        (whole(parcel(shipped_at=day(20))), Rule.LABEL, day(45)),  # (ii)
        (whole(parcel(shipped_at=day(20), delivered_at=day(3))), Rule.DELIVERY, day(33)),  # (iii)
        (whole(parcel(delivered_at=day(10))), Rule.DELIVERY, day(40)),  # (iv)
        (whole(parcel()), Rule.LABEL, day(45)),  # (v)
        (whole(parcel(tracked=False, delivered_at=day(2))), Rule.CREATION, day(31)),
    ],
)
def test_r78_the_governing_term_of_the_worked_examples_is_named(facts, governs, at):
    found = [term for term in terms(facts) if term.standing == Standing.GOVERNS]
    assert [(term.rule, term.at) for term in found] == [(governs, at)]


def test_what_is_unknown_absurd_or_void_is_told_apart():
    assert standing(whole(parcel(shipped_at=day(1)))) == {
        Rule.LABEL: Standing.LATER, Rule.SHIP_DATE: Standing.GOVERNS, Rule.DELIVERY: Standing.UNKNOWN,
        Rule.IMPORT: Standing.VOID, Rule.CEILING: Standing.LATER,
    }  # fmt: skip
    absurd = whole(parcel(shipped_at=datetime(1970, 1, 1, tzinfo=UTC)))
    assert standing(absurd)[Rule.SHIP_DATE] == Standing.IMPLAUSIBLE
    assert standing(replace(absurd, fully_shipped=False))[Rule.IMPORT] == Standing.GOVERNS


def some_facts(dice: random.Random) -> Facts:
    def moment(spread: float) -> datetime:
        return START + timedelta(hours=dice.uniform(-10, spread * 24))

    parcels = tuple(
        Parcel(
            created_at=(made := moment(60)), tracked=dice.random() < 0.7,
            label_created_at=dice.choice([None, made]), shipped_at=dice.choice([None, moment(90), moment(4000)]),
            delivered_at=dice.choice([None, moment(90)]), active=dice.random() < 0.8,
        )
        for _each in range(dice.randrange(4))
    )  # fmt: skip
    return Facts(START, fully_shipped=dice.random() < 0.6, parcels=parcels)


def test_r86_exactly_one_term_governs_and_it_is_the_due_date_whatever_the_facts():
    dice = random.Random(86)  # noqa: S311
    for _case in range(2000):
        facts, periods = some_facts(dice), Periods(dice.randrange(15), dice.randrange(31), dice.randrange(45))
        due = retention.order_due(facts, periods)
        (governing,) = [term for term in terms(facts, periods) if term.standing == Standing.GOVERNS]
        assert (governing.at, governing.rule) == (due.at, due.rule), facts


def test_what_would_change_it_is_asked_of_the_same_function():
    dice, now = random.Random(7), day(9, 5)  # noqa: S311
    for _case in range(500):
        facts = some_facts(dice)
        for change in changes(facts, now=now, today=day(9)):
            assert change.before == retention.order_due(facts)
            if change.event == Event.DELIVERED:  # a delivery never extends
                assert change.due.at <= change.before.at
            if change.event == Event.VOIDED:
                assert change.due.at == START + timedelta(days=14)


def test_delivered_now_moves_a_date_that_a_label_sets_and_not_one_that_an_earlier_ship_date_sets():
    moved = {change.event: change for change in changes(whole(parcel()), now=day(5), today=day(5))}
    assert moved[Event.DELIVERED].due == retention.Due(day(35), Rule.DELIVERY)
    idle = {change.event: change for change in changes(whole(parcel(shipped_at=day(1))), now=day(5), today=day(5))}
    assert not idle[Event.DELIVERED].moves


# -- the clock of an order


pytestmark = pytest.mark.django_db


def words(order: Order, now) -> clockwords.Panel:
    order = Order.objects.select_related("store").get(pk=order.pk)
    return clockwords.panel(order, privacyclock.read(order, now=now), now=now)


def tracked_parcel(order: Order | None = None) -> Shipment:
    """A parcel whose scans are reported: with our own label there is none yet."""
    shipment = make_shipment(order)
    Shipment.objects.filter(pk=shipment.pk).update(tracked=True)
    shipment.refresh_from_db()
    recompute(shipment.order)
    return shipment


def test_w1_an_unsent_order_says_until_when_why_and_what_sending_it_would_do(noon):
    order = make_order(make_store("FR"))
    panel = words(order, noon)
    assert panel.headline == "Personal data until 4 Dec 2026, 12:00 UTC, because import + 14 d"
    assert panel.gauge.told == "0 min since import, 14 days left" and panel.gauge.width == 0
    assert panel.changes == (
        "Sent today, with automatic tracking, would make it 19 Dec 2026, 23:00 UTC.",  # midnight in Paris + 30 d
        "Sent now, without automatic tracking, would make it 20 Dec 2026, 12:00 UTC.",
    )
    make_shipment(order)
    order.refresh_from_db()
    assert order.redaction_due_at.isoformat() == "2026-12-20T12:00:00+00:00"  # as it was said


def test_w1_a_tracked_parcel_says_that_delivery_changes_nothing_and_what_a_void_would_do(noon, travel):
    order = tracked_parcel(make_order(make_store("FR"))).order
    panel = words(order, travel(days=3))
    assert panel.headline == "Personal data until 19 Dec 2026, 23:00 UTC, because ship date + 30 d"
    assert panel.changes == (
        "A delivery from now on does not change it.",
        "Voiding every parcel would make it 4 Dec 2026, 12:00 UTC.",
    )
    notes = {row.name: row.note for row in panel.rows}
    assert notes["delivery + 30 d"] == "no delivery reported yet"
    assert notes["import + 14 d"] == "no longer counts: everything is sent"


def test_w1_delivered_now_is_what_a_scan_then_makes_of_it(noon, travel):
    shipment = tracked_parcel()
    Shipment.objects.filter(pk=shipment.pk).update(first_ship_at=None)
    recompute(shipment.order)
    now = travel(days=2)
    (said, _void) = words(shipment.order, now).changes
    assert said == "Delivered now would make it 22 Dec 2026, 12:00 UTC."
    tracking.apply(Shipment.objects.get(pk=shipment.pk), [Scan(status="delivered", at=now)], now=now)
    panel = words(shipment.order, now)
    assert panel.headline == "Personal data until 22 Dec 2026, 12:00 UTC, because delivery + 30 d"


def test_r83_a_void_after_day_14_is_said_to_make_it_due_at_once(noon, travel):
    shipment = make_shipment()
    now = travel(days=15)
    said = words(shipment.order, now).changes
    assert said == ("Voiding every parcel would make it due at once: its time without a parcel is over.",)
    voiding.void(shipment, by=make_user("Support"), now=now)
    shipment.order.refresh_from_db()
    assert shipment.order.redaction_due_at <= now


def test_where_the_row_has_another_date_than_the_facts_nothing_is_explained(noon):
    order = make_order(redaction_due_at=noon + timedelta(days=5))
    panel = words(order, noon)
    assert panel.headline == "Personal data until 25 Nov 2026, 12:00 UTC"
    assert (panel.rows, panel.changes) == ((), ())


@pytest.mark.parametrize(
    ("given", "state", "headline", "gauge"),
    [
        ({}, State.KEPT, True, True),
        ({"redaction_due_at": timedelta(days=3)}, State.SOON, True, True),
        ({"redaction_due_at": -timedelta(minutes=5)}, State.DUE, False, True),
        ({"redaction_due_at": -timedelta(minutes=61)}, State.OVERDUE, False, True),
        ({"pii_state": "redacting"}, State.ERASING, False, False),
        ({"pii_state": "none"}, State.NONE, False, False),
        ({"fulfilled_by": "AFN"}, State.BY_AMAZON, False, False),
        ({"origin_marketplace": "manual", "redaction_due_at": None}, State.NO_DATE, False, False),
    ],
)
def test_every_state_has_its_words(noon, given, state, headline, gauge):
    if isinstance(given.get("redaction_due_at"), timedelta):
        given = given | {"redaction_due_at": noon + given["redaction_due_at"]}
    order = make_order(**given)
    assert privacyclock.state_of(order, now=noon) == state
    panel = words(order, noon)
    assert (bool(panel.headline), panel.gauge is not None) == (headline, gauge)
    assert panel.headline or panel.sentences


def test_r84_each_label_has_its_own_date_also_beyond_its_erased_order(noon, travel):
    from tests.privacy.rows import due_label, sweep

    label = due_label(make_order(), due=noon + timedelta(days=9), order_due=noon)
    sweep()
    clock = privacyclock.read(Order.objects.get(pk=label.shipment.order_id), now=noon)
    assert clock.state == State.ERASED and [found.until for found in clock.exceptions] == [label.due_at]
    panel = words(label.shipment.order, noon)
    assert panel.exceptions == "1 label still has its address: it goes on its own date."
    assert panel.labels[0].told.startswith("address until 29 Nov 2026, 12:00 UTC") and panel.labels[0].kept
    travel(days=9)
    sweep()
    panel = words(label.shipment.order, noon)
    assert panel.labels[0].told == "address erased on 29 Nov 2026, 12:00 UTC" and not panel.exceptions


def test_the_facts_from_loaded_rows_are_the_facts_from_the_database(noon, django_assert_num_queries):
    order = tracked_parcel(make_order(lines=2)).order
    with django_assert_num_queries(3):
        clock = privacyclock.read(order, now=noon)
    assert clock.terms == terms(facts_of(order))
