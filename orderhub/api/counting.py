"""What each key asks of the native API, counted for the compatibility report once the answer is made."""

import json
import re

from orderhub import apiuse, clock
from orderhub.models.apikey import UseKind

SURFACE = "native"
TYPE = "urn:orderhub:problem:"
NOWHERE = "no-such-address"
PLACE = re.compile(r"/[0-9]+(?=/|$)")  # in a list: which one it was is no matter


def count(request, response) -> None:
    """One more of what this request was. Nothing for a request without a valid key."""
    key = getattr(request, "api_key", None)
    if key is not None:
        apiuse.count(key, SURFACE, _noted(request, response), now=clock.now())


def _noted(request, response) -> list[tuple[UseKind, str]]:
    name = _endpoint(request)
    if response.status_code == 429:
        return [(UseKind.THROTTLED, name)]
    if response.status_code < 400:
        return [(UseKind.ENDPOINT, name)]
    problem = _problem(response)
    code = str(problem.get("type", "")).removeprefix(TYPE)
    if code == NOWHERE:
        return [(UseKind.UNKNOWN_PATH, apiuse.path_name(request.method, request.path_info.removeprefix("/api/v1")))]
    noted = [(UseKind.ENDPOINT, name), (UseKind.REFUSED, f"{name} {response.status_code} {code}")]
    unknown = [error["pointer"] for error in problem.get("errors", ()) if error.get("code") == "unknown"]
    fields = [_path(pointer) for pointer in unknown]
    return noted + [(UseKind.UNKNOWN_FIELD, f"{name} {field}") for field in fields]


def _path(pointer: str) -> str:
    """`items[].colour` of the pointer /items/0/colour."""
    *parents, name = PLACE.sub("[]", pointer).lstrip("/").split("/")
    return ".".join(
        [*(parent if parent.endswith("[]") else apiuse.word(parent) for parent in parents), apiuse.word(name)]
    )


def _endpoint(request) -> str:
    """`GET /orders/{id}`: the address with what was asked for taken out of it."""
    match = request.resolver_match
    values = {str(value) for value in match.kwargs.values()} if match else set()
    parts = request.path_info.removeprefix("/api/v1").split("/")
    return f"{request.method} {'/'.join('{id}' if part in values else part for part in parts)}"


def _problem(response) -> dict:
    found = getattr(response, "data", None)
    if found is None and not response.streaming:
        try:
            found = json.loads(response.content)
        except ValueError:
            found = None
    return found if isinstance(found, dict) else {}
