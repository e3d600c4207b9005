"""Pages of lists in version 1's form: counted from 1, with how many rows and pages there are."""

from collections.abc import Callable, Mapping

from django.db.models import QuerySet

from orderhub.shipstation import values
from orderhub.shipstation.calls import Call, Wrong

USUAL, MOST = 100, 500
Whole = Callable[[QuerySet], QuerySet]


def page_of(call: Call, rows: QuerySet, name: str, whole: Whole, shapes: Callable[[list], list[dict]]) -> dict:
    """The page that was asked for as `{name: […], "total", "page", "pages"}`.

    A count, the ids of the page, and what `whole` reads of these: a late page is not slower for all that its rows
    show. `shapes`: from all rows of the page to their JSON, so that what belongs to them is read once.
    """
    number = max(1, values.integer(call.query.get("page")) or 1)
    size = min(max(1, values.integer(call.query.get("pagesize")) or USUAL), MOST)
    total = rows.order_by().count()
    first = (number - 1) * size
    ids = list(rows.values_list("pk", flat=True)[first : first + size]) if first < total else []
    read = {row.pk: row for row in whole(rows.model.objects.filter(pk__in=ids))}
    found = [read[pk] for pk in ids if pk in read]
    return {name: shapes(found), "total": total, "page": number, "pages": -(-total // size)}


def sorted_by(call: Call, rows: QuerySet, columns: Mapping[str, str], *, usual: str) -> QuerySet:
    """`sortBy` and `sortDir`. `columns`: ours by version 1's names in small letters. Ids settle what is equal."""
    name = call.query.get("sortby", "").lower() or usual
    if name not in columns:
        raise Wrong({"sortBy": ["Sort by one of: " + ", ".join(columns) + "."]})
    sign = "-" if call.query.get("sortdir", "").lower() == "desc" else ""
    return rows.order_by(f"{sign}{columns[name]}", f"{sign}pk")
