"""Driving the product against a simulated Amazon until all is quiet, and the questions every such test asks then."""

from functools import lru_cache
from urllib.parse import urlsplit

from orderhub import clock, jobs
from orderhub.http import HttpClient, Limits
from orders.jobs import import_account
from orders.models import Order
from shipments.jobs import notify_account
from shipments.models import ShipmentNotification
from stores.models import AmazonAccount
from tests.factories import make_shipment

State = ShipmentNotification.State
IMPATIENT = Limits(connect_s=1, read_s=0.25, total_s=0.5)


def impatient_clients(monkeypatch) -> None:
    """Give Amazon a quarter of a second to go on and half a second to end, so that tests of time limits are short."""

    @lru_cache(maxsize=8)
    def client(url: str) -> HttpClient:
        return HttpClient(url, allowed_hosts=frozenset({urlsplit(url).hostname or ""}), limits=IMPATIENT)

    monkeypatch.setattr("stores.outbound.client", client)


def import_now(account: AmazonAccount) -> str:
    """Run the account's import job, and what it enqueues, whether due or not."""
    with jobs.inline():
        return jobs.run(import_account.job_name, account.pk)


def notify_now(account: AmazonAccount) -> str:
    with jobs.inline():
        return jobs.run(notify_account.job_name, account.pk)


def sweep() -> None:
    """What the queue does every minute or two: the sweeps, and the tasks they ask for."""
    with jobs.inline():
        jobs.run("orders.import_due_accounts")
        jobs.run("shipments.notify_marketplaces")
        jobs.run("shipments.follow_feeds")
        jobs.run("shipments.mirror_due")


def time_passes(world, *, minutes: float, step: float = 3) -> None:
    """Both clocks go on and the sweeps run at every step."""
    passed = 0.0
    while passed < minutes:
        world.clock.set(clock.advance(minutes=step))
        passed += step
        sweep()


def time_passes_until(done, world, *, hours: float = 4, step: float = 6) -> None:
    """As above, until `done()`; fails where it never is."""
    for _step in range(int(hours * 60 / step)):
        if done():
            return
        world.clock.set(clock.advance(minutes=step))
        sweep()
    assert done(), "did not heal in time"


def all_told() -> bool:
    return not ShipmentNotification.objects.exclude(state__in=State.FINAL).exists()


def ship_everything() -> list[Order]:
    """Ship every order that may be shipped, each with a tracking number of its own."""
    orders = list(Order.objects.shippable().order_by("pk"))
    for order in orders:
        make_shipment(order, tracking_number=f"1Z{order.pk:010d}", with_label=False)
    return orders


def assert_every_order_is_here_once(world, *, marketplaces=("US",)) -> None:
    theirs = sorted(order.order_id for order in world.orders.values() if order.marketplace in marketplaces)
    assert sorted(Order.objects.values_list("order_number", flat=True)) == theirs


def assert_amazon_knows_once(world, shipped: list[Order]) -> None:
    """The oracle is the simulator's ledger, never our own rows."""
    assert world.effective_confirmations() == {order.order_number: 1 for order in shipped}
    for order in shipped:
        assert len(world.orders[order.order_number].packages) == 1


def assert_nothing_is_stuck() -> None:
    """Every notice is settled, no account waits with half a window."""
    left = ShipmentNotification.objects.exclude(state__in=State.FINAL).values_list("state", "error_code")
    assert list(left) == []
    assert not ShipmentNotification.objects.filter(lease_until__isnull=False).exists()
    assert not AmazonAccount.objects.exclude(page_token="", window_after=None).exists()
