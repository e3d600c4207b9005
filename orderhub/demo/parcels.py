"""What the demo shop's packers did with more than one parcel: a batch with a row that failed, an order in parts, a return."""

from datetime import datetime

from orderhub.jobs import inline, run
from orderhub.models import User
from orders.models import Order
from shipments import batchchecking, batching, returning
from shipments.dispatching import ParcelWish, ship
from shipments.jobs import run_batch
from shipments.models import LabelBatch, Shipment
from stores.models import Store

IN_A_BATCH = 7


def pack(*, by: User, support: User, now: datetime) -> None:
    """An afternoon at the packing bench; Amazon is told by whoever calls."""
    _batch(Store.objects.get(marketplace="FR"), by=by, now=now)
    _part(by=by, now=now)
    _return(by=support, now=now)


def _ready(store: Store):
    ready = Order.objects.shippable().filter(store=store, cancel_requested_at__isnull=True)
    return ready.select_related("store__merchant").order_by("ship_by", "pk")


def _batch(store: Store, *, by: User, now: datetime) -> None:
    """Labels for some orders at once; one has no number yet and waits to be made."""
    orders = list(_ready(store)[:IN_A_BATCH])
    if len(orders) < 2:
        return
    batch = batching.create([order.pk for order in orders], by=by, now=now)
    rows = list(batch.rows.order_by("position"))
    typed = {row.pk: {"tracking_number": f"8N{row.order_id:011d}"} for row in rows[:-1]}
    batching.save(batch, common={"carrier": "colissimo", "service": "Colissimo Domicile"}, rows=typed)
    batch = LabelBatch.objects.get(pk=batch.pk)
    batching.start(batch, seen=batchchecking.check(batch, now=now).seen, now=now)
    with inline():
        run(run_batch.job_name, batch.pk)


def _part(*, by: User, now: datetime) -> None:
    """The first unit of an order of several leaves; the rest follows another day."""
    for order in _ready(Store.objects.get(marketplace="US")).prefetch_related("items"):
        lines = [item for item in order.items.all() if item.quantity]
        if sum(item.quantity for item in lines) > 1 and order.store.short_stock != "block":
            number = f"DEMO{order.pk:010d}"
            wish = ParcelWish("ontrac", number, now.date(), service="Ground", items={lines[0].pk: 1})
            ship(order, wish, now=now, by=by)
            return


def _return(*, by: User, now: datetime) -> None:
    """A buyer sends something back."""
    sent = Shipment.objects.filter(voided_at__isnull=True, is_return=False, order__store__marketplace="FR")
    for shipment in sent.select_related("order__store").order_by("-pk"):
        if not returning.why_not(shipment.order, now=now):
            wish = returning.ReturnWish("colissimo", f"8R{shipment.order_id:011d}", service="Retour")
            returning.make(shipment.order, wish, by=by, now=now)
            return
