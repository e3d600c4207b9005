"""What buyers wished for on their lines: texts, pictures, and addresses of archives; see privacy.registry.Holder."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from django.core.files.storage import storages
from django.db.models import Case, F, Q, Value, When

from orderhub import failpoints
from orders.models import ItemPersonalData
from orders.models.person import ITEM_ERASED
from privacy import datakeys


class _Holder:
    def destroy_files(self, order_ids: list[int], *, now: datetime) -> dict[int, int]:
        """The files go first; their names stay on the row until it is overwritten, so that a run that dies is finished."""
        gone: Counter[int] = Counter()
        rows = list(self._rows(order_ids).exclude(images=[]).values_list("item__order", "images"))
        for order_id, names in rows:
            gone[order_id] += len(names)
        if rows:
            all_names = [name for _order_id, names in rows for name in names]
            between = partial(failpoints.reach, "redact.between_files")
            storages["customization"].delete_all(all_names, between=between)
        return gone

    def redact_due_files(self, *, now: datetime, marker: str) -> Iterator[tuple[int, str]]:
        return iter(())

    def overwrite(self, order_ids: list[int], *, marker: str, now: datetime) -> dict[int, list[str]]:
        """Every row gets the marker, also one that is empty: nothing can be written into it from then on.

        The rows are locked first: a fetch that writes files has then ended, or finds its order masked.
        """
        held: dict[int, list[str]] = {}
        rows = self._rows(order_ids).filter(marker="")
        for row in rows.select_for_update(of=("self",)).select_related("item").order_by("pk"):
            names = held.setdefault(row.item.order_id, [])
            names += [name for name in (*ITEM_ERASED, "images") if getattr(row, name) and name not in names]
        if held:
            emptied = {
                name: Case(When(**{name: ""}, then=Value("")), default=Value(marker)) for name in ITEM_ERASED
            }  # fmt: skip
            datakeys.destroy(f"item:{pk}" for pk in rows.values_list("pk", flat=True))
            rows.update(marker=marker, images=[], next_attempt_at=None, **emptied)
        return {order_id: names for order_id, names in held.items() if names}

    def leftovers(self, order_ids: list[int], *, now: datetime) -> set[int]:
        bad = Q(marker="") | ~Q(images=[])
        for name in ITEM_ERASED:
            bad |= ~Q(**{name: ""}) & ~Q(**{name: F("marker")})
        return set(self._rows(order_ids).filter(bad).values_list("item__order", flat=True))

    @staticmethod
    def _rows(order_ids: list[int]):
        return ItemPersonalData.objects.filter(item__order__among=order_ids)


CUSTOMIZATIONS = _Holder()
