"""A lagging copy of Amazon's database: what was last said of an order before it changed.

Bounded: the orders shown most recently, by asker and datasets, so that nobody is told what it may not see.
"""

from collections import OrderedDict
from typing import Any

Asker = tuple[str, frozenset[str]]  # seller id, datasets
LIMIT = 400


class Replica:
    def __init__(self) -> None:
        self._newest: dict[Asker, OrderedDict[str, dict[str, Any]]] = {}
        self._older: dict[Asker, OrderedDict[str, dict[str, Any]]] = {}

    def saw(self, asker: Asker, answers: list[dict[str, Any]]) -> None:
        """Remember what the asker is told now, and what it was told before of orders that changed since."""
        newest = self._newest.setdefault(asker, OrderedDict())
        older = self._older.setdefault(asker, OrderedDict())
        for answer in answers:
            number = answer["orderId"]
            before = newest.pop(number, None)
            if before is not None and before["lastUpdatedTime"] != answer["lastUpdatedTime"]:
                _keep(older, number, before)
            _keep(newest, number, answer)

    def older(self, asker: Asker, count: int) -> list[dict[str, Any]]:
        """Answers that were overtaken, the latest of them first."""
        return list(reversed(self._older.get(asker, {}).values()))[:count]


def _keep(kept: OrderedDict[str, dict[str, Any]], number: str, answer: dict[str, Any]) -> None:
    kept.pop(number, None)
    kept[number] = answer
    if len(kept) > LIMIT:
        kept.popitem(last=False)
