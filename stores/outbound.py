"""The HTTP clients towards marketplaces: which hosts the product may ever reach, and one client for each address."""

import os
from functools import lru_cache
from urllib.parse import urlsplit

from orderhub.http import HttpClient, is_loopback
from stores import marketplaces

LWA_TOKEN_URL = "https://api.amazon.com/auth/o2/token"  # noqa: S105  an address, the same for every region
BIGCOMMERCE_URL = "https://api.bigcommerce.com"
HOSTS = frozenset({*marketplaces.REGION_HOSTS.values(), "api.amazon.com", "api.bigcommerce.com"})


@lru_cache(maxsize=8)
def client(url: str) -> HttpClient:
    """The client of one address. NotAllowed unless it is a marketplace's own host, or a stand-in on this machine."""
    here = frozenset({urlsplit(url).hostname or ""}) if is_loopback(url) else frozenset()
    return HttpClient(url, allowed_hosts=HOSTS | here)


os.register_at_fork(after_in_child=client.cache_clear)  # two processes must not read one socket
