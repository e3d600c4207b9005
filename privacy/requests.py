"""Requests to erase somebody's data now (R110): asked for, decided by the privacy officer, carried out, kept on record.

asked → approved → done; from more orders on than one person may decide, a second one must agree; refused at any time
before. What was approved is carried out by a sweep, so that a process killed anywhere is only late. Ids and codes only.
"""

import time
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from orderhub import failpoints
from orderhub.errors import RuleViolation
from orderhub.jobs import BUDGET_S
from privacy import access, audit, erasure, ledger, markers, registry
from privacy.models import PersonalDataRequest
from privacy.models.event import EventCode
from privacy.models.request import RequestReason, RequestState

ONE_PERSON = 50  # orders that one person may have erased
MOST = 5_000  # orders of one request
MARKERS = {
    RequestReason.BUYER: markers.RGPD,
    RequestReason.AUTHORITY: markers.RGPD,
    RequestReason.AMAZON: markers.AMAZON,
}
OPEN = (RequestState.ASKED, RequestState.SECOND, RequestState.APPROVED)
UNDECIDED = (RequestState.ASKED, RequestState.SECOND)


def may_ask(user) -> bool:
    return user.has_perm("privacy.ask_erasure")


def may_decide(user) -> bool:
    """The privacy officer alone: being a superuser is no role."""
    return access.holds(user, "privacy.carry_out_erasure")


def ask(order_ids: Collection[int], reason: str, *, by, now: datetime, request=None) -> PersonalDataRequest:
    """Write a request down. The caller knows the orders and puts it on their timelines, in the same transaction.

    RuleViolation without a reason that is one, or for more orders than one request takes.
    """
    if reason not in RequestReason.values:
        raise RuleViolation(_("Say who wants the data erased."))
    if len(order_ids) > MOST:
        raise RuleViolation(_("One request takes at most %(most)d orders. Ask your administrator.") % {"most": MOST})
    made = PersonalDataRequest.objects.create(order_ids=sorted(order_ids), reason=reason, asked_by=by, asked_at=now)
    audit.record(
        EventCode.ERASURE_ASKED, request=request, user=by, kind="erasure_request", ids=[made.pk], reason=reason
    )  # fmt: skip
    return made


def approve(asked: PersonalDataRequest, *, by, now: datetime, request=None) -> PersonalDataRequest:
    """Agree. Of two people at once, the second is told, or counts as the second person where one is needed.

    RuleViolation, with what to do, where it is decided already, or the same person agrees twice.
    """
    _check_right(by)
    with transaction.atomic():
        row = _locked(asked)
        if row.state == RequestState.ASKED:
            row.state = RequestState.SECOND if len(row.order_ids) > ONE_PERSON else RequestState.APPROVED
            row.decided_by, row.decided_at = by, now
        elif row.decided_by_id == by.pk:
            raise RuleViolation(
                _(
                    "More than %(most)d orders need a second person: ask another privacy officer to open this page and agree."
                )
                % {"most": ONE_PERSON}
            )
        else:
            row.state, row.second_by = RequestState.APPROVED, by
        row.save(update_fields=["state", "decided_by", "decided_at", "second_by"])
        audit.record(
            EventCode.ERASURE_DECIDED, request=request, user=by, kind="erasure_request", ids=[row.pk], reason=row.state
        )
    return row


def refuse(asked: PersonalDataRequest, *, by, now: datetime, request=None) -> PersonalDataRequest:
    """Refuse. The orders keep their own dates. RuleViolation where it is decided already."""
    _check_right(by)
    with transaction.atomic():
        row = _locked(asked)
        row.state, row.decided_at = RequestState.REFUSED, now
        if row.decided_by_id is None:
            row.decided_by = by
        elif row.decided_by_id != by.pk:
            row.second_by = by
        row.save(update_fields=["state", "decided_by", "decided_at", "second_by"])
        audit.record(
            EventCode.ERASURE_DECIDED, request=request, user=by, kind="erasure_request", ids=[row.pk], reason=row.state
        )
    return row


