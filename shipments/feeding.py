"""Submissions to Amazon, one for many parcels: handed over, followed, and their results given to each notice.

Nothing has an effect before createFeed; its intent is committed first. An answer not seen is looked up among the
account's feeds. Whatever fails as a whole is read order by order before anything is sent again, under the same
reference, and then one by one. Every transition is a conditional UPDATE; a process killed anywhere leaves rows that the
next run settles.
"""

import hashlib
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Prefetch

from orderhub import failpoints
from orderhub.errors import (
    ConnectorError,
    CredentialsRejected,
    OutcomeUnknown,
    RequestRejected,
    TryLater,
    UnexpectedAnswer,
)
from orders.models import OrderItem
from shipments import outbox, settling
from shipments.models import Feed, ShipmentNotification
from stores.connectors.amazon import feeds
from stores.connectors.amazon.client import AccessDenied
from stores.connectors.base import Connector
from stores.models import AmazonAccount

State = ShipmentNotification.State
HOLD = timedelta(minutes=3)  # what a dead worker held is taken back after this: longer than a job may run
LOOKS = tuple(timedelta(minutes=minutes) for minutes in (2, 2, 3, 5, 10, 15))  # between two looks at a submission
SEARCHES = (timedelta(minutes=2), timedelta(minutes=3), timedelta(minutes=10))  # for one whose answer was lost
STUCK_AFTER = timedelta(hours=2)
AROUND = timedelta(minutes=10)  # Amazon's clock and ours, and the call itself
OPEN_AT_AMAZON = ("IN_QUEUE", "IN_PROGRESS")


# -- handing over


def submit(account: AmazonAccount, connector: Connector, rows, *, now: datetime, report) -> bool:
    """Hand these notices over in one submission; whether it was, or may have been.

    TryLater leaves the notices as they were, and no submission. CredentialsRejected passes, with the same.
    """
    feed, body, markets = _claim(account, rows, now=now)
    if feed is None:
        return False
    failpoints.reach("feed.after_claim")
    try:
        document_id = connector.feed_document(body)
        failpoints.reach("feed.after_upload")
        intent = {"state": Feed.State.SUBMITTING, "document_id": document_id[:200], "submitted_at": now}
        if not _move(feed, frm=Feed.State.BUILDING, next_check_at=now + HOLD, **intent):
            return False
        failpoints.reach("feed.after_intent")
        feed_id = connector.create_feed(document_id, markets)
        failpoints.reach("feed.after_send")
    except AccessDenied:  # our application may not submit feeds for this seller
        let_go(feed, now=now, code="FeedsNotAllowed")
        return False
    except (TryLater, CredentialsRejected):  # provably not submitted
        let_go(feed, now=now)
        raise
    except OutcomeUnknown as error:
        _move(feed, frm=Feed.State.SUBMITTING, state=Feed.State.UNKNOWN, next_check_at=now + SEARCHES[0],
              error_code=error.code[:60])  # fmt: skip
    except (RequestRejected, UnexpectedAnswer) as error:  # Amazon takes no such submission: one by one then
        let_go(feed, now=now, code=error.code or type(error).__name__)
        return False
    else:
        _move(
            feed, frm=Feed.State.SUBMITTING, state=Feed.State.SUBMITTED, feed_id=feed_id, next_check_at=now + LOOKS[0]
        )
    failpoints.reach("feed.after_record")
    report.states[State.IN_FEED] += feed.messages
    return True


def _claim(account: AmazonAccount, rows, *, now: datetime):
    """The submission with its notices, committed before any call; its document; the marketplaces it is about."""
    lines = OrderItem.objects.filter(quantity__gt=0).order_by("pk")
    with transaction.atomic():
        found = list(
            rows.filter(ShipmentNotification.TOGETHER)
            .select_for_update(of=("self",))
            .select_related("order__store__account", "shipment")
            .prefetch_related(Prefetch("order__items", lines))[: feeds.MOST_MESSAGES]
        )
        ready = [row for row in found if not settling.set_aside(row, now=now)]
        if not ready:
            return None, b"", []
        body = feeds.document(account.selling_partner_id, ((row.pk, outbox.parcel_of(row)) for row in ready))
        feed = Feed.objects.create(account=account, created_at=now, next_check_at=now + HOLD, messages=len(ready))
        ShipmentNotification.objects.filter(pk__in=[row.pk for row in ready]).update(
            state=State.IN_FEED, feed=feed, fence=F("fence") + 1, starts=F("starts") + 1, attempts=F("attempts") + 1,
            request_hash=hashlib.blake2b(body, digest_size=16).hexdigest(), error_code="", error_text="",
        )  # fmt: skip
    return feed, body, sorted({row.order.store.market.id for row in ready})


