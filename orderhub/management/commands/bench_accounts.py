"""How many accounts two workers keep up to date: simulated hours of polling against the simulated Amazon, over HTTP."""

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from orderhub import clock, jobs
from orders.jobs import import_account, import_due_accounts
from orders.models import Order
from stores.marketplaces import BY_CODE
from stores.models import AmazonAccount, Merchant, Store
from stores.simulator import scenarios
from stores.simulator.server import serve
from stores.simulator.world import World

WORKERS = 2  # two clusters of one worker each
ANSWER_S = 0.4  # what the real Amazon and a database take for their answers, added to a task's own processor time
WARM_UP = timedelta(minutes=6)  # all accounts begin at once: after this they are spread


@dataclass
class Figures:
    """What came of it. Minutes are simulated; `work_s` is processor time of each task, `select_s` real time."""

    polls: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    longest_queue: int = 0
    select_queries: int = 0
    select_s: float = 0.0
    work_s: list[float] = field(default_factory=list)
    used: list[float] = field(default_factory=list)  # of the workers' time, by minute

    def gaps(self, since: datetime) -> list[float]:
        """Minutes between two polls of one account."""
        pairs = (pair for times in self.polls.values() for pair in zip(times, times[1:], strict=False))
        return [(after - before).total_seconds() / 60 for before, after in pairs if before >= since]


class Command(BaseCommand):
    help = "Let many accounts be polled for some simulated hours. Needs an empty database."

    def add_arguments(self, parser):
        parser.add_argument("--accounts", type=int, default=1000)
        parser.add_argument("--hours", type=float, default=2)

    def handle(self, *, accounts: int, hours: float, **options):
        if settings.PRODUCTION:
            raise CommandError("Not on a production installation.")
        call_command("migrate", verbosity=0)
        if AmazonAccount.objects.exists():
            raise CommandError("This database has accounts in it. Use one that is empty.")
        began, start = time.monotonic(), clock.now().replace(microsecond=0)
        with clock.at(start), served(start, accounts) as world:
            figures = live(world, minutes=round(hours * 60))
            missed = len(world.orders) - Order.objects.count()
        gaps = figures.gaps(start + WARM_UP) or [0]
        self.stdout.write(f"{connection.vendor}, {accounts} accounts, {hours} h, {WORKERS} workers")
        for name, value in (
            ("polls", f"{sum(map(len, figures.polls.values()))}, of the quietest account {quietest(figures, accounts)}"),
            ("minutes between two polls of an account", f"{min(gaps):.0f} to {max(gaps):.0f}"),
            ("searches refused by Amazon", world.calls("searchOrders", 429)),
            ("orders not here at the end", missed),
            ("longest queue", f"{figures.longest_queue} tasks"),
            ("statements to choose the due accounts", f"{figures.select_queries}, {figures.select_s * 1000:.1f} ms at most"),
            ("a task", f"{sum(figures.work_s) / len(figures.work_s) * 1000:.0f} ms, {max(figures.work_s):.2f} s at most"),
            ("workers busy", f"{sum(figures.used) / len(figures.used):.0%}, {max(figures.used):.0%} in the worst minute"),
            ("real time", f"{time.monotonic() - began:.0f} s"),
        ):  # fmt: skip
            self.stdout.write(f"{name:<42}{value}")


def quietest(figures: Figures, accounts: int) -> int:
    return min(map(len, figures.polls.values())) if len(figures.polls) == accounts else 0


@contextmanager
def served(start: datetime, accounts: int, *, orders: int = 1):
    """A simulated Amazon with so many sellers of one store and so many orders each, and their accounts here."""
    sellers = [
        replace(scenarios.NA, seller_id=f"A{number:06d}", refresh_token=f"Atzr|bench-{number}", marketplaces=("US",))
        for number in range(accounts)
    ]
    world = World(start, sellers=sellers, scale=0)
    for seller in sellers:
        for _order in range(orders):
            world.add_order(seller, created=start - timedelta(hours=1))
    before = (settings.SPAPI_BASE_URL, settings.LWA_TOKEN_URL, settings.LWA_CLIENT_ID, settings.LWA_CLIENT_SECRET)
    with serve(world) as server:
        settings.SPAPI_BASE_URL, settings.LWA_TOKEN_URL = server.base_url, f"{server.base_url}/auth/o2/token"
        settings.LWA_CLIENT_ID, settings.LWA_CLIENT_SECRET = scenarios.CLIENT_ID, scenarios.CLIENT_SECRET
        try:
            make_accounts(sellers, start)
            yield world
        finally:
            (
                settings.SPAPI_BASE_URL, settings.LWA_TOKEN_URL, settings.LWA_CLIENT_ID, settings.LWA_CLIENT_SECRET,
            ) = before  # fmt: skip


def make_accounts(sellers: list, now: datetime) -> None:
    market, merchant = BY_CODE["US"], Merchant.objects.get_or_create(name="Bench")[0]
    accounts = [
        AmazonAccount(
            merchant=merchant, region="NA", selling_partner_id=seller.seller_id, status="active", verified_at=now,
            imported_until=now - timedelta(days=1), refresh_token=seller.refresh_token,
            authorization_expires_at=now + timedelta(days=365),
        )
        for seller in sellers
    ]  # fmt: skip
    stores = [
        Store(merchant=merchant, account=account, marketplace="US", name="Bench", time_zone=market.time_zone)
        for account in AmazonAccount.objects.bulk_create(accounts)
    ]
    Store.objects.bulk_create(stores)


def live(world: World, *, minutes: int, each: Callable[[], None] = lambda: None) -> Figures:
    """Minute by minute: the clock's tick, then as many tasks of the queue as the workers have time for, in order."""
    figures = Figures()
    for _minute in range(minutes):
        world.clock.set(clock.advance(minutes=1))
        choose(figures)
        figures.longest_queue = max(figures.longest_queue, OrmQ.objects.count())
        figures.used.append(work(figures))
        each()
    return figures


def choose(figures: Figures) -> None:
    """The minute's tick, and what of it is not one INSERT for each account woken."""
    with CaptureQueriesContext(connection) as seen:
        jobs.run(import_due_accounts.job_name)
    rest = [entry for entry in seen if not entry["sql"].startswith('INSERT INTO "django_q_ormq"')]
    rest = [entry for entry in rest if not entry["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
    figures.select_queries = max(figures.select_queries, len(rest))
    figures.select_s = max(figures.select_s, sum(float(entry["time"]) for entry in rest))


def work(figures: Figures) -> float:
    """Do tasks until a minute of the workers' time is used up; returns how much of it was."""
    left = WORKERS * 60.0
    for row in list(OrmQ.objects.order_by("pk")):
        if left <= 0:
            break
        name, *ids = SignedPackage.loads(row.payload)["args"]
        row.delete()
        began = time.thread_time()
        jobs.run(name, *ids)
        figures.work_s.append(time.thread_time() - began)
        left -= figures.work_s[-1] + ANSWER_S
        if name == import_account.job_name:
            figures.polls[ids[0]].append(clock.now())
    return 1 - max(0.0, left) / (WORKERS * 60.0)
