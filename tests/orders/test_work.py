"""Tags, holds with an end, assignment, own statuses and saved views (F40, F59): the deeds behind the screens."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock, jobs
from orderhub.errors import RuleViolation
from orders import assigning, deciding, holding, own_status, saved_views, tagging, timeline
from orders.models import Order, OrderEvent, SavedView, Tag
from privacy import access
from stores.models import MarketplaceStatus
from tests.factories import make_order, make_store, make_user

pytestmark = pytest.mark.django_db
Kind = OrderEvent.Kind


@pytest.fixture
def me(noon):
    return make_user(access.SUPPORT, username="sam")


@pytest.fixture
def store(noon):
    return make_store()


def told(order) -> list[str]:
    return [timeline.sentence(event) for event in order.events.order_by("pk")]


def sweep() -> str:
    return jobs.run("orders.release_holds")


def statements(deed) -> int:
    with CaptureQueriesContext(connection) as seen:
        deed()
    return len(seen)


# -- tags


def test_f59_a_tag_goes_on_and_off_once_and_the_timeline_says_which(me, store):
    order, urgent, gift = make_order(store), Tag.objects.create(name="urgent"), Tag.objects.create(name="gift")
    who = {"by": me, "now": clock.now()}
    assert tagging.put_on([order.pk], [urgent, gift], **who) == 1
    assert tagging.put_on([order.pk], [urgent], **who) == 0
    assert tagging.take_off([order.pk], [urgent], **who) == 1
    assert tagging.take_off([order.pk], [urgent], **who) == 0
    assert list(order.tags.all()) == [gift]
    assert told(order) == ["Tags: urgent, gift", "Tags: urgent (removed)"]
    assert set(order.events.values_list("actor", flat=True)) == {me.pk}


def test_f59_tagging_costs_the_same_for_2_and_40_orders(me, store):
    tag, counts = Tag.objects.create(name="urgent"), []
    for size in (2, 40):
        ids = [make_order(store).pk for _each in range(size)]
        for deed in (tagging.put_on, tagging.take_off):
            counts.append(statements(lambda deed=deed, ids=ids: deed(ids, [tag], by=me, now=clock.now())))
    assert counts[:2] == counts[2:]
    assert OrderEvent.objects.filter(kind=Kind.TAGGED).count() == 84


# -- holds with an end


def test_f59_a_hold_ends_by_itself_at_its_instant_and_not_before(me, store, noon):
    order = make_order(store)
    deciding.hold(order, "stock", by=me, now=noon, until=noon + timedelta(hours=3))
    clock.advance(hours=3, seconds=-1)
    assert sweep() == "0 released"
    clock.advance(seconds=1)
    assert sweep() == "1 released"
    assert sweep() == "0 released"
    order.refresh_from_db()
    assert (order.status, order.hold_reason, order.hold_until) == ("awaiting_shipment", "", None)
    assert told(order) == [
        "Put on hold (Out of stock, until 20 Nov 2026, 15:00 UTC)",
        "Released from hold (the hold has come to its end)",
    ]
    assert list(order.events.order_by("pk").values_list("actor", flat=True)) == [me.pk, None]


def test_f59_holds_without_an_end_and_those_waiting_for_cancellation_stay(me, store, noon):
    forever, asked, refused = (make_order(store) for _each in range(3))
    deciding.hold(forever, "check", by=me, now=noon)
    for order in (asked, refused):
        deciding.hold(order, "check", by=me, now=noon, until=noon + timedelta(hours=1))
    Order.objects.filter(pk=asked.pk).update(cancel_requested_at=noon)
    Order.objects.filter(pk=refused.pk).update(hold_reason=deciding.CANCEL_HOLD)
    clock.advance(hours=2)
    assert sweep() == "0 released"
    assert set(Order.objects.values_list("status", flat=True)) == {"on_hold"}
    Order.objects.filter(pk=asked.pk).update(cancel_requested_at=None)
    assert sweep() == "1 released"


def test_f59_releasing_is_batched_with_a_constant_number_of_statements(me, store, noon, monkeypatch):
    def hold(count):
        for _each in range(count):
            make_order(store, status="on_hold", hold_until=noon)

    counts = []
    for size in (1, 30):
        hold(size)
        counts.append(statements(lambda: holding.release_due(now=noon, budget_s=40)))
    assert counts[0] == counts[1] <= 6
    monkeypatch.setattr(holding, "BATCH", 4)
    hold(10)
    assert holding.release_due(now=noon, budget_s=0) == (4, True)
    assert holding.release_due(now=noon, budget_s=40) == (6, False)
    assert OrderEvent.objects.filter(kind=Kind.RELEASED).count() == 41


@pytest.mark.parametrize(
    ("ends", "told"),
    [(timedelta(0), "passed"), (timedelta(days=-1), "passed"), (timedelta(days=400), "within a year")],
)
def test_a_hold_ends_later_and_within_a_year(me, store, noon, ends, told):
    order = make_order(store)
    with pytest.raises(RuleViolation, match=told):
        deciding.hold(order, "check", by=me, now=noon, until=noon + ends)
    order.refresh_from_db()
    assert (order.status, order.events.count()) == ("awaiting_shipment", 0)


@pytest.mark.parametrize(
    ("day", "hour", "instant"),
    [
        ("", "", None),
        ("2026-11-24", "", datetime(2026, 11, 24, 8, 0, tzinfo=UTC)),
        ("2026-11-24", "14:05", datetime(2026, 11, 24, 22, 5, tzinfo=UTC)),
        ("2026-07-01", "00:00", datetime(2026, 7, 1, 7, 0, tzinfo=UTC)),
    ],
)
def test_an_end_is_typed_in_the_time_zone_of_the_store(store, day, hour, instant):
    store.time_zone = "America/Los_Angeles"
    assert holding.until(store, day, hour) == instant


@pytest.mark.parametrize(
    ("day", "hour"), [("", "14:00"), ("tomorrow", ""), ("2026-13-01", ""), ("2026-11-24", "25:00")]
)
def test_what_is_no_day_or_time_is_refused_with_a_sentence(store, day, hour):
    with pytest.raises(RuleViolation, match="day"):
        holding.until(store, day, hour)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_refused_like_any_other_day(me, store, noon, day):
    with pytest.raises(RuleViolation):
        holding.check(holding.until(store, day, "23:59"), now=noon)


# -- assignment


def test_f59_orders_are_assigned_to_staff_who_work_on_orders_only(me, store):
    order = make_order(store)
    for user in (make_user(access.WAREHOUSE), make_user(access.PRIVACY), make_user(is_superuser=True), make_user()):
        with pytest.raises(RuleViolation, match="works on orders"):
            assigning.assign([order.pk], user, by=me, now=clock.now())
    assert assigning.assign([order.pk], me, by=me, now=clock.now()) == 1
    assert assigning.assign([order.pk], me, by=me, now=clock.now()) == 0
    assert assigning.assign([order.pk], None, by=me, now=clock.now()) == 1
    assert told(order) == ["Assigned to sam", "Assigned to nobody"]


def test_f59_the_orders_of_somebody_who_left_are_nobodys_work(me, store):
    order = make_order(store, assigned_to=me)
    assert assigning.worker(order) == me and not Order.objects.filter(assigning.nobodys()).exists()
    type(me).objects.filter(pk=me.pk).update(is_active=False)
    assert assigning.worker(Order.objects.get()) is None
    assert Order.objects.filter(assigning.nobodys()).get() == order
    with pytest.raises(RuleViolation):
        assigning.assign([order.pk], type(me).objects.get(), by=me, now=clock.now())


def test_f59_assigning_costs_the_same_for_2_and_40_orders(me, store):
    counts = []
    for size in (2, 40):
        ids = [make_order(store).pk for _each in range(size)]
        counts.append(statements(lambda ids=ids: assigning.assign(ids, me, by=me, now=clock.now())))
    assert counts[0] == counts[1]


# -- own status


def test_f25_an_own_status_is_worn_while_it_means_what_the_status_is(me, store, noon):
    order = make_order(store)
    packed = MarketplaceStatus.objects.create(store=store, name="Packed", status="awaiting_shipment")
    own_status.wear(order, "packed", by=me, now=noon)
    own_status.wear(order, "Packed", by=me, now=noon)
    order.refresh_from_db()
    assert (order.own_status, own_status.label(order), order.status) == (packed, "Packed", "awaiting_shipment")
    deciding.hold(order, "check", by=me, now=noon)
    assert own_status.label(order) == ""
    deciding.release(order, by=me, now=noon)
    assert own_status.label(order) == "Packed"
    own_status.wear(order, "", by=me, now=noon)
    assert told(order)[0] == "Own status: Packed" and told(order)[-1] == "Own status: none"
    assert order.events.filter(kind=Kind.OWN_STATUS).count() == 2


@pytest.mark.parametrize("name", ["Returned", "Foreign", "Unknown"])
def test_f25_only_names_of_the_store_that_mean_the_present_status_can_be_worn(me, store, noon, name):
    MarketplaceStatus.objects.create(store=store, name="Returned", status="cancelled")
    other = make_store("CA", account=store.account)
    MarketplaceStatus.objects.create(store=other, name="Foreign", status="awaiting_shipment")
    order = make_order(store)
    with pytest.raises(RuleViolation, match="store's page"):
        own_status.wear(order, name, by=me, now=noon)
    order.refresh_from_db()
    assert (order.own_status, order.events.count()) == (None, 0)


# -- saved views

KNOWN = {"tab", "store", "tag"}


def save(user, name="Mine", query="tab=hold&o=-2", **given):
    return saved_views.save(user, name, query, **({"known": KNOWN, "shared": False} | given))


def test_f40_a_view_keeps_filters_and_ordering_and_never_what_was_searched_for(me):
    view = save(me, query="q=Ada+Example&tab=hold&store=7&p=3&o=-2.1&person__city=x&tab=hold")
    assert view.query == "store=7&tab=hold&o=-2.1"


@pytest.mark.parametrize("query", ["", "q=Ada", "p=2", "o=password", "o=1;drop", "tab="])
def test_f40_there_is_nothing_to_save_without_a_filter(me, query):
    with pytest.raises(RuleViolation, match="Choose a filter"):
        save(me, query=query)
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b", "a\u202eb"])
def test_f40_a_view_needs_a_name_one_can_read(me, name):
    with pytest.raises(RuleViolation, match="name"):
        save(me, name)


def test_f40_too_much_is_refused_whole(me):
    with pytest.raises(RuleViolation, match="too long"):
        save(me, query="tab=" + "x" * 500)
    for number in range(saved_views.MOST):
        save(me, f"View {number}")
    with pytest.raises(RuleViolation, match="delete one first"):
        save(me, "One more")
    assert SavedView.objects.count() == saved_views.MOST


def test_f40_saving_under_the_same_name_replaces_ones_own_view_only(me):
    other = make_user(access.SUPPORT)
    theirs = save(other, "Late", "tab=hold", shared=True)
    save(me, "late", "tab=hold")
    mine = save(me, "LATE", "tab=to_ship", shared=True)
    theirs.refresh_from_db()
    assert (theirs.query, mine.query, mine.shared) == ("tab=hold", "tab=to_ship", True)
    assert SavedView.objects.count() == 2


def test_f40_one_sees_ones_own_and_shared_views_and_deletes_ones_own(me):
    other = make_user(access.SUPPORT)
    own, shared, _private = save(me), save(other, "Shared", shared=True), save(other, "Private")
    assert list(saved_views.visible_to(me)) == [own, shared]
    with pytest.raises(RuleViolation, match="your own"):
        saved_views.delete(me, shared.pk)
    assert saved_views.delete(me, own.pk) == "Mine"
    type(other).objects.filter(pk=other.pk).update(is_active=False)
    assert list(saved_views.visible_to(me)) == []
