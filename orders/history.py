"""Reading an account's orders by the date they were made: the daily search for gaps, and the past of a new source.

Both go page by page beside the regular import and leave it its share of Amazon's searches: one page a call, from a
bucket of 20 that fills by one in 223 s (80 % of what Amazon allows). A page is read only while RESERVE calls stay
behind for the import; a reading that comes to nothing that way, because the import uses all there is, still gets a page
an hour. Polled every 5 minutes an account has about 99 calls a day to spare: 9,900 orders a week are checked in a day.

What was read is kept on the row, with the page, in one transaction: a reading killed anywhere goes on where it was.
"""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum

from orderhub import clock
from orderhub.errors import ConnectorError, CredentialsRejected, TryLater, UnexpectedAnswer
from orders import catalogue, fetching
from orders.importing import OVERLAP, AccountReopened
from orders.models import HistoryRead, OrderEvent, QuarantinedOrder, SkippedOrder
from orders.page import PageWriter
from stores.connecting import connector_for, seconds_to_spare
from stores.connectors.amazon.client import AccessDenied
from stores.connectors.base import OrderPage
from stores.health import stop_for
from stores.models import AmazonAccount, UnconnectedOrder

Kind = HistoryRead.Kind
EVERY = timedelta(days=1)
LOOK_BACK = timedelta(days=7)
SETTLED = timedelta(minutes=20)  # what is younger is left to the import
RESERVE = 5  # searches left to the import
AT_LEAST = timedelta(hours=1)  # a page in this time whatever is left
PAUSE = timedelta(minutes=10)  # after an answer that is none
GIVE_UP = timedelta(days=2)  # with an error, after this long
LONGEST = timedelta(days=14)
SHORTEST = timedelta(hours=1)  # a window is not made shorter
LONGEST_WAIT = timedelta(minutes=30)
AHEAD = timedelta(hours=1)  # later than anything waits: what is dated so was written while our clock was ahead


# -- what is to be read


def open_gap_checks(*, now: datetime, most: int) -> int:
    """Begin the day's check of up to `most` accounts whose last one began a day ago; returns of how many.

    Not of one connected or renewed today, of one whose import still reads its first window, or while the past of a new
    source is being read: their orders are not missing, they are on their way. Twice at once begins one.
    """
    recent = HistoryRead.objects.filter(kind=Kind.GAPS).filter(
        Q(started_at__range=(now - EVERY, now + AHEAD)) | Q(finished_at__isnull=True)
    )
    behind = HistoryRead.objects.filter(kind=Kind.BACKFILL, finished_at__isnull=True)
    due = (
        AmazonAccount.objects.working()
        .filter(last_poll_at__isnull=False, page_token="", verified_at__lte=now - EVERY)
        .exclude(pk__in=recent.values("account"))
        .exclude(pk__in=behind.values("account"))
        .order_by("pk")
    )
    days = min(LOOK_BACK, timedelta(days=settings.IMPORT_BACKFILL_DAYS))
    rows = [
        HistoryRead(
            account_id=pk, kind=Kind.GAPS, created_after=now - days, created_before=now - SETTLED, started_at=now,
            next_at=now,
        )
        for pk in due.values_list("pk", flat=True)[:most]
    ]  # fmt: skip
    HistoryRead.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def due(*, now: datetime) -> QuerySet[HistoryRead]:
    """Readings that may go on now, longest waiting first; those of stopped accounts wait."""
    waited = Q(next_at__lte=now) | Q(next_at__gt=now + AHEAD)
    unfinished = HistoryRead.objects.filter(
        waited, finished_at__isnull=True, account__status=AmazonAccount.Status.ACTIVE
    )
    return unfinished.order_by("next_at", "pk")


def put_right_future(*, now: datetime) -> None:
    """Readings begun while our clock was ahead: their windows are not there yet. A check ends, a backfill begins anew."""
    early = HistoryRead.objects.filter(finished_at__isnull=True, started_at__gt=now + AHEAD)
    early.filter(kind=Kind.GAPS).update(finished_at=now, error_code="ClockAhead")
    since = now - timedelta(days=settings.IMPORT_BACKFILL_DAYS)
    early.update(started_at=now, next_at=now, created_after=since, created_before=None, page_token="")


