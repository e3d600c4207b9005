"""Instants as clients of version 1 write and read them.

They name no zone: what has no offset is in the zone of the key, which ShipStation's own clients take for Pacific time.
Where a clock is set forward, an instant it skips counts on from before; of an hour that comes twice the first is meant.
"""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from orderhub.models import ApiKey
from orderhub.models.apikey import UseKind
from orderhub.shipstation.calls import Call, Wrong

ABSENT = ("", "none", "null")
_FORM = re.compile(
    r"(?P<date>\d{4}-\d{1,2}-\d{1,2})"
    r"(?:[T +](?P<time>\d{1,2}:\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?\s?"
    r"(?P<zone>[Zz]|[+\- ]?\d{2}:?\d{2})?)?",  # an offset's plus sign is a blank where nobody escaped it
    re.ASCII,
)


def zone_of(key: ApiKey) -> ZoneInfo:
    return ZoneInfo(key.naive_zone)


def written(at: datetime | None, key: ApiKey) -> str | None:
    """As 2026-11-20T08:46:27.0000000, in the key's zone; None stays None."""
    if at is None:
        return None
    local = at.astimezone(zone_of(key))
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond:06d}0"


def of_query(call: Call, name: str, *, end: bool = False) -> datetime | None:
    """The instant the address gives under this name. `end`: a day without a time is meant with all of it."""
    return read(call, name, call.query.get(name.lower()), end=end)


def read(call: Call, name: str, told, *, end: bool = False) -> datetime | None:
    """An aware instant; None where none is told. Wrong, by this name, for what is none.

    The way it was written is counted for the report; so is a start that lies ahead, but not if it is read as UTC.
    """
    found = _parts(name, told)
    if found is None:
        return None
    wall, way, offset = found
    if end and way == "date_only":
        wall += timedelta(days=1)
    at = wall - offset if offset is not None else wall.replace(tzinfo=zone_of(call.key)).astimezone(UTC)
    call.note(UseKind.TIME_ZONE, way)
    if way == "naive" and name.lower().endswith("start") and wall <= call.now < at:
        call.note(UseKind.TIME_ZONE, "naive_utc_guess")
    return at


def day(name: str, told) -> date | None:
    """The day as it is written, whatever time stands beside it; None where none is told."""
    found = _parts(name, told)
    return found[0].date() if found else None


def _parts(name: str, told) -> tuple[datetime, str, timedelta | None] | None:
    """What stands there as if it were UTC, how it is written, and its offset where it has one."""
    text = "" if told is None else str(told).strip()
    if text.lower() in ABSENT:
        return None
    form = _FORM.fullmatch(text)
    try:
        return _of_form(form)
    except (TypeError, ValueError, OverflowError):
        raise Wrong({name: [f"{name} is no date. Write it like 2026-11-20 08:46:27."]}) from None


def _of_form(form: re.Match | None) -> tuple[datetime, str, timedelta | None]:
    if form is None:
        raise ValueError
    year, month, of_month = (int(part) for part in form["date"].split("-"))
    if not 1900 <= year <= 2200:
        raise ValueError
    if form["time"] is None:
        return datetime(year, month, of_month, tzinfo=UTC), "date_only", None
    hour, minute = (int(part) for part in form["time"].split(":"))
    fraction = int((form["fraction"] or "0").ljust(6, "0")[:6])
    wall = datetime(year, month, of_month, hour, minute, int(form["second"] or 0), fraction, tzinfo=UTC)
    if form["zone"] is None:
        return wall, "naive", None
    if form["zone"] in "Zz":
        return wall, "zulu", timedelta(0)
    digits = re.sub(r"[^0-9]", "", form["zone"])
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return wall, "offset", -offset if form["zone"].startswith("-") else offset
