"""Addresses in Roman characters: which are not, who writes them, and what a label uses.

What Amazon sent is never changed: each field has a twin beside it, filled in by a person, erased with it. Nothing here
suggests a reading: the same characters are read differently from one place and family to the next.
"""

import unicodedata
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders import deciding, latch, people
from orders.models import Order, OrderEvent, OrderPersonalData
from privacy.fields import sealed_values

TWINS = {
    "recipient_name": "romanised_name",
    "recipient_company": "romanised_company",
    "street1": "romanised_street1",
    "street2": "romanised_street2",
    "street3": "romanised_street3",
    "city": "romanised_city",
    "state": "romanised_state",
}
SHIP_TO = (*TWINS, "district")
COVERS_DISTRICT = ("romanised_city", "romanised_street1", "romanised_street2", "romanised_street3")
MOST = 120  # characters of a twin: a label cuts what is longer
FOREIGN = 0x2E80  # Unicode: from here on stand the scripts of East Asia, emoji and private signs
_LETTERS = ("LATIN ", "MODIFIER LETTER ")  # the second: okinas and other signs within Latin words
_NARROW = {0xFF01 + step: 0x21 + step for step in range(94)} | {0x3000: 0x20}  # full-width forms, as Japan types them


class NotRoman(RuleViolation):
    """`fields`: a sentence for each twin that cannot be taken as it is, by its name."""

    def __init__(self, fields: dict[str, str]):
        super().__init__(" ".join(fields.values()))
        self.fields = fields


def is_roman(text: str) -> bool:
    """Whether carriers can read a text: no letter or digit but Latin ones, in any width and with any accents."""
    return all(map(_is_readable, unicodedata.normalize("NFKC", text)))


def _is_readable(sign: str) -> bool:
    kind = unicodedata.category(sign)
    if ord(sign) >= FOREIGN or (kind == "Nd" and not sign.isascii()):
        return False
    return not kind.startswith("L") or unicodedata.name(sign, "").startswith(_LETTERS)


def missing(person: OrderPersonalData) -> list[str]:
    """Names of the twins that still must be filled in before a label can be made."""
    found = [twin for name, twin in TWINS.items() if not _is_told(person, name, twin)]
    covered = any(getattr(person, twin) for twin in COVERS_DISTRICT)
    if not is_roman(person.district) and not covered and "romanised_city" not in found:
        found.append("romanised_city")
    return found


def _is_told(person: OrderPersonalData, name: str, twin: str) -> bool:
    written = getattr(person, twin)
    return is_roman(written) and (bool(written) or is_roman(getattr(person, name)))


def unreadable(order_ids: Collection[int]) -> set[int]:
    """Which of these orders have no address a carrier can read; one query, and only ids leave it."""
    rows = OrderPersonalData.objects.filter(pk__in=order_ids).only("district", *TWINS, *TWINS.values())
    return {person.pk for person in rows if missing(person)}


def ship_to(person: OrderPersonalData) -> dict[str, str]:
    """The address for a label, by the names labels use: each field's twin where it has one, else what Amazon sent.

    A district in other characters goes as soon as there is a twin: it is part of the city or street written there.
    """
    twins = {name: getattr(person, twin) for name, twin in TWINS.items()}
    told = {name.removeprefix("recipient_"): text or getattr(person, name) for name, text in twins.items()}
    kept = is_roman(person.district) or not any(twins.values())
    told |= {
        "district": person.district if kept else "",
        "postal_code": person.postal_code.removeprefix("〒").strip(),
        "country": person.country,
        "phone": person.phone,
    }
    return {name: text.translate(_NARROW) if is_roman(text) else text for name, text in told.items()}


def forget(person: OrderPersonalData) -> bool:
    """Empty the twins of a row in hand, because what they say is no longer so; whether there was anything to empty."""
    held = any(getattr(person, twin) for twin in TWINS.values())
    for twin in TWINS.values():
        setattr(person, twin, "")
    return held


