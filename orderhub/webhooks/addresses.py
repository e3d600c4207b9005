"""Which addresses messages go to. They come from outside, so: https to a public name, on a usual port, nothing else.

That the name is at a public address is looked at when it is called (orderhub/http.py), as it may move. Outside
production a receiver may be on this machine. No error repeats the address, which may be as good as a password.
"""

import re

from django.conf import settings
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orderhub.http import is_loopback

MOST_LETTERS = 1000
PORTS = frozenset({None, ":443", ":8443"})
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]{1,253})(?P<port>:[0-9]{1,5})?"
    r"(?P<target>/[!$-\[\]^-~]*)?"  # printable ASCII without blank, quotation mark, # and backslash
)
_NAME = re.compile(rf"(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?")  # a number is no last part


def split(url: str) -> tuple[str, str]:
    """Scheme with host, and path with query. RuleViolation, with what to write instead, for what is no such address."""
    found = _ADDRESS.fullmatch(url) if len(url) <= MOST_LETTERS else None
    if found is None:
        raise _refused()
    origin = f"{found['scheme']}://{found['host'].lower()}{found['port'] or ''}"
    target = found["target"] or "/"
    if is_loopback(origin) and not settings.PRODUCTION:
        return origin, target
    if found["scheme"] != "https" or found["port"] not in PORTS or not _NAME.fullmatch(found["host"]):
        raise _refused()
    return origin, target


def shown(url: str) -> str:
    """What people may see of it: scheme and host."""
    return split(url)[0]


def _refused() -> RuleViolation:
    return RuleViolation(
        _("Give an https address with a public host name, port 443 or 8443, and no user name: https://example.com/hook")
    )
