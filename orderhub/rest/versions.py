"""Which version of a resource a client has seen (ETag), and that it does not write over another (If-Match)."""

import hashlib
import hmac
import json

from django.conf import settings
from django.utils.translation import gettext as _

from orderhub.rest.problems import Problem


def etag_of(*parts) -> str:
    """A strong ETag of these parts, keyed: nobody tries guesses against it."""
    text = json.dumps(parts, sort_keys=True, default=str).encode()
    return f'"{hmac.new(settings.SECRET_KEY.encode(), text, hashlib.sha256).hexdigest()[:32]}"'


def check_match(request, etag: str) -> None:
    """Raise 412 where the request names other versions only in If-Match. No header: whatever is there is written to."""
    given = request.headers.get("If-Match", "").strip()
    if given and given != "*" and etag not in {text.strip().removeprefix("W/") for text in given.split(",")}:
        detail = _("Somebody changed it since you read it. Read it again, then repeat your change.")
        raise Problem(412, "changed-meanwhile", detail)


def is_unchanged(request, etag: str) -> bool:
    """Whether the request's If-None-Match says that the client has this version already."""
    given = request.headers.get("If-None-Match", "")
    return etag in {text.strip().removeprefix("W/") for text in given.split(",")}
