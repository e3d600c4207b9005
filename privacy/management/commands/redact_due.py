"""Erase what is due, in this process."""

from datetime import UTC, datetime

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from orderhub import clock
from orderhub.http import is_loopback
from privacy import erasure


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
        report = erasure.redact_due(now=instant, budget_s=3600)
        self.stdout.write(report.sentence())
        if report.failed:
            raise CommandError(f"failed for order ids {report.failed}: run again, then look at the job runs")


def _instant(text: str) -> datetime:
    instant = parse_datetime(text)
    if instant is None:
        raise CommandError("--at takes an instant such as 2026-12-01T00:00:00Z")
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _stand_in() -> bool:
    """Whether Amazon is a stand-in on this machine: only then may the future be played through for good."""
    return bool(settings.SPAPI_BASE_URL) and is_loopback(settings.SPAPI_BASE_URL) and not settings.PRODUCTION