def _check_right(user) -> None:
    if not may_decide(user):
        raise RuleViolation(_("Only a privacy officer decides about erasure requests."))


def _locked(asked: PersonalDataRequest) -> PersonalDataRequest:
    row = PersonalDataRequest.objects.select_for_update(of=("self",)).get(pk=asked.pk)
    if row.state not in UNDECIDED:
        raise RuleViolation(_("This request is decided already."))
    return row


def open_among(request_ids: Collection[int]) -> PersonalDataRequest | None:
    """One of these requests that is not at its end, if there is one."""
    return PersonalDataRequest.objects.filter(pk__in=request_ids, state__in=OPEN).order_by("pk").first()


def to_decide() -> int:
    """How many requests wait for a person."""
    return PersonalDataRequest.objects.filter(state__in=UNDECIDED).count()


# -- carrying out


def carry_out_all(*, now: datetime, budget_s: float = BUDGET_S) -> tuple[int, int, bool]:
    """Carry out what is approved: requests done, orders that failed, and whether time ran out. Safe to repeat and to kill."""
    done, failed, ends_at = 0, 0, time.monotonic() + budget_s
    for row in PersonalDataRequest.objects.filter(state=RequestState.APPROVED).order_by("decided_at", "pk"):
        report = carry_out(row, now=now, budget_s=max(1.0, ends_at - time.monotonic()))
        done += not report.more and not report.failed
        failed += len(report.failed)
        if time.monotonic() > ends_at:
            return done, failed, True
    return done, failed, False


def carry_out(row: PersonalDataRequest, *, now: datetime, budget_s: float = BUDGET_S) -> erasure.Report:
    """Erase the orders of an approved request. The ledger outside the database is written first, so that nothing erased
    is missing in it; a run that died wrote perhaps a line too many, which does no harm.

    An order deleted, erased or fulfilled by Amazon meanwhile counts as done; one that fails keeps the request open.
    """
    left = registry.subjects().standing(row.order_ids)
    if unbegun := registry.subjects().references(left):
        ledger.append(unbegun, reason=row.reason, now=now)
    failpoints.reach("request.after_ledger")
    report = erasure.redact_orders(left, now=now, marker=MARKERS[RequestReason(row.reason)], budget_s=budget_s)
    failpoints.reach("request.before_done")
    if not registry.subjects().standing(row.order_ids):
        _finish(row, now=now)
    return report


def _finish(row: PersonalDataRequest, *, now: datetime) -> None:
    with transaction.atomic():
        open_ones = PersonalDataRequest.objects.filter(pk=row.pk, state=RequestState.APPROVED)
        if open_ones.update(state=RequestState.DONE, done_at=now):
            audit.record(
                EventCode.ERASED, actor="privacy.carry_out_requests", kind="erasure_request", ids=[row.pk],
                reason=row.reason,
            )  # fmt: skip


def replay(path: Path | None = None, *, now: datetime, budget_s: float = BUDGET_S) -> erasure.Report:
    """Erase again what the ledger says was erased on request and a restored backup, or an import since, brought back.

    Orders are known by store and number. Safe to repeat: what is erased already is left alone.
    """
    total = erasure.Report()
    wanted: dict[str, list[tuple[int, str]]] = {}
    for line in ledger.lines(path or settings.ERASURE_LEDGER_FILE):
        wanted.setdefault(MARKERS[RequestReason(line.reason)], []).append((line.store_id, line.number))
    for marker, references in wanted.items():
        for start in range(0, len(references), erasure.BATCH):
            ids = registry.subjects().ids_of(references[start : start + erasure.BATCH])
            left = registry.subjects().standing(ids)
            if not left:
                continue
            report = erasure.redact_orders(left, now=now, marker=marker, budget_s=budget_s)
            total.redacted += report.redacted
            total.documents += report.documents
            total.failed += report.failed
            total.more = total.more or report.more
    return total
