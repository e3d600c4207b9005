"""A shop in which parcels are made, parted, joined and voided while Amazon is told, workers die and tasks come twice.

The oracle is the simulator's ledger. After every step what must never be is not; at the end, once all is quiet, every
order that owes a notice is known to Amazon by exactly one package, and each unit lies in one parcel at most.
"""

from contextlib import suppress
from datetime import timedelta

from django.db import connection
from django.db.models import Sum
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orderhub import clock, failpoints
from orderhub.errors import RuleViolation
from orderhub.models import JobLease, JobRun
from orders.models import Order, OrderItem
from shipments import combining, confirming, voiding
from shipments.dispatching import ParcelWish, ship
from shipments.jobs import follow_account_feeds, notify_account
from shipments.models import Feed, Label, ManualUpdate, Shipment, ShipmentItem, ShipmentNotification
from stores.connectors.amazon import signin
from stores.models import RateBucket
from stores.simulator import scenarios
from stores.simulator.orders import SimAddress, SimItem
from tests.conftest import NOON
from tests.end_to_end.killing import died_at, job, twice_at_once
from tests.factories import connect
from tests.orders.driving import import_now, sweep

State = ShipmentNotification.State
SAME_PLACE = {
    "name": "Ada Example",
    "line1": "1 Sample Street",
    "city": "Austin",
    "state": "TX",
    "postal_code": "78701",
}
PLACES = [name for name in failpoints.NAMES if name.split(".")[0] in {"notify", "feed"}]
FAULTS = ("429", "500_before", "500_after", "503", "empty", "html", "feed_fatal", "feed_partial")
OPERATIONS = ("confirmShipment", "getOrder", "createFeed", "createFeedDocument", "getFeed")
AMONG_MANY = 14  # more than the burst: some runs submit

picks = st.integers(0, 10**6)


