"""BigCommerce's JSON to what linking needs; pure. Nothing of an order is read here, and nothing of a person."""

from orderhub.errors import UnexpectedAnswer

NAME_LIMIT = 200
GONE = ("disconnected", "inactive", "archived", "deleted", "terminated")  # states of a channel


class Misread(UnexpectedAnswer):
    """Where in an answer the reading failed: `path`, no value."""

    def __init__(self, path: str):
        super().__init__(f"not readable: {path}", code="Misread")
        self.path = path


def status_ids(rows: list) -> tuple[int, ...]:
    """The ids of the store's order statuses, of which no store has none."""
    ids = [row.get("id") if isinstance(row, dict) else None for row in rows]
    if not ids or not all(_is_id(number, least=0) for number in ids):
        raise Misread("order_statuses.id")
    return tuple(sorted(ids))


def shop_name(answer: dict) -> str:
    """Fit for a column; '' where the store has no name."""
    name = answer.get("name")
    if name is not None and not isinstance(name, str):
        raise Misread("store.name")
    return "".join(letter for letter in name or "" if letter.isprintable()).strip()[:NAME_LIMIT]


def amazon_channels(answer: dict) -> tuple[int, ...]:
    """Ids of the Amazon channels in use, whatever else the answer lists."""
    rows = answer.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Misread("channels.data")
    ids = [row.get("id") for row in rows if row.get("platform") == "amazon" and row.get("status") not in GONE]
    if not all(_is_id(number, least=1) for number in ids):
        raise Misread("channels.id")
    return tuple(ids)


def status_mail(answer: dict) -> bool | None:
    """The one switch for the mails of all order statuses; None where a channel leaves it to the store."""
    data = answer.get("data")
    if not isinstance(data, dict):
        raise Misread("email-statuses.data")
    switch = data.get("combined_order_status_email")
    if switch is not None and not isinstance(switch, bool):
        raise Misread("email-statuses.combined_order_status_email")
    return switch


def _is_id(value: object, *, least: int) -> bool:
    return type(value) is int and least <= value < 2**31
