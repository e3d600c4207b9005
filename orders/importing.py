"""Importing: every order changed since the account's cursor, page by page. It knows no queue, no request, no HTTP.

A page is one transaction and the same few statements whatever is in it. The cursor is the bound Amazon returned and
moves last, so a process killed anywhere reads the same window again; reading twice changes nothing.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DataError, IntegrityError, transaction

from orderhub import failpoints
from orderhub.errors import OrderHubError, Throttled, UnexpectedAnswer
from orderhub.jobs import BUDGET_S
from orders import catalogue
from orders.page import PageWriter
from stores.connectors.base import Connector, OrderPage, RemoteOrder, Unreadable
from stores.models import AmazonAccount

OVERLAP = timedelta(minutes=15)
BOUND_AHEAD = timedelta(minutes=5)
REFUSED = (DataError, IntegrityError, ValueError)  # what one order's values can make a database or its driver say
FLOOR = timedelta(minutes=3)  # Amazon refills one search call per account in 179 s


class AccountReopened(OrderHubError):
    """Renewed, resumed or given another source while this import ran: the next run starts from what that left."""


@dataclass
class ImportReport:
    """What one run read. `complete`: the window was read to its end and the cursor moved."""

    counts: Counter = field(default_factory=Counter)
    pages: int = 0
    complete: bool = False
    wait_s: float = 0.0
    bound_refused: bool = False

    def sentence(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items())) or "nothing new"
        state = "complete" if self.complete else f"to be continued in {self.wait_s:.0f} s"
        if self.bound_refused:
            state += "; ALARM: Amazon's bound refused, the cursor stays"
        return f"{self.pages} pages: {told}; {state}"


def import_changes(
    account: AmazonAccount, connector: Connector, *, now: datetime, budget_s: float = BUDGET_S
) -> ImportReport:
    """Write every order changed since the account's cursor. Safe to repeat and to kill.

    Stops between pages when the budget (seconds) or Amazon's bucket is used up, and goes on from that page next time.
    Other errors of the connector pass through; what was written stays.
    """
    report, started = ImportReport(), time.monotonic()
    after = account.window_after or _after(account)
    writer = PageWriter(account, now=now)
    failpoints.reach("import.before_call")
    pages = connector.orders_changed(after=after, page_token=account.page_token)
    while True:
        try:
            page = next(pages, None)
        except Throttled as error:
            report.wait_s = error.wait_s
            return report
        except UnexpectedAnswer as error:
            if error.restart:  # the page we wanted cannot be had: next time the window is read from its start
                _forget_window(account)
            raise
        if page is None:
            break
        failpoints.reach("import.after_answer")
        catalogue.look_up_first(account, page)
        account.has_pii_role = getattr(connector, "with_person", account.has_pii_role)
        _write(account, writer, page, after=after, report=report)
        failpoints.reach("import.between_pages")
        if page.next_token and time.monotonic() - started > budget_s:
            return report
    failpoints.reach("import.before_cursor")
    _finish(account, connector, now=now, report=report)
    failpoints.reach("import.after_cursor")
    return report


def _after(account: AmazonAccount) -> datetime:
    skew = timedelta(seconds=3 * abs(account.clock_skew_s))
    return account.imported_until - max(OVERLAP, min(skew, timedelta(hours=6)))


def _write(account, writer: PageWriter, page: OrderPage, *, after: datetime, report: ImportReport) -> None:
    """One page and the note where to go on, together. What one order breaks in the database, the others do not pay."""
    try:
        counts = _commit(account, writer, page, after=after)
    except REFUSED:
        writer.forget()
        for order in page.orders:
            report.counts += write_alone(writer, order)
        rest = OrderPage((), page.unreadable, _bound_of(page), page.next_token)
        counts = _commit(account, writer, rest, after=after)
    report.counts += counts
    report.pages += 1


def _commit(account, writer: PageWriter, page: OrderPage, *, after: datetime) -> Counter:
    with transaction.atomic():
        counts = writer.write(page)
        failpoints.reach("import.inside_page")
        account.window_after, account.page_token = after, page.next_token
        account.window_bound = account.window_bound or _bound_of(page)
        _keep(account, ["window_after", "page_token", "window_bound", "has_pii_role"])
    return counts


def _keep(account: AmazonAccount, columns: list[str]) -> None:
    """Write columns of the account, unless a person re-opened it meanwhile: then theirs count and this run ends."""
    same = AmazonAccount.objects.filter(pk=account.pk, epoch=account.epoch)
    if not same.update(**{name: getattr(account, name) for name in columns}):
        raise AccountReopened(f"account {account.pk} was re-opened meanwhile")


def _forget_window(account: AmazonAccount) -> None:
    account.window_after = account.window_bound = None
    account.page_token = ""
    _keep(account, ["window_after", "window_bound", "page_token"])


def write_alone(writer: PageWriter, order: RemoteOrder) -> Counter:
    """Write one order in a transaction of its own; one the database refuses is quarantined. Returns what became of it."""
    try:
        with transaction.atomic():
            return writer.write(OrderPage((order,), (), None))
    except REFUSED as error:
        writer.forget()
        with transaction.atomic():
            return writer.write(OrderPage((), (Unreadable(order.number, type(error).__name__, "database"),), None))


def _bound_of(page: OrderPage) -> datetime | None:
    """Amazon's bound of the window; if it names none, the last change it showed us, which is Amazon's time too."""
    return page.bound or max((order.updated_at for order in page.orders), default=None)


def _finish(account: AmazonAccount, connector: Connector, *, now: datetime, report: ImportReport) -> None:
    """Move the cursor to Amazon's bound, never back and never far ahead of our own clock."""
    bound, before = account.window_bound, account.imported_until
    report.bound_refused = bound is not None and (bound < before or bound > now + BOUND_AHEAD)
    if bound is not None and not report.bound_refused:
        account.imported_until = bound
    account.window_after = account.window_bound = None
    account.page_token = ""
    account.last_poll_at = now
    account.clock_skew_s = connector.skew_s
    account.has_pii_role = getattr(connector, "with_person", account.has_pii_role)
    _keep(
        account,
        [
            "imported_until", "window_after", "window_bound", "page_token", "last_poll_at", "clock_skew_s", "has_pii_role",
        ],
    )  # fmt: skip
    report.complete = True