class Shop(RuleBasedStateMachine):
    """`world`: set by the test that runs this, served over HTTP."""

    world = None

    # -- the start

    @initialize(orders=st.integers(1, AMONG_MANY), strict=st.booleans())
    def open(self, orders: int, strict: bool) -> None:
        _empty()
        signin._cache.clear()
        self.lanes = clock.at(NOON)
        self.lanes.__enter__()
        fresh = scenarios.empty(now=NOON)
        fresh.clock.scale = 0
        fresh.clock.set(NOON)
        fresh.throttling, fresh.strict_resend = True, strict
        files_url = self.world.files_url
        self.world.become(fresh)
        self.world.files_url = files_url
        self.account = connect(scenarios.NA, sources=("US",))
        self.numbers = 0
        for _order in range(orders):
            self._new_order(units=2 if _order % 3 == 0 else 1)
        self._import()

    def teardown(self) -> None:
        if hasattr(self, "account"):
            self.world.faults.clear()
            self._heal()
            self._judge()
            self.lanes.__exit__(None, None, None)

    # -- what happens

    @rule(units=st.integers(1, 3))
    def amazon_sells(self, units: int) -> None:
        self._new_order(units=units)
        self._import()

    @rule(pick=picks, label=st.booleans())
    def somebody_ships(self, pick: int, label: bool) -> None:
        order = self._pick(self._open(), pick)
        if order is not None:
            self._ship(order, None, label=label)

    @rule()
    def somebody_ships_everything(self) -> None:
        for order in self._open():
            self._ship(order, None, label=False)

    @rule(pick=picks)
    def somebody_ships_a_part(self, pick: int) -> None:
        order = self._pick(self._open(), pick)
        if order is not None:
            line = order.items.order_by("pk").first()
            self._ship(order, {line.pk: 1}, label=False)

    @rule(pick=picks)
    def somebody_combines_two(self, pick: int) -> None:
        found = self._open()[:2] if pick % 2 else self._open()[-2:]
        if len(found) == 2:
            with suppress(RuleViolation):
                ids, wish = [order.pk for order in found], self._wish(None, label=False)
                seal = combining.plan(ids, wish, now=clock.now()).seal
                combining.combine(ids, wish, as_seen=seal, by=None, now=clock.now())

    @rule(pick=picks)
    def somebody_voids(self, pick: int) -> None:
        found = self._pick(list(Shipment.objects.filter(voided_at=None).order_by("pk")), pick)
        if found is not None:
            with suppress(RuleViolation):
                voiding.void(found, by=None, now=clock.now())

    @rule(pick=picks)
    def somebody_retries(self, pick: int) -> None:
        row = self._pick(list(ShipmentNotification.objects.exclude(state__in=State.FINAL).order_by("pk")), pick)
        if row is not None:
            with suppress(RuleViolation):
                confirming.retry(row, now=clock.now())

    @rule(pick=picks)
    def the_seller_ships_in_seller_central(self, pick: int) -> None:
        open_there = [order for order in self.world.orders.values() if order.status == "UNSHIPPED"]
        order = self._pick(open_there, pick)
        if order is not None:
            self.world.ship_elsewhere(order.order_id)
            self.elsewhere.add(order.order_id)

    @rule(minutes=st.sampled_from([0.5, 1, 3, 7, 16]))
    def time_passes(self, minutes: float) -> None:
        self._advance(minutes)
        sweep()

    @rule(twice=st.booleans())
    def the_queue_delivers(self, twice: bool) -> None:
        for _time in range(1 + twice):
            for task in (notify_account, follow_account_feeds):
                job(task, self.account)()

    @rule()
    def two_workers_get_the_same_task_at_once(self) -> None:
        twice_at_once(job(notify_account, self.account))

    @rule(place=st.sampled_from(PLACES), visit=st.integers(1, 3))
    def a_worker_dies(self, place: str, visit: int) -> None:
        task = follow_account_feeds if place == "feed.in_report" else notify_account
        died_at(place, job(task, self.account), visit=visit)
        self._advance(2)

    @rule(operation=st.sampled_from(OPERATIONS), kind=st.sampled_from(FAULTS), times=st.integers(1, 3))
    def amazon_fails(self, operation: str, kind: str, times: int) -> None:
        whole = kind.startswith("feed_")
        self.world.faults.arm("createFeed" if whole else operation, kind, times=1 if whole else times)

    @precondition(lambda self: self.world.faults.armed())
    @rule()
    def amazon_recovers(self) -> None:
        self.world.faults.clear()

    # -- what must never be

    @invariant()
    def no_order_is_told_twice(self) -> None:
        if hasattr(self, "account"):
            twice = {number: count for number, count in self.world.effective_confirmations().items() if count > 1}
            assert twice == {}
            assert all(len(order.packages) <= 1 for order in self.world.orders.values())

    @invariant()
    def units_and_states_agree(self) -> None:
        if not hasattr(self, "account"):
            return
        packed = dict(
            ShipmentItem.objects.filter(shipment__voided_at=None, shipment__is_return=False)
            .values_list("item").annotate(units=Sum("quantity"))
        )  # fmt: skip
        for item in OrderItem.objects.all():
            assert item.quantity_shipped == packed.get(item.pk, 0) <= item.quantity
        for order in Order.objects.filter(status=Order.Status.AWAITING_SHIPMENT).prefetch_related("items"):
            assert any(item.quantity_shipped < item.quantity for item in order.items.all())

    # -- the end

    def _heal(self) -> None:
        """Time without faults; what only a person can settle is settled by one."""
        for _round in range(2):
            for minutes in (1, 3, 3, 3, 7, 16, 16, 16, 16):
                self._advance(minutes)
                self._import()
                sweep()
            stuck = ShipmentNotification.objects.filter(state__in=State.STUCK)
            for row in stuck:
                with suppress(RuleViolation):
                    confirming.retry(row, now=clock.now())
        for minutes in (1, 3, 16, 16):
            self._advance(minutes)
            sweep()

    def _judge(self) -> None:
        told = self.world.effective_confirmations()
        assert not Feed.objects.open().exists()
        for row in ShipmentNotification.objects.select_related("order", "shipment"):
            number = row.order.order_number
            assert row.lease_until is None
            assert row.state in {*State.FINAL, State.WITHDRAWN}, (row.state, row.error_code)
            if row.state == State.CONFIRMED:
                assert told.get(number) == 1
            if row.state == State.CONFIRMED_EXTERNAL:
                assert number in self.elsewhere and number not in told
            if row.state == State.WITHDRAWN:
                assert number not in told and row.shipment.voided_at is not None
        owed = Shipment.objects.filter(voided_at=None, combined_with=None).values_list("order__order_number", flat=True)
        assert {number for number in owed if number not in self.elsewhere} <= told.keys()
        riders = Shipment.objects.filter(voided_at=None, combined_with__isnull=False)
        for rider in riders:
            known = ShipmentNotification.objects.filter(order=rider.order_id).exclude(state=State.WITHDRAWN).exists()
            assert known or ManualUpdate.objects.filter(order=rider.order_id).exists()

    # -- hands

    @property
    def elsewhere(self) -> set[str]:
        return self.__dict__.setdefault("_elsewhere", set())

    def _new_order(self, *, units: int) -> None:
        at = clock.now() - timedelta(minutes=4)
        self.world.add_order(
            scenarios.NA, marketplace="US", created=at, updated=at, address=SimAddress(**SAME_PLACE),
            items=[SimItem(sku="A", quantity=units)],
        )  # fmt: skip

    def _import(self) -> None:
        import_now(self.account)

    def _open(self) -> list[Order]:
        return list(Order.objects.shippable().filter(cancel_requested_at=None).order_by("pk"))

    @staticmethod
    def _pick(found: list, pick: int):
        return found[pick % len(found)] if found else None

    def _wish(self, items: dict[int, int] | None, *, label: bool) -> ParcelWish:
        self.numbers += 1
        return ParcelWish(
            carrier="other", tracking_number=f"T{self.numbers:09d}", ship_date=clock.now().date(), with_label=label,
            items=items,
        )  # fmt: skip

    def _ship(self, order: Order, items: dict[int, int] | None, *, label: bool) -> None:
        with suppress(RuleViolation):
            ship(order, self._wish(items, label=label), now=clock.now())

    def _advance(self, minutes: float) -> None:
        self.world.clock.set(clock.advance(minutes=minutes))


def _empty() -> None:
    """An installation as new, without the time that flushing every table takes."""
    from django.apps import apps

    models = [*apps.get_app_config("shipments").get_models(), *apps.get_app_config("orders").get_models()]
    models += [*apps.get_app_config("stores").get_models(), JobLease, JobRun, RateBucket, Label]
    tables = list(dict.fromkeys(model._meta.db_table for model in models)) + ["django_q_ormq", "orders_order_tags"]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("TRUNCATE " + ", ".join(tables) + " CASCADE")
            return
        cursor.execute("PRAGMA foreign_keys = OFF")
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608  names of our own tables
        cursor.execute("PRAGMA foreign_keys = ON")
