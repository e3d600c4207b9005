"""Erase what is due, in this process."""

import time
from datetime import UTC, datetime

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from orderhub import clock, jobs
from orderhub.http import is_loopback
from privacy import erasure, sweeping
from privacy.jobs import redact_due

ROUND_S = jobs.BUDGET_S
LIMIT_S = 3600


class Command(BaseCommand):
    help = "Erase the personal data that is due. With a future --at it lists what would go, and erases nothing."

    def add_arguments(self, parser):
        parser.add_argument("--at", help="an instant such as 2026-12-01T00:00:00Z; default: now")
        parser.add_argument("--dry-run", action="store_true", help="list what is due, erase nothing")

    def handle(self, *, at: str | None, dry_run: bool, **options):
        now = clock.now()
        instant = _instant(at) if at else now
        if dry_run or (instant > now and not _stand_in()):
            candidates = erasure.preview(now=now, until=instant)
            for row in candidates:
                self.stdout.write(f"{row.due_at:%Y-%m-%d %H:%M}Z  {row.rule:<9}  {row.order_number}")
            self.stdout.write(f"{len(candidates)} orders due by {instant:%Y-%m-%d %H:%M}Z; nothing erased")
            return
        report = _erase(instant)
        self.stdout.write(report.sentence())
        if report.held:
            raise CommandError("this installation's clock cannot be trusted: put it right, then run again")
        if report.failed:
            raise CommandError(f"failed for order ids {report.failed}: run again, then look at the job runs")
        if report.more:
            raise CommandError("more is due than could be erased in an hour: run again")


def _erase(instant: datetime) -> erasure.Report:
    """Round by round until nothing is left or the hour ends, each under the job's lease and as long as the job's own.

    What failed in one round and not in the next has not failed.
    """
    total, ends_at = erasure.Report(more=True), time.monotonic() + LIMIT_S
    while total.more and time.monotonic() < ends_at:
        report = _round(instant)
        total.redacted += report.redacted
        total.documents += report.documents
        total.failed, total.more, total.held = report.failed, report.more, report.held
    return total


def _round(instant: datetime) -> erasure.Report:
    reports = []

    def work() -> str:
        reports.append(sweeping.sweep(at=instant, budget_s=ROUND_S, actor="manage.py redact_due"))
        return reports[0].sentence()

    try:
        jobs.under_lease(redact_due.job_name, work)
    except jobs.Busy as busy:
        raise CommandError(f"{redact_due.job_name}: {busy}") from None
    except jobs.JobFailed as failure:
        raise CommandError(str(failure)) from None
    return reports[0]


def _instant(text: str) -> datetime:
    try:
        instant = parse_datetime(text)
    except ValueError:  # the right form, and no such day or hour
        instant = None
    if instant is None:
        raise CommandError("--at takes an instant such as 2026-12-01T00:00:00Z")
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _stand_in() -> bool:
    """Whether Amazon is a stand-in on this machine: only then may the future be played through for good."""
    return bool(settings.SPAPI_BASE_URL) and is_loopback(settings.SPAPI_BASE_URL) and not settings.PRODUCTION
