"""The probe: values of orders that go within a day, still held by right, searched where none may ever be.

A value that stands in a log, a task, a session or a column that no erasure overwrites today would still stand there
tomorrow. So the places are searched while the values are still known, and nothing need be remembered of them.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from privacy import markers, registry
from privacy.scanner import Scanner

from .results import Finding
from .structure import model_of, personal_fields

AHEAD = timedelta(hours=24)
SAMPLE = 200  # orders
SHORTEST = 8  # letters and digits; what is shorter occurs by chance
TELLING = re.compile(r"[\d@]|\w\W+\w")  # more than one word, or a number: single words are a language's, too


class Probe:
    """Values of a sample of orders, and the scanner that looks for them.

    Values which several orders of the sample share are left out: they are words of the trade ("Parcel locker").
    """

    def __init__(self, *, now: datetime, sample: int = SAMPLE):
        due = registry.subjects().due_between(now=now, until=now + AHEAD)
        step = max(1, len(due) // sample)
        self.order_ids = [row.order_id for row in due[::step][:sample]]
        self.needles = _needles(self.order_ids)
        self.scanner = Scanner(self.needles, part=0)

    def look(self, place: str, value: object) -> list[Finding]:
        return [
            Finding("probe", hit.place, int(hit.needle_name.rpartition("#")[2]), hit.path)
            for hit in self.scanner.scan_value(value, place)
        ]


def _needles(order_ids: list[int]) -> dict[str, str]:
    """`table.column#order` to value."""
    found = {f"{place}#{order_id}": value for place, order_id, value in _values(order_ids) if _tells(value)}
    shared = Counter()
    for name, value in found.items():
        shared[value.casefold()] += 1
        shared[value.casefold(), name.rpartition("#")[2]] += 1
    return {
        name: value
        for name, value in found.items()
        if shared[value.casefold()] == shared[value.casefold(), name.rpartition("#")[2]]
    }


def _values(order_ids: list[int]) -> Iterator[tuple[str, int, str]]:
    for table, purpose in registry.purposes().items():
        if not purpose.order or not purpose.readable:
            continue
        names = personal_fields(table)
        rows = model_of(table)._base_manager.filter(**{f"{purpose.order}__in": order_ids})
        for order_id, *values in rows.values_list(purpose.order, *names):
            for name, value in zip(names, values, strict=True):
                if isinstance(value, str):
                    yield f"{table}.{name}", order_id, value


def _tells(value: str) -> bool:
    if value in markers.MARKERS or markers.is_relay(value) or not TELLING.search(value):
        return False
    return sum(map(str.isalnum, value)) >= SHORTEST or not value.isascii() and len(value) >= SHORTEST // 2
