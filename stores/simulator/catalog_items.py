"""Catalog Items API 2022-04-01: titles, weights, sizes and pictures by ASIN; and the pictures themselves."""

import struct
import zlib
from typing import Any

from stores.simulator.answers import Answer, as_json, denied, invalid, not_found
from stores.simulator.catalogue import BY_ASIN, title_for
from stores.simulator.marketplaces import BY_ID, Marketplace
from stores.simulator.request import Request
from stores.simulator.world import World

_DATASETS = frozenset(
    {
        "attributes",
        "classifications",
        "dimensions",
        "identifiers",
        "images",
        "productTypes",
        "relationships",
        "salesRanks",
        "summaries",
        "vendorDetails",
    }
)
_IMPERIAL = ("US",)
_DIGITAL = "DOWNLOADABLE_SOFTWARE"  # Amazon has no word for files as such, only for their kinds
_SIDE = 96  # of a picture, in pixels


def search_items(world: World, request: Request) -> Answer:
    """`GET /catalog/2022-04-01/items`, by ASIN: at most twenty, one marketplace."""
    market, datasets = _asked(request)
    asins = request.items("identifiers")
    if request.query.get("identifiersType") != "ASIN" or not 1 <= len(asins) <= 20:
        raise invalid("identifiers takes 1 to 20 values, with identifiersType ASIN.")
    titles = _titles(world, market)
    items = [_item(world, request, asin, titles[asin], market, datasets) for asin in asins if asin in titles]
    return as_json({"numberOfResults": len(items), "items": items})


def get_item(world: World, request: Request) -> Answer:
    market, datasets = _asked(request)
    asin, titles = request.path_values["asin"], _titles(world, market)
    if asin not in titles:
        raise not_found("The item was not found in the marketplace.")
    return as_json(_item(world, request, asin, titles[asin], market, datasets))


def _asked(request: Request) -> tuple[Marketplace, frozenset[str]]:
    markets = request.items("marketplaceIds")
    datasets = frozenset(request.items("includedData") or ["summaries"])
    if len(markets) != 1 or markets[0] not in BY_ID or not datasets <= _DATASETS:
        raise invalid("marketplaceIds takes exactly one known value, includedData known ones.")
    if markets[0] not in request.seller.marketplace_ids:
        raise denied()
    return BY_ID[markets[0]], datasets


def _titles(world: World, market: Marketplace) -> dict[str, str]:
    """The shops' range, and whatever else was sold in the marketplace."""
    titles = {asin: title_for(product, market.code) for asin, product in BY_ASIN.items()}
    for order in world.orders.values():
        if order.marketplace == market.code:
            titles |= {item.asin: item.title for item in order.items if item.asin not in BY_ASIN}
    return titles


def _item(
    world: World, request: Request, asin: str, title: str, market: Marketplace, datasets: frozenset[str]
) -> dict[str, Any]:
    item: dict[str, Any] = {"asin": asin}
    if "productTypes" in datasets:
        digital = asin in world.digital_asins or (asin in BY_ASIN and BY_ASIN[asin].digital)
        item["productTypes"] = [{"marketplaceId": market.id, "productType": _DIGITAL if digital else "HOME"}]
    if "summaries" in datasets:
        item["summaries"] = [{"marketplaceId": market.id, "itemName": title, "brand": "Maple Lane"}]
    if "dimensions" in datasets:
        item["dimensions"] = [{"marketplaceId": market.id, **_dimensions(asin, market)}]
    if "images" in datasets:
        picture = {"variant": "MAIN", "link": f"{request.base_url}/product-images/{asin}.png"}
        picture |= {"height": _SIDE, "width": _SIDE}
        item["images"] = [{"marketplaceId": market.id, "images": [picture]}]
    return item


def _dimensions(asin: str, market: Marketplace) -> dict[str, Any]:
    """Pounds and inches in the US, grams and centimetres elsewhere; nothing for a file."""
    product = BY_ASIN.get(asin)
    if product is not None and product.digital:
        return {}
    grams, size = (product.grams, product.size_mm) if product else (250, (200, 150, 60))
    sides = dict(zip(("length", "width", "height"), size, strict=True))
    if market.code in _IMPERIAL:
        box = {name: {"unit": "inches", "value": round(side / 25.4, 2)} for name, side in sides.items()}
        box["weight"] = {"unit": "pounds", "value": round(grams / 453.59237, 4)}
    else:
        box = {name: {"unit": "centimeters", "value": side / 10} for name, side in sides.items()}
        box["weight"] = {"unit": "grams", "value": grams}
    return {"item": box, "package": box}


def picture(world: World, request: Request) -> Answer:
    """A plain PNG in a colour of the ASIN's own."""
    asin = request.path_values["asin"]
    colour = struct.pack(">I", zlib.crc32(asin.encode()))[:3]
    row = b"\x00" + colour * _SIDE
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(row * _SIDE)), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return Answer(200, b"\x89PNG\r\n\x1a\n" + b"".join(chunks), "image/png")
