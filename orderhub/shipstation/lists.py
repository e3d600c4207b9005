"""Pages of lists in version 1's form: counted from 1, with how many rows and pages there are."""

from collections.abc import Callable, Mapping

from django.db.models import QuerySet

from orderhub.shipstation import values
from orderhub.shipstation.calls import Call, Wrong

USUAL, MOST = 100, 500


def page_of(call: Call, rows: QuerySet, name: str, shapes: Callable[[list], list[dict]]) -> dict:
    """The page that was asked for as `{name: […], "total", "page", "pages"}`. One count besides what the rows cost.

    `shapes`: from all rows of the page to their JSON, so that what belongs to them is read once.
    """
    number = max(1, values.integer(call.query.get("page")) or 1)
    size = min(max(1, values.integer(call.query.get("pagesize")) or USUAL), MOST)
    total = rows.order_by().count()
    first = (number - 1) * size
    found = list(rows[first : first + size]) if first < total else []
    return {name: shapes(found), "total": total, "page": number, "pages": -(-total // size)}


def sorted_by(call: Call, rows: QuerySet, columns: Mapping[str, str], *, usual: str) -> QuerySet:
    """`sortBy` and `sortDir`. `columns`: ours by version 1's names in small letters. Ids settle what is equal."""
    name = call.query.get("sortby", "").lower() or usual
    if name not in columns:
        raise Wrong({"sortBy": ["Sort by one of: " + ", ".join(columns) + "."]})
    sign = "-" if call.query.get("sortdir", "").lower() == "desc" else ""
    return rows.order_by(f"{sign}{columns[name]}", f"{sign}pk")
