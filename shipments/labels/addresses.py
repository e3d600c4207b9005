"""In which order the lines of a postal address stand, country by country.

Source of the country line: USPS Publication 28. What the buyer wrote is put in order, never
validated or corrected.
"""

import re
import unicodedata
from dataclasses import dataclass

from shipments.labels.countries import country_code, country_name

LONGEST_FIELD = 120  # characters; marketplaces allow less, so only a text meant to do harm is cut
HIDDEN = frozenset({"Cc", "Cf", "Cs"})  # Unicode: control, direction marks, lone surrogates

# A "|" ends a line. Where a field is empty, the sign before it goes as well. Place lines are set in capitals;
# a district that a layout does not mention has a line above them.
PLACE_LINES = {
    "US": "{city}, {state} {postal_code}",
    "CA": "{city} {state} {postal_code}",
    "MX": "{district}|{postal_code} {city}, {state}",
    "GB": "{city}|{postal_code}",
    "IE": "{city}|{state}|{postal_code}",
    "FR": "{postal_code} {city}",
    "DE": "{postal_code} {city}",
    "ES": "{postal_code} {city} {state}",
    "IT": "{postal_code} {city} {state}",
    "AU": "{city} {state} {postal_code}",
    "NZ": "{city} {postal_code}",
    "BR": "{city} - {state}|{postal_code}",
    "IN": "{city} {postal_code}|{state}",
    "SG": "{city} {postal_code}",
    "TR": "{postal_code} {city}/{state}",
    "ZA": "{city}|{postal_code}",
    "CN": "{district}, {city}|{state} {postal_code}",
    "KR": "{district}, {city}|{state} {postal_code}",
    "TW": "{district}, {city} {postal_code}|{state}",
}
ELSEWHERE = "{postal_code} {city}|{state}"
SAME_LAYOUT = {
    "US": "PR GU VI AS MP",
    "GB": "GG JE IM",
    "FR": "GP MQ GF RE YT PM BL MF MC NC PF WF",
    "DE": "AT BE BG CH CY CZ DK EE FI GR HR HU IS LI LT LU LV MT NL NO PL PT RO SE SI SK SM VA",  # no region
}
WRITTEN_AS = {code: home for home, codes in SAME_LAYOUT.items() for code in codes.split()}


@dataclass(frozen=True, repr=False)  # no repr: it would carry a person's address into logs and tracebacks
class Address:
    """A postal address as the order holds it. `country` is an ISO 3166-1 alpha-2 code."""

    name: str = ""
    company: str = ""
    street1: str = ""
    street2: str = ""
    street3: str = ""
    district: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""


def clean(text: str) -> str:
    """One line of visible text: hidden signs gone, white space single, accents composed, length capped."""
    line = " ".join(unicodedata.normalize("NFC", visible(text[: 4 * LONGEST_FIELD])).split())
    return line if len(line) <= LONGEST_FIELD else line[: LONGEST_FIELD - 1] + "…"


def lines_for(address: Address, *, sending_country: str) -> list[str]:
    """The lines from top to bottom, empty ones left out, the country last and only when it is another one.

    An address without a country counts as one of the sending country. The phone is no line of the address.
    """
    sender = country_code(clean(sending_country))
    country = country_code(clean(address.country)) or sender
    layout = WRITTEN_AS.get(country, country)
    parts = {name: clean(getattr(address, name)) for name in Address.__dataclass_fields__}
    if layout == "JP":
        lines = _native_japan(parts) if _is_japanese(parts) else _romanised_japan(parts)
    else:
        lines = [*_people(parts, layout), *_streets(parts), *_place(parts, layout)]
    if layout == "CA":
        lines = [line.upper() for line in lines]
    if country != sender:
        lines.append(country_name(country, sending_country=sender))
    return [line for line in lines if line]


def _people(parts: dict[str, str], layout: str) -> list[str]:
    name, company = parts["name"], parts["company"]
    if name.casefold() == company.casefold():
        return [name]
    return [company, name] if layout == "FR" else [name, company]


def _streets(parts: dict[str, str]) -> list[str]:
    return [parts["street1"], parts["street2"], parts["street3"]]


def _place(parts: dict[str, str], layout: str) -> list[str]:
    """The lines below the street. A layout without region shows it where nothing else names the town."""
    template = PLACE_LINES.get(layout, ELSEWHERE)
    parts = parts if parts["city"] or "{state}" in template else parts | {"city": parts["state"]}
    if "{district}" not in template:
        template = "{district}|" + template
    lines = [_filled(line, parts) for line in template.split("|")]
    return [line.upper() for line in lines]


def _filled(template: str, parts: dict[str, str]) -> str:
    line = ""
    for before, name in re.findall(r"([^{}]*)\{(\w+)\}", template):
        if value := parts[name]:
            line += (before if line else "") + value
    return line


def _native_japan(parts: dict[str, str]) -> list[str]:
    """Largest first, and the person last: postcode, prefecture, town with block, building, company, name."""
    code = parts["postal_code"].removeprefix("〒").strip()
    town = "".join((parts["city"], parts["district"], parts["street1"]))
    company, name = parts["company"], parts["name"]
    people = [name] if company == name else [company, name]
    mark = code and f"〒{_japanese_code(code)}"
    return [mark, parts["state"], town, parts["street2"], parts["street3"], *people]


def _romanised_japan(parts: dict[str, str]) -> list[str]:
    """Smallest first: the person, building and block, town, city and prefecture, the postcode alone."""
    building = ", ".join(filter(None, (parts["street3"], parts["street2"], parts["street1"])))
    town = ", ".join(filter(None, (parts["district"], parts["city"], parts["state"].upper())))
    return [*_people(parts, "JP"), building, town, _japanese_code(parts["postal_code"])]


def _japanese_code(code: str) -> str:
    digits = unicodedata.normalize("NFKC", code)
    return f"{digits[:3]}-{digits[3:]}" if re.fullmatch(r"[0-9]{7}", digits) else digits


def _is_japanese(parts: dict[str, str]) -> bool:
    """Kanji or kana where the place is named; a Japanese name alone may stand on a romanised address."""
    place = "".join(parts[name] for name in ("street1", "street2", "street3", "district", "city", "state"))
    return any(unicodedata.name(sign, "").startswith(("CJK ", "HIRAGANA ", "KATAKANA ")) for sign in place)


def visible(text: str) -> str:
    """The text without signs nobody sees: white space is blanks, controls and marks of direction are gone."""
    return "".join(filter(_is_visible, (" " if sign.isspace() else sign for sign in text)))


def _is_visible(sign: str) -> bool:
    """Variation selectors only choose a shape of the sign before them, and the font has one shape."""
    is_selector = "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"
    return not is_selector and unicodedata.category(sign) not in HIDDEN
