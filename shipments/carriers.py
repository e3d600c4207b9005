"""Carriers a member of staff can choose: what Amazon and BigCommerce call them, how their numbers look, who scans.

The table is carriers.json beside this file. What an installation says otherwise (models.CarrierSetting) is laid over
it, and is seen by every process within CACHED_S seconds. Keys of a row, where they do not say it themselves:

`name`: on labels, and what Amazon shows where it has no code of its own; `title`: in our lists. `amazon`: its exact
spelling. `formats`: pattern of a tracking number, and the letter of its check rule in trackingnumbers.py (over group 1
of the pattern, if it has one); `complete`: there is no other format. `numberless`: no parcel of it ever has a number.
`auto`: who scans; yes, up to delivery; part, here and there; no, nobody. `label`: A 4x6 in as PDF, PNG, ZPL; B PDF,
ZPL; C PDF; S a stamp. `countries`: where it takes parcels in, none: nearly everywhere. `services`: name, ShipStation's
code of it, and `auto` where it differs from its carrier's; suggestions, for Amazon takes any text.
"""

import json
import re
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from django.apps import apps

CACHED_S = 60
YES, PART, NO = "yes", "part", "no"
SAME = {"dpd_fr": "dpd", "lettre_suivie": "la_poste", "royal_mail_tracked": "royal_mail"}  # other codes for a row


class Service(NamedTuple):
    name: str
    code: str  # ShipStation's, '' where it has none that we know
    auto: str


class NumberFormat(NamedTuple):
    pattern: re.Pattern
    rule: str  # a letter of trackingnumbers.RULES, '' where the number has no check digit


class BigCommerce(NamedTuple):
    """What BigCommerce takes for a carrier: `shipping_provider`, or else `tracking_carrier`; both '' where it has none."""

    provider: str
    slug: str


@dataclass(frozen=True)
class Carrier:
    """`amazon`: Amazon's code; `Other` goes with our name for it. `url`: public tracking page, `{n}` the number."""

    code: str
    name: str
    amazon: str
    services: tuple[str, ...] = ()
    url: str = ""
    title: str = ""
    formats: tuple[NumberFormat, ...] = ()
    complete: bool = False
    example: str = ""
    numberless: bool = False
    auto: str = NO
    label: str = ""
    countries: tuple[str, ...] = ()
    shipstation: tuple[str, ...] = ()
    bigcommerce: BigCommerce = BigCommerce("", "")
    known_services: tuple[Service, ...] = ()

    def tracking_url(self, number: str) -> str:
        return self.url.replace("{n}", quote(number, safe=""))

    def service(self, text: str) -> Service | None:
        """The service of this name or of ShipStation's code, None where the table does not know it."""
        wanted = text.strip().casefold()
        found = (one for one in self.known_services if wanted and wanted in (one.name.casefold(), one.code.casefold()))
        return next(found, None)


def _carrier(row: dict) -> Carrier:
    services = tuple(Service(name, code, *(own or [row["auto"]])) for name, code, *own in row.pop("services", []))
    return Carrier(
        **{"title": row["name"]} | row
        | {
            "services": tuple(service.name for service in services), "known_services": services,
            "formats": tuple(NumberFormat(re.compile(text, re.ASCII), rule) for text, rule in row.get("formats", [])),
            "countries": tuple(row["countries"]), "shipstation": tuple(row.get("shipstation", [])),
            "bigcommerce": BigCommerce(*row.get("bigcommerce", ["", ""])),
        }
    )  # fmt: skip


ALL = tuple(map(_carrier, json.loads(Path(__file__).with_name("carriers.json").read_text(encoding="utf-8"))))
OTHER = Carrier("other", "Other", "Other", title="Other")
BY_CODE = {carrier.code: carrier for carrier in (*ALL, OTHER)}
OFFERED = tuple(sorted((one for one in ALL if not one.numberless), key=lambda one: one.title.casefold()))
CHOICES = [(carrier.code, carrier.title) for carrier in OFFERED]


def in_table(code: str) -> Carrier:
    """The carrier as the table has it; an unknown code is a carrier of that name that Amazon has no code for."""
    return BY_CODE.get(SAME.get(code, code)) or Carrier(code, code, "Other", title=code)


def named(code: str) -> Carrier:
    """The carrier of a code, with what this installation says otherwise of it."""
    return _own().changed.get(SAME.get(code, code)) or in_table(code)


def choices(*, also: str = "") -> list[tuple[str, str]]:
    """Codes and titles to choose from, those hidden here left out; `also`: one that is offered nevertheless."""
    hidden = _own().hidden - {SAME.get(also, also)}
    return [choice for choice in CHOICES if choice[0] not in hidden]


def auto_tracked(code: str, service: str, package: str = "", *, number: str = "") -> bool:
    """Whether a parcel of this service is scanned up to its delivery; what nobody knows for sure is not.

    True says nothing unless somebody reports the scans to us: a number typed by hand is never tracked. `package`: the
    provider's word for it; letters and flats are not scanned. `number`: a post's with a U in front never is.
    """
    known = named(code).service(service)
    if known is None or known.auto != YES or is_letter(package):
        return False
    return not re.fullmatch(r"U[A-Z]\d{9}[A-Z]{2}", number)


def is_letter(package: str) -> bool:
    """Whether a provider's word for a package means a letter or a flat; a flat rate is a price, not a flat."""
    words = re.split(r"[^a-z]+", package.lower().replace("flat_rate", "").replace("flat rate", ""))
    return not {"letter", "letters", "flat", "flats"}.isdisjoint(words)


# ---- what this installation says otherwise


class _Own(NamedTuple):
    changed: dict[str, Carrier]
    hidden: frozenset[str]
    until: float  # of the machine's monotonic clock


_kept: _Own | None = None
_lock = threading.Lock()


def _own() -> _Own:
    """One query a minute and process, whatever is asked for."""
    global _kept
    kept = _kept
    if kept is None or time.monotonic() >= kept.until:
        with _lock:
            _kept = kept = _read()
    return kept


def _read() -> _Own:
    rows = apps.get_model("shipments", "CarrierSetting").objects.values_list("code", "amazon", "tracking_url", "hidden")
    changed, hidden = {}, set()
    for code, amazon, url, is_hidden in rows:
        base = in_table(code)
        changed[code] = replace(base, amazon=amazon or base.amazon, url=url or base.url)
        if is_hidden:
            hidden.add(code)
    return _Own(changed, frozenset(hidden), time.monotonic() + CACHED_S)


def forget() -> None:
    """Read the settings again at the next question; for who has changed them."""
    global _kept
    _kept = None
