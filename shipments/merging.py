"""Many labels, or many packing slips, in one document. Drawn for one reader now and kept nowhere."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.models import Order
from privacy import access, audit
from privacy.models.event import EventCode
from shipments import opening, slips
from shipments.labels import pages
from shipments.models import Label, LabelBatch
from shipments.models.shipment import label_storage

MOST_LABELS = 2000  # in one document
MOST_SLIPS = 200


def labels_pdf(labels: Iterable[Label], *, by, now: datetime, paper: str = "4x6") -> bytes:
    """These labels in this order, one after the other, on `paper` (4x6 or a4). Writes an access-log row for each order.

    What is due or erased comes as its stand-in, what is void has VOID across it, and a label that cannot be a page (a
    file for label printers, one that is missing or damaged) leaves a page that says so: none sinks the others. Two
    queries, one for keys and one INSERT, whatever their number; a few more for each missing file, which is drawn again.
    """
    rows = _fresh(labels)
    access.log_views(by, list(dict.fromkeys(label.shipment.order_id for label in rows)), what="label")
    audit.record(EventCode.LABEL_OPENED, user=by, kind="label", ids=[label.pk for label in rows], reason=str(len(rows)))
    binder = pages.Binder(paper=paper, title="labels")
    for label in rows:
        _add(binder, label, now=now)
    if not rows:
        binder.add(pages.saying(_("There is no label here."), [], title="labels"))
    return binder.done()


def of_batch(batch: LabelBatch) -> QuerySet[Label]:
    """Labels of a batch in the order of its rows, without those of voided parcels."""
    made = Label.objects.filter(shipment__batch_row__batch=batch, shipment__voided_at=None, kind=Label.Kind.SHIPPING)
    return made.select_related("shipment__order__store__merchant").order_by("shipment__batch_row__position", "pk")


def slips_pdf(orders: Iterable[Order], *, by, now: datetime) -> bytes:
    """The packing slips of these orders in this order, each on its own sheets. See slips.draw_many()."""
    return slips.draw_many([order.pk for order in orders], by=by, now=now)


def _fresh(labels: Iterable[Label]) -> list[Label]:
    """The rows as they are now, with all that is asked of them: one query, and one for the keys of
    their files."""
    wanted = [label.pk for label in labels]
    found = Label.objects.select_related("shipment__order__store__merchant").in_bulk(wanted)
    label_storage().ahead(label.file.name for label in found.values() if label.file.name)
    return [found[pk] for pk in dict.fromkeys(wanted) if pk in found]


def _add(binder: pages.Binder, label: Label, *, now: datetime) -> None:
    try:
        found = opening.read(label, now=now)
        content = found.content
        if found.format == opening.PNG:
            content = pages.of_picture(content, title=str(label.shipment_id))
        elif found.format == opening.ZPL:
            raise RuleViolation(_("It is a file for label printers (ZPL). Open it from the page of its order."))
        binder.add(content, void=opening.is_void(label))
    except pages.PageRefused:
        _say(binder, label, _("Its file cannot be read. Open it from the page of its order."))
    except RuleViolation as error:
        _say(binder, label, str(error))


def _say(binder: pages.Binder, label: Label, sentence: str) -> None:
    heading = _("The label of order %(number)s is not here") % {"number": label.shipment.order.order_number}
    binder.add(pages.saying(heading, [sentence], title=str(label.shipment_id)))
