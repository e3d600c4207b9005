"""Mails that are files, as outside production: they hold addresses, so none is kept for longer than a day."""

from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

FILE_BACKEND = "django.core.mail.backends.filebased.EmailBackend"


def folder() -> Path | None:
    """Where mails are written; None where they are sent."""
    if settings.EMAIL_BACKEND != FILE_BACKEND or not getattr(settings, "EMAIL_FILE_PATH", None):
        return None
    return Path(settings.EMAIL_FILE_PATH)


def wipe(*, before: datetime | None = None) -> int:
    """Delete the mails written before an instant, or all of them; returns how many. Safe to repeat."""
    gone = 0
    for path in _files():
        if before is None or datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def _files() -> list[Path]:
    found = folder()
    return sorted(found.glob("*.log")) if found and found.is_dir() else []
