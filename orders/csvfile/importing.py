"""From a file to orders: a preview that stores nothing, then all of them or none."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders import entering, latch, typed
from orders.csvfile import columns, reading
from orders.csvfile.columns import NUMBER, STATUS, TAGS, Column
from orders.entering import Entry
from orders.forms_entering import DATES, NAMELESS, OWN, PERSON, WEIGHT_IN_ALL
from orders.models import Order, OrderEvent, Tag
from stores.models import Store

MOST_PROBLEMS = 1_000  # kept: somebody who has more mends the file, not the rows


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell, and what to do. `column`: its header, '' where it is about the row."""

    row: int
    column: str
    text: str


@dataclass(repr=False)
class Draft:
    """An order of the file, as far as it was read. `first`: its first row."""

    entry: Entry
    first: int
    zone: ZoneInfo
    rows: int = 1
    said: dict = field(default_factory=dict)

    @property
    def local(self) -> datetime | None:
        """When it was ordered, in the store's zone: how somebody wrote it."""
        when = self.entry.order.get("ordered_at")
        return when and when.astimezone(self.zone)

    @property
    def status_word(self) -> str:
        return str(Order.Status(self.entry.status).label)

    @property
    def total(self) -> Decimal | None:
        return entering.totals(self.entry.lines, self.entry.order.get("shipping_total"))["order_total"]


@dataclass(repr=False)
class Preview:
    """What an import would do. `known`: numbers that are there already: those are left out. `notes`: how a date was
    read that could be read otherwise. `nameless`: how many orders have no recipient. `offers`: those of `known` of whose
    people the file says something."""

    table: reading.Table
    drafts: list[Draft] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    wrong: int = 0
    notes: list[Problem] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)

    @property
    def fits(self) -> bool:
        return bool(self.drafts) and not self.wrong

    @property
    def nameless(self) -> int:
        return sum(not draft.entry.person.get("recipient_name") for draft in self.drafts)


def preview(content: bytes, store: Store, *, now: datetime) -> Preview:
    """Read a file for this store. Stores nothing; two queries. RuleViolation for a file that cannot be read at all."""
    return _Reader(store, reading.table(content), now).read()


def commit(content: bytes, store: Store, *, by, now: datetime) -> tuple[list[Order], Preview]:
    """Read the file again and write all its orders, or none. Those whose numbers are there already are left out.

    RuleViolation where anything is wrong with it, or somebody entered one of its orders this very moment.
    """
    found = preview(content, store, now=now)
    if not found.fits:
        raise RuleViolation(_("Nothing was imported: look at the preview again."))
    _record_offers(store, found.offers, by=by, now=now)
    entries = [draft.entry for draft in found.drafts]
    return entering.enter(store, entries, kind=OrderEvent.Kind.FROM_FILE, by=by, now=now), found


def _record_offers(store: Store, numbers: list[str], *, by, now: datetime) -> None:
    """Orders that are here already are left as they are; of an erased one, that somebody brought its people back is noted."""
    if not numbers:
        return
    erased = store.orders.filter(order_number__in=numbers, pii_state__in=Order.PiiState.MASKED)
    latch.record(list(erased.order_by("pk").values_list("pk", flat=True)), client=latch.FILE, by=by, now=now)


