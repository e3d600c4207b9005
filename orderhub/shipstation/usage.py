"""What the compatibility report is made of: how often each key asked for what. Names and codes only, never values."""

import re

from django.db.models import F

from orderhub.models import ApiUse
from orderhub.shipstation.calls import Call

SURFACE = "shipstation"
MOST_NAMES = 300  # of one key: whoever sends new names with every call fills no table
_PLAIN = re.compile(r"[A-Za-z0-9_.\[\](){}/ -]{1,120}")


def path_name(method: str, rest: str) -> str:
    """An address nobody answers, without what may be a value in it."""
    words = [part if part.isalpha() and len(part) < 30 else "…" for part in rest.strip("/").lower().split("/")[:3]]
    return f"{method} /{'/'.join(words)}"


def count(call: Call) -> None:
    """One more of everything the call noted; two statements, two more for what is new."""
    names = {(kind, name[:120]) for kind, name in call.noted if _PLAIN.fullmatch(name.replace("…", "-")[:120])}
    if not names:
        return
    wanted = {f"{kind} {name}": (kind, name) for kind, name in names}
    rows = ApiUse.objects.filter(key=call.key, surface=SURFACE)
    kept = {
        f"{kind} {name}": pk
        for pk, kind, name in rows.filter(name__in={name for _kind, name in names}).values_list("pk", "kind", "name")
    }
    known = [kept[text] for text in wanted if text in kept]
    rows.filter(pk__in=known).update(count=F("count") + 1, last_at=call.now)
    fresh = [wanted[text] for text in wanted if text not in kept]
    if fresh and rows.count() < MOST_NAMES:
        ApiUse.objects.bulk_create(
            [
                ApiUse(
                    key=call.key, surface=SURFACE, kind=kind, name=name, count=1, first_at=call.now, last_at=call.now
                )
                for kind, name in fresh
            ],
            ignore_conflicts=True,
        )
