"""Rules run on an order that is in the database already, as tests want it."""

from datetime import datetime

from orders import ruling
from orders.models import Order
from orders.subjects import subjects


def run_for(order: Order, *, now: datetime) -> bool:
    """Run the active rules on this order, if they have not been; whether they ran."""
    here = Order.objects.select_related("store").get(pk=order.pk)
    ruler = ruling.Ruler([here.store])
    ran = here.rules_ran_at is None and here.status in ruling.ENTERING
    outcome = ruler.run(subjects(Order.objects.filter(pk=order.pk), orders=[here]), now=now)
    ruling.save(outcome)
    if ran:
        here.save()
        ruler.note_broken()
    order.refresh_from_db()
    return ran
