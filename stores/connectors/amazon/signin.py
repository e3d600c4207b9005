"""Login with Amazon: refresh token in, access token out. Access tokens live in this process's memory only."""

import hashlib
import math
import os
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orderhub import clock
from orderhub.errors import CredentialsRejected, OperatorMistake, OutcomeUnknown, TryLater, UnexpectedAnswer
from orderhub.http import Answer, HttpClient

HOUR_S = 3600.0
EARLY = timedelta(minutes=2)  # renew this long before the hour is over
_NEVER = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
_cache: dict[str, tuple[str, datetime]] = {}
_lock = threading.Lock()
os.register_at_fork(after_in_child=lambda: _lock._at_fork_reinit())


@dataclass(frozen=True)
class SignIn:
    """The token endpoint for one seller. Source: Login with Amazon, token calls."""

    http: HttpClient
    client_id: str
    client_secret: str
    refresh_token: str

    @property
    def _key(self) -> str:
        parts = "\n".join([self.http.base_url, self.client_id, self.client_secret, self.refresh_token])
        return hashlib.sha256(parts.encode()).hexdigest()

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
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self.refresh_token,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        try:
            answer = self.http.send("POST", "", form=form)
            if answer.status != 200:
                raise _refusal(answer)
            body = answer.json()
            return _token_of(body), _lifetime_s(body)
        except (OutcomeUnknown, UnexpectedAnswer, KeyError, TypeError, ValueError) as error:
            raise TryLater(f"sign-in: {type(error).__name__}", wait_s=60, code="SignInUnclear") from None


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


def _refusal(answer: Answer) -> Exception:
    try:
        body = answer.json()
        said = body.get("error") if isinstance(body, dict) else None
    except UnexpectedAnswer:
        said = None
    code = re.sub(r"[^A-Za-z0-9_.-]", "", said)[:40] if isinstance(said, str) else ""
    if code == "invalid_grant":
        return CredentialsRejected("sign-in: invalid_grant", code=code)
    if code in {"invalid_client", "unauthorized_client"}:
        return OperatorMistake(f"sign-in: {code}", code=code)
    if answer.status == 429 or answer.status >= 500 or not code:
        return TryLater(f"sign-in: {answer.status}", wait_s=60, code=code or str(answer.status))
    return OperatorMistake(f"sign-in: {code}", code=code)
