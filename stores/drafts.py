"""What the steps of connecting have gathered so far, sealed for the visitor's session."""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from privacy.fields import CannotDecrypt, decrypt, encrypt
from stores import marketplaces
from stores.models import AmazonAccount, ConnectionDraft
from stores.verifying import Verification, WrongTile, check_tile

LIFETIME = timedelta(minutes=30)  # since the last step


@dataclass(frozen=True)
class Draft:
    """`merchant_id` None: `new_merchant` comes into being with the account.

    `verified` belongs to exactly this region, seller id and token: changing one of them drops it (R3).
    """

    country: str
    merchant_id: int | None = None
    new_merchant: str = ""
    seller_id: str = ""
    token: str = field(default="", repr=False)
    kind: str = AmazonAccount.CredentialKind.TOKEN
    verified: Verification | None = None
    declared: bool = False  # that the plan is Professional, where Amazon did not tell (R1)
    sources: tuple[str, ...] = ()
    identifiers: dict[str, str] = field(default_factory=dict)

    @property
    def market(self) -> marketplaces.Marketplace:
        return marketplaces.BY_CODE[self.country]

    @property
    def has_merchant(self) -> bool:
        return self.merchant_id is not None or bool(self.new_merchant)

    @property
    def wrong_tile(self) -> WrongTile | None:
        """What stands between a seller Amazon confirmed and the order sources; None before it did."""
        try:
            if self.verified is not None:
                check_tile(self.verified, self.country)
        except WrongTile as problem:
            return problem
        return None

    @property
    def is_confirmed(self) -> bool:
        """Whether order sources may be chosen (R3, R4)."""
        return self.verified is not None and self.has_merchant and self.wrong_tile is None

    @property
    def lacks_declaration(self) -> bool:
        """Whether somebody has still to say that the plan is Professional."""
        return self.verified is not None and self.verified.plan == AmazonAccount.Plan.DECLARED and not self.declared

    def in_country(self, code: str) -> "Draft":
        """Under another tile. Within a region what Amazon confirmed still holds; the choice of sources starts anew."""
        if code == self.country:
            return self
        moved = replace(self, country=code, sources=(), identifiers={})
        return moved if moved.market.region == self.market.region else replace(moved, verified=None)

    def for_merchant(self, merchant_id: int | None, new_merchant: str) -> "Draft":
        return replace(self, merchant_id=merchant_id, new_merchant=new_merchant)

    def with_credentials(self, seller_id: str, token: str, kind: str) -> "Draft":
        """With these; an empty token keeps the one that is there, for the same seller id only."""
        seller_id, token = seller_id.strip(), token.strip()
        if not token and seller_id == self.seller_id:
            return self
        return replace(
            self, seller_id=seller_id, token=token, kind=kind, verified=None, declared=False, sources=(), identifiers={}
        )


def keep(session, draft: Draft, *, now: datetime, key: str = "") -> str:
    """Seal it for half an hour; returns the random key that finds it again, in this session only.

    The token lies there as it does on an account: encrypted, bound to its place (here with the key, so that no row can
    stand in for another). Drafts go when they are used, old ones whenever one is kept.
    """
    key = key or secrets.token_urlsafe(24)
    ConnectionDraft.objects.filter(valid_until__lte=now).delete()
    ConnectionDraft.objects.update_or_create(
        key_hash=_hash(key), session_hash=_hash(session.session_key),
        defaults={"sealed": encrypt(json.dumps(asdict(draft)), place=_place(key)), "valid_until": now + LIFETIME},
    )  # fmt: skip
    return key


def recall(session, key: str, *, now: datetime) -> Draft | None:
    """What was kept under this key, unless it is older than half an hour, used, or another session's."""
    row = _rows(session, key).filter(valid_until__gt=now).first()
    if row is None:
        return None
    try:
        found = json.loads(decrypt(row.sealed, place=_place(key)))
    except CannotDecrypt:
        return None
    verified = found.pop("verified")
    if verified is not None:
        verified = Verification(**(verified | {"codes": tuple(verified["codes"])}))
    return Draft(**(found | {"verified": verified, "sources": tuple(found["sources"])}))


def drop(session, key: str) -> None:
    """Forget one draft. Safe to repeat."""
    _rows(session, key).delete()


def _rows(session, key: str):
    return ConnectionDraft.objects.filter(key_hash=_hash(key), session_hash=_hash(session.session_key))


def _place(key: str) -> str:
    return f"stores.connection_draft.{key}"


def _hash(text: str | None) -> str:
    return hashlib.sha256((text or "").encode()).hexdigest()
