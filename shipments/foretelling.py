"""What marketplaces will and will not be told of a parcel, and until when its address is kept: said before it is sent.

It asks the functions that later decide, so that the preview and the notice cannot differ. Nothing here writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub.wording import day, utc
from orders import erasurewords
from orders.models import Order
from orders.retention import parcel_of, periods_for
from privacy import retention
from shipments import noticewords, outbox
from shipments.dispatching import Cleaned, ParcelWish
from shipments.models import ManualUpdate, Shipment, ShipmentNotification
from stores import notifying
from stores.models import Store

State = ShipmentNotification.State
NEEDED = ("store__account", "notifications__shipment", "shipments__labels", "manual_update")


class Case(StrEnum):
    """Who hears of the parcel."""

    NOBODY = "nobody"  # the order is not Amazon's
    TOLD = "told"  # Amazon is told of this parcel
    KNOWN = "known"  # Amazon knows an earlier parcel, and takes one update an order
    STUCK = "stuck"  # the notice of an earlier parcel failed, or was withheld
    WITHHELD = "withheld"  # this parcel's notice is left to somebody else
    BY_HAND = "by_hand"  # in another order's parcel: on the list of updates by hand


@dataclass(frozen=True)
class Foretold:
    """What is told of one order's parcel. `code`: why it is withheld."""

    case: Case
    sentences: tuple[str, ...]
    code: str = ""


def load(orders: list[Order]) -> None:
    """Read what the functions below need of these orders; the same few queries whatever their number."""
    prefetch_related_objects(orders, *NEEDED)


def units_left(order: Order) -> dict[int, int]:
    """Units still to send, by line."""
    return {item.pk: item.quantity - item.quantity_shipped for item in order.items.all()}


def marketplaces(order: Order, wish: ParcelWish, fit: Cleaned, *, whole: bool, now: datetime, rides=False) -> Foretold:
    """Who will be told what. `whole`: nothing is left to send afterwards; `rides`: it goes in another order's parcel."""
    if order.store.platform != Store.Platform.AMAZON:
        return Foretold(Case.NOBODY, (_nobody(order),))
    parcel = Shipment(
        order=order, carrier=fit.carrier, service=wish.service, tracking_number=fit.tracking_number,
        ship_date=wish.ship_date, created_at=now,
    )  # fmt: skip
    parcel.first_ship_at = datetime.combine(wish.ship_date, datetime.min.time(), order.store.zone)
    notice = next((row for row in order.notifications.all() if row.is_first_word), None)
    found = _amazon(order, parcel, notice, whole=whole, now=now, rides=rides)
    mirror = _mirror(order)
    return Foretold(found.case, (*found.sentences, *mirror), found.code)


def _nobody(order: Order) -> str:
    number = {"number": order.order_number}
    if order.store.platform == Store.Platform.HANDMADE:
        return _("OrderHub does not tell Amazon of Handmade order %(number)s: confirm it in Seller Central.") % number
    return _("No marketplace is told of order %(number)s: it does not come from Amazon.") % number


def _amazon(order: Order, parcel: Shipment, notice, *, whole: bool, now: datetime, rides: bool) -> Foretold:
    update = getattr(order, "manual_update", None)
    if update is not None and update.done_how in {ManualUpdate.DoneHow.BY_HAND, ManualUpdate.DoneHow.SEEN}:
        told = _(
            "Amazon was told of order %(number)s by hand, and takes one update an order: it is not told of this parcel."
        )
        return Foretold(Case.KNOWN, (told % {"number": order.order_number},))
    if outbox.amazon_knows(notice):
        return Foretold(Case.KNOWN, (_known(order, notice),))
    withheld = outbox.why_withheld(order, now)
    if rides and withheld != ShipmentNotification.TOLD_BY_CONNECTOR:
        return Foretold(Case.BY_HAND, _by_hand(order, parcel))
    if notice is not None and notice.state != State.WITHDRAWN:
        return Foretold(Case.STUCK, (_stuck(order, notice),))
    if withheld:
        return Foretold(Case.WITHHELD, (_withheld(order, withheld),), withheld)
    rest = () if whole else (_("The other parcels will not be reported."),)
    return Foretold(Case.TOLD, (_told(order, parcel, now=now), *rest))


def _told(order: Order, parcel: Shipment, *, now: datetime) -> str:
    at = notifying.first_attempt(order.store, now, order.ship_by) or now
    what = {"what": what_amazon_hears(parcel)}
    if noticewords.account_stopped(ShipmentNotification(order=order)):
        return _("Amazon will be told once its account is authorised again: %(what)s.") % what
    if at > now:
        return _("Amazon will be told on %(at)s: %(what)s.") % (what | {"at": utc(at)})
    return _("Amazon will be told: %(what)s.") % what


