"""The clock's door to the outbox."""

from orderhub import clock
from orderhub.errors import CredentialsRejected, RequestRejected, TryLater
from orderhub.jobs import BUDGET_S, CALLS_S, enqueue, every, task
from shipments import (
    batching,
    batchprices,
    confirming,
    feeding,
    finishing,
    forwarding,
    manual_updates,
    mirroring,
    retiring,
    tracking,
)
from shipments.mails.jobs import send_mails as send_mails  # declares it
from shipments.models import Feed, LabelBatch, ShipmentNotification
from stores.connecting import connector_for
from stores.health import stop_for, stop_if_expired
from stores.linking import mirror_connector_for, stop_shop
from stores.models import AmazonAccount, Store

SOON_S = 5
OPEN = ("pending", "retry_at", "unknown", "in_flight")


@every(minutes=1)
def notify_marketplaces() -> str:
    """Wake the accounts that have something to say, or something left by a dead worker."""
    now = clock.now()
    due = AmazonAccount.objects.working().filter(
        pk__in=ShipmentNotification.objects.filter(channel="amazon", state__in=OPEN, next_attempt_at__lte=now).values(
            "order__store__account"
        )
    )
    ids = list(due.values_list("pk", flat=True))
    for account_id in ids:
        enqueue(notify_account, account_id)
    return f"{len(ids)} accounts"


@every(minutes=2)
def follow_feeds() -> str:
    """Wake the accounts that have a submission to look at."""
    due = Feed.objects.due(clock.now()).filter(account__in=AmazonAccount.objects.working())
    ids = list(due.order_by().values_list("account", flat=True).distinct())
    for account_id in ids:
        enqueue(follow_account_feeds, account_id)
    return f"{len(ids)} accounts"


@task
def follow_account_feeds(account_id: int) -> str:
    """Look at one account's submissions; what they leave to be told one by one is told at once."""
    account = AmazonAccount.objects.get(pk=account_id)
    if stop_if_expired(account, now=clock.now()) or account.status != AmazonAccount.Status.ACTIVE:
        return f"account {account_id}: {account.status}"
    try:
        told = feeding.follow(account, connector_for(account), now=clock.now())
    except CredentialsRejected as error:
        return stop_for(account, error, now=clock.now())
    except TryLater as error:
        return f"account {account_id}: {error}"
    enqueue(notify_account, account_id)
    return f"account {account_id}: {told}"


@task
def notify_account(account_id: int) -> str:
    """Settle and send one account's notices. An account that must authorise again keeps its rows untouched."""
    account = AmazonAccount.objects.get(pk=account_id)
    if stop_if_expired(account, now=clock.now()) or account.status != AmazonAccount.Status.ACTIVE:
        return f"account {account_id}: {account.status}"
    try:
        report = confirming.notify_due(account, connector_for(account), now=clock.now(), budget_s=CALLS_S)
    except CredentialsRejected as error:
        return stop_for(account, error, now=clock.now())
    except TryLater as error:
        return f"account {account_id}: {error}"
    soon = 0 < report.wait_s <= SOON_S and not clock.shifted()  # Amazon's bucket refills faster than our minute
    if report.more or soon:
        enqueue(notify_account, account_id)
    wake_mirrors(of_account=account_id)
    return f"account {account_id}: {report.sentence()}"


@every(minutes=1)
def mirror_due() -> str:
    """Wake the BigCommerce stores that are to hear of a parcel Amazon knows of, or of something a dead worker left."""
    return f"{wake_mirrors()} BigCommerce stores"


def wake_mirrors(*, of_account: int | None = None) -> int:
    """Ask for a run of each BigCommerce store with something due, of one account's orders or of all; returns how many."""
    due = mirroring.due(clock.now())
    if of_account is not None:
        due = due.filter(order__store__account=of_account)
    ids = sorted(set(due.values_list("order__store__linked_store", flat=True)))
    for shop_id in ids:
        enqueue(mirror_shop, shop_id)
    return len(ids)


@task
def mirror_shop(shop_id: int) -> str:
    """Tell one BigCommerce store of parcels. One whose token is refused keeps its rows untouched."""
    shop = Store.objects.select_related("bigcommerce").get(pk=shop_id)
    if shop.bigcommerce.status != shop.bigcommerce.Status.ACTIVE:
        return f"BigCommerce store {shop_id}: {shop.bigcommerce.status}"
    try:
        report = mirroring.mirror_due(shop, mirror_connector_for(shop), now=clock.now(), budget_s=CALLS_S)
    except (CredentialsRejected, RequestRejected) as error:
        stop_shop(shop.bigcommerce, error.code)
        return f"BigCommerce store {shop_id} stopped: {error}"
    if report.more:
        enqueue(mirror_shop, shop_id)
    return f"BigCommerce store {shop_id}: {report.sentence()}"


