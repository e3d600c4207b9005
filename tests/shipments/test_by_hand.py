"""What people do with a notice that does not go through: push it, tick off what they did, settle it by hand. R57, R58."""

from datetime import timedelta

import pytest

from orderhub import clock
from orderhub.errors import RuleViolation
from orderhub.wording import utc
from orders import timeline
from orders.models import OrderEvent
from shipments import byhand, pushing, remedies
from shipments.models import ShipmentNotification
from stores.connectors.bigcommerce.client import THROTTLED
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect, make_store, make_user
from tests.orders.driving import assert_amazon_knows_once, import_now, notify_now, ship_everything, time_passes
from tests.shipments.notices import make_notice

pytestmark = pytest.mark.django_db
State = ShipmentNotification.State
Reason = ShipmentNotification.DoneReason
SETTLED = (State.CONFIRMED, State.CONFIRMED_EXTERNAL, State.IN_FLIGHT, State.WITHDRAWN, State.MANUAL)


def again(notice) -> ShipmentNotification:
    return ShipmentNotification.objects.select_related("order__store__account", "shipment").get(pk=notice.pk)


def mark(notice, reason=Reason.CONFIRMED_THERE, *, by=None, **given):
    byhand.mark(notice, reason, by=by or make_user("Support"), now=clock.now(), **given)


def push(notice, *, by=None):
    pushing.push(notice, by=by, now=clock.now(), gate=pushing.Gate(clock.now()))


@pytest.fixture
def shipped(simulate):
    world = simulate(scenarios.empty(now=NOON))
    at = NOON - timedelta(hours=2)
    world.add_order(scenarios.NA, marketplace="US", created=at, updated=at)
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    return world, account, ship_everything()


def only() -> ShipmentNotification:
    return ShipmentNotification.objects.select_related("order__store__account", "shipment").get()


# -- done by hand


@pytest.mark.parametrize("state", [state for state in State.values if state not in (*SETTLED, State.IN_FEED)])
def test_what_is_open_is_settled_by_hand_with_who_and_why(noon, state):
    notice, by = make_notice(state, error_code="InvalidInput", error_text="Ada"), make_user("Support")
    mark(notice, Reason.REFUNDED, by=by)
    found = again(notice)
    assert (found.state, found.done_reason, found.done_by) == (State.MANUAL, Reason.REFUNDED, by)
    assert (found.error_code, found.error_text, found.is_withheld) == ("", "", False)
    line = OrderEvent.objects.get(kind="notice")
    assert line.actor == by and line.params["done"] == Reason.REFUNDED
    assert timeline.sentence(line) == "Notice to Amazon: done by hand (refunded or cancelled there)"


@pytest.mark.parametrize("state", SETTLED)
def test_what_is_settled_or_being_sent_is_not_marked(noon, state):
    notice = make_notice(state)
    with pytest.raises(RuleViolation):
        mark(notice)
    assert (again(notice).state, again(notice).done_reason) == (state, "")
    assert not OrderEvent.objects.filter(kind="notice").exists()


def test_in_a_submission_only_with_the_warning_that_it_may_still_go_through(noon):
    notice = make_notice(State.IN_FEED)
    with pytest.raises(RuleViolation, match="may still go through"):
        mark(notice)
    assert again(notice).state == State.IN_FEED
    mark(notice, warned=True)
    assert again(notice).state == State.MANUAL


@pytest.mark.parametrize(
    ("code", "marked"),
    [("StorePolicy", True), ("AutomationRule", True), ("ToldByConnector", False), ("ToldByProvider", False)],
)
def test_of_withheld_notices_those_that_somebody_owes_are_marked(noon, code, marked):
    notice = make_notice(State.MANUAL, error_code=code)
    if not marked:
        with pytest.raises(RuleViolation, match="settled already"):
            mark(notice)
        return
    mark(notice)
    assert not ShipmentNotification.objects.to_do_by_hand().exists()
    assert again(notice).done_reason == Reason.CONFIRMED_THERE


@pytest.mark.parametrize("reason", ["", "because", "x" * 99])
def test_a_reason_is_one_of_ours(noon, reason):
    notice = make_notice()
    with pytest.raises(RuleViolation, match="Choose why"):
        mark(notice, reason)


