"""Notices in any state, and submissions, as short as the rule they prove."""

from orderhub import clock
from privacy.fields import sealed_values
from shipments.models import Feed, ShipmentNotification
from stores.models import AmazonAccount
from tests.factories import make_account, make_order, make_shipment

State = ShipmentNotification.State


def make_feed(account: AmazonAccount | None = None, state: str = Feed.State.SUBMITTED, **given) -> Feed:
    defaults = {"feed_id": f"5{Feed.objects.count():010d}", "messages": 3, "submitted_at": clock.now()}
    if state in (Feed.State.DONE, Feed.State.FAILED):
        defaults["finished_at"] = clock.now()
    return Feed.objects.create(account=account or make_account(), state=state, **(defaults | given))


def make_notice(state: str = State.REJECTED, *, store=None, channel: str = "amazon", **changes) -> ShipmentNotification:
    """The notice of a shipped order, put into a state."""
    notice = make_shipment(make_order(store), with_label=False).notifications.get()
    if state in (State.CONFIRMED, State.CONFIRMED_EXTERNAL):
        changes.setdefault("confirmed_at", clock.now())
    if state == State.IN_FLIGHT:
        changes |= {"lease_until": clock.now(), "request_hash": "x"}
    if state == State.IN_FEED:
        changes["feed"] = changes.get("feed") or make_feed(notice.order.store.account)
        changes["request_hash"] = "x"
    changed = sealed_values(notice, state=state, channel=channel, **changes)
    ShipmentNotification.objects.filter(pk=notice.pk).update(**changed)
    return ShipmentNotification.objects.select_related("order__store__account", "shipment").get(pk=notice.pk)
