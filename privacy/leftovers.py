"""What no erasure reaches because no row knows it: files without a row, and mails that are files (R93)."""

from datetime import datetime, timedelta

from orderhub import mailfiles
from privacy.scanning import shelving

MAIL_FILES_FOR = timedelta(hours=24)


def tidy(*, now: datetime) -> str:
    """Delete both, each after its time; returns what went. Safe to repeat."""
    gone = shelving.sweep_strays(now=now)
    mails = mailfiles.wipe(before=now - MAIL_FILES_FOR)
    return ", ".join([*(f"{count} of {alias}" for alias, count in gone.items()), f"{mails} mail files"])