def test_of_two_people_one_marks(noon):
    notice, stale = (found := make_notice()), again(found)
    mark(notice)
    with pytest.raises(RuleViolation, match="changed meanwhile"):
        mark(stale)
    assert OrderEvent.objects.filter(kind="notice").count() == 1


def test_nothing_is_sent_for_what_was_marked(shipped):
    world, account, orders = shipped
    mark(only())
    time_passes(world, minutes=30)
    assert world.calls("confirmShipment") == 0
    with pytest.raises(RuleViolation):
        push(only())


def test_r45_a_mark_taken_back_reads_amazon_first_and_tells_it_once(shipped):
    world, account, orders = shipped
    mark(only())
    byhand.take_back(only(), by=make_user("Support"), now=clock.now())
    assert (only().state, only().done_reason, only().done_by) == (State.UNKNOWN, "", None)
    time_passes(world, minutes=6)
    assert world.calls("getOrder") == 1
    assert_amazon_knows_once(world, orders)


def test_r45_taken_back_where_somebody_did_confirm_it_nothing_is_sent(shipped):
    world, account, orders = shipped
    mark(only())
    world.ship_elsewhere(orders[0].order_number)
    byhand.take_back(only(), by=None, now=clock.now())
    time_passes(world, minutes=6)
    assert only().state == State.CONFIRMED_EXTERNAL
    assert world.effective_confirmations() == {}


@pytest.mark.parametrize("state", [State.REJECTED, State.CONFIRMED, State.MANUAL])
def test_only_what_was_marked_is_taken_back(noon, state):
    notice = make_notice(state)
    with pytest.raises(RuleViolation, match="marked as done"):
        byhand.take_back(notice, by=None, now=noon)
    assert again(notice).state == state


# -- pushing


def test_r57_r58_pushing_a_stuck_notice_says_who_asked(shipped):
    world, account, orders = shipped
    by = make_user("Customer success")
    ShipmentNotification.objects.update(state=State.NEEDS_ATTENTION, error_code="Poison")
    push(only(), by=by)
    line = OrderEvent.objects.get(kind="notice")
    assert line.actor == by and timeline.sentence(line) == "Notice to Amazon: waiting to be sent (asked for by hand)"
    time_passes(world, minutes=3)
    assert_amazon_knows_once(world, orders)


def test_r52_pushing_is_refused_while_amazons_bucket_is_closed_with_the_time_it_opens(shipped):
    world, account, orders = shipped
    world.faults.arm("confirmShipment", "429", times=1, retry_after=600)
    notify_now(account)
    notice = only()
    assert notice.state == State.RETRY_AT and notice.next_attempt_at >= NOON + timedelta(minutes=10)
    with pytest.raises(RuleViolation) as refusal:
        push(notice)
    assert str(refusal.value) == (
        f"Amazon is asked at {utc(notice.next_attempt_at)}: pushing earlier lengthens the wait."
    )
    assert again(notice).next_attempt_at == notice.next_attempt_at
    world.clock.set(clock.advance(minutes=11))
    push(again(notice))
    time_passes(world, minutes=6)
    assert_amazon_knows_once(world, orders)


def test_r58_a_stuck_notice_is_pushed_even_while_the_bucket_is_closed(shipped):
    world, account, orders = shipped
    world.faults.arm("confirmShipment", "429", times=1, retry_after=600)
    notify_now(account)
    ShipmentNotification.objects.update(state=State.REJECTED, error_code="InvalidInput")
    push(only())
    assert only().state == State.PENDING
    notify_now(account)
    assert world.calls("confirmShipment") == 1  # our copy of the bucket holds it back: Amazon hears nothing
    time_passes(world, minutes=15)
    assert_amazon_knows_once(world, orders)


def test_what_waits_for_another_reason_may_be_pushed(noon):
    notice = make_notice(State.RETRY_AT, error_code="ConnectionError", next_attempt_at=noon + timedelta(hours=1))
    push(notice)
    assert again(notice).state == State.PENDING


