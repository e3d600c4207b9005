"""HTTP Basic, as clients of version 1 sign in: API key as user name, API secret as password."""

import base64
import binascii

from orderhub import apikeys


def pair(request) -> tuple[str, str] | None:
    """Prefix and secret of the key that was sent; a Bearer token is taken as well."""
    kind, _space, text = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return apikeys.read_token(text.strip())
    if kind.lower() != "basic":
        return None
    try:
        user, _colon, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return apikeys.read_pair(user, password)
