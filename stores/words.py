"""Accounts and stores in words, as their screens show them."""

from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.wording import badge
from stores import marketplaces
from stores.models import AmazonAccount, Store

EXPIRY_WARNING_DAYS = 30
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
    """Whether the store takes orders in, and if not, whom it waits for."""
    if store.active:
        return badge(gettext("active"), "ok")
    if store.marketplace == marketplaces.JAPAN and not store.japan_enabled:
        return badge(gettext("waits for customer success"), "warn")
    return badge(gettext("inactive"), "muted")


def expiry_badge(account: AmazonAccount) -> str:
    """How many days the authorisation has left; nothing is left of one that Amazon no longer accepts."""
    if account.status == AmazonAccount.Status.REVOKED:
        return badge(gettext("no longer valid"), "bad")
    days = (account.authorization_expires_at - clock.now()).days
    if days < 0:
        return badge(gettext("expired"), "bad")
    text = ngettext("%(days)d day left", "%(days)d days left", days) % {"days": days}
    return badge(text, "warn" if days <= EXPIRY_WARNING_DAYS else "ok")


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
