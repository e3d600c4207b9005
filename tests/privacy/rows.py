"""Due orders, and what can be seen of them from outside, for the proofs of this folder."""

import io
from datetime import datetime, timedelta
from pathlib import Path

from django.apps import apps
from django.core.files.storage import storages
from django.db import connection
from pypdf import PdfReader

from orderhub import clock, jobs
from orders.models import Order, OrderPersonalData
from orders.models.person import EMAIL, ERASED, KEPT
from privacy import markers
from privacy.models import ErasureCertificate, SweepState
from shipments.models import Label
from stores.models import Store
from tests.factories import make_order, make_shipment, make_store

SWEEP = "privacy.redact_due"
RELAY = "a1b2c3@marketplace.amazon.fr"
FULL = {name: f"ZQ{name.replace('_', '')}1QZ secret" for name in ERASED} | {
    EMAIL: "ada.lovelace@example.org",
    "street1": "1 Sample Street",
    "romanised_street1": "1 Sample Street",
    "recipient_name": "Ada Example",
    "city": "Austin",
    "district": "Travis",
    "state": "TX",
    "postal_code": "78701",
    "country": "US",
}
PLACE = {name: FULL[name] for name in KEPT}


def shop() -> Store:
    """The one store of a test."""
    return Store.objects.first() or make_store()


def due_order(*, due: datetime | None = None, person: dict | None = None, **given) -> Order:
    """An order with every personal column filled, due at `due` (default: now)."""
    given = {"store": shop(), "redaction_due_at": due or clock.now()} | given
    return make_order(person=FULL | (person or {}), redaction_rule="import", **given)


def due_label(order: Order | None = None, *, due: datetime | None = None, order_due: datetime | None = None) -> Label:
    """The label of a shipped order; the label is due at `due`, the order at `order_due` (default of both: now)."""
    shipment = make_shipment(order or due_order())
    Label.objects.filter(shipment=shipment).update(due_at=due or clock.now())
    Order.objects.filter(pk=shipment.order_id).update(redaction_due_at=order_due or clock.now())
    return shipment.labels.get()


def certificate(at: datetime, number: int = 1, **given) -> ErasureCertificate:
    """Of an order with this number, erased at this instant, four minutes after it was due."""
    defaults = {
        "order_id": number, "order_number": f"111-{number:07d}-0000000", "subject_id": number, "rule": "import",
        "due_at": at - timedelta(minutes=4), "done_at": at, "fields": ["buyer_name"], "marker": markers.AMAZON,
        "version": "1",
    }  # fmt: skip
    return ErasureCertificate.objects.create(**(defaults | given))


def sweep() -> str:
    """The job as the queue runs it."""
    return jobs.run(SWEEP)


def person_of(order: Order) -> OrderPersonalData:
    return OrderPersonalData.objects.get(pk=order.pk)


def state_of(order: Order) -> str:
    return Order.objects.values_list("pii_state", flat=True).get(pk=order.pk)


def file_of(label: Label) -> Path:
    return Path(storages["labels"].path(label.file.name))


def bytes_of(label: Label) -> bytes:
    """What the file says to whoever may open it; on disk it is encrypted."""
    with storages["labels"].open(label.file.name) as file:
        return file.read()


def text_of(label: Label) -> str:
    reader = PdfReader(io.BytesIO(bytes_of(label)))
    return "\n".join(page.extract_text() for page in reader.pages)


def everything() -> dict[str, object]:
    """Every row of our own tables and every label file, to see whether anything moved. Job records apart."""
    seen: dict[str, object] = {}
    for model in apps.get_models():
        if model._meta.app_label in {"orders", "shipments", "privacy"} and model is not SweepState:
            seen[model._meta.db_table] = list(model.objects.order_by("pk").values_list())
    root = Path(storages["labels"].location)
    files = sorted(path for path in root.rglob("*") if path.is_file()) if root.exists() else []
    seen["files"] = [(str(path), path.stat().st_mtime_ns, path.read_bytes()) for path in files]
    return seen


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"
