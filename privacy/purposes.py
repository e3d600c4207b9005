"""Why personal data is held: the words of docs/privacy.md, beside what a scan must know of a table or a folder.

Texts are plain English for that document. Each app lists its own in `personal_data.py`, as PURPOSES and SHELVES.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import models

ROW_DECIDES = ""
WITH_ORDER = "until the order is erased"


@dataclass(frozen=True)
class Purpose:
    """One table with personal columns.

    `order`: the way from a row to its order's id, as Django's filters write it. ROW_DECIDES: rows have a column
    `marker` of their own, and nothing is asked of one without it. `readable`: whether the columns hold values as they
    are, rather than keyed hashes of them.
    """

    what: str
    why: str
    term: str = WITH_ORDER
    how: str = "overwritten with the marker"
    order: str = ROW_DECIDES
    readable: bool = True


@dataclass(frozen=True)
class Shelf:
    """One storage of files. `personal`: its files may tell of buyers.

    `known(names)`: those of these file names that a row names. `stray_after`: how long a file without a row is let be.
    `examine()`: the documents of erased orders, each as (name, order id, '' or the code of what is wrong with it).
    """

    alias: str
    what: str
    why: str
    term: str
    how: str
    known: Callable[[Iterable[str]], set[str]]
    personal: bool
    stray_after: timedelta = timedelta(days=1)
    examine: Callable[[], Iterator[tuple[str, int, str]]] = lambda: iter(())


def named_in(*columns: tuple[type[models.Model], str]) -> Callable[[Iterable[str]], set[str]]:
    """A shelf's `known` where each file is named by one of these columns: one query a column."""

    def known(names: Iterable[str]) -> set[str]:
        asked, found = list(names), set()
        for model, column in columns:
            found |= set(model.objects.filter(**{f"{column}__in": asked}).values_list(column, flat=True))
        return found

    return known