def test_r57_a_notice_to_bigcommerce_is_pushed_by_its_own_rules_and_says_who_asked(noon):
    later, by = noon + timedelta(seconds=90), make_user("Support")
    notice = make_notice(State.RETRY_AT, channel="bigcommerce", error_code=THROTTLED, next_attempt_at=later)
    with pytest.raises(RuleViolation, match="BigCommerce asks to wait until 20 Nov 2026, 12:01 UTC"):
        push(again(notice), by=by)
    ShipmentNotification.objects.update(error_code="MirrorTwice", state=State.NEEDS_ATTENTION)
    push(again(notice), by=by)
    assert again(notice).state == State.PENDING
    assert OrderEvent.objects.get(kind="notice").actor == by


@pytest.mark.parametrize("state", [State.IN_FEED, State.WITHDRAWN, State.IN_FLIGHT, State.CONFIRMED])
def test_what_is_with_amazon_or_gone_is_not_pushed(noon, state):
    notice = make_notice(state)
    with pytest.raises(RuleViolation):
        push(notice)
    assert again(notice).state == state
    assert not OrderEvent.objects.filter(kind="notice").exists()


def test_each_account_is_asked_once_however_many_are_pushed(noon, django_assert_num_queries):
    store = make_store()
    rows = [make_notice(State.RETRY_AT, store=store, error_code="QuotaExceeded") for _each in range(4)]
    gate = pushing.Gate(noon)
    with django_assert_num_queries(1):
        for row in rows:
            gate.why_not(row)


# -- the checklist


def test_f57_steps_are_ticked_with_who_and_when_and_the_first_stays(noon):
    notice = make_notice(error_code="InternalServiceError")
    ada, bob = make_user("Support", username="ada"), make_user("Support", username="bob")
    remedies.tick(notice, "billing.payment", by=ada, now=noon)
    remedies.tick(notice, "billing.payment", by=bob, now=noon + timedelta(hours=1))
    remedies.tick(notice, "billing.contact", by=bob, now=noon + timedelta(hours=1))
    steps = {step.code: (step.by, step.at) for step in remedies.checklist(again(notice))}
    assert steps == {
        "billing.retry": ("", None), "billing.reconfigure": ("", None), "billing.payment": ("ada", noon),
        "billing.contact": ("bob", noon + timedelta(hours=1)),
    }  # fmt: skip
    remedies.tick(notice, "billing.payment", by=bob, now=noon, done=False)
    remedies.tick(notice, "billing.payment", by=bob, now=noon, done=False)
    assert list(again(notice).remedies) == ["billing.contact"]


@pytest.mark.parametrize("step", ["", "billing.payment", "throttled.nothing", "\0", "x" * 5000])
def test_a_step_that_is_not_on_the_list_is_refused(noon, step):
    notice = make_notice(error_code="QuotaExceeded")
    with pytest.raises(RuleViolation, match="changed meanwhile"):
        remedies.tick(notice, step, by=make_user("Support"), now=noon)
    assert again(notice).remedies == {}


def test_only_ids_and_instants_are_kept(noon):
    notice, by = make_notice(error_code="InternalServiceError"), make_user("Support")
    remedies.tick(notice, "billing.retry", by=by, now=noon)
    assert again(notice).remedies == {"billing.retry": {"by": by.pk, "at": noon.isoformat()}}


def test_whoever_left_is_not_named_and_the_step_stays_done(noon):
    notice, by = make_notice(error_code="InternalServiceError"), make_user("Support")
    remedies.tick(notice, "billing.retry", by=by, now=noon)
    by.delete()
    assert remedies.checklist(again(notice))[0].at == noon
    assert remedies.checklist(again(notice))[0].by == ""


@pytest.mark.parametrize("state", [State.PENDING, State.CONFIRMED, State.IN_FEED])
def test_what_goes_well_has_no_checklist(noon, state):
    assert remedies.checklist(make_notice(state)) == []


def test_a_notice_left_to_be_done_by_hand_says_how(noon):
    steps = remedies.checklist(make_notice(State.MANUAL, error_code="StorePolicy"))
    assert [step.code for step in steps] == ["by-hand.confirm", "by-hand.hand", "by-hand.settings"]
