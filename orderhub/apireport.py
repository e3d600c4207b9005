"""The compatibility report of one key: what its client asks of our APIs, what was not understood, and what to do.

Made of counts (orderhub.apiuse): names of addresses and fields, never a value.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub.models import ApiKey, ApiUse
from orderhub.models.apikey import UseKind

SHOWN = 100  # rows of one section
UTC_NAMES = {"UTC", "Etc/UTC", "Etc/GMT", "GMT"}
BAD = {UseKind.UNKNOWN_PATH, UseKind.UNKNOWN_FIELD, UseKind.REFUSED, UseKind.THROTTLED}


@dataclass(frozen=True)
class Section:
    """Rows of one kind, most counted first. `advice`: what to do about them. `more`: how many are not shown."""

    title: str
    advice: str
    rows: tuple[ApiUse, ...]
    more: int
    level: str


@dataclass(frozen=True)
class Remark:
    """A sentence on how the client writes instants, with its use. `level`: ok, info or warn."""

    text: str
    level: str


@dataclass(frozen=True)
class Report:
    sections: tuple[Section, ...]
    zones: tuple[Remark, ...]

    @property
    def is_empty(self) -> bool:
        return not self.sections and not self.zones


def of(key: ApiKey) -> Report:
    """One query."""
    uses = list(key.uses.order_by("-count", "name", "surface"))
    found = [_section(key, kind, [use for use in uses if use.kind == kind]) for kind in UseKind if kind != "time_zone"]
    zones = {use.name: use.count for use in uses if use.kind == UseKind.TIME_ZONE}
    return Report(tuple(section for section in found if section.rows), tuple(_zones(key, zones)))


def _section(key: ApiKey, kind: UseKind, rows: list[ApiUse]) -> Section:
    title, advice = {
        UseKind.ENDPOINT: (_("What it calls"), ""),
        UseKind.ALIAS: (
            _("Other names it uses"),
            _("These addresses are other names of documented ones. They work; nothing must be changed."),
        ),
        UseKind.UNKNOWN_FIELD: (
            _("Fields that are not known here"),
            _(
                "ShipStation v1 passes over them; the native API refuses the request. Ask the client whether it needs them."
            ),
        ),
        UseKind.UNKNOWN_PATH: (
            _("Addresses that are not known here"),
            _("They were answered with 404 or 405. Ask the client whether it can do without."),
        ),
        UseKind.REFUSED: (
            _("What was refused"),
            _(
                "The number is the status of the answer, which said why: 403 lacks a scope, 404 is not the key’s, 409 breaks a rule, 400 and 422 hold wrong values."
            ),
        ),
        UseKind.THROTTLED: (
            _("Too many requests (429)"),
            _("Have the client wait as Retry-After says, or allow more than %(count)d requests a minute.")
            % {"count": key.rate_per_minute},
        ),
    }[kind]  # fmt: skip
    level = "warn" if kind in BAD else "info"
    return Section(title, advice, tuple(rows[:SHOWN]), max(0, len(rows) - SHOWN), level)


def _zones(key: ApiKey, counts: dict[str, int]) -> Iterable[Remark]:
    """What version 1 noted of instants (orderhub.shipstation.instants), and the guess it allows."""
    zone, in_utc = key.naive_zone, key.naive_zone in UTC_NAMES
    guesses = counts.get("naive_utc_guess", 0)
    if guesses and not in_utc:
        text = ngettext(
            "This client most likely means UTC, but its key reads instants without a zone as %(zone)s: %(count)d request asked for what would begin in the future otherwise. Set the key’s time zone to UTC.",
            "This client most likely means UTC, but its key reads instants without a zone as %(zone)s: %(count)d requests asked for what would begin in the future otherwise. Set the key’s time zone to UTC.",
            guesses,
        )  # fmt: skip
        yield Remark(text % {"zone": zone, "count": guesses}, "warn")
    if counts.get("zulu") and not in_utc:
        text = _(
            "This client sends UTC (Z), which is understood, but its key reads instants without a zone as %(zone)s, and ShipStation v1 answers in %(zone)s without saying so. If times are hours off at the client, set the key’s time zone to UTC."
        )
        yield Remark(text % {"zone": zone}, "warn")
    elif counts.get("zulu"):
        yield Remark(_("This client sends UTC (Z), and its key is set to UTC: nothing is to be done."), "ok")
    if counts.get("offset"):
        yield Remark(_("This client sends instants with their offset, which are never mistaken."), "ok")
    if counts.get("naive"):
        text = _("This client sends instants without a zone: they are read as %(zone)s.")
        yield Remark(text % {"zone": zone}, "info")
    if counts.get("date_only"):
        text = _("This client sends days without a time: they are days in %(zone)s.")
        yield Remark(text % {"zone": zone}, "info")
