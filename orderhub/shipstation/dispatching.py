"""From an address to what answers it: any case, one slash more or less, and the names other clients use for the same.

Routes are declared beside their handlers with `@route`; a handler takes a Call and returns JSON, or (JSON, status).
"""

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException

from orderhub import apiuse, clock
from orderhub.api import authentication
from orderhub.errors import ConnectorError, RuleViolation
from orderhub.models.apikey import UseKind
from orderhub.rest.problems import Problem
from orderhub.shipstation import answers, basicauth, bodies
from orderhub.shipstation.calls import Call, Refused, Wrong

SURFACE = "shipstation"
HANDLERS = (  # modules of this package that declare routes
    "orders", "orderwriting", "shipments", "labels", "stores", "storesettings", "webhooks", "carriers", "products", "customers", "people",
    "refusals",
)  # fmt: skip


@dataclass(frozen=True)
class Route:
    """`name`: the path as its documentation writes it, with {id} where a number stands. `scope`: "" is for every key."""

    method: str
    name: str
    scope: str
    handler: Callable


_routes: dict[tuple[str, str], Route] = {}
_aliases: dict[tuple[str, str], tuple[str, str]] = {}
_ID = re.compile(r"(?<=/)[0-9]{1,18}(?=/|$)")


def route(method: str, name: str, *, scope: str, aliases: tuple[str, ...] = ()):
    """Declare a handler. `aliases`: "METHOD /path" of others that mean the same."""

    def declare(handler: Callable) -> Callable:
        _routes[method, name.lower()] = Route(method, name, scope, handler)
        for alias in aliases:
            other, path = alias.split(" ")
            _aliases[other, path.lower()] = (method, name.lower())
        return handler

    return declare


def declared() -> dict[tuple[str, str], Route]:
    """Every route by method and lower-case name."""
    for name in HANDLERS:
        importlib.import_module(f"orderhub.shipstation.{name}")
    return _routes


def aliases() -> dict[tuple[str, str], tuple[str, str]]:
    declared()
    return _aliases


@csrf_exempt
def dispatch(request, rest: str = "") -> HttpResponse:
    """Answer one call. Every error is in v1's own form."""
    now = clock.now()
    found, path_id, noted = _find(request.method, rest)
    try:
        key = authentication.admit(request, basicauth.pair(request), now=now)
    except APIException as error:
        _count_throttled(request, found, now)
        return answers.of_exception(error)
    call = Call(request, key, now, {}, {}, path_id, noted)
    try:
        if found is None:
            call.note(UseKind.UNKNOWN_PATH, apiuse.path_name(request.method, rest))
            raise _unknown(rest)
        if found.scope and not key.may(found.scope):
            raise Refused(f"This key lacks the scope {found.scope}.", status=403)
        call.query, call.body = bodies.query(request), bodies.body(request)
        answer = found.handler(call)
        body, status = answer if isinstance(answer, tuple) else (answer, 200)
        response = JsonResponse(body, status=status, safe=False, headers=call.headers)
    except (Wrong, Refused, RuleViolation, ConnectorError, Problem, APIException) as error:
        response = answers.of_exception(error)
        if found:  # what is not there is counted as such
            call.note(UseKind.REFUSED, f"{found.method} {found.name} {response.status_code}")
    except Exception as error:  # a bug: an error id in the answer and the log, no value in either
        response = answers.bug(error)
    apiuse.count(key, SURFACE, call.noted, now=now)
    return response


def _count_throttled(request, found: Route | None, now: datetime) -> None:
    """Where the key is known and was only too quick."""
    if (key := getattr(request, "api_key", None)) is not None:
        name = f"{found.method} {found.name}" if found else "unknown"
        apiuse.count(key, SURFACE, [(UseKind.THROTTLED, name)], now=now)


def _unknown(rest: str) -> Refused:
    """What to say where no route is: another method, or nothing at all."""
    path = _ID.sub("{id}", "/" + rest.strip("/").lower(), count=1)
    others = sorted({method for method, name in (*declared(), *aliases()) if name == path})
    if others:
        allowed = ", ".join(others)
        return Refused(f"This address takes {allowed} only.", status=405, headers={"Allow": allowed})
    return Refused("There is nothing at this address.", status=404)


def _find(method: str, rest: str) -> tuple[Route | None, int | None, list]:
    path = "/" + rest.strip("/").lower()
    number = _ID.search(path)
    name = _ID.sub("{id}", path, count=1)
    routes, noted = declared(), []
    target = _aliases.get((method, name))
    if target:
        noted.append((UseKind.ALIAS, f"{method} {name}"))
    found = routes.get(target or (method, name))
    if found:
        noted.append((UseKind.ENDPOINT, f"{found.method} {found.name}"))
    return found, int(number[0]) if number else None, noted
