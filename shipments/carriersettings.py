"""What this installation says otherwise of a carrier: kept, with who said it, and forgotten where it says nothing."""

from datetime import datetime

from django.db import transaction

from shipments import carriers
from shipments.models import CarrierSetting

FIELDS = ("amazon", "tracking_url", "hidden")


def keep(code: str, said: dict, *, by, now: datetime) -> tuple[CarrierSetting, list[str]]:
    """Keep these values for a carrier of the table; returns the row and the names of what changed. Safe to repeat.

    A value that is the table's own is kept as blank, so that a later table is followed.
    """
    base = carriers.in_table(code)
    own = {"amazon": base.amazon, "tracking_url": base.url}
    wanted = {name: "" if said[name] == own.get(name) else said[name] for name in FIELDS}
    with transaction.atomic():
        row, _new = CarrierSetting.objects.get_or_create(code=base.code, defaults={"changed_at": now, "changed_by": by})
        row = CarrierSetting.objects.select_for_update().get(pk=row.pk)
        changed = [name for name in FIELDS if getattr(row, name) != wanted[name]]
        if changed:
            CarrierSetting.objects.filter(pk=row.pk).update(**wanted, changed_at=now, changed_by=by)
            row.refresh_from_db()
    carriers.forget()
    transaction.on_commit(carriers.forget)  # where a transaction around this one ends later
    return row, changed
