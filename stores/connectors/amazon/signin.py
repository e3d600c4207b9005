"""Login with Amazon: refresh token in, access token out. Access tokens live in this process's memory only."""

import hashlib
import math
import os
import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from orderhub import clock
from orderhub.errors import (
    ConnectorError,
    CredentialsRejected,
    OperatorMistake,
    OutcomeUnknown,
    TryLater,
    UnexpectedAnswer,
)
from orderhub.http import Answer, HttpClient

HOUR_S = 3600.0
EARLY = timedelta(minutes=2)  # renew this long before the hour is over
INVALID_CLIENT = "invalid_client"
BEGIN_AGAIN = timedelta(minutes=10)  # until then a sign-in begins with the secret that worked
_NEVER = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
_cache: dict[str, tuple[str, datetime]] = {}
_worked: dict[str, tuple[str, datetime]] = {}  # by application: a secret that is not the first, and until when it leads
_lock = threading.Lock()
os.register_at_fork(after_in_child=lambda: _lock._at_fork_reinit())


@dataclass(frozen=True)
class SignIn:
    """The token endpoint for one seller. Source: Login with Amazon, token calls.

    `previous_secret`: the other secret of a rotation, '' where there is none.
    """

    http: HttpClient
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    previous_secret: str = field(default="", repr=False)

    @property
    def _key(self) -> str:
        return _digest(self.http.base_url, self.client_id, self.client_secret, self.refresh_token)

    def access_token(self) -> str:
        """A valid access token, from memory if it has two minutes left.

        CredentialsRejected: the seller must authorise again. OperatorMistake: our own client id or secret is wrong.
        TryLater: nothing came back that says either.
        """
        with _lock:
            token, ends = _cache.get(self._key, ("", _NEVER))
        if token and clock.now() < ends - EARLY:
            return token
        token, lifetime_s = self._fetch()
        with _lock:
            _cache[self._key] = (token, clock.now() + timedelta(seconds=lifetime_s))
        return token

    def forget(self) -> None:
        """Drop the token in memory: Amazon refused it."""
        with _lock:
            _cache.pop(self._key, None)

    def _fetch(self) -> tuple[str, float]:
        form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token, "client_id": self.client_id}
        try:
            body = token_call(self.http, form, self.client_secret, self.previous_secret).json()
            return _token_of(body), _lifetime_s(body)
        except (OutcomeUnknown, UnexpectedAnswer, KeyError, TypeError, ValueError) as error:
            raise TryLater(f"sign-in: {type(error).__name__}", wait_s=60, code="SignInUnclear") from None


def token_call(http: HttpClient, form: dict[str, str], secret: str, previous: str = "") -> Answer:
    """The token endpoint's yes to `form`, sent with whichever of the application's two secrets is live there.

    While a secret is rotated, either may be the one Amazon knows: where one is refused the other is asked at once.
    Errors: those of refusal_of(), OperatorMistake only if both are refused, and those of the HTTP client.
    """
    application = _digest(http.base_url, form["client_id"], secret, previous)
    for tried in _in_order(application, secret, previous):
        answer = http.send("POST", "", form=form | {"client_secret": tried})
        if answer.status == 200 or refusal_of(answer).code != INVALID_CLIENT:
            _remember(application, tried, first=secret)
            break
    if answer.status != 200:
        raise refusal_of(answer)
    return answer


def _in_order(application: str, secret: str, previous: str) -> list[str]:
    """The secrets to try, without doubles: the first one leads, unless another worked in the last minutes."""
    with _lock:
        leader, until = _worked.get(application, ("", _NEVER))
    leads = leader if clock.now() < until else secret
    return list(dict.fromkeys([leads, secret, *filter(None, [previous])]))


def _remember(application: str, worked: str, *, first: str) -> None:
    """What leads at the next sign-in. A secret that goes on leading is not given more time: the first has its turn."""
    with _lock:
        if worked == first:
            _worked.pop(application, None)
        elif _worked.get(application, ("", _NEVER))[1] <= clock.now():
            _worked[application] = (worked, clock.now() + BEGIN_AGAIN)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _token_of(body: dict) -> str:
    """The access token. ValueError where it is none that a header can carry."""
    token = body["access_token"]
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise ValueError("access_token")
    return token


def _lifetime_s(body: dict) -> float:
    try:
        lifetime_s = float(body.get("expires_in"))
    except (TypeError, ValueError, OverflowError):
        return HOUR_S
    return min(lifetime_s, HOUR_S) if math.isfinite(lifetime_s) and lifetime_s > 0 else HOUR_S


def refusal_of(answer: Answer) -> ConnectorError:
    """The error that a refused token call means."""
    try:
        body = answer.json()
        said = body.get("error") if isinstance(body, dict) else None
    except UnexpectedAnswer:
        said = None
    code = re.sub(r"[^A-Za-z0-9_.-]", "", said)[:40] if isinstance(said, str) else ""
    if code == "invalid_grant":
        return CredentialsRejected("sign-in: invalid_grant", code=code)
    if code in {INVALID_CLIENT, "unauthorized_client"}:
        return OperatorMistake(f"sign-in: {code}", code=code)
    if answer.status == 429 or answer.status >= 500 or not code:
        return TryLater(f"sign-in: {answer.status}", wait_s=60, code=code or str(answer.status))
    return OperatorMistake(f"sign-in: {code}", code=code)
