"""Buying a label, once.

A label is money. What is wanted is written down, with a key of its own, before the provider is asked; an answer that is
not seen is asked for again with the same key, under which a provider sells nothing new. One wish at a time an order, by
constraint. The label and its parcel come together in one transaction. Safe to kill at any line: shipments.finishing goes on.
"""

import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from orderhub import failpoints
from orderhub.errors import ConnectorError, RequestRejected, RuleViolation, TryLater
from orders.models import Order
from shipments import buywords, dispatching, quoting
from shipments.models import LabelBatchRow, LabelPurchase, Shipment
from shipments.models.shipment import LabelProvider
from shipments.providers.amazon_shipping import bought as bought_from_amazon
from shipments.providers.base import Bought, ParcelFacts, Rate
from shipments.providers.registry import provider_for
from shipments.quoting import NotBoughtNow

State = LabelPurchase.State
LEASE = timedelta(seconds=90)  # longer than the total time limits of the calls under it
SEEN_BY = timedelta(minutes=15)  # what was bought shows at Amazon by then
LOOK_AGAIN = timedelta(hours=6)
MOST_WAIT_MIN = 30
Within = Callable[[Shipment], None]


def buy(
    order: Order, rate: Rate, *, parcel: ParcelFacts, now: datetime, by=None, tell_from: datetime | None = None,
    within: Within | None = None, batch_row: LabelBatchRow | None = None, label_format: str = "",
) -> Shipment:  # fmt: skip
    """Buy this offer and send the order with it. Call outside a transaction. Of two people at once, one is refused.

    An offer that is over is asked for again, and bought if it does not cost more. `within`: as for dispatching.ship.
    RuleViolation, with what to do, for whatever stands in the way; PriceRose and NotBoughtNow say more.
    """
    quoting.check(order)
    if quoting.is_over(rate, now=now):
        rate = quoting.renewed(order, parcel, rate, now=now)
    purchase = _intend(order, rate, parcel, now=now, by=by, batch_row=batch_row, label_format=label_format)
    failpoints.reach("buy.after_intent")
    try:
        return _ask(purchase, now=now, tell_from=tell_from, within=within)
    except _RateOver:  # Amazon's clock went before ours: nothing was bought
        rate = quoting.renewed(order, parcel, rate, now=now)
        purchase = _intend(order, rate, parcel, now=now, by=by, batch_row=batch_row, label_format=label_format)
        return _ask(purchase, now=now, tell_from=tell_from, within=within)


class _RateOver(RuleViolation):
    """The provider says, at the first time of asking, that its offer is over."""


def unfinished(**orders):
    """Purchases of these orders that may still cost money: under way, or bought and in no parcel."""
    idle = Q(state__in=[State.BOUGHT, State.VOIDING], shipment__isnull=True)
    return LabelPurchase.objects.filter(idle | Q(state__in=State.OPEN), **orders)


def _intend(order: Order, rate: Rate, parcel: ParcelFacts, *, now, by, batch_row, label_format: str) -> LabelPurchase:
    """The wish, committed before anybody is asked."""
    kept = {name: value for name, value in asdict(parcel).items() if name not in {"ship_date", "items"}}
    kept |= {
        "ship_date": parcel.ship_date.isoformat(), "items": [list(pair) for pair in parcel.items],
        "format": label_format if label_format in rate.formats else rate.formats[0],
        "carrier_id": rate.carrier_id, "service_id": rate.service_id,
    }  # fmt: skip
    taken = RuleViolation(
        _("A label for order %(number)s is being bought already. Look at the order's page in a minute.")
        % {"number": order.order_number}
    )
    try:
        with transaction.atomic():
            Order.objects.select_for_update().get(pk=order.pk)
            if unfinished(order=order).exists():
                raise taken
            return LabelPurchase.objects.create(
                order=order, provider=LabelProvider.AMAZON_SHIPPING, idempotency_key=uuid.uuid4().hex,
                request_token=rate.token, rate_id=rate.rate_id, carrier=rate.carrier, service=rate.service,
                price=rate.price, currency=rate.currency, tracked=rate.tracked, parcel=kept, batch_row=batch_row,
                created_at=now, created_by=by, next_attempt_at=now, lease_until=now + LEASE, fence=1, attempts=1,
            )  # fmt: skip
    except IntegrityError:
        raise taken from None


