"""Fetches what buyers wished for on their lines: Amazon's archive, once, into our own files and text.

Every file's name stands on the row before the file exists, and files are written while order and row are locked: a
process killed anywhere leaves nothing that the next attempt or the erasure would not find.
"""

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction

from orderhub import failpoints, pictures
from orderhub.errors import ConnectorError, RequestRejected, TryLater, UnexpectedAnswer
from orderhub.http import parsed
from orders.customization import archive, content
from orders.models import ItemPersonalData, Order, OrderEvent
from privacy.fields import sealed_values
from stores import fetching

State = ItemPersonalData.State
WAITS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 240, 720, 1440, 1800))  # three days together
BATCH = 200
MOST_PICTURES = 10
MOST_PICTURE_BYTES = 25 * 1024 * 1024  # of a line, as kept
BOX = (1600, 1600)  # pixels
MAY_PASS = {"NotAnArchive", "Redirect"}  # a page of errors, a body cut short; whatever else is refused stays refused
INTERRUPTED = "Interrupted"  # the error of an attempt that did not live to name its own


@dataclass
class Report:
    """What a sweep did. `more`: the time budget ended before the work did."""

    counts: dict[str, int] = field(default_factory=lambda: {"fetched": 0, "refused": 0, "failed": 0, "later": 0})
    more: bool = False

    def sentence(self) -> str:
        return ", ".join(f"{count} {word}" for word, count in self.counts.items())


@dataclass(frozen=True, repr=False)  # no repr: values would reach tracebacks
class Wish:
    """What an archive held: entries that name files of the archive, and these files drawn again: (bytes, "png" or "jpg")."""

    entries: list[content.Entry]
    pictures: dict[str, tuple[bytes, str]]


def due(now: datetime):
    """The lines whose archive may be fetched at `now`, longest waiting first."""
    return ItemPersonalData.objects.filter(
        state=State.WAITING, marker="", next_attempt_at__lte=now, item__order__store__import_customization=True,
        item__order__pii_state__in=[Order.PiiState.NONE, Order.PiiState.PRESENT],
    ).exclude(customized_url="").order_by("next_attempt_at", "pk")  # fmt: skip


def fetch_due(*, now: datetime, budget_s: float) -> Report:
    """Fetch what is due, until nothing is or the budget (seconds) ends. Safe to repeat and to run twice at once."""
    report, ends_at = Report(), time.monotonic() + budget_s
    for pk in list(due(now).values_list("pk", flat=True)[:BATCH]):
        if time.monotonic() > ends_at:
            break
        outcome = fetch_one(pk, now=now)
        if outcome:
            report.counts[outcome] += 1
    report.more = due(now).exists()
    return report


def fetch_one(pk: int, *, now: datetime) -> str:
    """One attempt for one line; returns a key of Report.counts, '' where another was faster or the order is erased."""
    row = _claim(pk, now=now)
    if row is None:
        return ""
    if row.attempts > len(WAITS) + 1:
        return _end(row, State.FAILED, INTERRUPTED, now=now)
    try:
        wish = read(fetching.fetch(row.customized_url, kind="customization"))
    except (UnexpectedAnswer, RequestRejected, TryLater) as error:
        if isinstance(error, TryLater) or error.code in MAY_PASS or error.code.startswith("HTTP"):
            return _later(row, error, now=now)
        return _end(row, State.REFUSED, error.code, now=now)
    return _keep(row, wish, now=now)


def read(sent: bytes) -> Wish:
    """The archive's entries and pictures. archive.Refused for a hostile one, or one that says nothing."""
    entries: list[content.Entry] = []
    wanted: set[str] = set()
    drawn: dict[str, tuple[bytes, str]] = {}
    documents = 0
    for name, body in archive.entries(sent):
        if name.lower().endswith(".json"):
            documents += 1
            entries += content.entries_of(_document(body))[: content.MOST_ENTRIES - len(entries)]
            wanted = {entry["image"] for entry in entries if entry["image"]}
        elif name in wanted and len(drawn) < MOST_PICTURES:
            drawn |= _drawn(name, body)
            if sum(len(picture) for picture, _suffix in drawn.values()) > MOST_PICTURE_BYTES:
                raise archive.Refused("TooLarge")
    if not documents:
        raise archive.Refused("NoDocument")
    return Wish(entries, drawn)


