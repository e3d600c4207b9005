"""What the figures of the cockpit mean, in words."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orderhub.wording import short_day_and_time
from shipments import cockpit, planning
from shipments.cockpit import Console
from stores.connectors.amazon.client import (
    CONFIRM_SHIPMENT,
    CREATE_FEED,
    CREATE_FEED_DOCUMENT,
    GET_FEED,
    GET_FEED_DOCUMENT,
    GET_ORDER,
    Operation,
)
from stores.models import AmazonAccount
from stores.throttle import AccountThrottle, Level

WIDTH = 240  # of a bar, in the units of its viewBox
RUN = timedelta(minutes=1)  # between two runs that tell Amazon
SOON = timedelta(minutes=2)
PURPOSES = {
    CONFIRM_SHIPMENT: gettext_lazy("Tell of one order"),
    CREATE_FEED: gettext_lazy("Submit many orders"),
    CREATE_FEED_DOCUMENT: gettext_lazy("Hand over the list of a submission"),
    GET_ORDER: gettext_lazy("Read an order back"),
    GET_FEED: gettext_lazy("Ask how a submission stands"),
    GET_FEED_DOCUMENT: gettext_lazy("Fetch the result of a submission"),
}


@dataclass(frozen=True)
class Bar:
    """A bucket drawn and said: `width` of the filled part; `level` tints it."""

    purpose: str
    operation: str
    said: str
    width: int
    level: str


def at(instant: datetime, *, now: datetime) -> str:
    """`14:05 UTC`; to the second where it is near, with the day where that is another."""
    there, here = instant.astimezone(UTC), now.astimezone(UTC)
    if there.date() != here.date():
        return f"{short_day_and_time(there)} UTC"
    near = abs(there - here) < SOON
    return f"{formats.date_format(there, 'H:i:s' if near else 'H:i')} UTC"


def bar(operation: Operation, level: Level, *, now: datetime) -> Bar:
    left = int(level.tokens + 1e-9)
    width = 0 if level.closed_until else round(WIDTH * min(1.0, level.tokens / level.burst))
    if level.closed_until:
        said, tint = (
            _("closed until %(at)s: Amazon said it is too much") % {"at": at(level.closed_until, now=now)},
            "bad",
        )
    else:
        said, tint = _left(left, level), "ok" if left else "warn"
    return Bar(str(PURPOSES[operation]), operation.name, said, width, tint)


def _left(left: int, level: Level) -> str:
    counted = {"left": left, "burst": int(level.burst), "pause": _seconds(1 / level.rate)}
    if left >= int(level.burst):
        return _("all %(burst)d calls left") % counted
    return ngettext(
        "%(left)d of %(burst)d calls left, one more every %(pause)s",
        "%(left)d of %(burst)d calls left, one more every %(pause)s", left,
    ) % counted  # fmt: skip


def _seconds(seconds: float) -> str:
    """`0.6 s`, `36 s`, `2.5 min`."""
    if seconds >= 90:
        return _("%(count)s min") % {"count": _short(seconds / 60)}
    return _("%(count)s s") % {"count": _short(seconds)}


def _short(number: float) -> str:
    rounded = round(number, 1 if number < 10 else 0)
    return formats.number_format(int(rounded) if rounded == int(rounded) else rounded, use_l10n=True)


def expected(instant: datetime, together: bool, *, now: datetime) -> str:
    when = at(instant, now=now)
    return _("%(at)s, together with others") % {"at": when} if together else when


def takes(duration: timedelta) -> str:
    return _seconds(duration.total_seconds())


def advice(console: Console, *, now: datetime) -> list[str]:
    """What comes of the queue as it is, and of a batch made now."""
    return [sentence for sentence in (_queue(console, now), _batch(console, now)) if sentence]


def _queue(console: Console, now: datetime) -> str:
    expected = console.forecast.expected.values()
    singles = [found.at for found in expected if not found.together]
    if console.submission:
        ends = {"at": at(console.submission.ends, now=now)}
        told = _("A submission is under way: the next one can leave at about %(at)s.") % ends
        return f"{told} {_meanwhile(console, now)}".strip()
    first = min((found.at for found in expected if found.together), default=None)
    if first is not None:
        count = sum(found.together and found.at == first for found in expected)
        told = _together(count, first - console.forecast.takes, now)
        return f"{told} {_others(singles, now)}".strip()
    if not singles:
        return _("No order waits to be told of.")
    told = _one_by_one(singles, now)
    if len(singles) > planning.BURST and not console.plan.submit and (apart := _apart(console, now)):
        told += " " + _("The next submission of single labels can leave at %(at)s.") % {"at": apart}
    return told


def _together(count: int, leaves: datetime, now: datetime) -> str:
    if leaves <= now + RUN:
        told = ngettext(
            "This %(count)d order leaves in one submission within a minute.",
            "These %(count)d orders leave in one submission within a minute.", count,
        )  # fmt: skip
    else:
        told = ngettext(
            "This %(count)d order leaves in one submission at %(at)s.",
            "These %(count)d orders leave in one submission at %(at)s.", count,
        )  # fmt: skip
    return told % {"count": count, "at": at(leaves, now=now)}


def _one_by_one(singles: list[datetime], now: datetime) -> str:
    if max(singles) <= now + SOON:
        told = ngettext(
            "This %(count)d order leaves by itself within two minutes.",
            "These %(count)d orders leave one by one within two minutes.", len(singles),
        )  # fmt: skip
    else:
        told = ngettext(
            "This %(count)d order leaves by itself at %(at)s.",
            "These %(count)d orders leave one by one, the last at %(at)s.", len(singles),
        )  # fmt: skip
    return told % {"count": len(singles), "at": at(max(singles), now=now)}


def _meanwhile(console: Console, now: datetime) -> str:
    """What becomes of those that wait while a submission is under way."""
    found = console.forecast.expected.values()
    singles = [one.at for one in found if not one.together]
    told = []
    if singles:
        told.append(
            ngettext(
                "Meanwhile %(count)d order leaves by itself, at %(at)s.",
                "Meanwhile %(count)d orders leave one by one, the last at %(at)s.", len(singles),
            ) % {"count": len(singles), "at": at(max(singles), now=now)}
        )  # fmt: skip
    if held := len(found) - len(singles):
        told.append(ngettext("%(count)d order waits for it.", "%(count)d orders wait for it.", held) % {"count": held})
    return " ".join(told)


def _others(singles: list[datetime], now: datetime) -> str:
    if not singles:
        return ""
    told = ngettext(
        "%(count)d more order leaves by itself at %(at)s.",
        "%(count)d more orders leave one by one, the last at %(at)s.", len(singles),
    )  # fmt: skip
    return told % {"count": len(singles), "at": at(max(singles), now=now)}


def _apart(console: Console, now: datetime) -> str:
    """When small submissions have kept their distance; '' where they have already."""
    free = console.last_submitted and console.last_submitted + planning.APART
    return at(free, now=now) if free and free > now else ""


def _batch(console: Console, now: datetime) -> str:
    """What planning.decide would do with a batch made now."""
    least = {"count": planning.BURST}
    if console.if_batched.hold_batches:
        told = _("A batch of more than %(count)d labels made now would wait for that submission, until about %(at)s.")
        return told % (least | {"at": at(console.submission.ends, now=now)})
    if console.if_batched.submit:
        return _("A batch of more than %(count)d labels made now would leave at once, in one submission.") % least
    told = _(
        "A batch of more than %(count)d labels made now would leave at %(at)s, when Amazon takes submissions again."
    )
    return told % (least | {"at": at(console.opens, now=now)})


def why_not_now(account: AmazonAccount, throttle: AccountThrottle, waiting: int, *, now: datetime) -> str:
    """Why telling Amazon now is refused; '' where it is not."""
    if account.status != AmazonAccount.Status.ACTIVE:
        return _("The Amazon account is stopped: OrderHub tells Amazon once it is authorised again.")
    level = cockpit.level(throttle, CONFIRM_SHIPMENT)
    opens = {"at": at(cockpit.single_opens(throttle, now=now), now=now)}
    if level.closed_until:
        return _("Amazon is closed until %(at)s: pressing now would lengthen the wait.") % opens
    if level.tokens < 1:
        return _("No call is left until %(at)s: pressing now would lengthen the wait.") % opens
    return "" if waiting else _("No order waits to be told of.")
