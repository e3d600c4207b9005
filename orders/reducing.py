"""Reducing old orders to what a law wants kept: the columns it names stay, all others are emptied.

A column added later is emptied as well, until the hold names it (privacy/holds.py). What hangs on the orders is the
caller's business.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import models
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from orderhub import bulk
from orders.models import Order, OrderEvent, OrderItem, OrderPersonalData
from privacy import holds

KEPT = (Order, OrderItem, OrderPersonalData)  # their rows stay


def reduce(order_ids: Collection[int], *, hold: str, now: datetime) -> None:
    """Empty what the hold does not name, and note it on the timeline. Four statements, in the caller's transaction.

    Of an erased person the markers stay: they say that somebody was erased here, and hold nothing.
    """
    Order.objects.filter(pk__among=list(order_ids)).update(
        **_emptied(Order, hold) | {"reduced_at": now, "modified_at": now}
    )
    lines = OrderItem.objects.filter(order__among=list(order_ids))
    lines.update(**_emptied(OrderItem, hold) | {"amazon_item_id": Concat(Value("line "), Cast("pk", CharField()))})
    persons = OrderPersonalData.objects.filter(order__among=list(order_ids))
    persons.update(**{name: _unless_marker(name, value) for name, value in _emptied(OrderPersonalData, hold).items()})
    bulk.insert(
        [OrderEvent(order_id=pk, kind=OrderEvent.Kind.REDUCED, at=now, params={"hold": hold}) for pk in order_ids]
    )


def _emptied(model: type[models.Model], hold: str) -> dict:
    """Every column the hold does not name, with what it has when nothing is in it."""
    kept = holds.kept(hold, model._meta.db_table)
    fields = [field for field in model._meta.concrete_fields if field.column not in kept]
    return {field.attname: None if field.null else field.get_default() for field in fields}


def _unless_marker(name: str, value: str):
    """What is neither a marker nor kept was Amazon's: a relay address, a city."""
    erased = ~models.Q(marker="") & models.Q(**{name: F("marker")})
    return models.Case(models.When(erased, then=F(name)), default=Value(value), output_field=models.TextField())
