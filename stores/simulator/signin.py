"""`POST /auth/o2/token`: the three grants of Login with Amazon, and the check of access tokens."""

import hmac
from urllib.parse import parse_qs

from stores.simulator.answers import EXPIRED, MISSING, REVOKED, Answer, Refusal, as_json, denied
from stores.simulator.marketplaces import Seller
from stores.simulator.tokens import ACCESS_LIFE, SCOPES
from stores.simulator.world import World


def _fail(status: int, error: str, text: str) -> Refusal:
    return Refusal(as_json({"error": error, "error_description": text}, status))


def exchange(world: World, content_type: str, body: bytes) -> Answer:
    """A grant for tokens. Using a refresh token does not rotate it."""
    if not content_type.startswith("application/x-www-form-urlencoded"):
        raise _fail(400, "invalid_request", "The request body must be form-encoded.")
    fields = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    _check_client(world, fields)
    grants = {
        "authorization_code": _by_code,
        "refresh_token": _by_refresh_token,
        "client_credentials": _by_client,
    }
    grant = grants.get(_field(fields, "grant_type"))
    if grant is None:
        raise _fail(400, "unsupported_grant_type", "The grant type is not supported.")
    return grant(world, fields)


def _field(fields: dict[str, str], name: str) -> str:
    if not fields.get(name):
        raise _fail(400, "invalid_request", f"The request is missing a required parameter: {name}")
    return fields[name]


def _check_client(world: World, fields: dict[str, str]) -> None:
    client_id, secret = _field(fields, "client_id"), _field(fields, "client_secret")
    known = any(hmac.compare_digest(secret.encode(), live.encode()) for live in world.client_secrets)
    if client_id != world.tokens.client_id or not known:
        raise _fail(401, "invalid_client", "Client authentication failed")


def _tokens(world: World, seller_id: str | None, refresh_token: str = "") -> Answer:
    access = world.tokens.new_access(seller_id, world.clock.now())
    data = {"access_token": access, "token_type": "bearer", "expires_in": int(ACCESS_LIFE.total_seconds())}
    if refresh_token:
        data["refresh_token"] = refresh_token
    answer = as_json(data)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _by_code(world: World, fields: dict[str, str]) -> Answer:
    code, redirect_uri = _field(fields, "code"), _field(fields, "redirect_uri")
    seller_id = world.tokens.spend_code(code, world.clock.now())
    if seller_id is None or (world.redirect_uris and redirect_uri not in world.redirect_uris):
        raise _fail(400, "invalid_grant", "The authorization code is invalid, expired or already used.")
    return _tokens(world, seller_id, world.tokens.authorize(seller_id))


def _by_refresh_token(world: World, fields: dict[str, str]) -> Answer:
    token = _field(fields, "refresh_token")
    if token not in world.tokens.refresh:
        raise _fail(400, "invalid_grant", "The request has an invalid grant parameter : refresh_token")
    return _tokens(world, world.tokens.refresh[token], token)


def _by_client(world: World, fields: dict[str, str]) -> Answer:
    if _field(fields, "scope") not in SCOPES:
        raise _fail(400, "invalid_scope", "The request has an invalid scope.")
    return _tokens(world, None)


def seller_of(world: World, token: str | None) -> Seller:
    """The seller an access token speaks for; a 403 with the reason for any other token."""
    if not token:
        raise denied(MISSING)
    seller_id, until = world.tokens.access.get(token, (None, None))
    if until is None:
        raise denied(REVOKED)
    if world.clock.now() >= until:
        raise denied(EXPIRED)
    if seller_id is None:  # a grantless token has no seller's data to read
        raise denied()
    return world.sellers[seller_id]
