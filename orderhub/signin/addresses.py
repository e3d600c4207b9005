"""Where a request comes from, and whether the pages may be reached from there.

Every proxy of ours adds the address it was called from at the right end of X-Forwarded-For. What stands further left
was written by whoever called, and is never believed.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpResponseNotFound

from orderhub.api import surfaces

ALWAYS = ("/healthz",)  # for machines; says nothing but "ok" or "late"


class ClientAddress:
    """REMOTE_ADDR is the caller's from here on ("" where it cannot be known); others than those listed get a 404."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        address = client_address(request.META, proxies=settings.TRUSTED_PROXIES)
        request.META["REMOTE_ADDR"] = str(address or "")
        if settings.ADMIN_ALLOWLIST and not _is_open(request) and not _listed(address):
            return HttpResponseNotFound("Not found", content_type="text/plain")
        return self.get_response(request)


def client_address(meta: dict, *, proxies: int) -> IPv4Address | IPv6Address | None:
    """The caller's address behind so many proxies of ours. None: fewer than that were passed, or it is no address."""
    if not proxies:
        return _read(meta.get("REMOTE_ADDR", ""))
    passed = [entry.strip() for entry in meta.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    return _read(passed[-proxies]) if len(passed) >= proxies else None


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=4)
def networks(listed: tuple[str, ...]) -> tuple:
    """ValueError where one is no network: a system check says so before anything is served."""
    return tuple(ip_network(text.strip()) for text in listed)


def _is_open(request) -> bool:
    """Whether it is no page for staff: each API key has a list of networks of its own."""
    return request.path in ALWAYS or surfaces.of(request) is not None


def _listed(address) -> bool:
    return address is not None and any(address in network for network in networks(tuple(settings.ADMIN_ALLOWLIST)))
