"""Changes a client makes stand in the history of what it changed, and in the security log, as those of staff do."""

from django.contrib.admin.models import CHANGE, LogEntry

from orderhub.shipstation.calls import Call
from privacy import audit
from privacy.models.event import EventCode


def changed(call: Call, row, message: list[dict], *, code: EventCode) -> None:
    """`message`: which fields, as the admin's history keeps it; no values."""
    LogEntry.objects.log_actions(call.key.user_id, [row], CHANGE, message, single_object=True)
    audit.record(
        code, request=call.request, user=call.key.user, kind=row._meta.model_name, ids=[row.pk], reason="shipstation"
    )
