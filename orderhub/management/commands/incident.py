"""The report of an incident, from the logs: what could be read, what was read, by when Amazon must be told."""

import json
from datetime import UTC, datetime, timedelta

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from orderhub import clock
from orderhub.management import incident
from orderhub.models import User
from stores.models import Store

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Which orders' personal data could be read in a window, and which was read. Ids only; --json for all of them."
    )

    def add_arguments(self, parser):
        parser.add_argument("--since", required=True, help="an instant such as 2026-11-20T08:00:00Z")
        parser.add_argument("--until", help="default: now")
        parser.add_argument("--noticed-at", help="when somebody noticed: the 24 hours run from here; default: now")
        who = parser.add_mutually_exclusive_group()
        who.add_argument("--user", help="name of the account that was abused")
        who.add_argument("--key", default="", help="name of the API key that was abused")
        who.add_argument("--store", type=int, help="id of the store it was about")
        parser.add_argument("--json", action="store_true", help="everything, as JSON")

    def handle(self, *, since, until, noticed_at, user, key, store, json: bool, **options):
        now = clock.now()
        wish = incident.Wish(
            since=_instant(since, "--since"), until=_instant(until, "--until") if until else now,
            noticed_at=_instant(noticed_at, "--noticed-at") if noticed_at else now, user=_user(user), key=key,
            store_id=_store(store),
        )  # fmt: skip
        if wish.until <= wish.since:
            raise CommandError("--until must be after --since")
        report = incident.report(wish, now=now)
        self.stdout.write(_json(report) if json else _text(report))


def _user(name: str | None) -> User | None:
    if name is None:
        return None
    found = User.objects.filter(username=name).first()
    if found is None:
        raise CommandError("--user: there is no account of this name")
    return found


def _store(pk: int | None) -> int | None:
    if pk is not None and not Store.objects.filter(pk=pk).exists():
        raise CommandError("--store: there is no store with this id")
    return pk


def _instant(text: str, option: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{option} takes an instant such as 2026-11-20T08:00:00Z")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _json(report: incident.Report) -> str:
    return json.dumps(report.as_dict(), indent=1)


def _text(report: incident.Report) -> str:
    left = timedelta(hours=abs(report.hours_left))
    when = "left" if report.hours_left >= 0 else "too late"
    lines = [
        f"Incident from {report.since} to {report.until}, {report.about}",
        f"Tell Amazon by {report.notice_due}: {left} {when}",
        f"Contact: {report.contact or 'none: set INCIDENT_CONTACT'}",
        "",
        f"{len(report.readable)} orders could be read{_some(report.readable)}",
        f"{len(report.read)} orders were read{_some(report.read)}",
        f"by {len(report.people)} users{_some(report.people)}",
        *(f"  {what}: {count} times" for what, count in report.ways.items()),
        *(f"  {code}: {count} events" for code, count in report.events.items()),
        f"{report.exported_rows} orders left in exports",
        "",
        *report.notes,
    ]
    return "\n".join(lines)


def _some(ids: list[int]) -> str:
    shown = ", ".join(map(str, ids[:SHOWN]))
    return f" (ids {shown}{', …: --json has all' if len(ids) > SHOWN else ''})" if ids else ""