@every(minutes=1)
def settle_purchases() -> str:
    """Wake the accounts that have labels whose purchase or void was not seen to its end."""
    ids = _working(finishing.due(clock.now()).values("order__store__account"))
    for account_id in ids:
        enqueue(settle_account, account_id)
    return f"{len(ids)} accounts"


@task
def settle_account(account_id: int) -> str:
    """Ask again, with the same key, for what one account's purchases came to."""
    account = AmazonAccount.objects.get(pk=account_id)
    report = finishing.settle_due(account, now=clock.now())
    if report.more:
        enqueue(settle_account, account_id)
    return f"account {account_id}: {report.sentence()}"


@every(minutes=60)
def track_shipments() -> str:
    """Wake the accounts that have parcels on their way whose scans Amazon reports."""
    ids = _working(tracking.to_follow(clock.now()).order_by().values("order__store__account"))
    for account_id in ids:
        enqueue(track_account, account_id)
    return f"{len(ids)} accounts"


@task
def track_account(account_id: int) -> str:
    """Ask how far one account's parcels got."""
    account = AmazonAccount.objects.get(pk=account_id)
    if account.status != AmazonAccount.Status.ACTIVE:
        return f"account {account_id}: {account.status}"
    try:
        asked, changed, more = tracking.follow(account, now=clock.now())
    except CredentialsRejected as error:
        return stop_for(account, error, now=clock.now())
    if more:
        enqueue(track_account, account_id)
    return f"account {account_id}: {asked} parcels asked for, {changed} moved"


@every(minutes=10)
def take_in_deliveries() -> str:
    """Deliveries that came with imported orders, onto the timeline and the erasure clock."""
    count, more = tracking.take_in_deliveries(now=clock.now())
    if more:
        enqueue(take_in_deliveries)
    return f"{count} deliveries"


def _working(accounts) -> list[int]:
    return list(AmazonAccount.objects.working().filter(pk__in=accounts).order_by("pk").values_list("pk", flat=True))


@every(minutes=60)
def remind_manual_updates() -> str:
    """Mail how many orders wait to be confirmed by hand: hourly, so that one that is nearly late is told in time."""
    return manual_updates.remind(clock.now())


@every(minutes=1)
def run_batches() -> str:
    """Go on with the batches of labels whose run was lost, or waits for a provider."""
    ids = list(LabelBatch.objects.filter(state__in=LabelBatch.State.BUSY).order_by("pk").values_list("pk", flat=True))
    for batch_id in ids:
        enqueue(run_batch, batch_id)
    return f"{len(ids)} batches"


@task
def run_batch(batch_id: int) -> str:
    """Ask for a batch's prices, or make its labels; at its end each account is told of all of them together."""
    batch = LabelBatch.objects.select_related("created_by").filter(pk=batch_id).first()
    if batch is None or not batch.is_busy:
        return f"batch {batch_id}: nothing to do"
    if batch.state == LabelBatch.State.PRICING:
        answered, more = batchprices.run(batch, now=clock.now(), budget_s=CALLS_S)
        if more:
            enqueue(run_batch, batch_id)
        return f"batch {batch_id}: {answered} prices asked for"
    report = batching.run(batch, now=clock.now(), budget_s=CALLS_S if batch.buys else BUDGET_S)
    if report.more:
        enqueue(run_batch, batch_id)
    for account_id in report.accounts:
        enqueue(notify_account, account_id)
    return f"batch {batch_id}: {report.sentence()}"


@every(minutes=24 * 60)
def bring_all_forward() -> str:
    """Wake the stores that keep data for less than the rules allow: what a lost task left is found here."""
    ids = forwarding.shortened()
    for store_id in ids:
        enqueue(bring_forward, store_id)
    return f"{len(ids)} stores"


@task
def bring_forward(store_id: int, after: int = 0) -> str:
    """Bring one store's due dates forward to its present periods, from the order id `after` on."""
    moved, last = forwarding.bring_forward(Store.objects.get(pk=store_id), now=clock.now(), after=after)
    if last is not None:
        enqueue(bring_forward, store_id, last)
    return f"store {store_id}: {moved} moved"


@every(minutes=24 * 60)
def retire_old_orders() -> str:
    """Delete orders of over eighteen months, or reduce them to what a law holds. Asks for itself again at its budget."""
    report = retiring.retire(now=clock.now(), actor=retire_old_orders.job_name)
    if report.more:
        enqueue(retire_old_orders)
    return report.sentence()
