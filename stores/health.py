"""What stops an account, and what a person does about it."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from orderhub.errors import CredentialsRejected, OperatorMistake
from stores.models import AmazonAccount

INVALID_GRANT = "invalid_grant"
OPERATOR = "operator"
YEAR_OVER = "year_over"
ABOUT = timedelta(days=1)  # Amazon's year and ours need not end in the same hour
Status = AmazonAccount.Status


def stop_for(account: AmazonAccount, error: CredentialsRejected, *, now: datetime) -> str:
    """Stop an account Amazon refuses: no call is made until somebody acts. Its orders, notices and cursor stay."""
    if isinstance(error, OperatorMistake):
        account.stop(Status.PAUSED, OPERATOR)
    elif error.code == INVALID_GRANT and now >= account.authorization_expires_at - ABOUT:
        account.stop(Status.EXPIRED, INVALID_GRANT)
    else:
        account.stop(Status.REVOKED, error.code or INVALID_GRANT)
    return f"account {account.pk} stopped: {error}"


def stop_if_expired(account: AmazonAccount, *, now: datetime) -> bool:
    """Stop an account whose year is over, before anything is asked of Amazon; whether it is stopped for that.

    A paused one too: trying again with its token would lead nowhere. Safe to repeat. Nothing happens to an account that
    was renewed since this row was read.
    """
    if account.status in {Status.ACTIVE, Status.PAUSED} and now >= account.authorization_expires_at:
        account.stop(Status.EXPIRED, YEAR_OVER)
    return account.status == Status.EXPIRED


def can_resume(account: AmazonAccount, *, now: datetime) -> bool:
    """Whether trying again with the token it has may help. After the year only a new token does."""
    stopped = account.status not in {Status.ACTIVE, Status.EXPIRED}
    return stopped and now < account.authorization_expires_at


def words(account: AmazonAccount) -> str:
    """Why the account does not work and what to do, in the reader's language; '' if it works."""
    match account.status:
        case Status.ACTIVE:
            return ""
        case Status.PAUSED if account.status_reason == OPERATOR:
            return _(
                "Amazon refuses OrderHub's own client id or secret. The operator must check LWA_CLIENT_ID and LWA_CLIENT_SECRET, then resume the account."
            )
        case Status.EXPIRED:
            return _(
                "The yearly authorisation has expired. Authorise the application again in Seller Central and paste the new token on the account's page: import and notices go on where they stopped."
            )
        case Status.REVOKED:
            return _(
                "Amazon no longer accepts the token. Authorise the application again in Seller Central and paste the new token on the account's page: import and notices go on where they stopped."
            )
        case Status.PAUSED:
            return _("This account is paused: %(reason)s") % {"reason": account.status_reason}
        case _pending:
            return _("This account is not verified yet.")
