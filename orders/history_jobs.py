"""The clock's door to reading the past: the daily search for gaps, and what a new order source had before."""

import time
from datetime import timedelta

from orderhub import clock
from orderhub.jobs import CALLS_S, Busy, enqueue, every, task, under_lease
from orders import history
from orders.fetching import import_lease
from orders.importing import AccountReopened
from orders.models import HistoryRead
from privacy import deadman
from stores.health import stop_if_expired
from stores.models import AmazonAccount

MOST_BEGUN = 20  # daily checks a run begins: a thousand accounts are spread over four hours, and stay so
MOST_WOKEN = 100
TAKEN = timedelta(minutes=10)  # a reading that was woken is not woken again before
RETRY = timedelta(minutes=1)


@every(minutes=5)
def find_gaps() -> str:
    """Begin the daily checks that are due, and wake the readings that may go on."""
    if waits := deadman.why_import_waits():
        return waits
    now = clock.now()
    history.put_right_future(now=now)
    begun = history.open_gap_checks(now=now, most=MOST_BEGUN)
    found = list(history.due(now=now).values_list("pk", "account_id")[:MOST_WOKEN])
    HistoryRead.objects.filter(pk__in=[pk for pk, _account in found]).update(next_at=now + TAKEN)
    accounts = list(dict.fromkeys(account_id for _pk, account_id in found))
    for account_id in accounts:
        enqueue(read_past, account_id)
    return f"{begun} daily checks begun, {len(accounts)} accounts read"


def wake(account_id: int) -> None:
    """The regular import of this account is done: what waits for it may go on at once."""
    if history.due(now=clock.now()).filter(account=account_id).exists():
        enqueue(read_past, account_id)


@task
def read_past(account_id: int) -> str:
    """Go on with an account's readings, beside nobody else who writes its orders."""
    if waits := deadman.why_import_waits():
        return waits
    try:
        return under_lease(import_lease(account_id), lambda: _read_past(account_id))
    except Busy as busy:
        _unfinished(account_id).update(next_at=clock.now() + RETRY)
        return f"account {account_id}: {busy}"


def _unfinished(account_id: int):
    return HistoryRead.objects.filter(account=account_id, finished_at__isnull=True)


def _read_past(account_id: int) -> str:
    account, started, told = AmazonAccount.objects.get(pk=account_id), time.monotonic(), []
    if stop_if_expired(account, now=clock.now()) or account.status != AmazonAccount.Status.ACTIVE:
        return f"account {account_id}: {account.status}"
    for entry in _unfinished(account_id).select_related("account").order_by("kind"):
        try:
            left_s = CALLS_S - (time.monotonic() - started)
            progress = history.read(entry, now=clock.now(), budget_s=left_s)
        except AccountReopened as error:
            enqueue(read_past, account_id)
            return str(error)
        told.append(progress.sentence())
        if progress.wait == timedelta(0):
            enqueue(read_past, account_id)
            break
    return f"account {account_id}: {'; '.join(told) or 'nothing to read'}"
