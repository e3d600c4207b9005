"""What a buyer wished for on a line, for those who may see it: on the order's page, as a picture, on a packing slip."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.files.storage import storages
from django.urls import reverse
from django.utils.translation import gettext as _

from orderhub.wording import utc
from orders.customization import content
from orders.models import ItemPersonalData, Order, OrderItem
from privacy import access, markers

State = ItemPersonalData.State
TYPES = {"png": "image/png", "jpg": "image/jpeg"}


@dataclass(frozen=True, repr=False)  # no repr: values would reach tracebacks
class Entry:
    """One choice of the buyer. `image`: the name of a file of ours, or ''; `url`: where the screen gets it."""

    label: str
    kind: str
    value: str
    image: str = ""
    url: str = ""

    def picture(self) -> bytes | None:
        """The picture's bytes, PNG or JPEG; None where there is none, or not any more."""
        return _read(self.image) if self.image else None


@dataclass(frozen=True, repr=False)
class Wish:
    """A line's panel. `note`: why nothing, or not everything, is shown, or ''; `level`: how loud it is, '' for not at all."""

    entries: list[Entry] = field(default_factory=list)
    note: str = ""
    level: str = ""

    @property
    def texts(self) -> list[Entry]:
        return [entry for entry in self.entries if not entry.url]

    @property
    def pictures(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.url]


def attach(user, order: Order, lines: list[OrderItem]) -> None:
    """Give every line its `wish`, or None: one query. One access-log row where something personal is shown that the
    panel of the person did not log already."""
    rows = {row.pk: row for row in ItemPersonalData.objects.filter(item__order=order)}
    allowed = may_see(user, order)
    for line in lines:
        row = rows.get(line.pk)
        line.wish = _wish(order, row, allowed=allowed) if row else None
    person = getattr(order, "person", None)
    if any(line.wish and line.wish.entries for line in lines) and not (person and person.holds_anything):
        access.log_view(user, order.pk, what="order page")


def may_see(user, order: Order) -> bool:
    """Whether this user sees what the buyer wrote and drew, now."""
    return not order.masked and access.may_see_person(user, order_open=order.is_open)


def _wish(order: Order, row: ItemPersonalData, *, allowed: bool) -> Wish | None:
    if order.masked or row.marker:
        held = row.customization or row.images or row.customized_url
        return Wish(note=f"« {row.marker or markers.AMAZON} »") if held else None
    entries = _entries(row, order)
    if entries and not allowed:
        return Wish(note=_("Your role does not include what the buyer chose for this line."))
    if entries:
        return Wish(entries)
    return _without(row)


def _without(row: ItemPersonalData) -> Wish:
    """Nothing to show yet, or for good; none of these sentences holds anything of the buyer."""
    match row.state:
        case State.WAITING if row.error_code and row.next_attempt_at:
            at = utc(row.next_attempt_at)
            note = _("Amazon does not hand out what the buyer chose. It is tried again at %(at)s.") % {"at": at}
            return Wish(note=note, level="warn")
        case State.WAITING:
            return Wish(note=_("What the buyer chose is being fetched from Amazon."))
        case State.REFUSED:
            note = _(
                "Amazon's file of what the buyer chose breaks a safety rule (%(code)s) and was thrown away. "
                "Look at the order in Seller Central."
            )
            return Wish(note=note % {"code": row.error_code}, level="bad")
        case State.FAILED:
            note = _(
                "What the buyer chose could not be fetched in three days (%(code)s). Look at the order in Seller Central."
            )
            return Wish(note=note % {"code": row.error_code}, level="bad")
        case _:
            note = _("Amazon's file says nothing that OrderHub can read. Look at the order in Seller Central.")
            return Wish(note=note, level="warn")


def _entries(row: ItemPersonalData, order: Order) -> list[Entry]:
    found = []
    for number, told in enumerate(content.read(row)):
        place = [order.pk, row.pk, number]
        url = reverse("admin:orders_order_customization", args=place) if told["image"] else ""
        found.append(Entry(told["label"], told["kind"], told["value"], told["image"], url))
    return found


def picture_for(user, order: Order, item_id: int, number: int) -> tuple[bytes, str] | None:
    """Bytes and content type of a picture, for somebody who may see it; counts as a view. None where there is none.

    Ask `may_see` first. Only what we drew ourselves is ever served, so the name's ending tells the type.
    """
    row = ItemPersonalData.objects.filter(pk=item_id, item__order=order, marker="").first()
    entries = content.read(row) if row else []
    name = entries[number]["image"] if number < len(entries) else ""
    if name not in (row.images if row else []) or not may_see(user, order):
        return None
    found = _read(name)
    if found is None:
        return None
    access.log_view(user, order.pk, what="customisation picture")
    return found, TYPES[name.rpartition(".")[2]]


def for_slip(order: Order) -> dict[int, list[Entry]]:
    """What one packing slip prints, by line."""
    return for_slips([order])


def for_slips(orders: Iterable[Order]) -> dict[int, list[Entry]]:
    """What packing slips print, by line; nothing of a masked order. One query. Whoever prints it asks for the rights."""
    shown = {order.pk: order for order in orders if not order.masked}
    rows = ItemPersonalData.objects.filter(item__order__in=shown, marker="").select_related("item").order_by("pk")
    return {row.pk: found for row in rows if (found := _entries(row, shown[row.item.order_id]))}


def _read(name: str) -> bytes | None:
    try:
        with storages["customization"].open(name) as file:
            return file.read()
    except FileNotFoundError:
        return None
