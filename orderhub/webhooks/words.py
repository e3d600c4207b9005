"""What becomes of messages, in words for people."""

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub.webhooks.models import Because, Delivery, Endpoint, State
from orderhub.webhooks.sending import ADDRESS_REFUSED, OPENS_AT
from orderhub.wording import short_day_and_time

MOST_NAMED = 10
LEVELS = {State.WAITING: "info", State.IN_FLIGHT: "info", State.DELIVERED: "ok", State.DEAD: "bad"}


def state(endpoint: Endpoint, *, now: datetime) -> tuple[str, str]:
    """Word and level."""
    if not endpoint.active:
        return endpoint.get_disabled_because_display(), "muted" if endpoint.disabled_because == "by_hand" else "bad"
    if endpoint.paused_until and endpoint.paused_until > now:
        return _("paused until %(at)s UTC") % {"at": short_day_and_time(endpoint.paused_until)}, "warn"
    if endpoint.failures:
        count = {"count": endpoint.failures}
        told = ngettext("%(count)d failure in a row", "%(count)d failures in a row", endpoint.failures) % count
        return told, "warn"
    return _("works"), "ok"


def answer(delivery: Delivery) -> str:
    """What the receiver said at the last attempt."""
    if delivery.last_status:
        return str(delivery.last_status)
    known = {
        "": "–",
        ADDRESS_REFUSED: _("address refused: it is not a public one"),
        "Redirect": _("a redirect, which is not followed"),
        "EndpointOff": _("the webhook was switched off"),
        "EmergencyStop": _("not sent: the emergency stop is on"),
    }
    return known.get(delivery.last_error) or _("no answer")


def alarms() -> list[tuple[str, str]]:
    """Endpoints that are off or paused for their failures: a sentence and its level for each. One query."""
    failing = Q(disabled_because__in=[Because.GONE, Because.FAILING]) | Q(active=True, failures__gte=OPENS_AT)
    rows = list(Endpoint.objects.filter(failing).order_by("active", "-pk").defer("url", "secret")[:MOST_NAMED])
    found = [
        (
            _("Webhook %(name)s (%(host)s) is off: %(why)s.")
            % {"name": row.name or f"#{row.pk}", "host": row.url_shown, "why": row.get_disabled_because_display()},
            "bad",
        )
        for row in rows
        if not row.active
    ]
    paused = sum(row.active for row in rows)
    if paused:
        told = ngettext(
            "%(count)d webhook answers with failures only and is paused.",
            "%(count)d webhooks answer with failures only and are paused.",
            paused,
        ) % {"count": paused}
        found.append((told, "warn"))
    return found
