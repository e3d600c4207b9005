"""The seller's account: Sellers API v1, and the listings search that tells a seller id right or wrong."""

from typing import Any

from stores.simulator import inventory
from stores.simulator.answers import Answer, as_json, denied, invalid
from stores.simulator.clock import stamp
from stores.simulator.marketplaces import BY_ID, MARKETPLACES, Seller
from stores.simulator.request import Request
from stores.simulator.world import World


def participations(world: World, request: Request) -> Answer:
    """`GET /sellers/v1/marketplaceParticipations`, with a pseudo-marketplace as live answers have it."""
    return as_json({"payload": _participations(request.seller)})


def account(world: World, request: Request) -> Answer:
    """`GET /sellers/v1/account`: 403 where the sign-in has no role for it."""
    seller = request.seller
    if not seller.account_role:
        raise denied()
    address = {
        "addressLine1": "1 Simulation Way",
        "countryCode": "US",
        "city": "Portland",
        "postalCode": "97205",
    }
    payload = {
        "businessType": "SOLE_PROPRIETORSHIP",
        "sellingPlan": seller.plan,
        "business": {"name": seller.store_name, "registeredBusinessAddress": address},
        "marketplaceParticipationList": _participations(seller),
    }
    return as_json({"payload": payload})


def _participations(seller: Seller) -> list[dict[str, Any]]:
    entries = []
    for code in seller.marketplaces:
        market = MARKETPLACES[code]
        entry = {
            "id": market.id,
            "name": market.name,
            "countryCode": market.country,
            "defaultCurrencyCode": market.currency,
            "defaultLanguageCode": market.language,
            "domainName": market.domain,
        }
        entries.append(_participation(entry, seller.store_name))
    first = MARKETPLACES[seller.marketplaces[0]]
    pseudo = {
        "id": f"A{first.region}SIMNONAMZN0",
        "name": f"Non-Amazon {first.country}",
        "countryCode": first.country,
        "defaultCurrencyCode": first.currency,
        "defaultLanguageCode": first.language,
        "domainName": f"si-prod-{first.country.lower()}-marketplace.stores.amazon.{first.country.lower()}",
    }
    return [*entries, _participation(pseudo, seller.store_name)]


def _participation(marketplace: dict[str, Any], store_name: str) -> dict[str, Any]:
    return {
        "marketplace": marketplace,
        "participation": {"isParticipating": True, "hasSuspendedListings": False},
        "storeName": store_name,
    }


def search_listings(world: World, request: Request) -> Answer:
    """`GET /listings/2021-08-01/items/{sellerId}`: the seller's products; 400 for another's seller id."""
    seller = request.seller
    if request.path_values["sellerId"] != seller.seller_id:
        raise invalid("Invalid parameter: the seller id is not valid.")
    markets = request.items("marketplaceIds")
    if len(markets) != 1 or markets[0] not in BY_ID:
        raise invalid("marketplaceIds takes exactly one known value.")
    if markets[0] not in seller.marketplace_ids:
        raise denied()
    size = request.number("pageSize", 10, 1, 20)
    wanted = request.items("includedData") or ["summaries"]
    products = _named(request, _products(world, seller, markets[0]))
    now = stamp(world.clock.now())
    items = [_listing(sku, product, markets[0], wanted, now) for sku, product in products[:size]]
    if "fulfillmentAvailability" in wanted:
        for item in items:
            quantity = inventory.quantity_of(world, seller.seller_id, item["sku"])
            item["fulfillmentAvailability"] = [{"fulfillmentChannelCode": "DEFAULT", "quantity": quantity}]
    return as_json({"numberOfResults": len(products), "items": items})


def _named(request: Request, products: list[tuple[str, tuple[str, str]]]) -> list[tuple[str, tuple[str, str]]]:
    """Only those asked for by `identifiers`, at most twenty SKUs or ASINs."""
    wanted, kind = request.items("identifiers"), request.query.get("identifiersType")
    if not wanted:
        return products
    if len(wanted) > 20 or kind not in ("SKU", "ASIN"):
        raise invalid("identifiers takes at most 20 values, with identifiersType SKU or ASIN.")
    return [(sku, product) for sku, product in products if (sku if kind == "SKU" else product[0]) in wanted]


def _products(world: World, seller: Seller, market_id: str) -> list[tuple[str, tuple[str, str]]]:
    code = BY_ID[market_id].code
    found = {
        item.sku: (item.asin, item.title)
        for order in world.orders.values()
        if order.seller_id == seller.seller_id and order.marketplace == code
        for item in order.items
    }
    return sorted(found.items())


def _listing(sku: str, product: tuple[str, str], market_id: str, wanted: list[str], now: str) -> dict[str, Any]:
    listing: dict[str, Any] = {"sku": sku}
    if "summaries" in wanted:
        summary = {
            "marketplaceId": market_id,
            "asin": product[0],
            "productType": "HOME",
            "conditionType": "new_new",
            "status": ["BUYABLE", "DISCOVERABLE"],
            "itemName": product[1],
            "createdDate": now,
            "lastUpdatedDate": now,
        }
        listing["summaries"] = [summary]
    return listing
