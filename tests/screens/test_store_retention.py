"""R109, R112: a store's shorter periods on the screen, and what becomes of the orders that wait."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from orderhub import clock, jobs
from orders.models import Order
from orders.retention import periods_for
from privacy.models import SecurityEvent
from privacy.models.event import EventCode
from privacy.retention import Periods
from shipments import forwarding
from shipments.models import Label
from stores.models import Store
from tests.factories import make_order, make_shipment, make_store, make_user
from tests.orders.buyers import hand_store
from tests.screens.storepages import page_of_store, shown, sign_in

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOTHING = {"retention_unshipped_days": "", "retention_shipped_days": "", "retention_label_days": ""}


@pytest.fixture
def store(noon) -> Store:
    return make_store(name="Atelier du Lac")


@pytest.fixture
def officer(client):
    return sign_in(client, "Privacy officer")


def save(client, store, **typed):
    with jobs.inline():
        return client.post(f"{page_of_store(store)}retention/", NOTHING | typed, follow=True)


@pytest.mark.parametrize("role", ["Support", "Customer success", "Administrator"])
def test_r109_who_sees_the_store_reads_its_periods_and_changes_nothing(client, store, role):
    sign_in(client, role, is_superuser=True)
    page = shown(client, store)
    assert 'id="retention"' in page and "14 days" in page and "Only a privacy officer changes this" in page
    assert "Change the periods" not in page
    for ask in (client.get, client.post):
        assert ask(f"{page_of_store(store)}retention/", NOTHING | {"retention_unshipped_days": 7}).status_code == 403
    assert client.get("/admin/stores/store/retention/").status_code == 403
    store.refresh_from_db()
    assert store.retention_unshipped_days is None


def test_the_officer_sets_periods_and_profile_and_it_is_on_record(officer, store):
    answer = save(officer, store, retention_unshipped_days=7, retention_label_days=20, redaction_strict="on")
    assert "Atelier du Lac: kept." in answer.content.decode()
    store.refresh_from_db()
    assert (store.retention_unshipped_days, store.retention_shipped_days, store.retention_label_days) == (7, None, 20)
    assert store.redaction_strict
    told = SecurityEvent.objects.filter(code=EventCode.RETENTION_CHANGED).order_by("pk")
    assert [(row.reason, row.kind, row.ids) for row in told] == [
        ("unshipped:7", "store", [store.pk]), ("label:20", "store", [store.pk]), ("strict:on", "store", [store.pk]),
    ]  # fmt: skip
    assert "this store; the rule: 14" in officer.get("/admin/stores/store/retention/").content.decode()


def test_saving_what_is_there_already_changes_and_records_nothing(officer, store):
    assert "nothing was changed" in save(officer, store).content.decode()
    assert not SecurityEvent.objects.filter(code=EventCode.RETENTION_CHANGED).exists()


@pytest.mark.parametrize(
    ("name", "days"),
    [("retention_unshipped_days", 15), ("retention_shipped_days", 31), ("retention_label_days", 45),
     ("retention_unshipped_days", 0), ("retention_unshipped_days", -3), ("retention_shipped_days", "x")],
)  # fmt: skip
def test_r112_never_longer_than_the_rule_and_never_less_than_a_day(officer, store, name, days):
    page = save(officer, store, **{name: days}).content.decode()
    assert "Nothing was saved" in page
    assert getattr(Store.objects.get(), name) is None


@pytest.mark.parametrize(("name", "days"), [("unshipped", 15), ("shipped", 31), ("label", 45)])
def test_r112_the_database_refuses_a_longer_period(store, name, days):
    with pytest.raises(IntegrityError), transaction.atomic():
        Store.objects.update(**{f"retention_{name}_days": days})


def test_r112_the_least_of_rule_installation_and_store_counts(store, settings):
    assert periods_for(store) == Periods(14, 30, 44)
    settings.RETENTION_SHIPPED_DAYS, settings.RETENTION_LABEL_DAYS = 20, 99
    store.retention_unshipped_days, store.retention_shipped_days = 7, 25
    assert periods_for(store) == Periods(7, 20, 44)


# -- orders that wait


def test_r112_orders_that_wait_come_forward_and_those_of_another_store_stay(officer, store, noon):
    mine, theirs = make_order(store), make_order(make_store("CA", account=store.account))
    save(officer, store, retention_unshipped_days=7)
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.redaction_due_at, mine.redaction_rule) == (noon + 7 * DAY, "import")
    assert theirs.redaction_due_at == noon + 14 * DAY


def test_r112_shipped_orders_and_labels_come_forward_too(officer, store, noon):
    label = make_shipment(make_order(store)).labels.get()
    assert label.due_at == noon + 30 * DAY
    save(officer, store, retention_shipped_days=10)
    label.refresh_from_db()
    order = Order.objects.get()
    assert (
        (label.due_at, label.due_rule)
        == (noon + 10 * DAY, "creation")
        == (order.redaction_due_at, order.redaction_rule)
    )


def test_r112_a_label_that_outlives_its_order_comes_forward(officer, store, noon):
    label = make_shipment(make_order(store)).labels.get()
    Order.objects.update(redaction_due_at=noon)
    jobs.run("privacy.redact_due")
    save(officer, store, retention_shipped_days=10)
    label.refresh_from_db()
    assert (label.redacted_at, label.due_at) == (None, noon + 10 * DAY)
    assert Order.objects.get().redaction_due_at == noon  # R88


def test_r112_lengthened_again_it_counts_for_new_orders_only(officer, store, noon):
    old = make_order(store)
    save(officer, store, retention_unshipped_days=7)
    save(officer, store)
    old.refresh_from_db()
    assert old.redaction_due_at == noon + 7 * DAY
    assert periods_for(Store.objects.get()).unshipped == 14


def test_what_is_past_its_new_date_is_erased_by_the_next_sweep(officer, store, noon):
    order = make_order(store)
    clock.advance(days=8)
    save(officer, store, retention_unshipped_days=7)
    jobs.run("privacy.redact_due")
    order.refresh_from_db()
    assert order.pii_state == "redacted"


def test_a_lost_task_is_made_up_for_once_a_day(store, noon):
    order = make_order(store)
    Store.objects.update(retention_unshipped_days=5)
    with jobs.inline():
        jobs.run("shipments.bring_all_forward")
    order.refresh_from_db()
    assert order.redaction_due_at == noon + 5 * DAY
    assert forwarding.shortened() == [store.pk]


def test_a_shorter_setting_of_the_installation_reaches_every_store(store, noon, settings):
    order = make_order(store)
    settings.RETENTION_UNSHIPPED_DAYS = 6
    with jobs.inline():
        jobs.run("shipments.bring_all_forward")
    order.refresh_from_db()
    assert order.redaction_due_at == noon + 6 * DAY


def test_batches_go_on_where_time_ran_out_and_cost_the_same(store, noon, monkeypatch):
    monkeypatch.setattr(forwarding, "BATCH", 4)
    Store.objects.update(retention_unshipped_days=5, retention_shipped_days=3)
    store.refresh_from_db()

    def queries(count: int, after: int) -> tuple[int, int | None]:
        for _ in range(count):
            make_shipment(make_order(store))
        Label.objects.update(due_at=noon + 40 * DAY)
        Order.objects.update(redaction_due_at=noon + 40 * DAY)
        with CaptureQueriesContext(connection) as seen:
            moved, last = forwarding.bring_forward(store, now=clock.now(), after=after, budget_s=0)
        assert moved == count
        return len(seen), last

    few, last = queries(1, 0)
    assert last is None
    many, last = queries(4, Order.objects.latest("pk").pk)
    assert last == Order.objects.latest("pk").pk
    assert many == few
    assert forwarding.bring_forward(store, now=clock.now(), after=last) == (0, None)


def test_the_list_of_periods_costs_the_same_for_one_store_and_for_ten(officer, store):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert officer.get("/admin/stores/store/retention/").status_code == 200
        return len(seen)

    officer.get("/admin/")
    few = queries()
    for _ in range(9):
        hand_store(store.merchant)
    assert queries() == few <= 12


def test_reading_the_pages_changes_nothing(officer, store):
    before = Store.objects.values().get()
    assert officer.get(f"{page_of_store(store)}retention/").status_code == 200
    assert officer.get("/admin/stores/store/999999/retention/").status_code == 404
    assert Store.objects.values().get() == before


def test_a_user_with_both_roles_finds_the_way_from_the_store(client, store):
    client.force_login(make_user("Support", "Privacy officer"))
    assert f"{page_of_store(store)}retention/" in shown(client, store)
