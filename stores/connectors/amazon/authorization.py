"""The end of the website workflow: an authorisation code becomes a refresh token."""

import re

from django.views.decorators.debug import sensitive_variables

from orderhub.errors import CredentialsRejected, OutcomeUnknown, UnexpectedAnswer
from orderhub.http import HttpClient
from stores.connectors.amazon.signin import token_call

MOST_BYTES = 2048  # Amazon's bound for its tokens


@sensitive_variables()
def refresh_token_for(
    http: HttpClient, *, client_id: str, secrets: tuple[str, str], code: str, redirect_uri: str
) -> str:
    """The seller's refresh token. A code works once, for five minutes, with the redirect address it was made for.

    `secrets`: the application's current one, and the one before it or ''.

    CredentialsRejected: the code is spent, too old or not ours. OperatorMistake: our own client id or secret is wrong.
    TryLater: nothing was sent, or Amazon is busy. OutcomeUnknown: no readable answer; the code may be spent.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "client_id": client_id}
    try:
        token = token_call(http, form, *secrets).json()["refresh_token"]
    except (UnexpectedAnswer, KeyError, TypeError):
        raise OutcomeUnknown("authorisation code: no readable answer", code="UnreadableAnswer") from None
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token) or len(token) > MOST_BYTES:
        raise CredentialsRejected("authorisation code: no token in the answer", code="NoToken")
    return token
