"""The one way a screen reads personal data of an order: rights first, then the view is logged, then the values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from orders import roman, strict_erasing
from orders.models import Order, OrderPersonalData
from orders.models.person import EMAIL, ERASED, KEPT
from privacy import access, markers, masks
from privacy.retention import Rule

PLACE = ("city", "district", "state", "country")
SHIP_TO = (
    "recipient_name", "recipient_company", "street1", "street2", "street3", "city", "district", "state", "postal_code",
    "country", "phone", "delivery_instructions", "gift_message",
)  # fmt: skip
CUSTOM_FIELDS = ("custom_field_1", "custom_field_2", "custom_field_3")
ROMAN = tuple(roman.TWINS.values())
FOR_LABEL = (*roman.TWINS, "district", "postal_code", "country")
BUYER = ("buyer_name", "buyer_username", "buyer_email", "buyer_company", "purchase_order_number", "buyer_notes")
LANGUAGES = {"JP": "ja", "CN": "zh-Hans", "TW": "zh-Hant", "HK": "zh-Hant", "KR": "ko"}  # for fonts and screen readers
ALWAYS_NAMED = frozenset({"recipient_name", "street1", "phone", "buyer_name", "buyer_email"})


EXPORTED = tuple(dict.fromkeys((*SHIP_TO, *ROMAN, *BUYER, *CUSTOM_FIELDS)))


@dataclass(frozen=True, repr=False)  # no repr: values would reach tracebacks
class Panel:
    """Labels and values ready to be shown. `roman`: the address as labels have it, where somebody wrote it.

    `note`: why less is shown than the order may have, or ''. `may_reveal`: a reason would show what is masked.
    """

    ship_to: list[tuple[str, str]] = field(default_factory=list)
    buyer: list[tuple[str, str]] = field(default_factory=list)
    note: str = ""
    roman: list[tuple[str, str]] = field(default_factory=list)
    may_reveal: bool = False


def panel_for(user, order: Order, *, what: str = "order page", reason: str = "") -> Panel:
    """What this user may see of the order's recipient and buyer. Writes one access-log row where names are shown.

    `reason`: the code with which a reader whose role masks them asked to see them; orders/revealing.py records it.
    """
    person = getattr(order, "person", None) or OrderPersonalData(order=order)
    view = masks.view_of(user, order_open=order.is_open, revealed=bool(reason))
    if order.masked or person.marker:
        asked = order.redaction_rule == Rule.REQUEST
        note = _("Personal data was erased on request.") if asked else _("Personal data was erased on schedule.")
        return Panel(_erased(person, SHIP_TO, view), _erased(person, BUYER, view), note, _erased(person, ROMAN, view))
    if order.by_amazon:
        note = _("Amazon ships this order and supplies no personal data.")
        return Panel(_by_amazon(person, SHIP_TO), _by_amazon(person, BUYER), note)
    if not (view.sees_person or view.is_masked):
        note = _("Your role does not include names and addresses of this order.")
        return Panel(_shown(person, PLACE, view), [], note)
    if view.sees_person and person.holds_anything:
        access.log_view(user, order.pk, what=what, why=reason)
    may_reveal = view.is_masked and person.holds_anything
    return Panel(
        _shown(person, SHIP_TO, view), _shown(person, BUYER, view), _note(person, view),
        _for_label(person) if view.sees_person else [], may_reveal,
    )  # fmt: skip


def _note(person: OrderPersonalData, view: masks.View) -> str:
    """Why less is shown than there is, or ''."""
    if not person.holds_anything:
        return _("Amazon has not sent a name or address for this order.")
    if view.is_masked:
        return _("Names and addresses are masked for your role.")
    if view.contact == masks.Sight.NONE and person.phone:
        return _("The phone number stands on the label only.")
    return ""


@dataclass(frozen=True, repr=False)
class RomanRow:
    """One field: what Amazon sent, and what is or was typed beside it. `needed`: no label without it."""

    name: str
    label: str
    original: str
    value: str
    needed: bool
    error: str = ""


@dataclass(frozen=True, repr=False)
class RomanPanel:
    """`needed`: no label can be made yet. `rows`: the fields, for those who may fill them in; else none."""

    needed: bool = False
    rows: list[RomanRow] = field(default_factory=list)
    district: str = ""
    language: str = ""
    failed: bool = False


def may_romanise(user, order: Order) -> bool:
    """Whether this user may write the order's address in Roman characters: who changes it must see it."""
    return user.has_perm("orders.change_order") and access.may_see_person(user, order_open=order.is_open)


def roman_for(user, order: Order, *, typed: Mapping[str, str] | None, wrong: Mapping[str, str] | None) -> RomanPanel:
    """The panel where an open order's address needs, or has, Roman characters. Its view is logged by `panel_for`."""
    person = getattr(order, "person", None)
    if person is None or person.marker or order.masked or order.by_amazon or not order.is_open:
        return RomanPanel()
    needed, written = roman.missing(person), any(getattr(person, name) for name in ROMAN)
    if not (needed or written or wrong) or not may_romanise(user, order):
        return RomanPanel(needed=bool(needed))
    rows = [_roman_row(person, name, twin, typed or {}, wrong or {}) for name, twin in roman.TWINS.items()]
    shown = [row for row in rows if row.original or row.value or row.needed or row.error]
    district = "" if roman.is_roman(person.district) else person.district
    return RomanPanel(bool(needed), shown, district, LANGUAGES.get(person.country, ""), failed=bool(wrong))


def _roman_row(person: OrderPersonalData, name: str, twin: str, typed: Mapping, wrong: Mapping) -> RomanRow:
    original = getattr(person, name)
    value = typed.get(twin, "") if typed else getattr(person, twin)
    return RomanRow(twin, _label(twin), original, value, not roman.is_roman(original), wrong.get(twin, ""))


