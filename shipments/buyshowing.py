"""What an order's page says of bought labels: the way to buy one, or where a purchase stands."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from orders.models import Order
from shipments import buywords
from shipments.forms_buying import MeasureForm
from shipments.models import LabelPurchase
from shipments.providers.registry import sells_for

State = LabelPurchase.State
LEVELS = {State.BUYING: "info", State.UNKNOWN: "warn", State.BOUGHT: "warn", State.VOIDING: "info"}


@dataclass(frozen=True)
class Shop:
    """`open`: a purchase that is not at its end; `failed`: why the last one came to nothing; `form`: to begin one."""

    open: LabelPurchase | None = None
    sentence: str = ""
    level: str = "muted"
    needs_person: bool = False
    can_ask: bool = False
    can_close: bool = False
    can_void: bool = False
    failed: str = ""
    form: MeasureForm | None = None

    @property
    def offered(self) -> bool:
        return self.form is not None


def panel_for(user, order: Order, *, now: datetime) -> Shop:
    """The panel for this reader; empty where there is nothing to see or to do. Three queries at most."""
    may_buy = user.has_perm("shipments.add_shipment")
    if not may_buy or order.by_amazon or order.store.account_id is None:
        return Shop()
    last = LabelPurchase.objects.filter(order=order).order_by("-pk").first()
    found = last if last is not None and _is_open(last) else None
    if found is not None:
        return _of_open(found, user, order)
    if order.why_not_shippable() or not sells_for(order):
        return Shop()
    failed = last is not None and last.state == State.FAILED and last.error_code
    told = buywords.sentence(last.error_code, order.order_number) if failed else ""
    return Shop(form=MeasureForm(order=order, now=now), failed=told)


def _is_open(purchase: LabelPurchase) -> bool:
    idle = purchase.state in {State.BOUGHT, State.VOIDING} and purchase.shipment_id is None
    return idle or purchase.state in State.OPEN


def _of_open(purchase: LabelPurchase, user, order: Order) -> Shop:
    look_there = purchase.error_code == buywords.LOOK_THERE
    return Shop(
        open=purchase,
        sentence=_sentence(purchase, order),
        level=LEVELS.get(purchase.state, "muted"),
        needs_person=look_there,
        can_ask=purchase.state == State.UNKNOWN and purchase.lease_until is None,
        can_close=look_there and purchase.state == State.UNKNOWN,
        can_void=purchase.state == State.BOUGHT and user.has_perm("shipments.void_shipment"),
    )


def _sentence(purchase: LabelPurchase, order: Order) -> str:
    match purchase.state:
        case State.BUYING:
            return _("The label is being bought right now. Look again in a minute.")
        case State.VOIDING:
            return _("The label is being voided: Amazon has not answered yet.")
        case State.BOUGHT:
            return buywords.sentence(buywords.NOT_USED, order.order_number)
    code = buywords.LOOK_THERE if purchase.error_code == buywords.LOOK_THERE else buywords.UNKNOWN
    return buywords.sentence(code, order.order_number)
