"""A BigCommerce store that mirrors an Amazon store, simulated and linked, and what it truly got."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from orderhub import clock, jobs
from orders.models import Order
from shipments.jobs import mirror_shop
from shipments.models import ShipmentNotification
from stores import linking
from stores.models import AmazonAccount, Store
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect
from tests.orders.driving import import_now, notify_now, ship_everything

State = ShipmentNotification.State


@dataclass
class Linked:
    """The simulated world and store, our account and store, and the orders that were shipped."""

    world: Any
    shop: Any
    account: AmazonAccount
    store: Store
    orders: list[Order]

    def tell(self) -> str:
        """One run for the BigCommerce store."""
        with jobs.inline():
            return jobs.run(mirror_shop.job_name, self.store.pk)

    def tell_both(self) -> None:
        notify_now(self.account)
        self.tell()

    def pass_time(self, **delta: float) -> None:
        self.world.clock.set(clock.advance(**delta))

    def created(self) -> dict[str, list[str]]:
        """Amazon's order number to the tracking numbers the store got, as often as it got them."""
        found: dict[str, list[str]] = {}
        for entry in self.shop.ledger:
            if entry["effect"] == "shipment_created":
                copy = self.shop.orders[entry["order_id"]]
                found.setdefault(copy.external_order_id or copy.external_id, []).append(entry["tracking"])
        return found

    def assert_told_once(self) -> None:
        """The oracle is the simulator's ledger, never our own rows."""
        assert self.created() == {order.order_number: [order.shipments.get().tracking_number] for order in self.orders}


def row(order: Order | None = None) -> ShipmentNotification:
    found = ShipmentNotification.objects.select_related("order__store", "shipment").filter(channel="bigcommerce")
    return found.get(order=order) if order else found.get()


def rows(channel: str = "bigcommerce") -> list[str]:
    """States in order."""
    found = ShipmentNotification.objects.filter(channel=channel).order_by("pk")
    return list(found.values_list("state", flat=True))


def start(world, *, orders: int = 1, told_by: str = "orderhub", copied: bool = True, mails: bool = False, **given):
    """Orders imported and shipped, copied into a linked store whose mails to Amazon's buyers are off."""
    shop = world.shops[scenarios.SHOP_HASH]
    if not mails:
        shop.channel_status_mail[shop.channel_id] = False
    for number in range(orders):
        at = NOON - timedelta(hours=2, minutes=number)
        order = world.add_order(scenarios.NA, marketplace="US", created=at, updated=at, **given)
        if copied:
            shop.mirror(order)
    account = connect(scenarios.NA, sources=("US",))
    ours = linking.connect_shop(
        account.merchant, name="", store_hash=scenarios.SHOP_HASH, token=scenarios.SHOP_TOKEN, now=clock.now()
    )
    linking.link(account.stores.get(), ours, mails_off=True, told_by=told_by, now=clock.now())
    import_now(account)
    world.requests.clear()
    return Linked(world, shop, account, ours, ship_everything())
