"""The erasure clock of an order in words: until when its personal data is kept, and which rule says so."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from orderhub.wording import utc
from orders.models import Order
from orders.retention import periods_for
from privacy.retention import CEILING_DAYS, Periods, Rule


@dataclass(frozen=True)
class ErasureClock:
    """Sentences for the order page. `level`: how loud they are."""

    sentences: tuple[str, ...]
    level: str


def of(order: Order, *, now: datetime) -> ErasureClock:
    """What happens, or happened, to the order's personal data."""
    if order.by_amazon:
        return ErasureClock(
            (_("Amazon supplies no personal data for orders it fulfils: there is nothing to erase."),), ""
        )
    if order.pii_state == Order.PiiState.REDACTED:
        told = _("Personal data was erased on %(at)s.") % {"at": utc(order.redacted_at)}
        return ErasureClock((told, _why(order)), "")
    if order.pii_state == Order.PiiState.REDACTING:
        return ErasureClock((_("Personal data is being erased now and is no longer shown."),), "warn")
    if order.pii_state == Order.PiiState.NONE:
        return ErasureClock((_("OrderHub has no personal data for this order."),), "")
    if order.redaction_due_at is None:
        return ErasureClock((_("No date is set for erasing personal data."),), "")
    if order.redaction_due_at <= now:
        late = _(
            "Personal data was due to be erased on %(at)s. Tell the privacy officer if it is still here in an hour."
        )
        return ErasureClock((late % {"at": utc(order.redaction_due_at)}, _why(order)), "bad")
    kept = _("Personal data is kept until %(at)s.") % {"at": utc(order.redaction_due_at)}
    soon = (order.redaction_due_at - now).days < 3 and order.is_open
    ship = (_("Send the order before: afterwards nobody has its address."),) if soon else ()
    return ErasureClock((kept, _why(order), *ship), "warn" if soon else "")


def _why(order: Order) -> str:
    return reason(order.redaction_rule, periods_for(order.store), status=order.status)


def reason(rule: str, periods: Periods, *, status: str) -> str:
    """Why this date: a sentence for each rule; '' for a rule this version does not know.

    The term since import also holds for orders nobody here ships: `status` tells those apart.
    """
    match rule:
        case Rule.IMPORT:
            return _since_import(status) % {"days": periods.unshipped}
        case Rule.DELIVERY:
            return _("Because it was delivered: %(days)d days after delivery.") % {"days": periods.shipped}
        case Rule.SHIP_DATE:
            return _("Because it was sent: %(days)d days after the ship date.") % {"days": periods.shipped}
        case Rule.LABEL:
            return _("Because a label was made: %(days)d days after the label.") % {"days": periods.label}
        case Rule.CREATION:
            return _("Because its parcel is not tracked automatically: %(days)d days after the shipment was made.") % {
                "days": periods.shipped
            }
        case Rule.CEILING:
            return _("Because nothing is kept longer than %(days)d days after import.") % {"days": CEILING_DAYS}
        case Rule.REQUEST:
            return _("Because somebody asked for it, and the privacy officer agreed.")
    return ""


def _since_import(status: str) -> str:
    if status == Order.Status.SHIPPED:
        return _("Because it was shipped outside OrderHub: %(days)d days after import.")
    if status == Order.Status.CANCELLED:
        return _("Because it was cancelled: %(days)d days after import.")
    return _("Because it is not fully shipped: %(days)d days after import.")
