"""The security log's nights: verified, its head exported, and what is older than twelve months taken away."""

import logging
import math
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from orderhub import clock
from privacy import audit, audit_heads
from privacy.models import AccessLog, SecurityChain, SecurityEvent
from privacy.models.event import EventCode, Outcome

log = logging.getLogger("orderhub.audit")
BATCH = 5000


def check(*, actor: str, after: int = 0, budget_s: float = math.inf) -> audit.Verdict:
    """Seal what waits, verify, and keep the outcome where the pages and the operator see it. Safe to repeat.

    A break is recorded once, however often it is found; a whole chain's head is exported. `after` and `budget_s` as
    audit.verify has them: where the time ended first, nothing is kept yet.
    """
    audit.seal()
    verdict = audit.verify(after=after, budget_s=budget_s)
    if verdict.more_after is not None:
        return verdict
    chain = SecurityChain.objects.get_or_create(pk=SecurityChain.ONLY)[0]
    SecurityChain.objects.filter(pk=chain.pk).update(verified_at=clock.now(), broken_at=verdict.broken_at)
    if verdict.whole:
        audit_heads.export(verdict.head)
        return verdict
    log.critical("audit_chain_broken", extra={"position": verdict.broken_at, "code": verdict.how})
    if chain.broken_at != verdict.broken_at:
        ids, how = [verdict.broken_at], verdict.how
        audit.record(EventCode.CHAIN_BROKEN, actor=actor, outcome=Outcome.FAILED, kind="position", ids=ids, reason=how)
    return verdict


def tell_erasure(report, *, actor: str) -> None:
    """One event for a sweep that did something: how many orders and documents went, and which orders failed.

    Which orders went, the certificates say.
    """
    if not (report.redacted or report.documents or report.failed):
        return
    done = {"kind": "orders, files", "ids": [report.redacted, report.documents]}
    if report.redacted or report.documents:
        audit.record(EventCode.ERASED, actor=actor, **done)
    if report.failed:
        audit.record(EventCode.ERASED, actor=actor, outcome=Outcome.FAILED, kind="order", ids=report.failed)


def tell_settings(*, actor: str) -> bool:
    """Record the periods and the other settings of privacy where they are not those of the last start; whether so."""
    days = [settings.RETENTION_UNSHIPPED_DAYS, settings.RETENTION_SHIPPED_DAYS, settings.RETENTION_LABEL_DAYS]
    now = {"ids": [*days, settings.LOG_RETENTION_MONTHS], "reason": ", ".join(_unusual())}
    events = SecurityEvent.objects.filter(code=EventCode.RETENTION_CHANGED, kind="settings").order_by("-pk")
    if events.values("ids", "reason").first() == now:
        return False
    audit.record(EventCode.RETENTION_CHANGED, actor=actor, kind="settings", **now)
    return True


def _unusual() -> Iterator[str]:
    """What else is set; of the terms of old orders only what is not as it comes."""
    yield f"postcode {settings.REDACT_POSTCODE}"
    if settings.RETENTION_NON_PII_MONTHS != 18:
        yield f"{settings.RETENTION_NON_PII_MONTHS} months"
    if settings.LEGAL_HOLD:
        yield f"{settings.LEGAL_HOLD} {settings.FISCAL_YEAR_END_MONTH}"


def months_before(instant: datetime, months: int) -> datetime:
    """The same day and hour so many calendar months earlier; the month's last day where it has no such day."""
    year, month = divmod(instant.year * 12 + instant.month - 1 - months, 12)
    for day in range(instant.day, instant.day - 4, -1):
        try:
            return instant.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def prune(*, now: datetime) -> tuple[int, int]:
    """Take away what happened more than LOG_RETENTION_MONTHS ago: (security events, accesses). Safe to repeat.

    Events go from the oldest on and without a gap; the digest of the last one taken stays as what the next is checked
    against.
    """
    before = months_before(now, settings.LOG_RETENTION_MONTHS)
    return _prune_events(before), _prune_accesses(before)


def _prune_events(before: datetime) -> int:
    taken = 0
    while count := _prune_some(before):
        taken += count
    return taken


def _prune_some(before: datetime) -> int:
    with audit.locked_head() as head:
        oldest = SecurityEvent.objects.filter(position__isnull=False).order_by("position")
        over = []
        for position, digest, at in oldest.values_list("position", "digest", "at")[:BATCH]:
            if at >= before:
                break
            over.append((position, digest))
        if not over:
            return 0
        head.pruned_to, head.pruned_digest = over[-1]
        head.save(update_fields=["pruned_to", "pruned_digest"])
        return SecurityEvent._base_manager.filter(position__lte=head.pruned_to).delete()[0]


def _prune_accesses(before: datetime) -> int:
    taken = 0
    while ids := list(AccessLog.objects.filter(at__lt=before).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        taken += AccessLog.objects.filter(pk__in=ids).delete()[0]
    return taken
