"""Login with Amazon: refresh tokens, access tokens and authorization codes of the simulated application."""

import random
from datetime import datetime, timedelta

CLIENT_ID = "amzn1.application-oa2-client.5f1dorderhubsimulator"
CLIENT_SECRET = "amzn1.oa2-cs.v1.simulated-secret-of-the-demo"  # noqa: S105 (opens nothing but the simulator)
APPLICATION_ID = "amzn1.sp.solution.00000000-5151-4a4a-8c8c-000000000001"
ACCESS_LIFE = timedelta(seconds=3600)
CODE_LIFE = timedelta(minutes=5)
SCOPES = frozenset(
    {
        "sellingpartnerapi::notifications",
        "sellingpartnerapi::client_credential:rotation",
        "sellingpartnerapi::shipments:track",
    }
)


class Tokens:
    """Not locked: the world's lock covers it."""

    def __init__(self, source: random.Random, refresh_tokens: dict[str, str]) -> None:
        self._random = source
        self.client_id = CLIENT_ID
        self.client_secrets = [CLIENT_SECRET]
        self.application_id = APPLICATION_ID
        self.refresh: dict[str, str] = dict(refresh_tokens)
        self.access: dict[str, tuple[str | None, datetime]] = {}
        self.codes: dict[str, tuple[str, datetime]] = {}

    def _secret(self, prefix: str) -> str:
        return f"{prefix}|{self._random.getrandbits(256):064x}"

    def authorize(self, seller_id: str) -> str:
        token = self._secret("Atzr")
        self.refresh[token] = seller_id
        return token

    def revoke(self, seller_id: str) -> None:
        self.refresh = {token: owner for token, owner in self.refresh.items() if owner != seller_id}
        self.access = {token: entry for token, entry in self.access.items() if entry[0] != seller_id}
        self.codes = {code: entry for code, entry in self.codes.items() if entry[0] != seller_id}

    def new_code(self, seller_id: str, now: datetime) -> str:
        code = f"AN{self._random.getrandbits(80):020x}"
        self.codes[code] = (seller_id, now + CODE_LIFE)
        return code

    def spend_code(self, code: str, now: datetime) -> str | None:
        """The seller who gave it, once; None for a spent, stale or unknown one."""
        seller_id, until = self.codes.pop(code, (None, now))
        return seller_id if seller_id and now < until else None

    def new_access(self, seller_id: str | None, now: datetime) -> str:
        """`seller_id` None: a token for operations that need no seller."""
        token = self._secret("Atza")
        self.access[token] = (seller_id, now + ACCESS_LIFE)
        return token
