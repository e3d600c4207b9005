"""What it costs to tell Amazon of many parcels: one submission against single calls, over HTTP to the simulated one."""

import time
from dataclasses import dataclass

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, reset_queries

from orderhub import clock, jobs
from orderhub.management.commands.bench_accounts import served
from orders.jobs import import_account
from orders.models import Order
from shipments.dispatching import ParcelWish, ship
from shipments.jobs import follow_account_feeds
from shipments.models import Feed, ShipmentNotification
from shipments.planning import BURST
from stores.models import AmazonAccount
from stores.simulator.world import World

State = ShipmentNotification.State
MOST_MINUTES = 120
REFILL_MINUTES = 5  # after the single calls, so that the submission finds every bucket full
SIGN_IN = "lwa"


@dataclass(frozen=True)
class Cost:
    """`seconds`: real time of our own work and the simulator's; `minutes`: simulated, until Amazon's answer is here."""

    orders: int
    seconds: float
    calls: int
    statements: int
    minutes: int
    submissions: int

    def line(self, name: str, remark: str) -> str:
        return f"{name:<54}{self.seconds:8.2f} s {self.orders / self.seconds:9.0f} orders/s  {remark}"


class Command(BaseCommand):
    help = "Tell the simulated Amazon of many parcels of one account. Needs an empty database."

    def add_arguments(self, parser):
        parser.add_argument("--orders", type=int, default=1000)

    def handle(self, *, orders: int, **options):
        if settings.PRODUCTION:
            raise CommandError("Not on a production installation.")
        call_command("migrate", verbosity=0)
        if AmazonAccount.objects.exists():
            raise CommandError("This database has accounts in it. Use one that is empty.")
        self.stdout.write(f"{connection.vendor}, {orders} orders of one account")
        for line in lines(*measure(orders)):
            self.stdout.write(line)


def lines(single: Cost, together: Cost) -> list[str]:
    each, shared = single.statements / single.orders, together.statements / together.orders
    saved = (single.calls / single.orders) / (together.calls / together.orders)
    calls = f"{together.calls} calls: {together.calls / together.orders:.3f} a parcel, {saved:.0f} times fewer"
    return [
        together.line(f"tell Amazon of {together.orders} parcels, in one submission", calls),
        single.line(f"  {single.orders} parcels one by one", f"{single.calls / single.orders:.0f} call a parcel"),
        f"statements for a parcel told: {shared:.2f} ({together.statements} for all), one by one {each:.1f}; "
        f"all answered after {together.minutes} simulated minutes",
    ]


def measure(orders: int) -> tuple[Cost, Cost]:
    """The cost of one burst of single calls, and of all the others in one submission.

    CommandError where Amazon does not know each of them once, or the planner chose another way.
    """
    if orders <= BURST:
        raise CommandError(f"So few are told one by one: use more than {BURST} orders.")
    start = clock.now().replace(microsecond=0)
    with clock.at(start), served(start, 1, orders=orders + BURST) as world:
        account = AmazonAccount.objects.get(selling_partner_id=next(iter(world.sellers)))
        _import_all(world, account)
        _ship(BURST)
        single = _tell(world, account)
        world.clock.set(clock.advance(minutes=REFILL_MINUTES))
        _ship(orders)
        together = _tell(world, account)
        if world.effective_confirmations() != dict.fromkeys(world.orders, 1):
            raise CommandError("Amazon does not know each order once: the figures would mean nothing.")
    if (single.submissions, together.submissions) != (0, 1):
        raise CommandError("The planner chose another way: the figures would mean nothing.")
    return single, together


def _import_all(world: World, account: AmazonAccount) -> None:
    for _minute in range(MOST_MINUTES):
        with jobs.inline():
            jobs.run(import_account.job_name, account.pk)
        if Order.objects.filter(store__account=account).count() == len(world.orders):
            return
        world.clock.set(clock.advance(minutes=1))
    raise CommandError("The import did not finish: the figures would mean nothing.")


def _ship(count: int) -> None:
    """In parcels without labels of ours: what is measured is the telling."""
    today = clock.now().date()
    for order in list(Order.objects.shippable().order_by("pk")[:count]):
        ship(order, ParcelWish("ups", f"1Z{order.pk:016d}", today, with_label=False), now=clock.now())
    clock.advance(minutes=1)  # single labels are gathered for a while


def _tell(world: World, account: AmazonAccount) -> Cost:
    """Run the jobs minute by minute, as the queue would, until nothing is left to tell."""
    world.clock.set(clock.now())
    open_ones = ShipmentNotification.objects.filter(order__store__account=account).exclude(state__in=State.FINAL)
    orders, feeds, before, seconds = open_ones.count(), Feed.objects.count(), _calls(world), 0.0
    statements = _Statements()
    for minute in range(MOST_MINUTES):
        reset_queries()  # the query log of DEBUG
        began = time.perf_counter()
        with connection.execute_wrapper(statements), jobs.inline():
            jobs.run(follow_account_feeds.job_name, account.pk)  # asks for the job that tells, too
        seconds += time.perf_counter() - began
        if not open_ones.exists():
            return Cost(orders, seconds, _calls(world) - before, statements.count, minute, Feed.objects.count() - feeds)
        world.clock.set(clock.advance(minutes=1))
    raise CommandError("Some parcels were not told: the figures would mean nothing.")


class _Statements:
    """Counts what is executed; a batch of the same statement is one."""

    count = 0

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        return execute(sql, params, many, context)


def _calls(world: World) -> int:
    """Every call but sign-ins, refused ones too."""
    return sum(entry["operation"] != SIGN_IN for entry in world.requests)
