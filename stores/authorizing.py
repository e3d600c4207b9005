"""Sign-in with Amazon: a seller leaves for Seller Central and comes back with a code, once, to the same person.

An attempt is bound to the session and the user that began it, to the region, and to the account it renews or the draft
it belongs to. Only hashes of its secrets are kept.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from orderhub.errors import ConnectorError, CredentialsRejected, OperatorMistake, RuleViolation
from stores import verifying
from stores.models import AmazonAccount, AuthorizationAttempt
from stores.verifying import Verification

LIFETIME = timedelta(minutes=10)  # Amazon's own bound for the whole workflow
STATE_BYTES = 32


@dataclass(frozen=True)
class CameBack:
    """What an attempt led to. `verified`: what Amazon says of the seller who signed in."""

    attempt: AuthorizationAttempt
    token: str = field(repr=False)
    verified: Verification


@dataclass(frozen=True)
class Visitor:
    """Who is signed in here, in which session."""

    user: object
    session_key: str = field(repr=False)


def available() -> bool:
    """Whether this installation can send sellers to Amazon: its application must be known."""
    return bool(settings.SPAPI_APPLICATION_ID and settings.LWA_CLIENT_ID and settings.LWA_CLIENT_SECRET)


def begin(visitor: Visitor, *, region: str, now: datetime, account: AmazonAccount | None = None, draft_key="") -> str:
    """Record an attempt; returns the state that must come back within ten minutes. Old attempts are removed."""
    AuthorizationAttempt.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    state = secrets.token_urlsafe(STATE_BYTES)
    AuthorizationAttempt.objects.create(
        state_hash=_hash(state), session_hash=_hash(visitor.session_key), user=visitor.user, region=region,
        account=account, draft_key=draft_key, created_at=now, expires_at=now + LIFETIME,
    )  # fmt: skip
    return state


@sensitive_variables()
def finish(visitor: Visitor, *, state: str, seller_id: str, code: str, redirect_uri: str, now: datetime) -> CameBack:
    """Spend the attempt, exchange the code, and ask Amazon who signed in. Saves nothing else.

    RuleViolation, saying what to do, for a state that is missing, used, too old or another person's; for a code Amazon
    does not take; for a seller that is not the account's; for an account that is connected already.
    """
    attempt = _spend(visitor, state, now)
    if not code or len(code) > 512 or not seller_id:
        raise RuleViolation(_("Amazon sent no authorisation code. Start the sign-in again."))
    if attempt.account is not None and attempt.account.selling_partner_id != seller_id:
        raise RuleViolation(
            _("You signed in as seller %(other)s, but this account is seller %(seller)s. Sign in as that seller.")
            % {"other": seller_id[:40], "seller": attempt.account.selling_partner_id}
        )
    token = _exchange(code, redirect_uri)
    try:
        return CameBack(attempt, token, verifying.verify(attempt.region, seller_id, token))
    except RuleViolation as error:  # the code is spent
        raise RuleViolation(_("%(trouble)s Then start the sign-in again.") % {"trouble": error}) from None


def draft_of(visitor: Visitor, state: str) -> AuthorizationAttempt | None:
    """The attempt behind a state if it is this visitor's, used or not: where to go back to."""
    return _mine(visitor).filter(state_hash=_hash(state)).select_related("account").first()


def _spend(visitor: Visitor, state: str, now: datetime) -> AuthorizationAttempt:
    """The one UPDATE that decides: of two callbacks with one state, one is refused."""
    attempt = draft_of(visitor, state) if state else None
    if attempt is None:  # nothing is said of attempts of others
        raise RuleViolation(
            _("This sign-in was not started here, or in another window or by somebody else. Start it again.")
        )
    fresh = _mine(visitor).filter(pk=attempt.pk, used_at__isnull=True, expires_at__gt=now)
    if not fresh.update(used_at=now):
        raise RuleViolation(_("This sign-in was used already or took longer than 10 minutes. Start it again."))
    return attempt


def _mine(visitor: Visitor):
    return AuthorizationAttempt.objects.filter(user=visitor.user, session_hash=_hash(visitor.session_key))


@sensitive_variables()
def _exchange(code: str, redirect_uri: str) -> str:
    try:
        return verifying.token_for_code(code, redirect_uri)
    except OperatorMistake:
        raise RuleViolation(verifying.operator_mistake()) from None
    except CredentialsRejected:
        raise RuleViolation(
            _("Amazon does not take this authorisation code: it works once, for five minutes. Start the sign-in again.")
        ) from None
    except ConnectorError:
        raise RuleViolation(_("Amazon did not answer. Nothing was saved: start the sign-in again.")) from None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
