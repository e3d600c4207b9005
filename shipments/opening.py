"""Opening a label: the file as it stands, or a page without the address once that is due."""

from datetime import datetime

from privacy import access, markers
from shipments import restoring
from shipments.models import Label
from shipments.personal_data import redacted_pdf


def open_label(label: Label, *, by, now: datetime) -> bytes:
    """The label's PDF. The address is gone from the moment it is due, whether or not the sweep has come by.

    A file that is missing is drawn again, unless the order's address is erased. Writes one access-log row.
    """
    access.log_view(by, label.shipment.order_id, what="label")
    storage, name = label.file.storage, label.file.name
    missing = not name or not storage.exists(name)
    if label.redacted_at or label.due_at <= now or (missing and label.shipment.order.masked):
        return redacted_pdf(label, marker=markers.AMAZON)
    if missing:
        restoring.restore(label)
    with storage.open(name) as file:
        return file.read()
