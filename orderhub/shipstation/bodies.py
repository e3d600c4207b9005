"""What a client sent: the query with lower-case names, and the body as JSON whatever its content type says."""

from django.http import HttpRequest

from orderhub.http import parsed
from orderhub.shipstation.calls import Refused

NUL = "A text cannot hold the character U+0000."


def query(request: HttpRequest) -> dict[str, str]:
    """The last value of each name; a plus sign is a blank already. Refused where a value holds the sign no text has."""
    found = {name.lower(): values[-1].strip() for name, values in request.GET.lists() if values}
    if any("\0" in value for value in found.values()):
        raise Refused(NUL, status=400)
    return found


def body(request: HttpRequest):
    """The JSON of the body, {} for an empty one. Single values are JSON too: one client sends a bare number."""
    text = request.body.strip()
    if not text or text == b"null":
        return {}
    if b"\\u0000" in text:  # PostgreSQL keeps no text with it
        raise Refused(NUL, status=400)
    if text.isdigit() and len(text) < 19:
        return int(text)
    try:
        return parsed(text)
    except ValueError:  # its text could quote the body
        raise Refused("The request body is no readable JSON.", status=400) from None