def _move(feed: Feed, *, frm: str, **changes) -> bool:
    """Move a submission on unless somebody else has; the row in hand follows."""
    changes["fence"] = feed.fence + 1
    if not Feed.objects.move(feed, frm=frm, **changes):
        return False
    for name, value in changes.items():
        setattr(feed, name, value)
    return True


def let_go(feed: Feed, *, now: datetime, code: str = "", died: bool = False) -> None:
    """Give the notices of a submission that never took effect back, as if it had not been tried.

    `code`: why Amazon takes no such submission; its notices go one by one from now on. `died`: its worker did, and a
    notice that kept killing workers goes by itself.
    """
    with transaction.atomic():
        if not _move(feed, frm=feed.state, state=Feed.State.FAILED, finished_at=now, error_code=code[:60]):
            return
        held = ShipmentNotification.objects.filter(feed=feed, state=State.IN_FEED)
        poison = held.filter(starts__gte=settling.MAX_STARTS - 1)
        (held if code else poison).update(single_only=True)
        held.update(
            state=State.PENDING, next_attempt_at=now, attempts=F("attempts") - 1, starts=F("starts") - (0 if died else 1),
            feed=F("feed") if code else None,
        )  # fmt: skip
        if not code:
            feed.delete()


# -- following


def follow(account: AmazonAccount, connector: Connector, *, now: datetime) -> str:
    """Look at the submissions of one account that are due to be looked at. Safe to repeat and to kill; a sentence.

    TryLater passes after the submission's own next look was put off; CredentialsRejected passes.
    """
    told = []
    for feed in Feed.objects.due(now).filter(account=account):
        _look(feed, connector, now=now)
        told.append(f"submission {feed.pk}: {feed.state}")
    return "; ".join(told) or "nothing to look at"


def _look(feed: Feed, connector: Connector, *, now: datetime) -> None:
    match feed.state:
        case Feed.State.BUILDING:  # its worker died before anything was submitted
            let_go(feed, now=now, died=True)
        case Feed.State.SUBMITTING:  # its worker died: submitted or not, nobody knows
            if _move(feed, frm=Feed.State.SUBMITTING, state=Feed.State.UNKNOWN, checks=0, next_check_at=now):
                _search(feed, connector, now=now)
        case Feed.State.UNKNOWN:
            _search(feed, connector, now=now)
        case Feed.State.SUBMITTED:
            _ask(feed, connector, now=now)


def _search(feed: Feed, connector: Connector, *, now: datetime) -> None:
    """Find a submission whose answer was lost: by its kind and time, and not one of those we know."""
    try:
        found = connector.feeds_since(feed.submitted_at - AROUND)
    except (TryLater, UnexpectedAnswer) as error:
        _move(feed, frm=Feed.State.UNKNOWN, next_check_at=now + timedelta(seconds=getattr(error, "wait_s", 120)))
        return
    known = set(Feed.objects.filter(account=feed.account_id).exclude(feed_id="").values_list("feed_id", flat=True))
    candidates = [
        one for one in found
        if one.feed_id not in known and one.created_at and abs(one.created_at - feed.submitted_at) <= AROUND
    ]  # fmt: skip
    if len(candidates) == 1:  # its results are read order by order all the same: it may be another application's
        _move(
            feed, frm=Feed.State.UNKNOWN, state=Feed.State.SUBMITTED, feed_id=candidates[0].feed_id, found_again=True,
            next_check_at=now, checks=0,
        )  # fmt: skip
        _ask(feed, connector, now=now)
    elif candidates:
        fail(feed, "FeedAmbiguous", now=now)
    elif feed.checks + 1 < len(SEARCHES):
        _move(feed, frm=Feed.State.UNKNOWN, checks=feed.checks + 1, next_check_at=now + SEARCHES[feed.checks + 1])
    else:  # not there after a quarter of an hour: it never arrived
        let_go(feed, now=now)


