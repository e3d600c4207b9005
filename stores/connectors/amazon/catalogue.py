"""What Amazon says of products and stock, in our units; pure. Source: Catalog Items 2022-04-01, Listings Items
2021-08-01 and FBA Inventory v1, read 2026-11."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# Amazon writes units as words; catalogues of different ages write one unit in several ways.
GRAMS = {
    "milligrams": 0.001, "milligram": 0.001, "mg": 0.001,
    "hundredths_pounds": 4.5359237, "hundredths-pounds": 4.5359237, "hundredths pounds": 4.5359237,
    "grams": 1.0, "gram": 1.0, "g": 1.0, "gr": 1.0,
    "ounces": 28.349523125, "ounce": 28.349523125, "oz": 28.349523125,
    "pounds": 453.59237, "pound": 453.59237, "lb": 453.59237, "lbs": 453.59237,
    "kilograms": 1000.0, "kilogram": 1000.0, "kg": 1000.0,
    "tons": 907_184.74, "tonnes": 1_000_000.0, "metric_tons": 1_000_000.0,
}  # fmt: skip
MILLIMETRES = {
    "micrometer": 0.001, "micrometers": 0.001, "microns": 0.001,
    "mils": 0.0254, "hundredths_inches": 0.254, "hundredths-inches": 0.254, "hundredths inches": 0.254,
    "millimeters": 1.0, "millimeter": 1.0, "millimetres": 1.0, "mm": 1.0,
    "centimeters": 10.0, "centimeter": 10.0, "centimetres": 10.0, "cm": 10.0,
    "decimeters": 100.0, "decimeter": 100.0, "dm": 100.0,
    "inches": 25.4, "inch": 25.4, "in": 25.4,
    "feet": 304.8, "foot": 304.8, "ft": 304.8,
    "yards": 914.4, "yard": 914.4, "yd": 914.4,
    "meters": 1000.0, "meter": 1000.0, "metres": 1000.0, "m": 1000.0,
}  # fmt: skip
MOST = 2**31 - 1  # what a column of whole numbers holds
SIDES = ("length", "width", "height")
TITLE, URL = 500, 300  # characters kept


@dataclass(frozen=True)
class RemoteProduct:
    """One ASIN in one marketplace. Grams and millimetres, None where Amazon does not say."""

    asin: str
    title: str = ""
    weight_g: int | None = None
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    image_url: str = ""
    product_types: tuple[str, ...] = ()


def products(body: dict, marketplace_id: str) -> dict[str, RemoteProduct]:
    """The found ASINs of a searchCatalogItems answer. One we cannot read is left out: it counts as not found."""
    found = {}
    for item in _dicts(body.get("items")):
        asin = _text(item.get("asin"), 20)
        if asin:
            found[asin] = _product(asin, item, marketplace_id)
    return found


def _product(asin: str, item: dict, marketplace_id: str) -> RemoteProduct:
    def of_market(dataset: str) -> Iterator[dict]:
        return (part for part in _dicts(item.get(dataset)) if part.get("marketplaceId") in (marketplace_id, None))

    sizes = next(of_market("dimensions"), {})
    boxes = [box for box in (sizes.get("package"), sizes.get("item")) if isinstance(box, dict)]
    sides = next(filter(any, (_sides(box) for box in boxes)), (None, None, None))
    return RemoteProduct(
        asin=asin,
        title=_text(next(of_market("summaries"), {}).get("itemName"), TITLE),
        weight_g=next(filter(None, (_measure(box.get("weight"), GRAMS) for box in boxes)), None),
        length_mm=sides[0],
        width_mm=sides[1],
        height_mm=sides[2],
        image_url=_main_image(of_market("images")),
        product_types=tuple(filter(None, (_text(part.get("productType"), 80) for part in of_market("productTypes")))),
    )


def _sides(box: dict) -> tuple[int | None, ...]:
    return tuple(_measure(box.get(side), MILLIMETRES) for side in SIDES)


def _measure(given: Any, units: dict[str, float]) -> int | None:
    """A measure in our unit as a whole number, at least 1; None for what is missing, absurd or of an unknown unit."""
    if not isinstance(given, dict) or not isinstance(given.get("unit"), str):
        return None
    value, factor = given.get("value"), units.get(given["unit"].strip().lower())
    if factor is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or not 0 < value * factor <= MOST:
        return None
    return max(1, round(value * factor))


def _main_image(groups: Iterable[dict]) -> str:
    """The address of the largest MAIN picture, '' where there is none we may fetch."""
    pictures = [picture for group in groups for picture in _dicts(group.get("images"))]
    main = [picture for picture in pictures if picture.get("variant") == "MAIN"]
    for picture in sorted(main, key=_width, reverse=True):
        link = picture.get("link")
        if isinstance(link, str) and len(link) <= URL and _is_address(link):
            return link
    return ""


def _width(picture: dict) -> float:
    width = picture.get("width")
    return width if isinstance(width, int | float) and math.isfinite(width) else 0


def _is_address(link: str) -> bool:
    try:
        return urlsplit(link).scheme in {"http", "https"} and link.isascii() and link.isprintable()
    except ValueError:
        return False


def for_sale(body: dict) -> dict[str, int]:
    """SKU to the quantity its listing still sells by the merchant (DEFAULT), of a searchListingsItems answer."""
    found = {}
    for item in _dicts(body.get("items")):
        sku = item.get("sku")
        for offer in _dicts(item.get("fulfillmentAvailability")):
            quantity = _count(offer.get("quantity"))
            if isinstance(sku, str) and offer.get("fulfillmentChannelCode") == "DEFAULT" and quantity is not None:
                found[sku] = quantity
    return found


def in_warehouses(body: dict) -> dict[str, int]:
    """SKU to the units that Amazon's warehouses can send, of a getInventorySummaries answer with details.

    One SKU has a row for each condition it was sent in as: they are added up.
    """
    payload = body.get("payload")
    found: dict[str, int] = {}
    for row in _dicts(payload.get("inventorySummaries") if isinstance(payload, dict) else None):
        sku, details = row.get("sellerSku"), row.get("inventoryDetails")
        fulfillable = _count(details.get("fulfillableQuantity")) if isinstance(details, dict) else None
        units = _count(row.get("totalQuantity")) if fulfillable is None else fulfillable
        if isinstance(sku, str) and units is not None:
            found[sku] = min(MOST, found.get(sku, 0) + units)
    return found


def _count(value: Any) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST
    return value if fits else None


def _dicts(value: Any) -> Iterator[dict]:
    return (part for part in value if isinstance(part, dict)) if isinstance(value, list) else iter(())


def _text(value: Any, most: int) -> str:
    """One line, without what no column takes."""
    if not isinstance(value, str):
        return ""
    return "".join(letter if letter.isprintable() else " " for letter in value).strip()[:most]
