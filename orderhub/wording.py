"""How screens write instants, amounts and states. Instants are UTC and say so."""

from datetime import UTC, date, datetime
from decimal import Decimal

from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from orderhub.money import display

LEVELS = ("ok", "warn", "bad", "info", "muted")
MONTHS = {"fr": "N"}  # the month as a word: no reader mistakes it for the day; French writes it small, with a point


def _month() -> str:
    return MONTHS.get((get_language() or "")[:2], "M")


def day(when: date) -> str:
    """`24 Nov 2026`."""
    return formats.date_format(when, f"j {_month()} Y")


def short_day(when: date) -> str:
    """`24 Nov`: for dates near today."""
    return formats.date_format(when, f"j {_month()}")


def weekday(when: date) -> str:
    """`Tue 24 Nov`."""
    return formats.date_format(when, f"D j {_month()}")


def short_day_and_time(instant: datetime) -> str:
    """`24 Nov, 14:05`, in the instant's own time zone: for dates near today."""
    return formats.date_format(instant, f"j {_month()}, H:i")


def day_and_time(instant: datetime) -> str:
    """`24 Nov 2026, 14:05`, in the instant's own time zone."""
    return f"{day(instant)}, {formats.date_format(instant, 'H:i')}"


def utc(instant: datetime | None) -> str:
    """`24 Nov 2026, 14:05 UTC`; a dash where there is none."""
    return f"{day_and_time(instant.astimezone(UTC))} UTC" if instant else "–"


def stacked_utc(instant: datetime | None, level: str = "plain") -> SafeString | str:
    """The day, and below it the time: for narrow columns."""
    if instant is None:
        return "–"
    there = instant.astimezone(UTC)
    return format_html(
        '<span class="oh-number oh-text--{}">{}</span><br><span class="oh-quiet oh-number">{} UTC</span>',
        level, day(there), formats.date_format(there, "H:i"),
    )  # fmt: skip


def about(number: str, text: str) -> str:
    """`111-…: text`, as the reader's language writes a colon; a text that names the order already stands alone."""
    return str(text) if number in str(text) else _("%(number)s: %(text)s") % {"number": number, "text": text}


def badge(word: str, level: str = "muted") -> SafeString:
    """A state as a word on a tint. `level`: one of LEVELS."""
    return format_html('<span class="oh-badge oh-badge--{}">{}</span>', level, word)


def amount(value: Decimal | None, currency: str) -> str:
    """`19.90 EUR`, `19,90 EUR` to a French reader; a dash where the marketplace did not say."""
    if value is None:
        return "–"
    written = display(Decimal(value), currency)
    places = len(written.partition(".")[2])
    return f"{formats.number_format(Decimal(written), places, use_l10n=True, force_grouping=True)} {currency}"
