"""The long proof of importing: `make faults` brings a PostgreSQL along."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from unittest import mock
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.test.utils import override_settings

from orderhub import clock, jobs
from orderhub.http import HttpClient, Limits
from orderhub.management.faultrun import verdict
from orderhub.management.faultrun.trade import SELLERS, Trade, world_at
from orderhub.management.faultrun.weather import Weather
from orders.models import Order, OrderEvent
from stores import connecting
from stores.models import Merchant
from stores.simulator import scenarios
from stores.simulator.server import serve

START = datetime(2026, 11, 2, tzinfo=UTC)
STEP = timedelta(minutes=3)
RUSH = 15  # times the usual number of updates, in the first step of every sixth hour
STEPS_A_RUSH = 120
QUIET, QUIET_STEP = (
    timedelta(hours=26),
    timedelta(minutes=10),
)  # without faults, at the end: the daily look back is in it
IMPATIENT = Limits(connect_s=1, read_s=0.5, total_s=0.8)  # real seconds: a silent Amazon must not eat the hour
SHOWN = 10
JOBS = {
    "orders.import_due_accounts": 1,
    "orders.history_jobs.find_gaps": 2,
}  # what the queue wakes up, every so many steps
TELL_EVERY = 10_000  # updates
LOOK_EVERY = 10  # steps between two looks at every order's newest word


class Command(BaseCommand):
    help = "Import updates of orders through every fault of an unreliable Amazon. Needs an empty database."

    def add_arguments(self, parser):
        parser.add_argument("--updates", type=int, default=100_000)
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--pace", type=int, default=40, help="updates in three simulated minutes")

    def handle(self, *, updates: int, seed: int, pace: int, **options):
        if settings.PRODUCTION:
            raise CommandError("Not on a production installation.")
        call_command("migrate", verbosity=0)
        if Order.objects.exists():
            raise CommandError("This database has orders in it. Use `make faults`, which brings an empty one.")
        self.stdout.write(f"{connection.vendor}, {updates} updates, seed {seed}")
        with ExitStack() as stack:
            run = Run(updates, seed, pace, stack, tell=self.stdout.write)
            run.through_faults()
            run.until_quiet()
        self._report(run)

    def _report(self, run: "Run") -> None:
        took, days = time.monotonic() - run.began, (run.world.clock.now() - START).total_seconds() / 86400
        self.stdout.write(
            f"{run.trade.updates} updates of {len(run.world.orders)} orders in {days:.1f} simulated days: "
            f"{took:.0f} s, {run.trade.updates / took:.0f} updates/s, {run.calls} search calls"
        )
        gaps = OrderEvent.objects.filter(kind=OrderEvent.Kind.GAP_CLOSED).count()
        self.stdout.write(f"  {'found by the daily look back':<28}{gaps:6}")
        for kind, times in sorted(run.weather.seen().items()):
            self.stdout.write(f"  {kind:<28}{times:6}")
        found = verdict.unequal(run.world, now=run.world.clock.now()) | {"set back": run.high_water.violations}
        for name, texts in found.items():
            self.stdout.write(f"{name:<14}{len(texts):6}")
            for text in texts[:SHOWN]:
                self.stdout.write(f"    {text}")
        if verdict.counted(found):
            raise CommandError("The import does not hold what Amazon holds.")


class Run:
    """One run: a served world, two connected sellers, both clocks at START."""

    def __init__(self, updates: int, seed: int, pace: int, stack: ExitStack, *, tell: Callable[[str], None]) -> None:
        self.updates, self.pace, self.tell, self.began = updates, pace, tell, time.monotonic()
        self.world = world_at(START, seed=seed)
        source = random.Random(seed)
        self.trade = Trade(self.world, source)
        self.weather = Weather(self.world, self.trade, source)
        self.high_water = verdict.HighWater()
        self.steps = 0
        self.calls = 0
        server = stack.enter_context(serve(self.world))
        stack.enter_context(override_settings(**_stand_in(server.base_url)))
        stack.enter_context(mock.patch("stores.outbound.client", _impatient()))
        stack.enter_context(clock.at(START))
        merchant = Merchant.objects.create(name="Fault run")
        for seller in SELLERS:
            _connect(seller, merchant)

    def through_faults(self) -> None:
        told = 0
        while self.trade.updates < self.updates:
            if self.trade.updates - told >= TELL_EVERY:
                told = self.trade.updates
                self.tell(f"  {told} updates after {time.monotonic() - self.began:.0f} s")
            before = self.world.clock.now()
            now = before + STEP
            self.world.clock.set(now)
            wanted = self.pace * (RUSH if self.steps % STEPS_A_RUSH == 0 else 1)
            self.trade.happen(min(wanted, self.updates - self.trade.updates), since=before, until=now)
            self.weather.step()
            self._work(now)
        self.high_water.look(self.world.clock.now())

    def until_quiet(self) -> None:
        self.weather.clear()
        end = self.world.clock.now() + QUIET
        while self.world.clock.now() < end:
            now = self.world.clock.now() + QUIET_STEP
            self.world.clock.set(now)
            self._work(now)
        self.high_water.look(self.world.clock.now())

    def _work(self, now: datetime) -> None:
        """What the queue does every few minutes, by our own clock."""
        clock.advance(seconds=(now + self.weather.offset - clock.now()).total_seconds())
        self.steps += 1
        with jobs.inline():
            for job, every in JOBS.items():
                if self.steps % every == 0:
                    jobs.run(job)
        if self.steps % LOOK_EVERY == 0:
            self.high_water.look(now)
        self.calls += self.world.calls("searchOrders")
        self.world.requests.clear()


def _connect(seller, merchant: Merchant) -> None:
    found = connecting.verify(seller.region, seller.seller_id, seller.refresh_token)
    connecting.connect(
        found, seller.refresh_token, merchant=merchant, sources=list(seller.marketplaces), now=clock.now()
    )


def _stand_in(base_url: str) -> dict[str, str]:
    return {
        "SPAPI_BASE_URL": base_url, "LWA_TOKEN_URL": f"{base_url}/auth/o2/token", "LWA_CLIENT_ID": scenarios.CLIENT_ID,
        "LWA_CLIENT_SECRET": scenarios.CLIENT_SECRET, "LWA_CLIENT_SECRET_PREVIOUS": "",
    }  # fmt: skip


def _impatient():
    @lru_cache(maxsize=8)
    def client(url: str) -> HttpClient:
        return HttpClient(url, allowed_hosts=frozenset({urlsplit(url).hostname or ""}), limits=IMPATIENT)

    return client
