"""Sending what waits, one endpoint at a time: claimed, sent, marked. Killed anywhere it is sent again, as the same event.

An endpoint that fails is left alone for a while (a breaker), and switched off after a day of nothing but failures.
"""

import logging
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from orderhub import failpoints
from orderhub.errors import ConnectorError, RuleViolation
from orderhub.http import HttpClient, Limits, NotAllowed
from orderhub.jobs import CALLS_S
from orderhub.killswitch import EmergencyStop
from orderhub.webhooks import addresses, events, messages
from orderhub.webhooks.models import LASTS, Because, Delivery, Endpoint, State

log = logging.getLogger("orderhub.webhooks")

LIMITS = Limits(connect_s=5, read_s=10, total_s=10, max_bytes=64 * 1024)
LEASE = timedelta(seconds=75)  # longer than a run with its last call
MOST_FAILURES = 2  # of one run: a receiver that only times out then costs 20 s
OPENS_AT = 5  # failures in a row
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=15), timedelta(hours=1)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=4)
GIVES_UP = LASTS - timedelta(hours=1)  # the first failure comes a little after the first message, the last with its end
GONE = 410
ADDRESS_REFUSED = "AddressRefused"


@dataclass(frozen=True)
class Outcome:
    """What came of one call. `status` 0: no answer. `counts`: False where nothing was tried."""

    status: int
    error: str = ""
    counts: bool = True

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300 and not self.error


def waiting_endpoints(*, now: datetime) -> list[int]:
    """Endpoints with something to send now. One query."""
    open_now = Endpoint.objects.heard(now=now).exclude(paused_until__gt=now)
    due = Delivery.objects.due(now=now).filter(endpoint__in=open_now)
    return list(due.order_by("endpoint_id").values_list("endpoint_id", flat=True).distinct())


def send_due(endpoint_id: int, *, now: datetime, budget_s: float = CALLS_S) -> tuple[int, int]:
    """Send this endpoint what is due, oldest first; returns how many it took and how many it did not. Safe to repeat.

    After failures in a row a single one is tried. `now` is the run's own instant.
    """
    ends_at, taken, failed = time.monotonic() + budget_s, 0, 0
    endpoint = Endpoint.objects.heard(now=now).exclude(paused_until__gt=now).filter(pk=endpoint_id).first()
    if endpoint is None:
        return 0, 0
    probing = endpoint.failures >= OPENS_AT
    for delivery in Delivery.objects.filter(endpoint=endpoint).due(now=now).iterator(chunk_size=100):
        if time.monotonic() > ends_at or not _claim(delivery, now):
            continue
        outcome = _attempt(endpoint, delivery, now)
        if not outcome.counts:
            break
        taken, failed = taken + outcome.is_taken, failed + (not outcome.is_taken)
        if failed >= (1 if probing else MOST_FAILURES) or outcome.status == GONE:
            break
        probing = False
    return taken, failed


def ping(endpoint: Endpoint, *, now: datetime) -> Delivery:
    """Send a test message now, whatever the breaker says; returns its row as it is after. RuleViolation if it is off."""
    if not endpoint.active:
        raise RuleViolation(_("This webhook is switched off. Switch it on first."))
    delivery = Delivery.objects.create(
        endpoint=endpoint, event=events.PING, source=f"ping:{secrets.token_hex(8)}", happened_at=now, created_at=now,
        next_attempt_at=now, tried_until=now,
    )  # fmt: skip
    if _claim(delivery, now):
        _attempt(endpoint, delivery, now)
    delivery.refresh_from_db()
    return delivery


def _claim(delivery: Delivery, now: datetime) -> bool:
    """The UPDATE decides between two senders, and whether the endpoint is still on."""
    # Every condition on the delivery itself: PostgreSQL asks those again once a row that another held is let go of, but
    # not what a join found out before
    rows = Delivery.objects.due(now=now).order_by().filter(pk=delivery.pk, attempts=delivery.attempts)
    rows = rows.filter(endpoint__in=Endpoint.objects.filter(active=True))
    if not rows.update(state=State.IN_FLIGHT, lease_until=now + LEASE, attempts=F("attempts") + 1):
        return False
    delivery.attempts += 1
    return True


