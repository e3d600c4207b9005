"""Why this app holds personal data, for docs/privacy.md and for scans; see privacy.purposes."""

from collections.abc import Iterator
from datetime import timedelta

from privacy import markers
from privacy.purposes import WITH_ORDER, Purpose, Shelf, named_in
from privacy.retention import LABEL_DAYS
from privacy.scanner.pdftext import pdf_texts
from shipments.models import Label

PURPOSES = {
    "shipments_shipment": Purpose(
        what="a note to the buyer, printed on the packing slip or written in a mail",
        why="the buyer reads it",
        order="order",
    ),
    "shipments_shipmentnotification": Purpose(
        what="Amazon's own words on a shipment notice it refused, which may repeat an address",
        why="to understand the refusal and put it right",
        term=f"until the notice is settled, at the latest {WITH_ORDER}",
        how="emptied when settled, else overwritten with the marker",
        order="order",
    ),
    "shipments_outgoingmail": Purpose(
        what="a keyed hash of the address a mail went to",
        why="to tell two mails to one person from mails to two",
        how="emptied; mails that still wait are cancelled; subject and text were never stored",
        order="order",
        readable=False,
    ),
}  # fmt: skip


def _examine() -> Iterator[tuple[str, int, str]]:
    """Labels that are called erased, newest first: whether each file is the stand-in, and nothing else."""
    gone = Label.objects.filter(redacted_at__isnull=False).select_related("shipment__order__person")
    for label in gone.order_by("-redacted_at", "-pk").iterator(chunk_size=200):
        yield label.file.name, label.shipment.order_id, _wrong_with(label)


def _wrong_with(label: Label) -> str:
    """'' where the file is what an erasure leaves, or is gone. Drawn again, it has the same bytes; an older version's,
    or that of a parcel corrected since, is read: the marker is there, and no word but the stand-in's and numbers."""
    from shipments.personal_data import redacted_pdf  # which lists this module

    try:
        with label.file.storage.open(label.file.name) as file:
            held = file.read()
    except FileNotFoundError:
        return ""
    drawn = []
    for marker in markers.MARKERS:
        drawn.append(redacted_pdf(label, marker=marker))
        if held == drawn[-1]:
            return ""
    text = _text_of(held)
    if text is None:
        return "unreadable"
    allowed = {word for content in drawn for word in (_text_of(content) or "").casefold().split()}
    words = set(text.casefold().split())
    strange = {word for word in words - allowed if not any(map(str.isdigit, word))}
    places = {getattr(label.shipment.order.person, name).casefold() for name in ("city", "postal_code")} - {""}
    marked = any(marker.casefold() in " ".join(text.casefold().split()) for marker in markers.MARKERS)
    return "" if marked and not strange and not (places & words) else "not the stand-in"


def _text_of(content: bytes) -> str | None:
    """What its pages say; None where nothing here can read them."""
    return next(pdf_texts(content), None)


SHELVES = (
    Shelf(
        alias="labels",
        what="labels of parcels and returns: names, streets, phone, city and postal code",
        why="to print them, and to print them again",
        term="each on the clock of its own parcel; a return label, and that of a voided parcel, at the latest with the order",
        how="the file is destroyed, whatever its format; a label with the marker, carrier, service and tracking number "
        "takes its place",
        known=named_in((Label, "file")),
        personal=True,
        stray_after=timedelta(days=LABEL_DAYS),
        examine=_examine,
    ),
)
