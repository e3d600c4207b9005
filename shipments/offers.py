"""An offer on a page: sealed, so that what is bought is what was shown. Holds prices and measures, no person."""

from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.core import signing
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.models import Order
from shipments.providers.base import ParcelFacts, Rate

SALT = "shipments.offers"
KEPT_S = 24 * 3600  # an offer that is over is asked for again; a page of yesterday is not


def seal(order: Order, parcel: ParcelFacts, rate: Rate) -> str:
    told = {"order": order.pk, "parcel": plain(parcel), "rate": plain(rate)}
    return signing.dumps(told, salt=SALT, compress=True)


def opened(sealed: str, order: Order) -> tuple[ParcelFacts, Rate]:
    """The parcel and the rate of a sealed offer. RuleViolation for one that is not this order's, or too old."""
    try:
        told = signing.loads(sealed, salt=SALT, max_age=KEPT_S)
        if told["order"] != order.pk:
            raise signing.BadSignature
        return parcel_of(told["parcel"]), rate_of(told["rate"])
    except (signing.BadSignature, KeyError, TypeError, ValueError, InvalidOperation):
        told = _("This offer for order %(number)s is not valid any more. Ask for the prices again.")
        raise RuleViolation(told % {"number": order.order_number}) from None


def plain(found: ParcelFacts | Rate) -> dict:
    """As JSON keeps it; parcel_of() and rate_of() read it back."""
    return {
        name: str(value) if isinstance(value, Decimal | date) else value for name, value in asdict(found).items()
    }  # fmt: skip


def parcel_of(told: dict) -> ParcelFacts:
    items = tuple((item_id, units) for item_id, units in told["items"])
    return ParcelFacts(**told | {"ship_date": date.fromisoformat(told["ship_date"]), "items": items})


def rate_of(told: dict) -> Rate:
    instants = {
        name: datetime.fromisoformat(told[name]) if told[name] else None for name in ("deliver_by", "expires_at")
    }  # fmt: skip
    return Rate(**told | instants | {"price": Decimal(told["price"]), "formats": tuple(told["formats"])})
