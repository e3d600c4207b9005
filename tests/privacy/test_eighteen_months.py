"""DPP 1.7: what came with an order of Amazon goes after eighteen months; a law keeps the fields it names, and no more."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth
from django.test.utils import CaptureQueriesContext

from orderhub import clock, failpoints
from orders import oldorders, stock
from orders.models import (
    Customer,
    HistoryRead,
    Order,
    OrderEvent,
    OrderItem,
    OrderPersonalData,
    Product,
    QuarantinedOrder,
    SkippedOrder,
)
from privacy import holds
from privacy.models import DataKey, ErasureCertificate, SecurityEvent
from privacy.models.event import EventCode, Outcome
from shipments import retiring
from shipments.models import Feed, Label, LabelBatch, Shipment, ShipmentNotification
from stores.models import Store, UnconnectedOrder
from stores.simulator import scenarios
from tests.factories import make_account, make_order, make_shipment, make_store
from tests.orders.goods import counted, make_product, order_of
from tests.privacy.old import DAY, erase, full_order, keys_are_whole, months_ago, old_order, retire, rows_about
from tests.privacy.rows import everything, file_of

pytestmark = pytest.mark.django_db
FR = "fr_accounting"
KEPT_TABLES = {"orders_order": 1, "orders_orderitem": 2, "orders_orderpersonaldata": 1, "orders_orderevent": 1}


@pytest.fixture
def store(noon) -> Store:
    return make_store()


@pytest.fixture
def held(noon) -> Store:
    return make_store("FR", account=make_account(scenarios.EU), legal_hold=FR)


def there(order: Order) -> bool:
    return Order.objects.filter(pk=order.pk).exists()


def by_month() -> list:
    rows = Order.objects.annotate(month=TruncMonth("ordered_at", tzinfo=UTC)).order_by("month").values("month")
    return list(rows.annotate(orders=Count("pk"), total=Sum("order_total"), tax=Sum("tax_total")))


# -- the clock


def test_d1_7b_an_order_goes_at_eighteen_months_and_not_a_day_before(store):
    young, due, old = (old_order(store, months_ago() + delta) for delta in (DAY, timedelta(0), -DAY))
    assert retire().startswith("2 deleted, 0 reduced")
    assert (there(young), there(due), there(old)) == (True, False, False)
    clock.advance(days=1)
    assert retire().startswith("1 deleted")
    assert not Order.objects.exists()


def test_d1_7b_fewer_months_are_obeyed_and_more_are_not(store, settings):
    order = old_order(store, months_ago(12))
    settings.RETENTION_NON_PII_MONTHS = 0  # which no start accepts
    retire()
    assert there(order)
    settings.RETENTION_NON_PII_MONTHS = 12
    retire()
    assert not there(order)
    old = old_order(store, months_ago())
    settings.RETENTION_NON_PII_MONTHS = 40
    retire()
    assert not there(old)


def test_d1_7b_a_clock_that_leapt_deletes_nothing(store, settings):
    order = old_order(store, months_ago() + 30 * DAY)
    settings.REAL_TIME = True
    retire()
    clock.advance(days=60)
    assert retire() == "held: clock_leapt"
    assert there(order)


# -- without a law


def test_d1_7b_everything_that_hangs_on_the_order_goes(store):
    order, other = full_order(store, months_ago()), full_order(store, months_ago() + DAY)
    before, label = rows_about(other), Label.objects.get(shipment__order=order)
    assert len(before) >= 15, before
    path = file_of(label)
    assert path.exists()
    retire()
    keys_are_whole()
    assert rows_about(order) == {"orders_order": 1}  # what the walk starts from
    assert not there(order) and not path.exists()
    assert rows_about(other) == before
    assert not DataKey.objects.filter(owner__in=[f"order:{order.pk}", f"notes:{order.pk}"]).exists()
    assert not LogEntry.objects.filter(object_id=str(order.pk)).exists()
    assert LogEntry.objects.filter(object_id=str(other.pk)).exists()
    assert Customer.objects.count() == 1 and Product.objects.count() == 2
    assert LabelBatch.objects.count() == 1


def test_d1_7b_the_proof_of_the_erasure_stays_and_the_deed_is_on_record(store):
    order = old_order(store, months_ago(), with_label=True)
    retire()
    assert set(ErasureCertificate.objects.values_list("kind", "order_id")) == {("order", order.pk), ("label", order.pk)}
    told = SecurityEvent.objects.get(code=EventCode.RETIRED)
    assert (told.outcome, told.kind, told.ids) == (Outcome.OK, "deleted, reduced", [1, 0])


def test_d1_7b_amazons_own_parcels_go_too_and_orders_from_elsewhere_stay(store):
    afn = make_order(store, fulfilled_by="AFN", ordered_at=months_ago())
    own = make_order(store, origin_marketplace="manual", ordered_at=months_ago(40))
    retire()
    assert (there(afn), there(own)) == (False, True)


def test_d1_7b_a_second_run_does_nothing(store, held):
    old_order(store, months_ago())
    full_order(held, months_ago())
    retire()
    before = everything()
    assert retire() == "0 deleted, 0 reduced, 0 rows of ledgers"
    assert everything() == before


def test_a_parcel_that_carries_a_younger_order_lets_go_of_it(store):
    lead, rider = old_order(store, months_ago()), old_order(store, months_ago() + DAY)
    parcel = Shipment.objects.get(order=rider)
    Shipment.objects.filter(pk=parcel.pk).update(combined_with=Shipment.objects.get(order=lead))
    retire()
    keys_are_whole()
    parcel.refresh_from_db()
    assert parcel.combined_with_id is None and not there(lead)


def test_a_customer_with_an_order_left_stays(store):
    order, younger = full_order(store, months_ago()), old_order(store, months_ago() + DAY)
    person = Customer.objects.get()
    Order.objects.filter(pk=younger.pk).update(customer=person)
    retire()
    assert Customer.objects.get() == person and there(younger) and not there(order)


@pytest.mark.parametrize("counted_first", [True, False], ids=["sent before the count", "sent since the count"])
def test_what_was_counted_on_the_shelf_stays_what_it_is(store, noon, counted_first):
    product = counted(make_product(store), 10, at=noon, sent=0 if not counted_first else 5)
    old = order_of((product, 3), ordered_at=months_ago())
    young = order_of((product, 2))
    for order in (old, young):
        make_shipment(order)
    before = stock.shelf(Product.objects.get())
    erase(old)
    assert retire().startswith("1 deleted")
    assert stock.shelf(Product.objects.get()) == before
    assert before.counted == (10 if counted_first else 5)
    make_shipment(order_of((product, 1)))
    assert stock.shelf(Product.objects.get()).counted == before.counted - 1


def test_d1_7b_ledgers_of_imports_and_submissions_age_as_well(store, noon):
    account = store.account
    for at, number in ((months_ago(), "old"), (months_ago() + DAY, "new")):
        SkippedOrder.objects.create(store=store, order_number=number, reason="afn_off", seen_at=at)
        QuarantinedOrder.objects.create(account=account, order_number=number, code="x", seen_at=at)
        UnconnectedOrder.objects.create(account=account, order_number=number, marketplace_id="x", seen_at=at)
        HistoryRead.objects.create(account=account, kind="gaps", created_after=at, finished_at=at)
        Feed.objects.create(account=account, state="done", feed_id=number, finished_at=at)
        LabelBatch.objects.create(created_at=at, state="done")
    assert retire() == "0 deleted, 0 reduced, 6 rows of ledgers"
    for model in (SkippedOrder, QuarantinedOrder, UnconnectedOrder, HistoryRead, Feed, LabelBatch):
        assert model.objects.count() == 1, model
    assert {SkippedOrder.objects.get().order_number, Feed.objects.get().feed_id} == {"new"}


def test_d1_7b_a_submission_goes_with_the_last_order_it_told_of(store):
    order = old_order(store, months_ago())
    feed = Feed.objects.create(account=store.account, state="done", feed_id="1", finished_at=months_ago())
    younger = old_order(store, months_ago() + DAY)
    ShipmentNotification.objects.filter(order__in=[order, younger]).update(feed=feed)
    retire()
    assert Feed.objects.exists()
    clock.advance(days=1)
    retire()
    assert not Feed.objects.exists()


# -- not erased


@pytest.mark.parametrize("state", ["present", "redacting", "none"])
def test_d1_7b_an_order_that_is_not_erased_stays_and_is_named_once_a_day(store, state, caplog):
    gone = old_order(store, months_ago())
    order = make_order(store, ordered_at=months_ago(), redaction_due_at=months_ago() + 14 * DAY, pii_state=state)
    assert "ALARM: 1 not erased" in retire()
    retire()
    assert there(order) and OrderPersonalData.objects.filter(order=order).exists() and not there(gone)
    told = SecurityEvent.objects.get(code=EventCode.RETIRED, outcome=Outcome.FAILED)
    assert (told.kind, told.ids, told.reason) == ("order", [order.pk], "not erased")
    assert "old_orders_not_erased" in caplog.text and order.order_number not in caplog.text
    clock.advance(days=1)
    retire()
    assert SecurityEvent.objects.filter(code=EventCode.RETIRED, outcome=Outcome.FAILED).count() == 2


def test_d1_7b_an_erased_order_whose_label_lives_stays_and_is_named(store, held):
    for shop in (store, held):
        order = old_order(shop, months_ago(), with_label=True)
        label = Label.objects.get(shipment__order=order)
        Label.objects.filter(pk=label.pk).update(redacted_at=None, due_at=months_ago())
        assert "ALARM" in retire()
        assert there(order) and file_of(label).exists()
        assert Order.objects.get(pk=order.pk).reduced_at is None


def test_an_order_that_came_in_late_waits_for_its_erasure_without_an_alarm(store):
    order = make_order(store, ordered_at=months_ago())  # due in fourteen days
    assert retire() == "0 deleted, 0 reduced, 0 rows of ledgers"
    assert there(order)


# -- with a law


def test_d1_7b_a_held_order_keeps_what_the_law_names_and_nothing_else(held):
    order, other = full_order(held, months_ago()), full_order(held, months_ago() + DAY)
    label = Label.objects.get(shipment__order=order)
    path, before = file_of(label), rows_about(other)
    was, lines = Order.objects.values().get(pk=order.pk), list(order.items.order_by("pk").values())
    assert retire().startswith("0 deleted, 1 reduced")
    keys_are_whole()
    assert rows_about(order) == KEPT_TABLES and not path.exists() and rows_about(other) == before
    now = Order.objects.values().get(pk=order.pk)
    for name in holds.ACCOUNTING["orders_order"].split():
        assert now[name] == was[name], name
    assert (now["order_number"], now["order_total"], now["tax_total"]) == (
        order.order_number, Decimal("23.9000"), Decimal("3.9800"),
    )  # fmt: skip
    assert now["reduced_at"] == clock.now()
    assert (now["customer_id"], now["assigned_to_id"], now["custom_field_1"], now["ship_by"], now["content_hash"]) == (
        None, None, "", None, "",
    )  # fmt: skip
    for line, left in zip(lines, order.items.order_by("pk").values(), strict=True):
        assert (left["sku"], left["quantity"], left["unit_price"]) == (line["sku"], 1, Decimal("9.95"))
        assert (left["title"], left["asin"], left["amazon_item_id"]) == ("", "", f"line {line['id']}")
    event = OrderEvent.objects.get(order=order)
    assert (event.kind, event.params) == ("reduced", {"hold": FR})


def test_d1_7b_of_the_place_only_country_and_state_stay(held):
    order = full_order(held, months_ago())
    retire()
    person = OrderPersonalData.objects.values().get(order=order)
    assert (person.pop("country"), person.pop("state"), person.pop("order_id")) == ("US", "TX", order.pk)
    marker = person.pop("marker")
    assert set(person.values()) == {"", marker} and person["buyer_email"] == ""  # the relay address went


def test_d1_7b_every_column_is_kept_by_name_or_emptied():
    for model in (Order, OrderItem, OrderPersonalData):
        columns = {field.column for field in model._meta.concrete_fields}
        assert holds.kept(FR, model._meta.db_table) <= columns, model


def test_d1_7b_totals_of_each_month_stay_the_same_in_a_held_store(held):
    for days in (0, 20, 40, 90):
        old_order(held, months_ago() - days * DAY)
    before = by_month()
    assert len(before) >= 3
    assert retire().startswith("0 deleted, 4 reduced")
    assert by_month() == before


def test_d1_7b_the_law_of_the_installation_holds_every_store(store, settings):
    settings.LEGAL_HOLD = FR
    order = old_order(store, months_ago())
    assert retire().startswith("0 deleted, 1 reduced")
    assert Order.objects.get(pk=order.pk).reduced_at == clock.now()


def test_d1_7b_a_law_nobody_knows_deletes_nothing(store, settings):
    order = old_order(store, months_ago())
    settings.LEGAL_HOLD = "lex"
    with pytest.raises(ValueError, match="lex"):
        retiring.retire_due(now=clock.now())
    assert there(order)


def test_d1_7b_it_ends_ten_years_after_the_fiscal_year(held):
    order = old_order(held, datetime(2025, 3, 10, tzinfo=UTC))
    retire()
    end = datetime(2036, 1, 1, tzinfo=held.zone)
    for instant, stays in ((end - timedelta(minutes=1), True), (end, False)):
        with clock.at(instant):
            retire()
        assert there(order) == stays
    keys_are_whole()


@pytest.mark.parametrize(
    ("month", "now", "before"),
    [
        (12, "2036-06-15T00:00", "2026-01-01T00:00"),
        (12, "2035-12-31T23:30", "2025-01-01T00:00"),
        (6, "2036-06-30T23:59", "2025-07-01T00:00"),
        (6, "2036-07-01T00:00", "2026-07-01T00:00"),
        (1, "2036-02-01T00:00", "2026-02-01T00:00"),
    ],
)
def test_the_fiscal_year_is_the_sellers(settings, month, now, before):
    settings.FISCAL_YEAR_END_MONTH, paris = month, ZoneInfo("Europe/Paris")
    found = holds.ended_before(datetime.fromisoformat(now).replace(tzinfo=paris), paris)
    assert found == datetime.fromisoformat(before).replace(tzinfo=paris)


def test_d1_7b_without_its_law_a_reduced_order_goes(held):
    order = old_order(held, months_ago())
    retire()
    assert there(order)
    Store.objects.update(legal_hold="")
    assert retire().startswith("1 deleted")


def test_what_is_reduced_is_erased_and_the_database_knows_the_law(store):
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=make_order(store).pk).update(reduced_at=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Store.objects.update(legal_hold="lex")


# -- killed, and what it costs


@pytest.mark.parametrize("point", [name for name in failpoints.NAMES if name.startswith("retire.")])
def test_d1_7b_stopped_anywhere_it_goes_on_where_it_was(store, held, point, monkeypatch):
    monkeypatch.setattr(retiring, "BATCH", 1)
    gone = [old_order(store, months_ago(), with_label=not number) for number in range(2)]
    kept = old_order(held, months_ago())
    before = by_month()
    monkeypatch.setenv(failpoints.ENV, f"{point}:raise:2")
    failpoints._visits.clear()
    with pytest.raises(failpoints.Failpoint):
        retiring.retire_due(now=clock.now())
    keys_are_whole()
    monkeypatch.delenv(failpoints.ENV)
    retire()
    keys_are_whole()
    assert not any(there(order) for order in gone)
    assert Order.objects.get(pk=kept.pk).reduced_at == clock.now()
    assert Label.objects.count() == 0 and Order.objects.count() == 1 and len(before) == 1


def test_d1_7b_a_batch_costs_the_same_whatever_is_in_it(store, held):
    def statements(shop: Store, count: int) -> int:
        for _ in range(count):
            full_order(shop, months_ago())
        with CaptureQueriesContext(connection) as seen:
            report = retiring.retire_due(now=clock.now())
        assert report.deleted + report.reduced == count
        return len(seen)

    statements(store, 1)  # content types are looked up once
    for shop in (store, held):
        assert statements(shop, 1) == statements(shop, 2)


def test_d1_7b_out_of_time_it_says_so_and_the_job_goes_on(store, monkeypatch):
    monkeypatch.setattr(retiring, "BATCH", 1)
    for _ in range(3):
        old_order(store, months_ago())
    assert retiring.retire_due(now=clock.now(), budget_s=0).more
    retire()
    assert not Order.objects.exists()


# -- what the ledger says


def test_d1_7b_old_orders_are_counted_by_their_law_in_one_query(store, held, django_assert_num_queries):
    old_order(held, months_ago())
    retire()
    old_order(held, months_ago()), old_order(store, months_ago()), make_order(store, ordered_at=months_ago())
    old_order(store, months_ago() + DAY)
    with django_assert_num_queries(1):
        found = oldorders.standing(clock.now())
    assert [(row.hold, row.kept, row.waiting, row.unerased) for row in found] == [("", 0, 1, 1), (FR, 1, 1, 0)]
    Store.objects.update(legal_hold="")
    assert [(row.hold, row.kept, row.waiting) for row in oldorders.standing(clock.now())] == [("", 0, 3)]