def _label(name: str) -> str:
    return roman.label_of(name) if name in ROMAN else str(OrderPersonalData._meta.get_field(name).verbose_name)


def values_for(user, order: Order, *, now: datetime) -> dict[str, str]:
    """Every column of the order's person as this user sees it for a reason that was given; the marker once it is due.

    No query where the person was read with the order. Whoever hands the values on records first that they are seen.
    """
    person = getattr(order, "person", None) or OrderPersonalData(order=order)
    view = masks.view_of(user, order_open=order.is_open, revealed=True)
    values = {name: getattr(person, name) for name in EXPORTED}
    if order.is_erased(now=now) or person.marker:
        goes = strict_erasing.postcode_goes(order)
        return {name: _mask(name, value, view, postcode_goes=goes) for name, value in values.items()}
    if order.by_amazon:
        return {name: values[name] for name in PLACE}
    return {name: view.shown(name, value) for name, value in values.items()}


def record_for(user, order: Order, *, now: datetime) -> dict[str, str]:
    """Every column of the order's person for a program: as `values_for`, with the bare marker where data is erased.

    What the user may not see is "". No query where the person and the order's store were read with the order; whoever
    hands the values on records that they are seen.
    """
    person = getattr(order, "person", None) or OrderPersonalData(order=order)
    view = masks.view_of(user, order_open=order.is_open)
    values = {name: getattr(person, name) for name in EXPORTED}
    if order.by_amazon:
        return {name: value if name in KEPT else "" for name, value in values.items()}
    erased = order.is_erased(now=now) or bool(person.marker)
    goes = erased and strict_erasing.postcode_goes(order)
    found = {}
    for name, value in values.items():
        if not value or view.of(name) != masks.Sight.PLAIN:
            found[name] = ""
        elif erased and _goes(name, value, postcode_goes=goes):
            found[name] = value if value in markers.MARKERS else markers.AMAZON
        else:
            found[name] = value
    return found


def _goes(name: str, value: str, *, postcode_goes: bool) -> bool:
    """Whether an erasure takes this column's value."""
    gone = name in ERASED or (name == EMAIL and not markers.is_relay(value))
    return gone or (name == strict_erasing.POSTCODE and postcode_goes)


def _shown(person: OrderPersonalData, names: tuple[str, ...], view: masks.View) -> list[tuple[str, str]]:
    values = ((name, view.shown(name, getattr(person, name))) for name in names)
    return [(_label(name), value) for name, value in values if value]


def _for_label(person: OrderPersonalData) -> list[tuple[str, str]]:
    """The whole address in Roman characters, also what needed no other spelling; nothing where nobody wrote any of it."""
    if not any(getattr(person, twin) for twin in ROMAN):
        return []
    told = roman.ship_to(person)
    shown = [(_label(name), told[name.removeprefix("recipient_")]) for name in FOR_LABEL]
    return [(label, text) for label, text in shown if text and roman.is_roman(text)]


def _by_amazon(person: OrderPersonalData, names: tuple[str, ...]) -> list[tuple[str, str]]:
    blank = _("not supplied by Amazon (FBA)")
    shown = {name: getattr(person, name) if name in PLACE else "" for name in names}
    return [(_label(name), shown[name] or blank) for name in names if shown[name] or name in ALWAYS_NAMED]


def _erased(person: OrderPersonalData, names: tuple[str, ...], view: masks.View) -> list[tuple[str, str]]:
    """Every erased field that held something shows the marker, whatever the column still holds.

    What outlives an erasure, a relay address or a postal code, is for those who see it plain.
    """
    goes = strict_erasing.postcode_goes(person.order)
    values = ((name, _mask(name, getattr(person, name), view, postcode_goes=goes)) for name in names)
    return [(_label(name), value) for name, value in values if value]


def _mask(name: str, value: str, view: masks.View, *, postcode_goes: bool) -> str:
    if not value:
        return ""
    if not _goes(name, value, postcode_goes=postcode_goes) and value not in markers.MARKERS:
        return value if view.of(name) == masks.Sight.PLAIN else ""
    return f"« {value if value in markers.MARKERS else markers.AMAZON} »"


def custom_fields_of(user, orders: list[Order], *, what: str) -> dict[int, list[str]]:
    """Custom fields 1 to 3 of these orders where their source is personal, as this user may see them, by order.

    Erased ones show the marker, those of orders this user may not see a word that says so. One query for the values,
    two for the rights, one statement for the log of the views; none of the latter where no order has such a field.
    `what`: what the log calls this view; '' where `panel_for` has logged the same person on the same page.
    """
    held = OrderPersonalData.objects.filter(pk__in=[order.pk for order in orders]).exclude(
        **dict.fromkeys(CUSTOM_FIELDS, "")
    )
    rows = {pk: (marker, values) for pk, marker, *values in held.values_list("pk", "marker", *CUSTOM_FIELDS)}
    if not rows:
        return {}
    may = {is_open: access.may_see_person(user, order_open=is_open) for is_open in (True, False)}
    plain = [
        order.pk for order in orders
        if order.pk in rows and may[order.is_open] and not order.masked and not rows[order.pk][0]
    ]  # fmt: skip
    if what:
        access.log_views(user, plain, what=what)
    found = {}
    for order in orders:
        if order.pk in rows:
            marker, values = rows[order.pk]
            erased = f"« {marker or markers.AMAZON} »" if order.masked or marker else _("hidden")
            found[order.pk] = [value if order.pk in plain or not value else erased for value in values]
    return found
