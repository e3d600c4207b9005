"""What an incident may have laid open: which orders' personal data could be read in a window, and which was.

Numbers, ids and codes only: the report can be sent to whoever must be told. What could be read is what was held then
and not erased yet; what was read stands in the access log, in the security log and nowhere else.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from orders.models import Order
from privacy import access
from privacy.models import AccessLog, SecurityEvent
from privacy.models.event import EventCode

NOTICE_WITHIN = timedelta(hours=24)  # Amazon's time limit, from when somebody noticed
TELLING = (  # events after which somebody had, or sought, personal data
    EventCode.LABEL_OPENED, EventCode.EXPORTED, EventCode.PERSON_REVEALED, EventCode.PERSON_SEARCHED,
    EventCode.QUOTA_EXCEEDED, EventCode.DUMPED,
)  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """A window and, if it is known, who or what was abused. `key`: an API key's name as the security log has it."""

    since: datetime
    until: datetime
    noticed_at: datetime
    user: object = None
    key: str = ""
    store_id: int | None = None


@dataclass
class Report:
    """Orders by id; `ways`: how often in which way; `events`: what the security log has, by code."""

    since: str
    until: str
    about: str
    readable: list[int]
    read: list[int]
    people: list[int]
    ways: dict[str, int]
    events: dict[str, int]
    exported_rows: int
    notice_due: str
    hours_left: float
    contact: str
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict:
        return asdict(self)


def report(wish: Wish, *, now: datetime) -> Report:
    """The report. A constant number of queries, whatever the number of orders."""
    readable = sorted(_readable(wish).values_list("pk", flat=True))
    seen = list(_accesses(wish).values_list("order_id", "user_id", "what"))
    found = list(_events(wish).values_list("code", "kind", "ids"))
    due = wish.noticed_at + NOTICE_WITHIN
    return Report(
        since=wish.since.isoformat(), until=wish.until.isoformat(), about=_about(wish), readable=readable,
        read=sorted({order_id for order_id, _user, _what in seen}), people=sorted({user for _order, user, _what in seen}),
        ways=_counted(what for _order, _user, what in seen), events=_counted(code for code, _kind, _ids in found),
        exported_rows=sum(_exported(kind, ids) for code, kind, ids in found if code == EventCode.EXPORTED),
        notice_due=due.isoformat(), hours_left=round((due - now).total_seconds() / 3600, 1),
        contact=settings.INCIDENT_CONTACT, notes=_notes(wish),
    )  # fmt: skip


def _readable(wish: Wish):
    """Orders whose personal data was here at some time of the window and that this user's roles, or this store, reach.

    An order that was open at the end or is open now may have been open then: the warehouse's reach is told generously.
    """
    held = Q(redacted_at__isnull=True) | Q(redacted_at__gte=wish.since)
    rows = Order.objects.filter(held, first_imported_at__lte=wish.until).exclude(pii_state=Order.PiiState.NONE)
    if wish.store_id is not None:
        rows = rows.filter(store=wish.store_id)
    return rows if _reaches(wish) else rows.none()


def _reaches(wish: Wish) -> bool:
    if wish.user is None:
        return True
    rights = ("orders.view_personal_data", "orders.view_personal_data_of_open_orders", "orders.reveal_person")
    names = set(wish.user.groups.values_list("name", flat=True))
    past = _events(wish, codes=None).exclude(roles="").values_list("roles", flat=True).distinct()
    for roles in past:  # what the user could do then, not only now
        names |= set(roles.split(","))
    return any(right in access.ROLES.get(name, ()) for name in names for right in rights)


def _accesses(wish: Wish):
    rows = AccessLog.objects.filter(at__gte=wish.since, at__lte=wish.until)
    if wish.user is not None:
        rows = rows.filter(user=wish.user)
    if wish.store_id is not None:
        rows = rows.filter(order_id__in=Order.objects.filter(store=wish.store_id).values("pk"))
    return rows.none() if wish.key else rows


def _events(wish: Wish, codes: Iterable[str] | None = TELLING):
    rows = SecurityEvent.objects.filter(at__gte=wish.since, at__lte=wish.until)
    if codes is not None:
        rows = rows.filter(code__in=list(codes))
    if wish.user is not None:
        rows = rows.filter(user=wish.user)
    return rows.filter(actor=wish.key) if wish.key else rows


def _exported(kind: str, ids: list[int]) -> int:
    """How many orders one export held: it says their number or, where it held people, which they were."""
    return len(ids) if kind == "order" else sum(ids[:1]) if kind == "count" else 0


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(map(str, words)).items()))


def _about(wish: Wish) -> str:
    if wish.user is not None:
        return f"user {wish.user.pk}"
    if wish.key:
        return f"key {wish.key}"
    return f"store {wish.store_id}" if wish.store_id is not None else "everything"


def _notes(wish: Wish) -> list[str]:
    notes = [
        "Exports hold no names and no streets: only what stays after an erasure. The privacy officer's exports of "
        "personal data do: they are under ways as “export”, and their orders under read.",
    ]
    if wish.user is not None:
        notes.append("Readable counts every order the user's roles reach; the warehouse reaches open orders only.")
    if wish.store_id is not None:
        notes.append("Events of the security log are not kept by store: those of the whole window are counted.")
    if wish.key:
        notes.append("The access log knows users only; what a key read stands in the events.")
    return notes