def _document(body: bytes) -> dict | list:
    try:
        return parsed(body)
    except ValueError:
        raise archive.Refused("Json") from None


def _drawn(name: str, body: bytes) -> dict[str, tuple[bytes, str]]:
    """The picture under its name; nothing for one that cannot be read, is too large, or is no picture (SVG)."""
    try:
        return {name: pictures.redrawn(body, box=BOX, photo=True)}
    except pictures.PictureRefused:
        return {}


def _claim(pk: int, *, now: datetime) -> ItemPersonalData | None:
    """The row, if it is still due. Its next attempt is put off at once: one that kills its worker must not come first
    again and again."""
    with transaction.atomic():
        row = due(now).filter(pk=pk).select_for_update(of=("self",)).select_related("item").first()
        if row is None:
            return None
        row.attempts += 1
        row.next_attempt_at = now + WAITS[min(row.attempts, len(WAITS)) - 1]
        row.error_code = INTERRUPTED
        row.save(update_fields=["attempts", "next_attempt_at", "error_code"])
    if row.images and not row.customization:  # of an attempt that was killed while it wrote
        destroy(row.images)
        _still(row).update(images=[])
        row.images = []
    return row


def _later(row: ItemPersonalData, error: ConnectorError, *, now: datetime) -> str:
    if row.attempts > len(WAITS):
        return _end(row, State.FAILED, error.code, now=now)
    wait = max(row.next_attempt_at - now, timedelta(seconds=getattr(error, "wait_s", 0)))
    changed = {"error_code": error.code[:60], "next_attempt_at": now + wait}
    _still(row).update(**changed)
    return "later"


def _end(row: ItemPersonalData, state: str, code: str, *, now: datetime) -> str:
    """No further attempt: the address, which is as good as a password, goes too."""
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=row.item.order_id)
        changed = {"state": state, "error_code": code[:60], "customized_url": "", "next_attempt_at": None}
        if _still(row).update(**changed):
            _note(row, state, now=now, code=code[:60])
    return str(state)


def _keep(row: ItemPersonalData, wish: Wish, *, now: datetime) -> str:
    """Files and text, both or neither. Nothing of it is kept where the order was erased meanwhile."""
    names = {name: f"{secrets.token_hex(16)}.{suffix}" for name, (_picture, suffix) in wish.pictures.items()}
    old, new = list(row.images), list(names.values())
    entries = [entry | {"image": names.get(entry["image"], "")} for entry in wish.entries]
    entries = [entry for entry in entries if entry["value"] or entry["image"]]
    if new and not _still(row).update(images=[*old, *new]):
        return ""
    failpoints.reach("custom.after_names")
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=row.item.order_id)
        live = _still(row).select_for_update()
        if order.masked or not live:
            live.update(images=old)  # none of the new ones was written
            return ""
        _write(wish, names)
        destroy(old)
        live.update(
            images=new, state=State.FETCHED, error_code="", customized_url="", next_attempt_at=None,
            **sealed_values(row, customization=content.written(entries)),
        )  # fmt: skip
        content.count_as_personal(order)
        _note(row, State.FETCHED, now=now)
    return str(State.FETCHED)


def _still(row: ItemPersonalData):
    """The row as long as it waits for this very archive and is not erased: of two attempts, and of an attempt and an
    erasure or a newer address, one is too late. An address that comes in sets the next attempt anew; it is encrypted,
    and cannot be compared itself."""
    return ItemPersonalData.objects.filter(
        pk=row.pk, state=State.WAITING, marker="", attempts=row.attempts, next_attempt_at=row.next_attempt_at
    )


def _write(wish: Wish, names: dict[str, str]) -> None:
    storage = storages["customization"]
    for name, (picture, _suffix) in wish.pictures.items():
        storage.save(names[name], ContentFile(picture))
        failpoints.reach("custom.between_files")


def destroy(names: list[str]) -> None:
    """Delete these files; one that is not there is as good as deleted."""
    for name in names:
        storages["customization"].delete(name)


def _note(row: ItemPersonalData, outcome: str, *, now: datetime, **more) -> None:
    OrderEvent.objects.create(
        order_id=row.item.order_id, kind=OrderEvent.Kind.CUSTOMIZATION, at=now, params={"outcome": str(outcome), **more}
    )