def what_amazon_hears(parcel: Shipment) -> str:
    """`all 3 items of order 111-… shipped now with UPS, 1Z…`: every item, whatever part of them left (R48)."""
    units = sum(item.quantity for item in parcel.order.items.all())
    code, name = outbox.carrier_for_amazon(parcel)
    earlier = outbox.amazon_ship_instant(parcel.order, parcel).astimezone(parcel.order.store.zone).date()
    today = parcel.created_at.astimezone(parcel.order.store.zone).date()
    told = {
        "count": units, "number": parcel.order.order_number, "carrier": name or code, "day": day(earlier),
        "tracking": parcel.tracking_number,
    }  # fmt: skip
    if earlier < today:
        return ngettext(
            "the item of order %(number)s shipped on %(day)s with %(carrier)s, %(tracking)s",
            "all %(count)d items of order %(number)s shipped on %(day)s with %(carrier)s, %(tracking)s", units,
        ) % told  # fmt: skip
    return ngettext(
        "the item of order %(number)s shipped now with %(carrier)s, %(tracking)s",
        "all %(count)d items of order %(number)s shipped now with %(carrier)s, %(tracking)s", units,
    ) % told  # fmt: skip


def _known(order: Order, notice: ShipmentNotification) -> str:
    """R46, R47: whatever leaves later is not told."""
    first = {
        "number": order.order_number, "carrier": notice.shipment.carrier_name,
        "tracking": notice.shipment.tracking_number,
    }  # fmt: skip
    match notice.state:
        case State.CONFIRMED_EXTERNAL:
            told = _("Amazon already had a shipment of order %(number)s from elsewhere: it is not told of this parcel.")
        case State.MANUAL:
            told = _("Somebody told Amazon of order %(number)s by hand: it is not told of this parcel.")
        case State.CONFIRMED:
            told = _(
                "Amazon was told of the first parcel (%(carrier)s, %(tracking)s) for all items of order %(number)s, and takes one update an order: it is not told of this parcel."
            )
        case _other:
            told = _(
                "Amazon is being told of the first parcel (%(carrier)s, %(tracking)s) for all items of order %(number)s, and takes one update an order: it is not told of this parcel."
            )
    return told % first


def _stuck(order: Order, notice: ShipmentNotification) -> str:
    first = {
        "number": order.order_number, "tracking": notice.shipment.tracking_number, "state": notice.state_word,
    }  # fmt: skip
    if notice.is_withheld:
        told = _(
            "Amazon is not told of this parcel. The notice of the first one (%(tracking)s) stands for all items of order %(number)s: %(state)s."
        )
    else:
        told = _(
            "Amazon is not told of this parcel. The notice of the first one (%(tracking)s) stands for all items of order %(number)s, and needs your hand on the order's page: %(state)s."
        )
    return told % first


def _withheld(order: Order, code: str) -> str:
    number = {"number": order.order_number}
    match code:
        case ShipmentNotification.TOLD_BY_CONNECTOR:
            told = _(
                "OrderHub does not tell Amazon of order %(number)s: the connector between BigCommerce and Amazon does."
            )
        case ShipmentNotification.BY_RULE:
            told = _("Amazon is not told of order %(number)s: an automation rule says so.")
        case ShipmentNotification.TOLD_BY_PROVIDER:
            told = _("OrderHub does not tell Amazon of order %(number)s: Amazon's own label does.")
        case _policy:
            told = _(
                "Amazon is not told of order %(number)s: this store's settings say that somebody does it in Seller Central."
            )
    return told % number


def _by_hand(order: Order, parcel: Shipment) -> tuple[str, ...]:
    """R50: what Amazon is not told, what somebody must do instead, and until when."""
    told = _("Amazon is not told of order %(number)s: it goes on the list “Updates by hand in Amazon”. Somebody confirms it in Seller Central with %(carrier)s, %(tracking)s.") % {
        "number": order.order_number, "carrier": parcel.carrier_name, "tracking": parcel.tracking_number,
    }  # fmt: skip
    if order.ship_by is None:
        return (told,)
    return told, _("After %(at)s, Amazon counts it as shipped late.") % {"at": utc(order.ship_by)}


def _mirror(order: Order) -> tuple[str, ...]:
    if not order.store.linked_store_id:
        return ()
    heard = any(
        row.channel == ShipmentNotification.Channel.BIGCOMMERCE and row.state != State.WITHDRAWN
        for row in order.notifications.all()
    )
    if heard:
        return (_("BigCommerce is told of the first parcel only."),)
    return (_("BigCommerce is told of this parcel."),)


# -- the address


def erasure(order: Order, *, whole: bool, now: datetime) -> str:
    """Until when personal data will be kept, and what that changes; '' where nothing is ever due."""
    if order.by_amazon or order.origin_marketplace != "amazon" or order.redaction_due_at is None:
        return ""
    parcels = [parcel_of(sent, label_created_at=sent.label_created_at) for sent in order.shipments.all()]
    parcels.append(retention.Parcel(created_at=now, tracked=False, label_created_at=now))
    periods = periods_for(order.store)
    facts = retention.Facts(imported_at=order.first_imported_at, fully_shipped=whole, parcels=tuple(parcels))
    due = retention.order_due(facts, periods)
    why = erasurewords.reason(due.rule, periods, status="")
    if due.at == order.redaction_due_at:
        return _("Personal data stays until %(at)s, as before. %(why)s") % {"at": utc(due.at), "why": why}
    told = _("Personal data will be kept until %(at)s instead of %(before)s. %(why)s")
    return told % {"at": utc(due.at), "before": utc(order.redaction_due_at), "why": why}


def is_whole(left: Mapping[int, int], items: Mapping[int, int] | None) -> bool:
    """Whether nothing is left once these units have gone."""
    return items is None or all(units <= items.get(pk, 0) for pk, units in left.items())
