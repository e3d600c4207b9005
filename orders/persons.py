"""The one way a screen reads personal data of an order: rights first, then the view is logged, then the values."""

from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from orders.models import Order, OrderPersonalData
from orders.models.person import EMAIL, ERASED
from privacy import access, markers

PLACE = ("city", "district", "state", "country")
SHIP_TO = (
    "recipient_name", "recipient_company", "street1", "street2", "street3", "city", "district", "state", "postal_code",
    "country", "phone", "delivery_instructions", "gift_message",
    "romanised_name", "romanised_company", "romanised_street1", "romanised_street2", "romanised_street3",
)  # fmt: skip
BUYER = ("buyer_name", "buyer_username", "buyer_email", "buyer_company", "purchase_order_number", "buyer_notes")
ALWAYS_NAMED = frozenset({"recipient_name", "street1", "phone", "buyer_name", "buyer_email"})


@dataclass(frozen=True, repr=False)  # no repr: values would reach tracebacks
class Panel:
    """Labels and values ready to be shown. `note`: why less is shown than the order may have, or ''."""

    ship_to: list[tuple[str, str]] = field(default_factory=list)
    buyer: list[tuple[str, str]] = field(default_factory=list)
    note: str = ""


def panel_for(user, order: Order, *, what: str = "order page") -> Panel:
    """What this user may see of the order's recipient and buyer. Writes one access-log row where names are shown."""
    person = getattr(order, "person", None) or OrderPersonalData(order=order)
    if order.masked or person.marker:
        return Panel(_masked(person, SHIP_TO), _masked(person, BUYER), _("Personal data was erased on schedule."))
    if order.by_amazon:
        note = _("Amazon ships this order and supplies no personal data.")
        return Panel(_by_amazon(person, SHIP_TO), _by_amazon(person, BUYER), note)
    if not access.may_see_person(user, order_open=order.is_open):
        return Panel(_plain(person, PLACE), [], _("Your role does not include names and addresses of this order."))
    if person.holds_anything:
        access.log_view(user, order.pk, what=what)
    note = "" if person.holds_anything else _("Amazon has not sent a name or address for this order.")
    return Panel(_plain(person, SHIP_TO), _plain(person, BUYER), note)


def _label(name: str) -> str:
    return str(OrderPersonalData._meta.get_field(name).verbose_name)


def _plain(person: OrderPersonalData, names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(_label(name), getattr(person, name)) for name in names if getattr(person, name)]


def _by_amazon(person: OrderPersonalData, names: tuple[str, ...]) -> list[tuple[str, str]]:
    blank = _("not supplied by Amazon (FBA)")
    shown = {name: getattr(person, name) if name in PLACE else "" for name in names}
    return [(_label(name), shown[name] or blank) for name in names if shown[name] or name in ALWAYS_NAMED]


def _masked(person: OrderPersonalData, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every erased field that held something shows the marker, whatever the column still holds."""
    return [(_label(name), _mask(name, getattr(person, name))) for name in names if getattr(person, name)]


def _mask(name: str, value: str) -> str:
    erased = name in ERASED or (name == EMAIL and not markers.is_relay(value))
    erased = erased or (name == "postal_code" and settings.REDACT_POSTCODE == "full")
    if not erased and value not in markers.MARKERS:
        return value
    return f"« {value if value in markers.MARKERS else markers.AMAZON} »"
