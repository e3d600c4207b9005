"""Accounts and stores in words, as their screens show them."""

from datetime import datetime

from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.wording import badge, day
from stores import marketplaces
from stores.authorizations import SOON_DAYS, URGENT_DAYS, Attention
from stores.models import AmazonAccount, Store

EXPIRY_WARNING_DAYS = SOON_DAYS
NAMED = 3  # accounts a line names before it only counts
REGION_WORDS = {"NA": _("North America"), "EU": _("Europe"), "FE": _("Far East")}
STATUS_BADGES = {
    AmazonAccount.Status.ACTIVE: "ok",
    AmazonAccount.Status.PENDING: "info",
    AmazonAccount.Status.EXPIRED: "bad",
    AmazonAccount.Status.REVOKED: "bad",
    AmazonAccount.Status.PAUSED: "warn",
}


def account_badge(account: AmazonAccount) -> str:
    """Whether the account works."""
    return badge(account.get_status_display(), STATUS_BADGES[account.status])


def store_badge(store: Store) -> str:
    """Whether the store takes orders in, and if not, whom it waits for. Asks for its account: read both at once."""
    if store.active and store.account and store.account.status != AmazonAccount.Status.ACTIVE:
        return badge(gettext("import paused"), "warn")
    if store.active:
        return badge(gettext("active"), "ok")
    if store.marketplace == marketplaces.JAPAN and not store.japan_enabled:
        return badge(gettext("waits for customer success"), "warn")
    return badge(gettext("inactive"), "muted")


def expiry_badge(account: AmazonAccount) -> str:
    """How many days the authorisation has left; nothing is left of one that Amazon no longer accepts."""
    if account.status == AmazonAccount.Status.REVOKED:
        return badge(gettext("no longer valid"), "bad")
    now = clock.now()
    if account.status == AmazonAccount.Status.EXPIRED or account.authorization_expires_at <= now:
        return badge(gettext("expired"), "bad")
    return badge(days_left(account, now=now), expiry_level(account, now=now) or "ok")


def expiry_level(account: AmazonAccount, *, now: datetime) -> str:
    """bad within a week of the end, warn within 30 days, else ''."""
    days = account.days_left(now)
    if days > SOON_DAYS:
        return ""
    return "bad" if days <= URGENT_DAYS else "warn"


def days_left(account: AmazonAccount, *, now: datetime) -> str:
    """`29 days left`."""
    days = account.days_left(now)
    if days < 1:
        return gettext("less than a day left")
    return ngettext("%(days)d day left", "%(days)d days left", days) % {"days": days}


def ending(account: AmazonAccount, *, now: datetime) -> str:
    """Until when a working account is authorised, and what to do before."""
    return gettext(
        "The authorisation ends on %(day)s (%(left)s). Authorise the application again in Seller Central and paste the new token on the account's page: nothing is interrupted."
    ) % {"day": day(account.authorization_expires_at), "left": days_left(account, now=now)}


def attention_line(attention: Attention) -> str:
    """All accounts somebody must do something about in one line, however many; '' where there are none."""
    parts = [_stopped(attention.stopped), _ending(attention.ending, named=not attention.stopped)]
    return " ".join(filter(None, parts))


def _stopped(accounts: list[AmazonAccount]) -> str:
    if not accounts:
        return ""
    if any(account.status == AmazonAccount.Status.PAUSED for account in accounts):
        text = ngettext(
            "%(count)d account is stopped: %(names)s.", "%(count)d accounts are stopped: %(names)s.", len(accounts)
        )
    else:
        text = ngettext(
            "%(count)d account must be authorised again: %(names)s.",
            "%(count)d accounts must be authorised again: %(names)s.",
            len(accounts),
        )
    return text % {"count": len(accounts), "names": _names(accounts)}


def _ending(accounts: list[AmazonAccount], *, named: bool) -> str:
    """Beside stopped accounts their number is enough: the line stays one."""
    count = len(accounts)
    if not accounts:
        return ""
    if not named:
        text = ngettext(
            "%(count)d authorisation ends within 30 days.", "%(count)d authorisations end within 30 days.", count
        )
        return text % {"count": count}
    text = ngettext(
        "%(count)d authorisation ends within 30 days: %(names)s.",
        "%(count)d authorisations end within 30 days: %(names)s.",
        count,
    )
    return text % {"count": count, "names": _names(accounts)}


def _names(accounts: list[AmazonAccount]) -> str:
    """`Merchant (NA)`, a few of them, then only how many more."""
    named = [f"{Truncator(account.merchant.name).chars(30)} ({account.region})" for account in accounts[:NAMED]]
    more = len(accounts) - NAMED
    if more > 0:
        named.append(ngettext("%(count)d more", "%(count)d more", more) % {"count": more})
    return ", ".join(named)


def lag_words(account: AmazonAccount) -> str:
    """How far the import is behind the present."""
    if account.imported_until is None:
        return gettext("nothing imported yet")
    return timesince(account.imported_until, now=clock.now(), depth=1)


def source_words(code: str) -> str:
    """`Amazon.ca`, and for Japan what happens first."""
    market = marketplaces.BY_CODE[code]
    if code == marketplaces.JAPAN:
        return gettext("Amazon.co.jp (Japan): stays inactive until customer success enables it")
    return market.label


def consent_errors() -> list[tuple[str, str]]:
    """The codes Amazon's consent page may show, and what to do about each. Amazon sends none of them back to us.

    Source: SP-API authorisation errors, read 2026-11-23.
    """
    draft = gettext(
        "The application is still a draft at Amazon, or its id is wrong. Ask the operator to set SPAPI_APPLICATION_DRAFT or to correct SPAPI_APPLICATION_ID."
    )
    address = gettext(
        "The address that Amazon would send you back to is not registered for the application. Ask the operator to register it at Amazon, exactly as in SPAPI_REDIRECT_URI."
    )
    return [
        ("MD1000", draft),
        ("MD5101", address),
        ("MD5110", address),
        (
            "MD9100",
            gettext("The application has no log-in or redirect address at Amazon. Ask the operator to add both."),
        ),
        (
            "SPDC8143",
            gettext("You are not the primary user of this seller account. Its primary user must sign in and confirm."),
        ),
        (
            "SPSA0404",
            gettext("This kind of account cannot use the application. Check that it is a Professional seller account."),
        ),
        ("SPSA2043", gettext("This is a vendor account. Only seller accounts can be connected.")),
        (
            "CONSENT_LIMIT_REACHED",
            gettext(
                "The application has as many sellers as Amazon allows while it is not in the Appstore. Ask the operator; until then, paste an authorisation token instead."
            ),
        ),
    ]
