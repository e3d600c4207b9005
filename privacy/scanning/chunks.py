"""Long lists in pieces."""

from collections.abc import Iterable, Iterator
from itertools import islice


def chunks(found: Iterable, size: int) -> Iterator[list]:
    """Lists of at most `size` items, in order."""
    items = iter(found)
    while piece := list(islice(items, size)):
        yield piece
