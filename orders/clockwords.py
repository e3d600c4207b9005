"""The privacy clock in words: its terms, what would move it, its labels, and how much of the time is over."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub.wording import badge, day, utc
from orders import erasurewords
from orders.deadlines import left_in_words, span_in_words
from orders.models import Order
from orders.privacyclock import RUNNING, LabelClock, PrivacyClock, State, state_of
from privacy.retention import CEILING_DAYS, Rule
from privacy.rulewords import since
from privacy.terms import Change, Event, Standing, Term

GAUGE_WIDTH = 240
LEVELS = {State.SOON: "warn", State.DUE: "warn", State.OVERDUE: "bad", State.ERASING: "warn"}


@dataclass(frozen=True)
class Row:
    """A term: `ship date + 30 d`, when it ends, and what it has to say. `parcel`: its number where there are several."""

    name: str
    at: str
    note: str
    governs: bool = False
    parcel: str = ""


@dataclass(frozen=True)
class LabelRow:
    """`kept`: its address is still on it though the order is erased."""

    tracking_number: str
    told: str
    kept: bool = False


@dataclass(frozen=True)
class Gauge:
    """How much of the time is over, in the units of its viewBox."""

    width: int
    told: str
    level: str


@dataclass(frozen=True)
class Panel:
    """What the order's page shows. `headline`: `Personal data until …, because ship date + 30 d`."""

    headline: str
    sentences: tuple[str, ...]
    level: str
    gauge: Gauge | None
    spoken: str
    rows: tuple[Row, ...]
    changes: tuple[str, ...]
    labels: tuple[LabelRow, ...]
    exceptions: str
    failed: bool


def kept_until(order: Order, *, now: datetime) -> SafeString | str:
    """For lists: how long still, the day below it, the instant for who points at it. No query."""
    if order.masked:
        return badge(order.get_pii_state_display())
    state, until = state_of(order, now=now), order.redaction_due_at
    if until is None or state == State.NONE:
        return "–"
    level = LEVELS.get(state, "plain") if order.is_open or state != State.SOON else "plain"
    return format_html(
        '<time datetime="{}" title="{}"><span class="oh-number oh-text--{}">{}</span><br><span class="oh-quiet oh-number">{}</span></time>',
        until.isoformat(), utc(until), level, left_in_words(until - now), day(until.astimezone(UTC)),
    )  # fmt: skip


def panel(order: Order, clock: PrivacyClock, *, now: datetime) -> Panel:
    """The panel of one order; no query."""
    words = erasurewords.of(order, now=now)
    told = headline(clock)
    spoken = words.sentences[:1] if told else ()  # the picture says it to those who do not see it
    several = len({term.parcel for term in clock.terms if term.parcel is not None}) > 1
    return Panel(
        headline=told,
        sentences=tuple(filter(None, words.sentences[len(spoken) :])),
        level=words.level,
        gauge=gauge(clock, now=now),
        spoken=" ".join(spoken),
        rows=tuple(_row(term, clock, several=several) for term in clock.terms),
        changes=tuple(filter(None, (change(found, now=now, order=order) for found in clock.changes))),
        labels=tuple(_label(found, clock) for found in clock.labels),
        exceptions=exceptions(clock),
        failed=clock.failed,
    )


def headline(clock: PrivacyClock) -> str:
    """`Personal data until 1 Dec 2026, 00:00 UTC, because ship date + 30 d`; '' where no date runs."""
    if clock.state not in RUNNING or clock.until is None:
        return ""
    governing = next((term for term in clock.terms if term.standing == Standing.GOVERNS), None)
    if governing is None:
        return _("Personal data until %(at)s") % {"at": utc(clock.until)}
    told = _("Personal data until %(at)s, because %(term)s")
    return told % {"at": utc(clock.until), "term": formula(governing.rule, governing.days)}