# -- reading


@dataclass
class Progress:
    """What one run read. `wait`: until the next one makes sense; None where the reading is over."""

    kind: str
    counts: Counter = field(default_factory=Counter)
    pages: int = 0
    wait: timedelta | None = None
    trouble: str = ""

    def sentence(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()) if count) or "nothing new"
        state = f"goes on in {self.wait.total_seconds():.0f} s" if self.wait is not None else "complete"
        return f"{self.kind}: {self.pages} pages: {told}; {state}{self.trouble and f'; {self.trouble}'}"


def read(entry: HistoryRead, *, now: datetime, budget_s: float) -> Progress:
    """Read on until the window ends, the import needs what is left, or the budget (seconds) is used up.

    To be called under the account's import lease. Safe to repeat and to kill. AccountReopened passes through: somebody
    changed the account's stores meanwhile.
    """
    progress, account = Progress(entry.kind), entry.account
    connector, writer = connector_for(account), PageWriter(account, now=now)
    started, entry.created_before = time.monotonic(), entry.created_before or _end(entry)
    while entry.finished_at is None:
        wait = _wait(entry)
        if wait or time.monotonic() - started > budget_s:
            return _pause(entry, progress, wait)
        try:
            page = connector.orders_created(
                after=entry.created_after, before=entry.created_before, marketplaces=entry.marketplaces,
                page_token=entry.page_token,
            )  # fmt: skip
            _check_moves(entry, page)
        except TryLater as error:
            return _pause(entry, progress, timedelta(seconds=error.wait_s), str(error))
        except ConnectorError as error:
            return _refused(entry, progress, error)
        _keep(entry, connector, writer, page, progress)
    return progress


def _check_moves(entry: HistoryRead, page: OrderPage) -> None:
    """UnexpectedAnswer where Amazon leads round in a circle, or on and on."""
    circle = page.next_token and page.next_token == entry.page_token
    if circle or clock.now() - entry.started_at > LONGEST:
        error = UnexpectedAnswer("searchOrders: no end of pages", code="PageLoop")
        error.restart = True
        raise error


def _wait(entry: HistoryRead) -> timedelta:
    """How long the import's share keeps the next page waiting; zero: it may be read now."""
    slow = clock.now() - entry.started_at > AT_LEAST * (entry.pages + 1)
    return timedelta(seconds=max(0.0, seconds_to_spare(entry.account, kept=0 if slow else RESERVE)))


def _pause(entry: HistoryRead, progress: Progress, wait: timedelta, trouble: str = "") -> Progress:
    progress.wait, progress.trouble = min(wait, LONGEST_WAIT), trouble
    _unfinished(entry).update(next_at=clock.now() + progress.wait)
    return progress


def _unfinished(entry: HistoryRead) -> QuerySet[HistoryRead]:
    """This very reading: not one that was begun again meanwhile, for another source."""
    return HistoryRead.objects.filter(pk=entry.pk, started_at=entry.started_at, finished_at__isnull=True)


def _keep(entry: HistoryRead, connector, writer: PageWriter, page: OrderPage, progress: Progress) -> None:
    """Write one page, say what of it had been missed, and note where to go on: all or nothing."""
    account = entry.account
    catalogue.look_up_first(account, page)
    with transaction.atomic():
        same = AmazonAccount.objects.filter(pk=account.pk, epoch=account.epoch)
        if not same.update(has_pii_role=connector.with_person):
            raise AccountReopened(f"account {account.pk} was re-opened meanwhile")
        missing, late = _missed(account, page) if entry.kind == Kind.GAPS else (set(), 0)
        counts = fetching.write(writer, OrderPage(page.orders, page.unreadable, None))
        closed = _close(account, missing, now=writer.now)
        entry.pages += 1
        entry.seen += len(page.orders) + len(page.unreadable)
        entry.missing, entry.late = entry.missing + closed, entry.late + late
        _move_on(entry, page.next_token)
        _unfinished(entry).update(**{name: getattr(entry, name) for name in _MOVED})
    progress.counts += counts + Counter({"missing": closed, "late": late})
    progress.pages += 1


_MOVED = (
    "pages", "seen", "missing", "late", "page_token", "created_after", "created_before", "next_at", "finished_at",
    "error_code",
)  # fmt: skip


