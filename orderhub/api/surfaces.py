"""Which of our two APIs a request is for, by its host and path, and in which form errors go out there."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpResponse

from orderhub.rest import problems
from orderhub.shipstation import answers

NATIVE, SHIPSTATION = "native", "shipstation"
NATIVE_PREFIX, SHIPSTATION_PREFIX = "/api/", "/shipstation"
USUAL_RATE = 120


@dataclass(frozen=True)
class Surface:
    """`urlconf`: other addresses than the site's, where a whole host is the API's."""

    name: str
    problem: Callable[..., HttpResponse]
    urlconf: str = ""


NATIVE_API = Surface(NATIVE, problems.plain)
SHIPSTATION_API = Surface(SHIPSTATION, answers.problem)
SHIPSTATION_HOST = Surface(SHIPSTATION, answers.problem, urlconf="orderhub.shipstation.hosturls")


def of(request) -> Surface | None:
    """The API this request is for; None for a page of the site."""
    host = request.META.get("HTTP_HOST", "").partition(":")[0].lower()
    if host in settings.SHIPSTATION_HOSTS:
        return SHIPSTATION_HOST
    path = request.path_info.lower()
    if path.startswith(NATIVE_PREFIX):
        return NATIVE_API
    if path == SHIPSTATION_PREFIX or path.startswith(SHIPSTATION_PREFIX + "/"):
        return SHIPSTATION_API
    return None
