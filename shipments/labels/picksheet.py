"""Draws a pick list: a row a product, a box to tick, the place first. Lengths in pt."""

from collections.abc import Callable

from django.utils.translation import gettext as _
from reportlab.lib.units import mm

from shipments.labels.drawing import HEAVY
from shipments.labels.fitting import LEADING
from shipments.labels.sheet import Sheet, a4, wrapped

TICK, PLACE, PHOTO, PRODUCT, COUNT, ORDERS = (mm * x for x in (0, 8, 36, 53, 120, 134))  # left edges of the columns
PHOTO_BOX = 14 * mm
GAP = 2 * mm
SIZE, SMALL = 9, 8


def draw(picks, *, title: str, told: str, photo: Callable[[str], bytes | None], stores: bool) -> bytes:
    """The list as PDF. `picks`: as shipments.picking makes them; `told`: how many orders and units, in words.

    `photo`: the bytes of a photo by its name, None where there are none; `stores`: whether rows name their store.
    """

    def head(sheet: Sheet) -> None:
        sheet.line(sheet.left, sheet.y - 16, title, width=sheet.width / 2, largest=16, floor=10, mode=HEAVY)
        half = sheet.width / 2
        sheet.line(sheet.left + half, sheet.y - 16, told, width=half, largest=10, floor=7)
        sheet.y -= 26
        for x, word in ((PLACE, _("Location")), (PRODUCT, _("Product")), (COUNT, _("Units")), (ORDERS, _("Orders"))):
            sheet.line(sheet.left + x, sheet.y - 8, word, width=40 * mm, largest=8, floor=6)
        sheet.y -= 10
        sheet.rule_here()

    with a4(title=title, head=head, foot=title) as (sheet, done):
        for pick in picks:
            _row(sheet, pick, photo, stores=stores)
        return done()


def _row(sheet: Sheet, pick, photo: Callable[[str], bytes | None], *, stores: bool) -> None:
    product = _product(pick, stores=stores)
    orders = [
        row for need in pick.needs for row in wrapped(f"{need.quantity} × {need.number}", width=_end(sheet), size=SMALL)
    ]
    place = wrapped(pick.location or "–", width=PHOTO - PLACE - GAP, size=11)
    high = max(
        len(product) * SIZE * LEADING, len(place) * 11 * LEADING, PHOTO_BOX if pick.photo else 0,
        min(len(orders), 40) * SMALL * LEADING,
    )  # fmt: skip
    sheet.need(high + 2 * GAP)
    top = sheet.y
    sheet.canvas.rect(sheet.left + TICK, top - 12, 10, 10)
    _column(sheet, PLACE, place, 11, mode=HEAVY)
    sheet.picture(photo(pick.photo) if pick.photo else None, x=PHOTO, width=PHOTO_BOX, height=PHOTO_BOX)
    _column(sheet, PRODUCT, product, SIZE)
    sheet.text(sheet.left + COUNT, top - 13, str(pick.quantity), 14, mode=HEAVY)
    while len(orders) > 40:  # one product for very many orders goes on overleaf
        _column(sheet, ORDERS, orders[:40], SMALL)
        orders = orders[40:]
        sheet.y -= 40 * SMALL * LEADING
        sheet.need(min(len(orders), 40) * SMALL * LEADING)
        top, high = sheet.y, min(len(orders), 40) * SMALL * LEADING
    _column(sheet, ORDERS, orders, SMALL)
    sheet.y = top - high
    sheet.rule_here(GAP)


def _product(pick, *, stores: bool) -> list[str]:
    names = " · ".join(filter(None, [pick.sku, pick.asin])) or "?"
    told = [
        names,
        *[pick.store] * stores,
        pick.title,
        *pick.options,
        *[_("Customised: see the order's packing slip")] * pick.customised,
    ]
    return [row for text in told if text for row in wrapped(text, width=COUNT - PRODUCT - GAP, size=SIZE)]


def _column(sheet: Sheet, x: float, rows: list[str], size: float, **style) -> None:
    for number, row in enumerate(rows):
        sheet.text(sheet.left + x, sheet.y - size * (0.92 + LEADING * number), row, size, **style)


def _end(sheet: Sheet) -> float:
    return sheet.width - ORDERS
