"""Bodies of requests: JSON only, of a size and shape that nothing can be hidden in."""

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from orderhub.http import parsed

MOST_BYTES = 2 * 1024 * 1024
MOST_FIELDS = 1000  # of one order; a list of them has as many each


class StrictJSON(JSONParser):
    """As marketplaces' answers are read: no key twice, no NaN, at most 50 deep; and at most so many fields."""

    def parse(self, stream, media_type=None, parser_context=None):
        body = stream.read()
        if not body.strip():
            return {}
        try:
            value = parsed(body)
        except ValueError:  # its text could quote the body
            raise ParseError("The body is no readable JSON object or list.") from None
        for part in value if isinstance(value, list) else [value]:
            if _fields(part) > MOST_FIELDS:
                raise ParseError(f"More than {MOST_FIELDS} fields.")
        return value


def _fields(value) -> int:
    """How many members all objects and lists in it have together; nothing recursive."""
    count, level = 0, [value]
    while level:
        children = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        count += len(children)
        level = children
    return count