def _move_on(entry: HistoryRead, token: str) -> None:
    """To the next page; behind the last one to the rest of a window that was cut, or to the end."""
    entry.page_token, entry.next_at, entry.error_code = token, clock.now(), ""
    if token:
        return
    until = _end(entry)
    if entry.created_before >= until:
        entry.finished_at = clock.now()
    else:
        span = entry.created_before - entry.created_after
        entry.created_after, entry.created_before = entry.created_before, min(until, entry.created_before + span)


def _end(entry: HistoryRead) -> datetime:
    """Up to when orders are asked for, reckoned from when the reading began. Amazon wants two minutes, by its clock."""
    if entry.kind == Kind.GAPS:
        return entry.started_at - SETTLED
    return entry.started_at - timedelta(minutes=2, seconds=max(0, entry.account.clock_skew_s))


def _refused(entry: HistoryRead, progress: Progress, error: ConnectorError) -> Progress:
    """An answer that is none: try later, with half the window where its page token ended; in the end give up."""
    about_sources = isinstance(error, AccessDenied) and entry.marketplaces
    if isinstance(error, CredentialsRejected) and not about_sources:
        return _pause(entry, progress, PAUSE, stop_for(entry.account, error, now=clock.now()))
    changes = {"error_code": (error.code or type(error).__name__)[:60]}
    if isinstance(error, UnexpectedAnswer) and error.restart:
        half = max(SHORTEST, (entry.created_before - entry.created_after) / 2)
        changes |= {"page_token": "", "created_before": min(entry.created_before, entry.created_after + half)}
    if about_sources or clock.now() - entry.started_at > GIVE_UP:
        changes["finished_at"] = clock.now()
    _unfinished(entry).update(**changes)
    return _pause(entry, progress, PAUSE, str(error))


# -- what had been missed


def _missed(account: AmazonAccount, page: OrderPage) -> tuple[set[str], int]:
    """Numbers nobody here knows, and how many orders have a newer state at Amazon; one query for each kind of row.

    Only what the import's cursor has left behind counts: younger changes are still on their way.
    """
    passed = account.imported_until - OVERLAP
    remotes = {remote.number: remote.updated_at for remote in page.orders if remote.updated_at < passed}
    numbers = [*remotes, *(found.number for found in page.unreadable)]
    mine = fetching.account_orders(account).filter(order_number__in=numbers)
    here = dict(mine.values_list("order_number", "amazon_updated_at"))
    known = {
        *here,
        *_numbers(SkippedOrder.objects.filter(store__account=account), numbers),
        *_numbers(UnconnectedOrder.objects.filter(account=account), numbers),
        *_numbers(QuarantinedOrder.objects.filter(account=account), numbers),
    }
    late = sum(bool(here.get(number)) and here[number] < at for number, at in remotes.items())
    return set(numbers) - known, late


def _numbers(rows: QuerySet, numbers: list[str]) -> Iterable[str]:
    return rows.filter(order_number__in=numbers).values_list("order_number", flat=True)


def _close(account: AmazonAccount, missing: set[str], *, now: datetime) -> int:
    """Say on each order's timeline that it had been missing; how many are here now, the unreadable ones included.

    What turns out to be left out on purpose was no loss.
    """
    if not missing:
        return 0
    found = fetching.account_orders(account).filter(order_number__in=missing).values_list("pk", flat=True)
    events = [OrderEvent(order_id=pk, kind=OrderEvent.Kind.GAP_CLOSED, at=now) for pk in found]
    OrderEvent.objects.bulk_create(events)
    return len(events) + QuarantinedOrder.objects.filter(account=account, order_number__in=missing).count()


def alarm() -> tuple[int, int]:
    """Orders that the last finished check of each account found missing, and of how many accounts. One query."""
    newest = (
        HistoryRead.objects.filter(kind=Kind.GAPS, finished_at__isnull=False, account=OuterRef("account"))
        .order_by("-started_at", "-pk")
        .values("pk")[:1]
    )
    found = HistoryRead.objects.filter(pk=Subquery(newest), missing__gt=0).order_by()
    told = found.aggregate(orders=Sum("missing"), accounts=Count("pk"))
    return told["orders"] or 0, told["accounts"]