def _attempt(endpoint: Endpoint, delivery: Delivery, now: datetime) -> Outcome:
    failpoints.reach("webhook.after_claim")
    outcome = _post(endpoint, delivery, now)
    failpoints.reach("webhook.after_send")
    _record(endpoint, delivery, outcome, now)
    return outcome


def _post(endpoint: Endpoint, delivery: Delivery, now: datetime) -> Outcome:
    """One call. No redirect is followed, the answer's body is read (64 kB at most) and not looked at."""
    body = messages.body_of(delivery, endpoint)
    try:
        origin, target = addresses.split(endpoint.url)
        host = origin.partition("://")[2].partition(":")[0]
        client = HttpClient(
            origin, allowed_hosts=frozenset({host}), limits=LIMITS, user_agent="OrderHub-Webhooks/1.0", public_only=True
        )
        answer = client.send(
            "POST", "/webhook", target=target, content=body,
            headers=messages.headers_of(delivery, endpoint.secret, body, now=now),
        )  # fmt: skip
    except EmergencyStop:
        return Outcome(0, "EmergencyStop", counts=False)
    except (NotAllowed, RuleViolation):
        return Outcome(0, ADDRESS_REFUSED)
    except ConnectorError as error:
        return Outcome(0, (error.code or type(error).__name__)[:40])
    return Outcome(answer.status)


def _record(endpoint: Endpoint, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    mine = Delivery.objects.filter(pk=delivery.pk, state=State.IN_FLIGHT, attempts=delivery.attempts)
    told = {"lease_until": None, "last_status": outcome.status or None, "last_error": outcome.error}
    if not outcome.counts:
        mine.update(state=State.WAITING, attempts=F("attempts") - 1, **told)
    elif outcome.is_taken:
        mine.update(state=State.DELIVERED, delivered_at=now, **told)
        if endpoint.failures:
            Endpoint.objects.filter(pk=endpoint.pk).update(failures=0, failing_since=None, paused_until=None)
            endpoint.failures = 0
    else:
        again = now + wait_after(delivery.attempts)
        if now < delivery.tried_until < again:
            again = delivery.tried_until  # the last one
        over = outcome.status == GONE or now >= delivery.tried_until
        mine.update(state=State.DEAD if over else State.WAITING, next_attempt_at=again, **told)
        _failed(endpoint, outcome, now)


def wait_after(attempts: int) -> timedelta:
    """How long before the next attempt: twice as long each time, up to four hours, a fifth more or less by chance."""
    wait = min(FIRST_WAIT * 2 ** min(attempts - 1, 10), LONGEST_WAIT)
    return wait * (0.8 + secrets.randbelow(401) / 1000)


def _failed(endpoint: Endpoint, outcome: Outcome, now: datetime) -> None:
    """One more failure in a row; what that means for the endpoint."""
    rows = Endpoint.objects.filter(pk=endpoint.pk)
    rows.update(failures=F("failures") + 1, failing_since=Coalesce("failing_since", now))
    endpoint.refresh_from_db(fields=["failures", "failing_since"])
    if outcome.status == GONE:
        switch_off(endpoint, Because.GONE, now=now)
    elif endpoint.failures >= OPENS_AT and now - endpoint.failing_since >= GIVES_UP:
        switch_off(endpoint, Because.FAILING, now=now)
    elif endpoint.failures >= OPENS_AT:
        pause = min(FIRST_PAUSE * 2 ** min(endpoint.failures - OPENS_AT, 4), LONGEST_PAUSE)
        rows.update(paused_until=now + pause)


def switch_off(endpoint: Endpoint, because: str, *, now: datetime) -> None:
    """By ourselves, for good until somebody switches it on; what waited for it is given up. The start page says so."""
    off = {"active": False, "disabled_at": now, "disabled_because": because, "paused_until": None}
    if Endpoint.objects.filter(pk=endpoint.pk, active=True).update(**off):
        log.error("webhook_off", extra={"endpoint": endpoint.pk, "code": str(because)})
        Delivery.objects.filter(endpoint=endpoint, state=State.WAITING).update(
            state=State.DEAD, last_error="EndpointOff"
        )
