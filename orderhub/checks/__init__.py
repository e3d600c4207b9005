"""What must hold before anything starts. Each check says what to change."""

import os
from datetime import date

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from orderhub import failpoints
from orderhub.checks import keys, machine, product, web  # noqa: F401  each registers its rules
from orderhub.http import is_loopback
from privacy import fields

PINNED = ("timeout", "retry", "workers", "queue_limit", "bulk", "ack_failures", "max_attempts", "catch_up")


@register(Tags.security)
def queue_is_pinned(app_configs, **kwargs) -> list[Error]:
    """The queue delivers again what it believes lost: its times must make that rare, and never loop."""
    queue = settings.Q_CLUSTER
    unset = [name for name in PINNED if queue.get(name) is None]
    if unset:  # the queue's own defaults loop for ever
        return [Error(f"Q_CLUSTER: set {name}.", id="orderhub.E001") for name in unset]
    waits = queue["timeout"] * (1 + (queue["queue_limit"] + 1) / queue["workers"])
    wrong = []
    if queue["retry"] < max(300, waits):
        wrong.append(f"retry must be at least {max(300, waits):.0f}")
    if queue["bulk"] != 1:
        wrong.append("bulk must be 1")
    if queue["queue_limit"] > queue["workers"]:
        wrong.append("queue_limit must not exceed workers")
    if not queue["ack_failures"] or queue["max_attempts"] != 1:
        wrong.append("ack_failures must be on and max_attempts 1: sweeps retry, the queue does not")
    if queue["catch_up"]:
        wrong.append("catch_up must be off")
    if queue.get("orm") != "default":
        wrong.append("the broker must be the default database")
    if settings.DATABASES["default"].get("OPTIONS", {}).get("pool"):
        wrong.append("no connection pool: workers fork")
    return [Error(f"Q_CLUSTER: {text}.", id="orderhub.E001") for text in wrong]


@register(Tags.security)
def stand_ins_are_loopback(app_configs, **kwargs) -> list[Error]:
    """Only this machine may stand in for Amazon."""
    return [
        Error(f"{name} must point to a loopback address; remove it to reach Amazon.", id="orderhub.E002")
        for name in settings.STAND_INS
        if getattr(settings, name) and (settings.PRODUCTION or not _stands_in(getattr(settings, name)))
    ]


def _stands_in(url: str) -> bool:
    return url.startswith(("http://", "https://")) and is_loopback(url)


@register(Tags.security)
def secret_date_is_a_date(app_configs, **kwargs) -> list[Error]:
    """The age of the client secret is counted from it."""
    text = settings.LWA_CLIENT_SECRET_ISSUED_ON
    try:
        date.fromisoformat(text or "2026-01-01")
    except ValueError:
        return [Error("LWA_CLIENT_SECRET_ISSUED_ON must be a date such as 2026-11-23.", id="orderhub.E005")]
    return []


@register(Tags.security)
def no_failpoint_in_production(app_configs, **kwargs) -> list[Error]:
    """A process that is told where to die must not serve anybody."""
    if settings.PRODUCTION and failpoints.ENV in os.environ:
        return [Error(f"{failpoints.ENV} is set: remove it.", id="orderhub.E003")]
    return []


@register(Tags.security)
def production_is_safe(app_configs, **kwargs) -> list[Error]:
    """The settings production cannot do without."""
    if not settings.PRODUCTION:
        return []
    wrong = []
    if settings.DEBUG:
        wrong.append("DEBUG must be off")
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        wrong.append("ALLOWED_HOSTS must name the hosts, without a wildcard")
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        wrong.append("DATABASE_URL must be PostgreSQL")
    if not (settings.LWA_CLIENT_ID and settings.LWA_CLIENT_SECRET):
        wrong.append("LWA_CLIENT_ID and LWA_CLIENT_SECRET must be set")
    if len(settings.SECRET_KEY) < 50 or len(set(settings.SECRET_KEY)) < 10:
        wrong.append("SECRET_KEY must be at least 50 random characters")
    try:
        fields.decrypt(fields.encrypt("check", place="check"), place="check")
    except (ImproperlyConfigured, fields.CannotDecrypt):
        wrong.append("FIELD_ENCRYPTION_KEYS must be id:base64 of 32 random bytes, newest first, separated by commas")
    return [Error(f"{text}.", id="orderhub.E004") for text in wrong]
