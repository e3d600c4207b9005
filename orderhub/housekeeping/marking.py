"""A database that has served production says so, and the demonstration leaves it alone whatever its settings are."""

from django.conf import settings
from django.db import connection

from orderhub.models import JobLease

MARK = "installation: production"  # a lease that nobody can hold: the one table of ours that any job may add a row to


def mark() -> None:
    """Called by every worker, every minute; nothing elsewhere than in production."""
    if settings.PRODUCTION:
        JobLease.objects.bulk_create([JobLease(job=MARK)], ignore_conflicts=True)


def is_production() -> bool:
    """Whether this database has ever served production. False for one without tables."""
    if JobLease._meta.db_table not in connection.introspection.table_names():
        return False
    return JobLease.objects.filter(job=MARK).exists()