class _Reader:
    """One pass over the table. Cells of people go into drafts only, never into a problem's text."""

    def __init__(self, store: Store, table: reading.Table, now: datetime):
        self.store, self.now = store, now
        self.found = Preview(table)
        self.tags = {name.casefold(): (pk, name) for pk, name in Tag.objects.values_list("pk", "name")}
        self.drafts: dict[str, Draft] = {}

    def read(self) -> Preview:
        for row, cells in self.found.table.rows:
            self._read_row(row, cells)
        known = entering.existing(self.store, self.drafts)
        self.found.known = [number for number in self.drafts if number in known]
        self.found.offers = [number for number in self.found.known if self._names_somebody(self.drafts[number])]
        self.found.drafts = [draft for number, draft in self.drafts.items() if number not in known]
        for draft in self.found.drafts:
            self._check(draft)
        return self.found

    @staticmethod
    def _names_somebody(draft: Draft) -> bool:
        return any(draft.said[name][1] for name in PERSON if name in draft.said)

    def _read_row(self, row: int, cells: list[str]) -> None:
        if len(cells) > self.found.table.width:
            self._wrong(
                row, "", _("This row has more cells than the header. Put texts with separators into quotation marks.")
            )
            return
        texts = {
            column.name: cells[place].strip() if place < len(cells) else ""
            for place, column in self.found.table.columns.items()
            if column.is_read
        }
        values = {name: self._clean(row, columns.BY_NAME[name], text) for name, text in texts.items()}
        number = values.get(NUMBER)
        if not number:
            if NUMBER in texts and not texts[NUMBER]:
                self._wrong(row, NUMBER, _("Type the order number: rows of one order have the same."))
            return
        draft = self.drafts.get(number)
        if draft is None:
            draft = self.drafts[number] = Draft(Entry(number, {}, {}, []), row, self.store.zone)
        else:
            draft.rows += 1
        self._merge(draft, row, texts, values)
        self._add_line(draft, row, values)

    def _clean(self, row: int, column: Column, text: str):
        """The cell's value; None where it is wrong, which is noted, or empty."""
        if not text and (not column.is_line or column.name in columns.MAY_BE_EMPTY):
            return None
        try:
            if column.name == TAGS:
                return self._tags(text)
            value = column.clean(text)
            if column.name in DATES:
                self._note_date(row, column, text)
                return typed.aware(value, self.store.zone)
            return value
        except ValidationError as error:
            self._wrong(row, column.name, " ".join(error.messages))
            return None

    def _tags(self, text: str) -> dict[int, str]:
        found = {}
        for name in filter(None, (part.strip() for part in text.split("|"))):
            if name.casefold() not in self.tags:
                raise ValidationError(_("There is no such tag. Make it first, among the tags, or leave it out."))
            found |= [self.tags[name.casefold()]]
        return found

    def _note_date(self, row: int, column: Column, text: str) -> None:
        when, either_way = typed.instant(text)
        if either_way and len(self.found.notes) < MOST_PROBLEMS:
            told = _("Day and month could change places: read as %(date)s.") % {"date": when.date().isoformat()}
            self.found.notes.append(Problem(row, column.header, told))

    def _merge(self, draft: Draft, row: int, texts: dict, values: dict) -> None:
        """What belongs to the order: the first row that says it counts, and the others may not say otherwise."""
        for name, value in values.items():
            if columns.BY_NAME[name].is_line or name == NUMBER or not texts[name]:
                continue
            before = draft.said.setdefault(name, (row, value))
            if value is not None and before[1] is not None and before[1] != value:
                told = _(
                    "This differs from row %(row)d of the same order. Make both the same, or leave this one empty."
                )
                self._wrong(row, name, told % {"row": before[0]})

    def _add_line(self, draft: Draft, row: int, values: dict) -> None:
        empty = {"sku": "", "asin": "", "title": "", "warehouse_location": "", "options": []}
        given = {name: value for name, value in values.items() if columns.BY_NAME[name].is_line and value is not None}
        line = empty | {"unit_price": None, "tax": None, "discount": None, "weight_g": None} | given
        if not (line["sku"] or line["asin"] or line["title"]):
            self._wrong(row, "sku", str(NAMELESS))
        if "quantity" in line:  # else the cell is wrong, and nothing of this file is imported
            draft.entry.lines.append(line)

    def _check(self, draft: Draft) -> None:
        """What belongs to the order as a whole."""
        said = {name: value for name, (_row, value) in draft.said.items() if value is not None}
        entry = draft.entry
        entry.order = {name: said[name] for name in OWN if name in said}
        entry.person = {name: said[name] for name in PERSON if name in said}
        entry.status, entry.tags = said.get(STATUS) or Order.Status.AWAITING_SHIPMENT, said.get(TAGS) or {}
        if "currency" not in draft.said:
            self._wrong(draft.first, "currency", _("Type the three letters of the currency, such as EUR or USD."))
        if sum(line["quantity"] * (line["weight_g"] or 0) for line in entry.lines) > WEIGHT_IN_ALL:
            self._wrong(draft.first, "weight_g", _("This order is too heavy. Weights are in grams."))
        try:
            _total = draft.total
        except RuleViolation as error:
            self._wrong(draft.first, "unit_price", str(error))

    def _wrong(self, row: int, name: str, text: str) -> None:
        self.found.wrong += 1
        if len(self.found.problems) < MOST_PROBLEMS:
            header = columns.BY_NAME[name].header if name else ""
            self.found.problems.append(Problem(row, header, text))
