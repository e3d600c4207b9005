"""What the simulated sellers have for sale: quantities of their listings, and FBA Inventory v1."""

from typing import Any

from stores.simulator.answers import Answer, as_json, denied, invalid
from stores.simulator.clock import stamp
from stores.simulator.marketplaces import BY_ID
from stores.simulator.request import Request
from stores.simulator.world import World

_MOST_SKUS = 50


def quantity_of(world: World, seller_id: str, sku: str) -> int:
    """What the listing still sells: set by the test in `world.stock`, else a number of the SKU's own."""
    return world.stock.get((seller_id, sku), sum(map(ord, sku)) % 60)


def summaries(world: World, request: Request) -> Answer:
    """`GET /fba/inventory/v1/summaries`: the SKUs that this seller ever sold through Amazon's warehouses."""
    market = _market(request)
    wanted = request.items("sellerSkus")
    if len(wanted) > _MOST_SKUS:
        raise invalid("sellerSkus takes at most 50 values.")
    details = request.query.get("details") == "true"
    found = {
        item.sku: item
        for order in world.orders.values()
        if (order.seller_id, order.marketplace) == (request.seller.seller_id, market.code)
        and order.fulfilled_by == "AMAZON"
        for item in order.items
        if not wanted or item.sku in wanted
    }
    now = stamp(world.clock.now())
    rows = [_summary(world, request.seller.seller_id, item, now, details) for _sku, item in sorted(found.items())]
    granularity = {"granularityType": "Marketplace", "granularityId": market.id}
    return as_json({"payload": {"granularity": granularity, "inventorySummaries": rows}})


def _market(request: Request) -> Any:
    """The one marketplace asked for, which its three parameters must name alike."""
    markets = request.items("marketplaceIds")
    named = {*markets, request.query.get("granularityId")}
    if request.query.get("granularityType") != "Marketplace" or len(markets) != 1 or len(named) != 1:
        raise invalid("granularityType is Marketplace; granularityId and marketplaceIds name one marketplace.")
    if markets[0] not in BY_ID:
        raise invalid("The marketplace is not known.")
    if markets[0] not in request.seller.marketplace_ids:
        raise denied()
    return BY_ID[markets[0]]


def _summary(world: World, seller_id: str, item: Any, now: str, details: bool) -> dict[str, Any]:
    units = world.fba_stock.get((seller_id, item.sku), sum(map(ord, item.sku)) % 90)
    row = {
        "asin": item.asin,
        "fnSku": f"X00{sum(map(ord, item.sku)):07d}",
        "sellerSku": item.sku,
        "condition": "NewItem",
        "productName": item.title,
        "totalQuantity": units + 7,
        "lastUpdatedTime": now,
    }
    if details:
        row["inventoryDetails"] = {
            "fulfillableQuantity": units,
            "inboundWorkingQuantity": 0,
            "inboundShippedQuantity": 5,
            "inboundReceivingQuantity": 0,
            "reservedQuantity": {"totalReservedQuantity": 2, "pendingCustomerOrderQuantity": 2},
        }
    return row
