"""Notes of staff: written once, never changed, shown as far as the reader may see the buyer."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders import latch, notes_erasing
from orders.models import Order, OrderEvent, OrderNote
from privacy import access, markers

MOST = 4000  # characters
_KEPT = "\n\t"


def add(order: Order, text: str, *, by, now: datetime) -> OrderNote:
    """Write a note and its line on the timeline. RuleViolation for an empty or long one, and once the order is erased.

    The order is locked meanwhile: an erasure leaves it alone until the note is there to be compared with the buyer's
    name. After an erasure there is no name left to compare with, so no note is taken any more.
    """
    written = tidy(text)
    if not written:
        raise RuleViolation(_("Write the note first."))
    if len(written) > MOST:
        numbers = {"most": MOST, "count": len(written)}
        raise RuleViolation(
            _("A note has at most %(most)d characters, this one has %(count)d. Shorten it, or write two.") % numbers
        )
    with latch.watching(order, by=by, now=now), transaction.atomic():
        if Order.objects.select_for_update().get(pk=order.pk).masked:
            raise latch.Erased(
                _("The personal data of this order is erased: it takes no more notes. Use a tag instead.")
            )
        note = OrderNote.objects.create(order=order, author=by, at=now, text=written)
        OrderEvent.objects.create(order=order, kind=OrderEvent.Kind.NOTED, at=now, actor=by)
    return note


def tidy(text: str) -> str:
    """One kind of line break; no control characters or lone surrogates, which no database and no page can take."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in lines if sign in _KEPT or unicodedata.category(sign) not in {"Cc", "Cs"}).strip()


@dataclass(frozen=True, repr=False)  # no repr: texts would reach tracebacks
class Shown:
    """A note as one reader sees it. `author`: '' for a rule. `hidden`: the text stands for one that is not shown."""

    at: datetime
    author: str
    text: str
    hidden: bool = False


def shown_to(user, order: Order) -> list[Shown]:
    """The order's notes, newest first, two queries at most; none without the right to read notes.

    While an order is being erased all of them are masked; afterwards those that named the buyer. Who may not see the
    buyer does not read of them in a note either.
    """
    if not access.granted(user, "orders.view_ordernote"):
        return []
    return shown(order, sees_person=access.may_see_person(user, order_open=order.is_open))


def shown(order: Order, *, sees_person: bool) -> list[Shown]:
    """The same for a reader whose rights were asked for: whether this one may see the buyer."""
    person = getattr(order, "person", None)
    return [_shown(note, order, None if sees_person else person) for note in order.notes.select_related("author")]


def joined(order: Order, *, sees_person: bool) -> str:
    """All notes as one text, oldest first, for clients that know one field for them. No query where notes are loaded."""
    person = None if sees_person else getattr(order, "person", None)
    return "\n".join(_shown(note, order, person).text for note in list(order.notes.all())[::-1])


def _shown(note: OrderNote, order: Order, hidden_person) -> Shown:
    author = note.author.get_username() if note.author else ""
    if note.marker or order.pii_state == Order.PiiState.REDACTING:
        return Shown(note.at, author, f"« {note.marker or markers.AMAZON} »", hidden=True)
    if hidden_person is not None and notes_erasing.Traces(hidden_person).are_in(note.text):
        return Shown(
            note.at, author, _("This note names the buyer, and your role does not include names."), hidden=True
        )
    return Shown(note.at, author, note.text)
