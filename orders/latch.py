"""Erased stays erased, whoever writes (R76, A22): what a door may still write to an order, and the record of who tried.

The database's own latch (models/person.py) refuses what comes past here. An attempt is on the order's timeline and in
the security log: who or what tried, never what.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from orderhub.errors import RuleViolation
from orders import strict_erasing
from orders.models import Order, OrderEvent
from orders.models.person import LATCHED
from privacy import audit, markers
from privacy.models.event import EventCode

POSTCODE = strict_erasing.POSTCODE
IMPORT = "import"  # clients by what the timeline calls them; an API key by its name
ADMIN = "admin"
FILE = "csv"
IGNORED = '299 - "Personal data of this order is erased: what was sent of it was ignored."'  # a header Warning of HTTP


class Erased(RuleViolation):
    """Somebody writes personal data to an order whose own is erased, through a door that takes nothing else."""


def is_shut(order: Order, person=None) -> bool:
    """Whether the order takes no personal data any more. `person`: its row, where it is at hand."""
    return order.masked or bool(person is not None and person.marker)


def shut(order: Order) -> tuple[str, ...]:
    """The columns that nothing writes once the order is erased. Reads the order's store.

    A postal code that was empty stays so, whatever the profile was on the day. Custom fields are the order's own here,
    for work; those fed by a person's number no client writes.
    """
    usual = (*(name for name in LATCHED if name not in strict_erasing.CUSTOM_FIELDS), POSTCODE, "customization")
    return (*usual, *strict_erasing.CUSTOM_FIELDS, "options") if strict_erasing.applies_to(order) else usual


def guard(order: Order, values: Mapping, *, client: str, by=None, now: datetime, person=None) -> dict:
    """What of these values (by column) may be written. The others are dropped, and the attempt is recorded.

    Blanks and markers, which a client that sends whole records sends back, are no attempt.
    """
    if not is_shut(order, person):
        return dict(values)
    closed = set(shut(order))
    if any(value and value not in markers.MARKERS for name, value in values.items() if name in closed):
        record([order.pk], client=client, by=by, now=now)
    return {name: value for name, value in values.items() if name not in closed}


def record(order_ids: Collection[int], *, client: str, by=None, now: datetime) -> None:
    """Note that personal data for these erased orders was offered, and ignored. Two statements for any number."""
    if not order_ids:
        return
    kind = OrderEvent.Kind.BLOCKED if client == IMPORT else OrderEvent.Kind.BLOCKED_WRITE
    params = {} if client == IMPORT else {"client": client}
    OrderEvent.objects.bulk_create(
        OrderEvent(order_id=pk, kind=kind, at=now, actor=by, params=params) for pk in order_ids
    )
    audit.record(
        EventCode.ERASED_DATA_OFFERED, user=by, actor="" if by else client, outcome=audit.Outcome.REFUSED, kind="order",
        ids=order_ids, reason=client,
    )  # fmt: skip


def attempts(order: Order) -> int:
    """How often a client offered personal data for it since it was erased; one query."""
    return order.events.filter(kind=OrderEvent.Kind.BLOCKED_WRITE).count()


@contextmanager
def watching(order: Order, *, client: str = ADMIN, by=None, now: datetime) -> Iterator[None]:
    """Around a deed that raises Erased inside its transaction: recorded after that is rolled back, then raised on."""
    try:
        yield
    except Erased:
        record([order.pk], client=client, by=by, now=now)
        raise