# -- asking


def _ask(
    purchase: LabelPurchase, *, now: datetime, again: bool = False, tell_from=None, within: Within | None = None
) -> Shipment:  # fmt: skip
    """Ask for the label, and send the order with it. `again`: an earlier answer to the same wish was not seen."""
    try:
        bought = provider_for(purchase, purchase.order.store).buy(purchase)
        failpoints.reach("buy.after_send")
    except ConnectorError as error:
        raise _not_bought(purchase, error, now=now, again=again) from None
    known = {"provider_ref": bought.provider_ref[:80], "tracking_number": bought.tracking_number[:60]}
    if not _move(purchase, **known):
        raise NotBoughtNow(_text(purchase, buywords.UNKNOWN), unknown=True)
    failpoints.reach("buy.after_answer")
    return _send(purchase, bought, now=now, tell_from=tell_from, within=within)


def _not_bought(purchase: LabelPurchase, error: ConnectorError, *, now: datetime, again: bool) -> RuleViolation:
    """Keep what came of asking; the exception that says so."""
    code = buywords.code_of(error)
    if again and isinstance(error, RequestRejected):
        return _no_after_silence(purchase, now=now)
    if again or code == buywords.UNKNOWN:
        wait = timedelta(minutes=min(MOST_WAIT_MIN, 2 ** (purchase.attempts - 1)))
        wait = max(wait, timedelta(seconds=getattr(error, "wait_s", 0)))
        _move(purchase, state=State.UNKNOWN, next_attempt_at=now + wait, lease_until=None, error_code=code)
        return NotBoughtNow(_text(purchase, buywords.UNKNOWN), unknown=True)
    _move(purchase, state=State.FAILED, lease_until=None, error_code=code)
    if code.startswith(buywords.EXPIRED):
        return _RateOver(_text(purchase, code))
    if isinstance(error, TryLater):
        return NotBoughtNow(_text(purchase, code), wait_s=max(1.0, error.wait_s))
    return RuleViolation(_text(purchase, code))


def _no_after_silence(purchase: LabelPurchase, *, now: datetime) -> RuleViolation:
    """A clear no to a wish that was sent before says nothing of the first time: the order at Amazon says it.

    Amazon confirms an order with its own label. No parcel there after a quarter of an hour: none was bought. One that
    is not ours: a person looks. OrderHub never buys again by itself.
    """
    order = purchase.order
    ours = set(order.shipments.values_list("tracking_number", flat=True))
    try:
        strange = provider_for(purchase, order.store).parcels_there(order) - ours
    except ConnectorError:
        strange = None
    if strange:
        code, state, wait = buywords.LOOK_THERE, State.UNKNOWN, LOOK_AGAIN
    elif strange is None or now - purchase.created_at < SEEN_BY:
        code, state, wait = buywords.UNKNOWN, State.UNKNOWN, timedelta(minutes=5)
    else:
        code, state, wait = buywords.NOT_BOUGHT, State.FAILED, timedelta(0)
    _move(purchase, state=state, next_attempt_at=now + wait, lease_until=None, error_code=code)
    return NotBoughtNow(_text(purchase, code), unknown=state == State.UNKNOWN)


def _send(purchase: LabelPurchase, bought: Bought, *, now: datetime, tell_from=None, within: Within | None = None):
    """The parcel and the purchase in one transaction. Where the order cannot leave any more, the label is left over."""
    parcel = purchase.parcel

    def settle(shipment: Shipment) -> None:
        sides = {name: parcel.get(name) for name in quoting.SIDES}
        Shipment.objects.filter(pk=shipment.pk).update(**sides)
        if not _move(purchase, state=State.BOUGHT, shipment=shipment, lease_until=None, error_code=""):
            raise _TakenOver(_text(purchase, buywords.UNKNOWN))
        (within or _finish_row(purchase))(shipment)

    try:
        return dispatching.ship(
            purchase.order, _wish(purchase, bought), now=now, by=purchase.created_by, bought=bought,
            tell_from=tell_from, within=settle,
        )  # fmt: skip
    except _TakenOver:
        raise
    except RuleViolation as error:
        _move(purchase, state=State.BOUGHT, lease_until=None, error_code=buywords.NOT_USED)
        raise RuleViolation(f"{_text(purchase, buywords.NOT_USED)} {error}") from None


