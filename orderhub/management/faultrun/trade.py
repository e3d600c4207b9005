"""What buyers, sellers and Amazon do to orders, at instants of Amazon's own clock. Every change is one update."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from stores.simulator import people, scenarios
from stores.simulator.catalogue import PRODUCTS, price_in, title_for
from stores.simulator.clock import whole_milliseconds
from stores.simulator.marketplaces import MARKETPLACES
from stores.simulator.orders import SimItem, SimOrder, SimPackage
from stores.simulator.world import World

SELLERS = (replace(scenarios.NA, marketplaces=("US", "CA")), replace(scenarios.EU, marketplaces=("FR", "DE")))
LEVELS = ("STANDARD", "EXPEDITED", "NEXT_DAY", "SECOND_DAY", "PRIORITY")
FRESH = 0.15  # of all updates; the others change one of the orders still open
OPEN = 3000  # orders kept in play
TICK = timedelta(milliseconds=1)


def world_at(start: datetime, *, seed: int) -> World:
    """Two sellers with two order sources each, and no order."""
    world = World(start, sellers=SELLERS, seed=seed, scale=0)
    world.random = random.Random(seed)
    return world


class Trade:
    """`updates` counts what happened; `visible_late` of the new orders Amazon shows only after that many minutes."""

    def __init__(self, world: World, source: random.Random) -> None:
        self.world, self.source = world, source
        self.open: list[str] = []
        self.updates = 0
        self.late_minutes: list[float] = []  # the next new orders become visible so late

    def happen(self, count: int, *, since: datetime, until: datetime) -> None:
        """So many updates, spread over the span. `until` is not later than the world's now."""
        span = (until - since).total_seconds()
        for at in sorted(since + timedelta(seconds=self.source.uniform(0, span)) for _update in range(count)):
            self.one(whole_milliseconds(at))

    def one(self, at: datetime) -> None:
        """One update: a new order, or one more change of an open one."""
        if len(self.open) < 20 or self.source.random() < FRESH:
            self._arrive(at)
        else:
            self._change(self.world.orders[self.source.choice(self.open)], at)
        self.updates += 1
        if len(self.open) > OPEN:
            self.open.pop(0)

    def _arrive(self, at: datetime) -> None:
        seller = self.source.choice(SELLERS)
        market = self.source.choice(seller.marketplaces)
        name = people.full_name(self.source, market)
        items = [self._line(market) for _line in range(self.source.choice((1, 1, 1, 2, 3)))]
        late = timedelta(minutes=self.late_minutes.pop()) if self.late_minutes else None
        order = self.world.add_order(
            seller, marketplace=market, created=at, updated=at, items=items, buyer_name=name,
            status=self.source.choice(("PENDING", "UNSHIPPED", "UNSHIPPED", "UNSHIPPED")),
            address=people.address(self.source, market, name), service_level=self.source.choice(LEVELS),
            visible_at=at + late if late else None,
        )  # fmt: skip
        self.open.append(order.order_id)

    def _line(self, market: str) -> SimItem:
        product, currency = self.source.choice(PRODUCTS), MARKETPLACES[market].currency
        return SimItem(
            asin=product.asin, sku=product.sku, title=title_for(product, market), quantity=self.source.randrange(1, 5),
            unit_price=price_in(product, currency), tax=Decimal("1.20"),
        )  # fmt: skip

    def _change(self, order: SimOrder, at: datetime) -> None:
        at = max(at, order.updated + TICK)  # two changes of one order have two instants
        if order.status == "PENDING":
            self.world.update(order.order_id, status="UNSHIPPED", updated=at)
            return
        dice = self.source.random()
        if dice < 0.06:
            self._end(order, at, lambda: self.world.ship_elsewhere(order.order_id, at=at))
        elif dice < 0.09:
            self._end(order, at, lambda: self.world.cancel(order.order_id, at=at))
        elif dice < 0.12:
            self.world.request_cancellation(order.order_id, "BUYER_CANCELED", at=at)
        elif dice < 0.20:
            self._send_a_part(order, at)
        else:
            self.world.update(order.order_id, updated=at, **self._edited(order))

    def _end(self, order: SimOrder, at: datetime, deed) -> None:
        deed()
        self.open.remove(order.order_id)

    def _send_a_part(self, order: SimOrder, at: datetime) -> None:
        line = self.source.choice(order.items)
        if sum(item.open_quantity for item in order.items) > 1 and line.open_quantity:
            reference = f"P{len(order.packages) + 1}"
            order.packages.append(SimPackage(reference, "USPS", f"94{at:%d%H%M%S%f}", at, at, {line.item_id: 1}))
            order.recount()
        self.world.update(order.order_id, updated=at)

    def _edited(self, order: SimOrder) -> dict:
        """New values of a few fields."""
        name = people.full_name(self.source, order.marketplace)
        line = self.source.choice(order.items)
        line.quantity = max(line.quantity_shipped + 1, self.source.randrange(1, 7))
        line.unit_price = (line.unit_price + Decimal("0.10")).quantize(Decimal("0.01"))
        address = people.address(self.source, order.marketplace, name)
        return self.source.choice((
            {"address": address, "buyer_name": name},
            {"ship_by": order.ship_by + timedelta(hours=6), "deliver_by": order.deliver_by + timedelta(hours=6)},
            {"service_level": self.source.choice(LEVELS)},
            {"seller_order_id": f"S-{self.source.randrange(10**9)}"},
            {},
        ))  # fmt: skip
