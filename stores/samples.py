"""An invented order, to show what buyers get: a packing slip and the one mail that Amazon allows. No real order is read."""

from dataclasses import dataclass
from datetime import date
from email.utils import parseaddr

from django.utils.translation import gettext as _

from stores import letters
from stores.models import Store

ORDER_NUMBER = "000-0000000-0000000"


@dataclass(frozen=True)
class Line:
    """One line of the slip."""

    quantity: int
    title: str
    sku: str


@dataclass(frozen=True)
class Slip:
    """A packing slip in the reader's language."""

    order_number: str
    ordered_on: date
    from_lines: list[str]
    to_lines: list[str]
    lines: list[Line]


@dataclass(frozen=True)
class Mail:
    """The mail that carries a return label. `paragraphs`: its text."""

    sender: str
    to: str
    subject: str
    paragraphs: list[str]


def address_lines(ship_from: dict) -> list[str]:
    """A ship-from address as it stands on paper, without its phone."""
    town = " ".join(filter(None, (ship_from.get(part, "") for part in ("postal_code", "city", "state"))))
    parts = (ship_from.get(part, "") for part in ("name", "company", "street1", "street2", "street3"))
    return list(filter(None, [*parts, town, ship_from.get("country", "")]))


def slip(store: Store, *, today: date) -> Slip:
    """The packing slip of the invented order."""
    return Slip(
        order_number=ORDER_NUMBER,
        ordered_on=today,
        from_lines=address_lines(store.ship_from),
        to_lines=[_("Sample Buyer"), _("1 Sample Street"), _("00000 Sampletown")],
        lines=[Line(2, _("Sample product, blue"), "SAMPLE-1"), Line(1, _("Sample product, red"), "SAMPLE-2")],
    )


def return_mail(store: Store) -> Mail:
    """The return-label mail of the invented order. Amazon sends the others itself (R59, R60)."""
    letter = letters.return_label(letters.About(store, ORDER_NUMBER, _("Sample Buyer")))
    return Mail(
        sender=f"{letters.shown_name(store)} <{parseaddr(store.sender)[1]}>",
        to="sample@marketplace.amazon.example",
        subject=letter.subject,
        paragraphs=letter.paragraphs,
    )