class _TakenOver(RuleViolation):
    """Somebody else went on with the purchase meanwhile."""


def _wish(purchase: LabelPurchase, bought: Bought) -> dispatching.ParcelWish:
    parcel = purchase.parcel
    units = dict(parcel["items"])
    lines = {
        line.pk: units[line.amazon_item_id] for line in purchase.order.items.all() if line.amazon_item_id in units
    }  # fmt: skip
    return dispatching.ParcelWish(
        carrier=bought.carrier, tracking_number=bought.tracking_number, service=bought.service,
        ship_date=date.fromisoformat(parcel["ship_date"]), weight_g=parcel["weight_g"], items=lines,
    )  # fmt: skip


def _finish_row(purchase: LabelPurchase) -> Within:
    """The batch's row that wanted the label, where its own run did not live to see it."""

    def finish(shipment: Shipment) -> None:
        if purchase.batch_row_id is not None:
            LabelBatchRow.objects.filter(pk=purchase.batch_row_id, shipment__isnull=True).update(
                state=LabelBatchRow.State.DONE, shipment=shipment, lease_until=None, error="", starts=0
            )

    return finish


def _move(purchase: LabelPurchase, **changes) -> bool:
    """Change an open purchase only if it still is as we left it. False if another holder has it."""
    live = LabelPurchase.objects.filter(pk=purchase.pk, fence=purchase.fence, state__in=State.OPEN)
    if not live.update(**changes):
        return False
    for name, value in changes.items():
        setattr(purchase, name, value)
    return True


def _text(purchase: LabelPurchase, code: str) -> str:
    return buywords.sentence(code, purchase.order.order_number)


# -- going on where something broke off


def to_settle(now: datetime):
    """Purchases whose answer was not seen, or whose buyer died."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    return LabelPurchase.objects.filter(free, state__in=State.OPEN, next_attempt_at__lte=now).order_by("pk")


def settle(purchase: LabelPurchase, *, now: datetime, within: Within | None = None) -> Shipment | None:
    """Go on with one open purchase; None where somebody else holds it. RuleViolation says what came of it."""
    claim = {"lease_until": now + LEASE, "attempts": F("attempts") + 1, "fence": F("fence") + 1}
    if not to_settle(now).filter(pk=purchase.pk, fence=purchase.fence).update(**claim):
        return None
    purchase.refresh_from_db()
    if not purchase.provider_ref:
        return _ask(purchase, now=now, again=True, within=within)
    try:
        document = provider_for(purchase, purchase.order.store).document(purchase)
    except ConnectorError:  # the label is bought, and its file is fetched when somebody opens it
        document = b""
    found = bought_from_amazon(
        purchase, purchase.provider_ref, purchase.tracking_number, purchase.parcel["format"], document
    )  # fmt: skip
    return _send(purchase, found, now=now, within=within)


def ask_now(purchase: LabelPurchase, *, now: datetime) -> Shipment | None:
    """Somebody does not want to wait for the next sweep."""
    waiting = LabelPurchase.objects.filter(pk=purchase.pk, state=State.UNKNOWN, lease_until__isnull=True)
    waiting.update(next_attempt_at=now)
    purchase.refresh_from_db()
    return settle(purchase, now=now)


def close(purchase: LabelPurchase, *, by) -> None:
    """Somebody looked in Seller Central and says that OrderHub need not ask any more. RuleViolation for anything else."""
    lost = LabelPurchase.objects.filter(pk=purchase.pk, state=State.UNKNOWN, error_code=buywords.LOOK_THERE)
    if not lost.filter(lease_until__isnull=True).update(state=State.FAILED, error_code=buywords.BY_HAND):
        raise RuleViolation(_("OrderHub is still asking for this label: there is nothing to close."))