def _ask(feed: Feed, connector: Connector, *, now: datetime) -> None:
    try:
        remote = connector.feed(feed.feed_id)
        if remote.status in OPEN_AT_AMAZON:
            _still_open(feed, remote, connector, now=now)
        elif remote.status != "DONE":
            fail(feed, _why(remote, connector), now=now)
        elif not remote.report_id:
            fail(feed, "ReportMissing", now=now)
        else:
            _apply(feed, connector.feed_report(remote.report_id), now=now)
    except TryLater as error:
        _put_off(feed, now + timedelta(seconds=max(error.wait_s, 30)), now=now, code=error.code)
    except AccessDenied:
        fail(feed, "FeedsNotAllowed", now=now)
    except RequestRejected as error:
        fail(feed, "FeedGone" if error.code in {"NotFound", "404"} else error.code or "FeedGone", now=now)
    except UnexpectedAnswer as error:
        _put_off(feed, now + LOOKS[-1], now=now, code=error.code)


def _still_open(feed: Feed, remote: feeds.RemoteFeed, connector: Connector, *, now: datetime) -> None:
    if now - feed.submitted_at <= STUCK_AFTER:
        wait = LOOKS[min(feed.checks + 1, len(LOOKS) - 1)]
        _move(
            feed, frm=Feed.State.SUBMITTED, checks=feed.checks + 1, next_check_at=now + wait, remote_status=remote.status
        )  # fmt: skip
        return
    if remote.status == "IN_QUEUE":
        try:
            connector.cancel_feed(feed.feed_id)
        except (TryLater, RequestRejected, OutcomeUnknown, UnexpectedAnswer):
            pass  # it may still run: the same references make that an edit of the same packages
    fail(feed, "FeedStuck", now=now)


def _put_off(feed: Feed, at: datetime, *, now: datetime, code: str) -> None:
    """Look again later; after two hours without an answer each order is read instead."""
    if now - feed.submitted_at > STUCK_AFTER and code not in {"QuotaExceeded", "BucketEmpty", "429"}:
        fail(feed, "ReportUnreadable", now=now)
        return
    _move(feed, frm=Feed.State.SUBMITTED, next_check_at=at, error_code=code[:60])


def _why(remote: feeds.RemoteFeed, connector: Connector) -> str:
    """Why Amazon processed nothing, as a code; a fatal submission may have no report."""
    if remote.report_id:
        try:
            whole = connector.feed_report(remote.report_id).whole
        except ConnectorError:
            whole = None
        if whole is not None and whole.code:
            return _code(whole)
    return f"Feed{remote.status.capitalize()}"


def _code(refusal: feeds.Refusal) -> str:
    """Amazon's number, or its word where its text says that the account is to blame."""
    return settling.INTERNAL if settling.INTERNAL in refusal.text else refusal.code


def fail(feed: Feed, code: str, *, now: datetime) -> None:
    """A submission that led to nothing, or to nobody knows what: each order is read at Amazon, then told by itself."""
    with transaction.atomic():
        if not _move(feed, frm=feed.state, state=Feed.State.FAILED, finished_at=now, error_code=code[:60]):
            return
        _doubt(ShipmentNotification.objects.filter(feed=feed, state=State.IN_FEED), code, now=now)


def _doubt(rows, code: str, *, now: datetime) -> None:
    """One look decides: what Amazon does not show by now did not arrive."""
    rows.update(
        state=State.UNKNOWN, single_only=True, reads=len(settling.READ_AFTER) - 1, next_attempt_at=now, starts=0,
        error_code=code[:60],
    )  # fmt: skip


# -- results


def _apply(feed: Feed, report: feeds.FeedReport, *, now: datetime) -> None:
    """Give each notice its result, all in one transaction."""
    if report.whole is not None:
        fail(feed, _code(report.whole), now=now)
        return
    counted = report.processed == feed.messages and not feed.found_again
    with transaction.atomic():
        mine = ShipmentNotification.objects.filter(feed=feed, state=State.IN_FEED)
        held = list(mine.select_for_update().order_by("pk"))
        refused = [row for row in held if row.pk in report.refused]
        accepted = [row for row in held if row.pk not in report.refused]
        changes = {
            "state": Feed.State.DONE, "finished_at": now, "refused": len(refused), "remote_status": "DONE",
            "accepted": len(accepted) if counted else 0, "error_code": "" if counted else "CountsDiffer",
        }  # fmt: skip
        if not _move(feed, frm=Feed.State.SUBMITTED, **changes):
            return
        for row in refused:
            refusal = report.refused[row.pk]
            settling.refuse(row, code=refusal.code, text=refusal.text, now=now)
        if counted:
            settling.settle_all(accepted, State.CONFIRMED, now=now)
        else:
            _doubt(mine, "CountsDiffer", now=now)
        failpoints.reach("feed.in_report")
