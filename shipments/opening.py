"""Opening a label: the file as it stands, on the paper or in the language of printers wished for, or, once its address
is due, a page without it."""

from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from privacy import access, audit, markers
from privacy.models.event import EventCode
from shipments import labelling, restoring
from shipments.labels import pages, zpl
from shipments.models import Label
from shipments.personal_data import redacted_content, redacted_pdf

PDF, PNG, ZPL = Label.Format.PDF, Label.Format.PNG, Label.Format.ZPL


class Found(NamedTuple):
    """A label as it may be shown now. `gone`: the address is not on it any more."""

    content: bytes
    format: str
    gone: bool


class Offer(NamedTuple):
    """One way to open a label. `query`: what its address says of it, '' for the stored file."""

    name: str
    query: str


def open_label(
    label: Label, *, by, now: datetime, format: str = "", paper: str = "4x6", dpi: int = 203
) -> bytes:  # fmt: skip
    """The label as a file; `kind_of` says which kind it became. Writes one access-log row.

    `format`: pdf, or zpl for a label printer of `dpi`; '' for what is stored. `paper`: 4x6 or a4, of PDFs. The address
    is gone from the moment it is due, in every format and whether or not the sweep has come by. A label of ours whose
    file is missing is drawn again, unless the order's address is erased. RuleViolation where a label does not exist in
    this format; ValueError for a paper or a printer we do not know.
    """
    access.log_view(by, label.shipment.order_id, what="label")
    audit.record(EventCode.LABEL_OPENED, user=by, kind="label", ids=[label.pk])
    found = read(label, now=now)
    wanted = format or found.format
    if found.gone:
        return _stand_in(label, found, wanted, paper=paper, dpi=dpi)
    if wanted == ZPL and is_ours(label):
        return zpl.draw(labelling.content_of(label), dpi=dpi, void=is_void(label))
    if wanted != found.format or (paper != "4x6" and wanted != PDF):
        raise RuleViolation(_other_format(label))
    if wanted == PNG and is_void(label):  # a picture with VOID across it is a page
        return pages.rebound(pages.of_picture(found.content, title=_title(label)), title=_title(label), void=True)
    if wanted == ZPL:
        return zpl.struck(found.content, dpi=dpi) if is_void(label) else found.content
    if paper == "4x6" and not is_void(label):
        return found.content
    return pages.rebound(found.content, title=_title(label), paper=paper, void=is_void(label))


def read(label: Label, *, now: datetime) -> Found:
    """The label's stored bytes, or the page without the address once it is due. Logs nothing: whoever shows it does.

    RuleViolation where the file is missing and cannot be had again.
    """
    if is_gone(label, now=now):
        return _gone(label)
    content = _stored(label)
    if content is None and label.shipment.order.masked:
        return _gone(label)
    if content is None:
        restoring.restore(label)
        content = _stored(label)
    return Found(content, label.format, gone=False) if content is not None else _gone(label)


def kind_of(content: bytes) -> str:
    """What an opened label is: pdf, png or zpl, as its first bytes say."""
    if content.startswith(b"%PDF"):
        return PDF
    return PNG if content.startswith(b"\x89PNG") else ZPL


def offers(label: Label, *, now: datetime) -> list[Offer]:
    """How this label can be opened now, the stored file first. No query."""
    if is_gone(label, now=now):
        return [Offer(_("Label without address (PDF)"), "")]
    stored = Offer(_("Label (%(format)s)") % {"format": label.get_format_display()}, "")
    on_a4 = [Offer(_("on A4"), "?paper=a4")] if label.format == PDF else []
    if not is_ours(label) or label.shipment.order.masked:
        return [stored, *on_a4]
    printers = [
        Offer(_("for label printers (ZPL, %(dpi)d dpi)") % {"dpi": dpi}, f"?format=zpl&dpi={dpi}") for dpi in zpl.SIZES
    ]
    return [stored, *on_a4, *printers]


def is_gone(label: Label, *, now: datetime) -> bool:
    """Whether the address is erased, or due to be. A return's label goes with its order (R85)."""
    if label.redacted_at or label.due_at <= now:
        return True
    return label.shipment.is_return and label.shipment.order.is_erased(now=now)


def is_ours(label: Label) -> bool:
    """Whether OrderHub drew it: a label that was bought exists only as it was bought."""
    return label.shipment.provider == label.shipment.Provider.MANUAL


def is_void(label: Label) -> bool:
    return label.shipment.voided_at is not None


def _stored(label: Label) -> bytes | None:
    if not label.file.name:
        return None
    try:
        with label.file.storage.open(label.file.name) as file:
            return file.read()
    except FileNotFoundError:
        return None


def _gone(label: Label) -> Found:
    return Found(redacted_pdf(label, marker=markers.AMAZON), PDF, gone=True)


def _stand_in(label: Label, found: Found, wanted: str, *, paper: str, dpi: int) -> bytes:
    """The page without the address, in the format wished for; a picture's place is taken by a PDF."""
    if wanted == ZPL:
        return zpl.draw(redacted_content(label, marker=markers.AMAZON), dpi=dpi, void=is_void(label))
    if paper == "4x6" and not is_void(label):
        return found.content
    return pages.rebound(found.content, title=_title(label), paper=paper, void=is_void(label))


def _title(label: Label) -> str:
    return str(label.shipment_id)  # as the label itself is named: never a person


def _other_format(label: Label) -> str:
    told = _("The label of order %(number)s was bought as %(format)s and exists in no other format. Open it as it is.")
    return told % {"number": label.shipment.order.order_number, "format": label.get_format_display()}
