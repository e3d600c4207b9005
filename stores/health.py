"""What stops an account, and what a person does about it."""

from django.utils.translation import gettext as _

from orderhub.errors import CredentialsRejected, OperatorMistake
from stores.models import AmazonAccount

INVALID_GRANT = "invalid_grant"
OPERATOR = "operator"


def stop_for(account: AmazonAccount, error: CredentialsRejected) -> str:
    """Stop an account Amazon refuses: no call is made until somebody acts. Its orders, notices and cursor stay."""
    if isinstance(error, OperatorMistake):
        account.stop(AmazonAccount.Status.PAUSED, OPERATOR)
    else:
        account.stop(AmazonAccount.Status.REVOKED, error.code or INVALID_GRANT)
    return f"account {account.pk} stopped: {error}"


def words(account: AmazonAccount) -> str:
    """Why the account does not work and what to do, in the reader's language; '' if it works."""
    match account.status:
        case AmazonAccount.Status.ACTIVE:
            return ""
        case AmazonAccount.Status.PAUSED if account.status_reason == OPERATOR:
            return _(
                "Amazon refuses OrderHub's own client id or secret. The operator must check LWA_CLIENT_ID and LWA_CLIENT_SECRET, then resume the account."
            )
        case AmazonAccount.Status.EXPIRED:
            return _(
                "The yearly authorisation has expired. Authorise the application again in Seller Central and paste the new token on the account's page: import and notices go on where they stopped."
            )
        case AmazonAccount.Status.REVOKED:
            return _(
                "Amazon no longer accepts the token. Authorise the application again in Seller Central and paste the new token on the account's page: import and notices go on where they stopped."
            )
        case AmazonAccount.Status.PAUSED:
            return _("This account is paused: %(reason)s") % {"reason": account.status_reason}
        case _pending:
            return _("This account is not verified yet.")