def write(order: Order, values: Mapping[str, str], *, by, now: datetime) -> None:
    """Set all twins, by their names; one that is not in `values` is emptied. Safe to repeat: no second line is added.

    An order on hold until it is written is released. NotRoman with a sentence a field; RuleViolation for an order that
    is closed, erased or shipped by Amazon. Locks order, then person, as an import does, so that neither an import nor
    an erasure comes in between.
    """
    with latch.watching(order, by=by, now=now), transaction.atomic():
        here, person = _locked(order)
        twins = {twin: tidy(values.get(twin, "")) for twin in TWINS.values()}
        wrong = _check(person, twins)
        if wrong:
            raise NotRoman(wrong)
        if any(getattr(person, name) != text for name, text in twins.items()):
            _store(order, person, twins, by=by, now=now)
        deciding.address_is_written(here, by=by, now=now)
    order.refresh_from_db()


def _store(order: Order, person: OrderPersonalData, twins: dict[str, str], *, by, now: datetime) -> None:
    if not OrderPersonalData.objects.filter(pk=order.pk, marker="").update(**sealed_values(person, **twins)):
        raise latch.Erased(_erased(order))
    for name, text in twins.items():
        setattr(person, name, text)
    people.index([person])
    Order.objects.filter(pk=order.pk, pii_state=Order.PiiState.NONE).update(pii_state=Order.PiiState.PRESENT)
    OrderEvent.objects.create(order=order, kind=OrderEvent.Kind.ROMANISED, at=now, actor=by)


def _locked(order: Order) -> tuple[Order, OrderPersonalData]:
    here = Order.objects.select_for_update().get(pk=order.pk)
    if here.by_amazon:
        raise RuleViolation(_("Amazon ships order %(number)s: there is no address to write.") % _number(order))
    person = OrderPersonalData.objects.select_for_update().filter(pk=order.pk).first()
    if person is None:
        raise RuleViolation(_("Amazon has not sent an address for order %(number)s.") % _number(order))
    if latch.is_shut(here, person):
        raise latch.Erased(_erased(order))
    if not here.is_open:
        raise RuleViolation(_("Order %(number)s is closed: no label will be made for it.") % _number(order))
    return here, person


def tidy(text: str) -> str:
    """As it is kept: half-width, white space single, hidden signs gone."""
    spaced = "".join(" " if sign.isspace() else sign for sign in text.translate(_NARROW))
    return " ".join("".join(sign for sign in spaced if unicodedata.category(sign) not in {"Cc", "Cf"}).split())


def _check(person: OrderPersonalData, twins: dict[str, str]) -> dict[str, str]:
    """A sentence for each twin that is too long, not Roman, or missing. None repeats a value."""
    wrong = {twin: _too_long(twin) for twin, text in twins.items() if len(text) > MOST}
    wrong |= {twin: _other_letters(twin) for twin, text in twins.items() if not is_roman(text)}
    wanted = OrderPersonalData(**{name: getattr(person, name) for name in ("district", *TWINS)}, **twins)
    return wrong | {twin: _needed(twin) for twin in missing(wanted) if twin not in wrong}


def label_of(twin: str) -> str:
    """What people call the field, for example "City"."""
    name = next(name for name, own in TWINS.items() if own == twin)
    return str(capfirst(OrderPersonalData._meta.get_field(name).verbose_name))


def _too_long(twin: str) -> str:
    return _("%(field)s: at most %(most)d characters.") % {"field": label_of(twin), "most": MOST}


def _other_letters(twin: str) -> str:
    told = _("%(field)s: use Roman letters only, with or without accents, digits and punctuation.")
    return told % {"field": label_of(twin)}


def _needed(twin: str) -> str:
    return _("%(field)s: write it in Roman characters.") % {"field": label_of(twin)}


def _erased(order: Order) -> str:
    return _("The address of order %(number)s was erased on schedule.") % _number(order)


def _number(order: Order) -> dict[str, str]:
    return {"number": order.order_number}