def formula(rule: str, days: int) -> str:
    """`ship date + 30 d`; the code of a rule this version does not know."""
    match rule:
        case Rule.IMPORT:
            told = _("import + %(days)d d")
        case Rule.DELIVERY:
            told = _("delivery + %(days)d d")
        case Rule.SHIP_DATE:
            told = _("ship date + %(days)d d")
        case Rule.LABEL:
            told = _("label + %(days)d d")
        case Rule.CREATION:
            told = _("shipment made + %(days)d d")
        case Rule.CEILING:
            return _("import + %(days)d d, at most") % {"days": CEILING_DAYS}
        case _unknown:
            return str(rule)
    return told % {"days": days}


def gauge(clock: PrivacyClock, *, now: datetime) -> Gauge | None:
    """The picture of a clock that runs or has run out; None where none runs."""
    if clock.until is None or clock.state not in {*RUNNING, State.DUE, State.OVERDUE}:
        return None
    passed = {"passed": span_in_words(max(now - clock.began, timedelta(0)))}
    if clock.until > now:
        told = _("%(passed)s since import, %(left)s left") % (passed | {"left": span_in_words(clock.until - now)})
    else:
        told = _("%(passed)s since import, due for %(late)s") % (passed | {"late": span_in_words(now - clock.until)})
    return Gauge(width(clock.began, clock.until, now, GAUGE_WIDTH), told, LEVELS.get(clock.state, ""))


def width(began: datetime, until: datetime, now: datetime, whole: int) -> int:
    """How much of a gauge of `whole` units the time that is over fills."""
    return round(min(max((now - began) / (until - began), 0.0), 1.0) * whole) if until > began else whole


def _row(term: Term, clock: PrivacyClock, *, several: bool) -> Row:
    parcel = clock.tracking[term.parcel] if several and term.parcel is not None else ""
    at = utc(term.at) if term.at else ""
    return Row(formula(term.rule, term.days), at, _note(term), term.standing == Standing.GOVERNS, parcel)


def _note(term: Term) -> str:
    match term.standing:
        case Standing.GOVERNS:
            return _("sets the date")
        case Standing.LATER:
            return _("comes later")
        case Standing.UNKNOWN if term.rule == Rule.DELIVERY:
            return _("no delivery reported yet")
        case Standing.UNKNOWN:
            return _("no ship date known")
        case Standing.IMPLAUSIBLE:
            return _("%(day)s cannot be right: does not count") % {"day": day(term.since) if term.since else ""}
        case Standing.VOID:
            return _("no longer counts: everything is sent")


def change(found: Change, *, now: datetime, order: Order) -> str:
    """What an event would do to the date; '' where it is not worth a sentence, or cannot happen to this order."""
    at = {"at": utc(found.due.at)}
    match found.event:
        case Event.SENT_TRACKED if order.is_open and found.moves:
            return _("Sent today, with automatic tracking, would make it %(at)s.") % at
        case Event.SENT_UNTRACKED if order.is_open and found.moves:
            return _("Sent now, without automatic tracking, would make it %(at)s.") % at
        case Event.DELIVERED if found.moves:
            return _("Delivered now would make it %(at)s.") % at
        case Event.DELIVERED:
            return _("A delivery from now on does not change it.")
        case Event.VOIDED if found.moves and found.due.at <= now:
            return _("Voiding every parcel would make it due at once: its time without a parcel is over.")
        case Event.VOIDED if found.moves:
            return _("Voiding every parcel would make it %(at)s.") % at
    return ""


def _label(found: LabelClock, clock: PrivacyClock) -> LabelRow:
    if found.erased_at:
        return LabelRow(found.tracking_number, _("address erased on %(at)s") % {"at": utc(found.erased_at)})
    told = _("address until %(at)s, %(rule)s") % {"at": utc(found.until), "rule": since(found.rule)}
    return LabelRow(found.tracking_number, told, kept=clock.state == State.ERASED)


def exceptions(clock: PrivacyClock) -> str:
    """That labels outlive their erased order, each with a date of its own; '' where none does."""
    count = len(clock.exceptions)
    if not count:
        return ""
    told = ngettext(
        "%(count)d label still has its address: it goes on its own date.",
        "%(count)d labels still have their address: they go on their own dates.", count,
    )  # fmt: skip
    return told % {"count": count}
