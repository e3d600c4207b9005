"""What the compatibility report is made of: how often each key asked for what. Names and codes only, never values.

One row for each key, API, kind and name. Both APIs count here, once a request.
"""

import logging
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import F

from orderhub.models import ApiKey, ApiUse
from orderhub.models.apikey import UseKind

log = logging.getLogger("orderhub.api")
MOST_NAMES = 300  # that a client made up, of one key: whoever sends new names with every call fills no table
MADE_UP = (UseKind.UNKNOWN_FIELD, UseKind.UNKNOWN_PATH)
KEPT = timedelta(days=365)
OTHER = "(other)"
_WORD = re.compile(r"[a-z][A-Za-z_]{1,39}")
_PLAIN = re.compile(r"[A-Za-z0-9_.\[\](){}/ -]{1,120}")


def word(name: str) -> str:
    """The name of a field a client made up, where it looks like one: anything else may be a value, which is not kept."""
    return name if _WORD.fullmatch(name) else OTHER


def path_name(method: str, rest: str) -> str:
    """An address nobody answers, without what may be a value in it."""
    first, *further = rest.strip("/").lower().split("/")[:3]
    return "/".join([f"{method} /{first if first.isalpha() and len(first) < 30 else '…'}", *("…" for _part in further)])


def count(key: ApiKey, surface: str, noted: Iterable[tuple[str, str]], *, now: datetime) -> None:
    """One more of each of these (kind, name); two statements, two more for what is new.

    The answer is made already and must go out: what the database refuses here is logged and not counted.
    """
    names = {(str(kind), name[:120]) for kind, name in noted if _PLAIN.fullmatch(name.replace("…", "-")[:120])}
    if not names:
        return
    try:
        _count(key, surface, names, now)
    except DatabaseError as error:
        log.warning("use_not_counted", extra={"error": type(error).__name__})


def _count(key: ApiKey, surface: str, names: set[tuple[str, str]], now: datetime) -> None:
    rows = ApiUse.objects.filter(key=key, surface=surface)
    found = rows.filter(name__in={name for _kind, name in names}).values_list("kind", "name", "pk")
    kept = {(kind, name): pk for kind, name, pk in found}
    known = [kept[one] for one in names if one in kept]
    if known:
        rows.filter(pk__in=known).update(count=F("count") + 1, last_at=now)
    fresh = sorted(one for one in names if one not in kept)
    if any(kind in MADE_UP for kind, _name in fresh) and rows.filter(kind__in=MADE_UP).count() >= MOST_NAMES:
        fresh = [(kind, name) for kind, name in fresh if kind not in MADE_UP]
    ApiUse.objects.bulk_create(
        [ApiUse(key=key, surface=surface, kind=kind, name=name, count=1, first_at=now, last_at=now) for kind, name in fresh],
        ignore_conflicts=True,
    )  # fmt: skip


def forget(*, now: datetime) -> int:
    """Delete what no client did for a year; returns how many rows. Safe to repeat."""
    return ApiUse.objects.filter(last_at__lt=now - KEPT).delete()[0]
