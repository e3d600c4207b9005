"""Amazon Custom: the ZIP behind an order line's customizedUrl, with a tree, a flat list and pictures in it."""

import io
import json
import math
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from stores.simulator.answers import Answer, not_found
from stores.simulator.marketplaces import MARKETPLACES
from stores.simulator.orders import SimItem, SimOrder
from stores.simulator.request import Request
from stores.simulator.world import World

HOST = "https://zme-caps.amazon.com"
_WISHES = {
    "FR": ("Maison Champrosier", "Depuis 1987"),
    "DE": ("Familie Weißdornig", "Seit 1987"),
    "ES": ("Casa Montenublado", "Desde 1987"),
    "MX": ("Casa Piedranube", "Desde 1987"),
    "JP": ("花筏", "一九八七年より"),
    "CA": ("Larkenfield — Driftmoor", "Est. 1987"),
    "US": ("The Bellweathers", "Est. 1987"),
}
_OAK, _DARK, _SKY, _SUN = (196, 154, 108), (94, 66, 38), (150, 196, 226), (250, 214, 120)
_HILLS = ((74, 110, 84), (52, 84, 66))


def address(base_url: str, url: str) -> str:
    """Where a served world hands out what Amazon's own address names."""
    return base_url + url.removeprefix(HOST) if base_url and url.startswith(HOST) else url


def archive(world: World, request: Request) -> Answer:
    """The ZIP of the line whose address ends like the path."""
    wanted = HOST + request.path
    for order in world.orders.values():
        for item in order.items:
            if item.customized_url == wanted:
                return Answer(200, item.customized_zip or zipped(order, item), "application/zip")
    raise not_found("There is no such customization.")


def zipped(order: SimOrder, item: SimItem) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(f"{item.item_id}.json", json.dumps(_document(order, item), ensure_ascii=False))
        packed.writestr("preview.png", _picture("preview"))
        packed.writestr("upload.png", _picture("upload"))
        packed.writestr("surface.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
    return made.getvalue()


def _document(order: SimOrder, item: SimItem) -> dict[str, Any]:
    first, second = _WISHES[order.marketplace]
    first = item.engraving or first
    return {
        "orderId": order.order_id,
        "legacyOrderItemId": item.item_id,
        "orderItemId": item.item_id,
        "merchantId": order.seller_id,
        "marketplaceId": MARKETPLACES[order.marketplace].id,
        "asin": item.asin,
        "title": item.title,
        "quantity": item.quantity,
        "customizationData": _tree(first, second),
        "customizationInfo": {"version3.0": {"surfaces": [{"name": "Surface 1", "areas": _areas(first, second)}]}},
    }


def _node(kind: str, label: str, *children: dict[str, Any], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"type": f"{kind}Customization", "name": label, "label": label, **more}
    return found | ({"children": list(children)} if children else {})


def _tree(first: str, second: str) -> dict[str, Any]:
    texts = _node(
        "FlatContainer",
        "Engraving",
        _node("Font", "Font", fontSelection={"family": "Lora", "fontUrl": ""}),
        _node("Color", "Colour", colorSelection={"name": "Walnut", "value": "#5e4226"}),
        _node("PlacementContainer", "Line 1", _node("Text", "Line 1", inputValue=first)),
        _node("PlacementContainer", "Line 2", _node("Text", "Line 2", inputValue=second)),
    )
    picture = _node(
        "PlacementContainer",
        "Picture on the back",
        _node("Image", "Picture on the back", image={"imageName": "upload.png", "buyerFilename": "hills.png"}),
    )
    choice = {"name": "brass", "label": "Brass screws", "additionalCost": {"amount": 2.5}}
    screws = _node("Option", "Screws", displayValue="Brass screws", optionSelection=choice)
    preview = _node(
        "PreviewContainer",
        "Preview",
        texts,
        picture,
        baseImage={"imageUrl": "https://m.media-amazon.com/images/S/plate.png"},
        snapshot={"imageName": "preview.png"},
    )
    return _node("PageContainer", "", preview, _node("FlatContainer", "Options", screws))


def _areas(first: str, second: str) -> list[dict[str, Any]]:
    """As Amazon has it: what the buyer moved has become a picture, and its text is lost."""
    text = {"customizationType": "TextPrinting", "fontFamily": "Lora", "colorName": "Walnut", "fill": "#5e4226"}
    return [
        text | {"label": "Line 1", "name": "Line 1", "text": first},
        {"customizationType": "ImagePrinting", "label": "Line 2", "name": "Line 2", "svgImage": "surface.svg"},
        {"customizationType": "Options", "label": "Screws", "name": "Screws", "optionValue": "Brass screws"},
    ]


# --- pictures


@lru_cache(maxsize=2)
def _picture(which: str) -> bytes:
    return _png(*((360, 180, _plate) if which == "preview" else (320, 240, _hills)))


def _plate(x: int, y: int) -> tuple[int, int, int]:
    """An oak plate with a frame, two screws and two engraved lines."""
    edge = min(x, y, 359 - x, 179 - y)
    if 8 <= edge < 11 or any(math.hypot(x - at, y - 90) < 7 for at in (26, 333)):
        return _DARK
    if 90 < x < 270 and (70 < y < 82 or (110 < x < 250 and 104 < y < 112)):
        return _DARK
    grain = int(9 * math.sin(y / 3 + math.sin(x / 40) * 2))
    return tuple(shade + grain for shade in _OAK)  # type: ignore[return-value]


def _hills(x: int, y: int) -> tuple[int, int, int]:
    """A sun over two hills: what a buyer may have photographed."""
    if y > 190 - 40 * math.sin(x / 70):
        return _HILLS[1]
    if y > 160 - 45 * math.sin(x / 50 + 2):
        return _HILLS[0]
    return _SUN if math.hypot(x - 235, y - 62) < 30 else _SKY


def _png(width: int, height: int, colour: Callable[[int, int], tuple[int, int, int]]) -> bytes:
    rows = b"".join(b"\x00" + b"".join(bytes(colour(x, y)) for x in range(width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
