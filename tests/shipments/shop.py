"""A seller connected over HTTP whose orders can be sent with labels bought from the simulated Amazon."""

from datetime import timedelta

from orderhub import clock, jobs
from orders.models import Order
from shipments import buying, quoting
from shipments.jobs import settle_account, track_account
from shipments.models import LabelPurchase, Shipment
from shipments.providers.base import ParcelFacts, Rate
from stores.models import AmazonAccount
from stores.simulator import people, scenarios
from tests.factories import connect
from tests.orders.driving import import_now

SENDER = {
    "name": "Maple Lane", "street1": "1 Depot Road", "city": "Portland", "state": "OR", "postal_code": "97205",
    "country": "US",
}  # fmt: skip
MEASURED = {"weight_g": 800, "length_mm": 200, "width_mm": 150, "height_mm": 50}


def open_shop(seller=scenarios.NA, source: str = "US") -> AmazonAccount:
    account = connect(seller, sources=(source,))
    account.stores.update(ship_from=SENDER)
    return account


def order_at(world, account: AmazonAccount, *, market: str = "US", **given) -> Order:
    """A fresh order at Amazon, imported."""
    person = people.full_name(world.random, market)
    given = {"address": people.address(world.random, market, person), "buyer_name": person} | given
    seller = next(found for found in scenarios.SELLERS if found.seller_id == account.selling_partner_id)
    made = world.add_order(seller, marketplace=market, created=clock.now() - timedelta(hours=1), **given)
    world.clock.set(clock.advance(minutes=5))
    import_now(account)
    return Order.objects.select_related("store__account", "store__merchant").get(order_number=made.order_id)


def offers_for(order: Order, **measured) -> tuple[ParcelFacts, list[Rate]]:
    parcel = quoting.facts(order, now=clock.now(), **MEASURED | measured)
    return parcel, quoting.quote(order, parcel, now=clock.now())


def buy_label(order: Order, service: str = "UPS Ground", *, by=None, **more) -> Shipment:
    parcel, rates = offers_for(order)
    rate = next(found for found in rates if found.service == service)
    return buying.buy(order, rate, parcel=parcel, now=clock.now(), by=by, **more)


def settle_now(account: AmazonAccount) -> str:
    with jobs.inline():
        return jobs.run(settle_account.job_name, account.pk)


def track_now(account: AmazonAccount) -> str:
    with jobs.inline():
        return jobs.run(track_account.job_name, account.pk)


def assert_bought_and_sent_once(world, order: Order) -> Shipment:
    """The oracles are the simulator's two ledgers, never our own rows alone."""
    assert [entry["effect"] for entry in world.parcels.ledger if entry["order_id"] == order.order_number] == ["bought"]
    assert world.effective_confirmations() == {order.order_number: 1}
    shipment = Shipment.objects.get(order=order)
    order.refresh_from_db()
    assert order.status == Order.Status.SHIPPED
    purchase = LabelPurchase.objects.get(shipment=shipment)
    bought = next(iter(world.parcels.bought.values()))
    assert (purchase.state, purchase.provider_ref) == (LabelPurchase.State.BOUGHT, bought.shipment_id)
    assert (shipment.provider_ref, shipment.tracking_number) == (bought.shipment_id, bought.tracking)
    return shipment
