"""The tiles of the first step: one a country, by region, the unified account of North America first."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from stores import marketplaces
from stores.verifying import UNIFIED_TILE
from stores.words import REGION_WORDS


@dataclass(frozen=True)
class Tile:
    """One country. `note`: what decides between this tile and another, or ''."""

    code: str
    label: str
    country: str
    note: str = ""


def label(code: str) -> str:
    """`Amazon.ca`."""
    return marketplaces.BY_CODE[code].label


def groups() -> list[tuple[str, list[Tile]]]:
    """Region by region, as the tiles stand on the page."""
    return [
        (str(words), [_tile(market) for market in marketplaces.ALL if market.region == region])
        for region, words in REGION_WORDS.items()
    ]


def _tile(market: marketplaces.Marketplace) -> Tile:
    return Tile(market.code, market.label, str(market.name), _note(market.code))


def _note(code: str) -> str:
    if code == UNIFIED_TILE:
        return _("Also for unified North American accounts: Amazon.com, Amazon.ca and Amazon.com.mx together.")
    if code in marketplaces.UNIFIED_NORTH_AMERICA:
        return _("Only for a stand-alone account. A unified account takes the Amazon.com tile.")
    if code == marketplaces.JAPAN:
        return _("Stays inactive until customer success enables it.")
    return ""
