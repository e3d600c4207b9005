"""Print everybody's access, and when it was last confirmed."""

from django.core.management.base import BaseCommand
from django.utils import translation

from orderhub import clock
from privacy import reviewing


class Command(BaseCommand):
    help = "Print every account with its roles, last sign-in and second factor, every API key, and how the access review stands."

    def handle(self, **options):
        now = clock.now()
        shown, keys, state = reviewing.lines(now=now), reviewing.key_lines(now=now), reviewing.state(now=now)
        with translation.override("en"):
            for line in shown:
                self.stdout.write(_row(line))
            for key in keys:
                self.stdout.write(_key(key))
        signed = f"{state.last.signed_at:%Y-%m-%d} by {state.last.signed_by.get_username()}" if state.last else "never"
        due = "OVERDUE, no role can be given" if state.is_overdue else "due soon" if state.is_due else "in time"
        self.stdout.write(
            f"{len(shown)} accounts, {len(keys)} API keys; last signed {signed}; {state.days} days; {due}"
        )
        self.stdout.write(f"fingerprint of the list {reviewing.digest(shown, keys)}")


def _row(line: reviewing.Line) -> str:
    seen = f"{line.last_login:%Y-%m-%d}" if line.last_login else "never"
    roles = [*line.roles, *(["SUPERUSER"] if line.is_superuser else [])]
    state = "active" if line.is_active else "inactive"
    idle = f"{line.idle_days} days idle"
    return f"{line.username:<20} {state:<8} {seen:<10} {idle:<14} 2nd factor {'on' if line.has_second_factor else 'off':<4} {', '.join(roles) or '-'}"


def _key(line: reviewing.KeyLine) -> str:
    seen = f"{line.last_used_at:%Y-%m-%d}" if line.last_used_at else "never"
    opens = f"{', '.join(line.scopes)} of {', '.join(line.stores)}"
    return f"API key {line.prefix} of {line.client}, {line.owner} answers for it: {line.state.label}, used {seen}, ends {line.expires_at:%Y-%m-%d}, {opens}"
