"""The timeline in words: event codes and numbers become sentences in the reader's language when they are shown."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from orderhub.wording import day_and_time, utc
from orders import latch, mailwords
from orders.deciding import HOLD_REASONS
from orders.models import Order, OrderEvent
from orders.models.person import CustomizationState
from privacy import masks
from privacy.holds import LegalHold

Kind = OrderEvent.Kind
EXTRA = ("reason", "until", "answer", "change", "done", "code")  # told in brackets where the sentence has no place
ALARMS = {
    Kind.CANCELLED_AFTER_SHIPPING: "bad",
    Kind.CANCEL_REQUESTED: "warn",
    Kind.BLOCKED: "warn",
    Kind.BLOCKED_WRITE: "warn",
    Kind.ALERT: "warn",
}


@dataclass(frozen=True)
class Entry:
    """One line: when (UTC), what happened, who did it ('' for OrderHub itself), and how loud it is."""

    at: datetime
    sentence: str
    actor: str
    level: str


def entries(order: Order) -> list[Entry]:
    """The order's timeline, newest first; one query."""
    return [
        Entry(event.at, sentence(event), event.actor.get_username() if event.actor else "", _level(event))
        for event in order.events.select_related("actor")
    ]


def sentence(event: OrderEvent) -> str:
    """What happened, in words. A kind or parameter this version does not know is shown as its code."""
    if event.kind not in Kind.values:
        return event.kind
    words = {name: _words(name, value) for name, value in event.params.items()}
    label = str(Kind(event.kind).label)
    told = label % _Known(words)
    extra = ", ".join(words[name] for name in EXTRA if words.get(name) and f"%({name})s" not in label)
    return f"{told} ({extra})" if extra else told


class _Known(dict):
    """A missing parameter shows as a dash instead of breaking the page."""

    def __missing__(self, key):
        return "–"


def _words(name: str, value) -> str:
    found = _TRANSLATED.get(name)
    return found(str(value)) if found else str(value)


def _status(code: str) -> str:
    return str(Order.Status(code).label) if code in Order.Status.values else code


def notice_state(code: str) -> str:
    """A notice's state in words; the states belong to the app on the far side of the relation."""
    if code == "withheld":
        return _("withheld")
    states = Order._meta.get_field("notifications").related_model.State
    return str(states(code).label) if code in states.values else code


def _reason(code: str) -> str:
    """Why an order was held, or why somebody saw its person; the codes of the two differ."""
    if code in masks.Reason.values:
        return str(masks.Reason(code).label)
    return _(HOLD_REASONS[code]) if code in HOLD_REASONS else code


def _answer(code: str) -> str:
    return {"ship": _("to be shipped anyway"), "cancel": _("to be cancelled in Seller Central")}.get(code, code)


def _date(text: str) -> str:
    found = parse_datetime(text)
    return day_and_time(found) if found else text


def _code(code: str) -> str:
    known = {
        "StorePolicy": _("by the store's settings: to be done by hand"),
        "Corrected": _("corrected"),
        "ToldByConnector": _("left to the connector"),
        "AutomationRule": _("withheld by a rule"),
        "ToldByProvider": _("Amazon's own label confirms the order"),
        "HoldEnded": _("the hold has come to its end"),
        "MirrorNotFound": _("not found there"),
        "MirrorTwice": _("found there several times"),
        "MirrorGone": _("not there any more"),
        "MirrorIncomplete": _("incomplete there"),
        "MirrorRefunded": _("refunded there"),
        "MirrorCancelled": _("cancelled there"),
        "MirrorDeclined": _("declined there"),
        "MirrorUnverified": _("waits for a manual check there"),
        "MirrorDisputed": _("disputed there"),
        "MirrorPartlyRefunded": _("partly refunded there"),
        "MirrorOtherStatus": _("unknown status there"),
    }
    return known.get(code, code)


def _until(text: str) -> str:
    found = parse_datetime(text)
    return _("until %(instant)s") % {"instant": utc(found) if found else text}


def _change(code: str) -> str:
    known = {
        "removed": _("removed"),
        "pushed": _("asked for by hand"),
        "taken_up": _("not done by hand after all"),
        "corrected": _("correction of the tracking number"),
    }
    return known.get(code, code)


def _done(code: str) -> str:
    """Why a notice was done by hand; the reasons belong to the app on the far side of the relation."""
    reasons = Order._meta.get_field("notifications").related_model.DoneReason
    return str(reasons(code).label) if code in reasons.values else code


def _client(code: str) -> str:
    """Who offered erased data: a door of ours, or the name of an API key."""
    return {latch.ADMIN: _("a form of OrderHub"), latch.FILE: _("a file")}.get(code, code)


def _user(name: str) -> str:
    return name or _("nobody")


def _hold(code: str) -> str:
    return str(LegalHold(code).label) if code in LegalHold.values else code


def _own(name: str) -> str:
    return name or _("none")


def _outcome(code: str) -> str:
    by_hand = {
        "waits": _("waits to be done"),
        "by_hand": _("ticked off"),
        "seen": _("seen as shipped at Amazon"),
        "undone": _("the tick was taken back"),
    }
    if code in by_hand:
        return by_hand[code]
    if code in CustomizationState.values:
        return str(CustomizationState(code).label)
    return mailwords.outcome(code) or code


def _channel(code: str) -> str:
    return {"bigcommerce": "BigCommerce"}.get(code, code.capitalize())


_TRANSLATED: dict[str, Callable[[str], str]] = {
    "status": _status,
    "before": _status,
    "after": _status,
    "state": notice_state,
    "reason": _reason,
    "answer": _answer,
    "due": _date,
    "channel": _channel,
    "outcome": _outcome,
    "mail": mailwords.kind,
    "code": _code,
    "until": _until,
    "change": _change,
    "done": _done,
    "user": _user,
    "client": _client,
    "own": _own,
    "hold": _hold,
}


def _level(event: OrderEvent) -> str:
    stuck = Order._meta.get_field("notifications").related_model.State.STUCK
    if event.kind == Kind.NOTICE and event.params.get("state") in stuck:
        return "bad"
    if event.kind == Kind.MAIL and event.params.get("outcome") in mailwords.FAILED:
        return "warn"
    return ALARMS.get(event.kind, "")
