"""The clock's door to importing."""

from datetime import timedelta

from django.conf import settings

from orderhub import clock
from orderhub.errors import CredentialsRejected, RequestRejected, TryLater, UnexpectedAnswer
from orderhub.jobs import BUDGET_S, CALLS_S, enqueue, every, task
from orders import history_jobs, holding, importing, radar
from orders import product_jobs as product_jobs  # declares its jobs
from orders.customization.jobs import fetch_customizations
from privacy import deadman
from stores.connecting import connector_for
from stores.health import stop_for, stop_if_expired
from stores.models import AmazonAccount

RETRY = timedelta(minutes=1)
MOST_WOKEN = 500  # accounts a minute, those that wait longest
TAKEN = timedelta(minutes=10)  # an account that was woken is not woken again before: its task waits in the queue


@every(minutes=1)
def import_due_accounts() -> str:
    """Wake the accounts whose next poll is due, each once. A task that is lost is asked for again when TAKEN is over.

    None while erasure is hours behind: what cannot be erased in time is not taken in either.
    """
    now = clock.now()
    if waits := deadman.why_import_waits():
        return waits
    ids = list(AmazonAccount.objects.due(now).values_list("pk", flat=True)[:MOST_WOKEN])
    AmazonAccount.objects.filter(pk__in=ids).update(next_poll_at=now + TAKEN)
    for account_id in ids:
        enqueue(import_account, account_id)
    return f"{len(ids)} accounts"


@task
def import_account(account_id: int) -> str:
    """Import one account's changed orders and note when to look again."""
    if waits := deadman.why_import_waits():
        return waits
    account = AmazonAccount.objects.get(pk=account_id)
    if stop_if_expired(account, now=clock.now()) or account.status != AmazonAccount.Status.ACTIVE:
        return f"account {account_id}: {account.status}"
    _look_again(account_id, wait=RETRY)  # should this process be killed, another goes on then
    try:
        report = importing.import_changes(account, connector_for(account), now=clock.now(), budget_s=CALLS_S)
    except CredentialsRejected as error:
        return stop_for(account, error, now=clock.now())
    except importing.AccountReopened as error:
        enqueue(import_account, account_id)
        return str(error)
    except TryLater as error:
        _look_again(account_id, wait=max(timedelta(seconds=error.wait_s), RETRY))
        return f"account {account_id}: {error}"
    except (UnexpectedAnswer, RequestRejected) as error:
        _look_again(account_id, wait=importing.FLOOR)
        return f"account {account_id}: {error}"
    if report.counts["customised"]:
        enqueue(fetch_customizations)  # Amazon's addresses live for a short while
    if report.complete:
        _look_again(account_id, wait=max(importing.FLOOR, timedelta(minutes=settings.IMPORT_POLL_MINUTES)))
        history_jobs.wake(account_id)
    elif report.wait_s:
        _look_again(account_id, wait=timedelta(seconds=report.wait_s))
    else:
        _look_again(account_id, wait=timedelta(0))
        enqueue(import_account, account_id)
    return f"account {account_id}: {report.sentence()}"


def _look_again(account_id: int, *, wait: timedelta) -> None:
    AmazonAccount.objects.filter(pk=account_id).update(next_poll_at=clock.now() + wait)


@every(minutes=5)
def release_holds() -> str:
    """Release the orders whose hold has come to its end."""
    released, more = holding.release_due(now=clock.now(), budget_s=BUDGET_S)
    if more:
        enqueue(release_holds)
    return f"{released} released"


@every(minutes=60)
def warn_of_erasures() -> str:
    """Mail support, once a day, how many unsent orders are about to lose their address."""
    return radar.remind(clock.now())
