"""Rules in the reader's language: names of facts, tests and actions, and sentences made of them.

`options`: for facts and actions that are chosen from a list, their values with their names, by code; see
orders/vocabulary.py. What is gone from it is shown as such.
"""

from collections.abc import Mapping

from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.rules import reading
from orders.rules.actions import ACTIONS
from orders.rules.conditions import WITHOUT_VALUE
from orders.rules.facts import FACTS

Options = Mapping[str, Mapping]
FACT_WORDS = {
    "store": _("store"),
    "marketplace": _("order source"),
    "country": _("country (code)"),
    "state": _("state or region"),
    "city": _("city"),
    "postcode": _("postal code"),
    "international": _("sent abroad"),
    "address_type": _("kind of address"),
    "not_roman": _("address not in Roman characters"),
    "order_total": _("order total"),
    "item_total": _("total of the items"),
    "shipping_paid": _("shipping paid"),
    "currency": _("currency"),
    "weight": _("weight in grams"),
    "units": _("units in all"),
    "lines": _("number of lines"),
    "service_level": _("service level"),
    "requested_service": _("service the buyer asked for"),
    "gift": _("gift"),
    "business": _("business order"),
    "prime": _("Prime"),
    "program": _("program"),
    "payment_method": _("payment method"),
    "custom_1": _("custom field 1"),
    "custom_2": _("custom field 2"),
    "custom_3": _("custom field 3"),
    "tags": _("tags"),
    "assigned": _("assigned to"),
    "ship_by_hours": _("hours left until ship-by"),
    "weekday": _("weekday of the order, in the store's zone"),
    "hour": _("hour of the order (0 to 23), in the store's zone"),
    "replacement": _("replacement or exchange"),
    "cancel_requested": _("buyer asks to cancel"),
    "customised": _("has a customisation"),
    "source": _("came by"),
    "sku": _("SKU"),
    "asin": _("ASIN"),
    "title": _("title"),
    "quantity": _("quantity"),
    "unit_price": _("unit price"),
    "line_total": _("total of the line"),
    "condition": _("condition"),
    "option": _("option (name=value)"),
    "promotion": _("promotion"),
    "location": _("storage location"),
    "product_weight": _("weight of one in grams"),
    "short": _("short of stock, as counted"),
}
TEST_WORDS = {
    "is": pgettext_lazy("test", "is"),
    "not": pgettext_lazy("test", "is not"),
    "one_of": pgettext_lazy("test", "is one of"),
    "none_of": pgettext_lazy("test", "is none of"),
    "contains": pgettext_lazy("test", "contains"),
    "not_contains": pgettext_lazy("test", "does not contain"),
    "starts": pgettext_lazy("test", "starts with"),
    "not_starts": pgettext_lazy("test", "does not start with"),
    "at_least": pgettext_lazy("test", "at least"),
    "at_most": pgettext_lazy("test", "at most"),
    "between": pgettext_lazy("test", "between"),
    "yes": pgettext_lazy("test", "yes"),
    "no": pgettext_lazy("test", "no"),
    "empty": pgettext_lazy("test", "is empty"),
    "filled": pgettext_lazy("test", "is not empty"),
}
ACTION_WORDS = {
    "tag": _("put on tags"),
    "untag": _("take off tags"),
    "assign": _("assign to"),
    "note": _("add the note"),
    "alert": _("raise the alert"),
    "hold": _("put on hold because"),
    "hold_hours": _("hold for this many hours"),
    "hold_days": _("hold for this many days"),
    "hold_weekday": _("hold until the next"),
    "hold_before_deadline": _("hold until this many hours before ship-by"),
    "own_status": _("give the own status"),
    "carrier": _("ship with the carrier"),
    "service": _("ship with the service"),
    "package": _("pack in"),
    "size": _("package size in mm (length × width × height)"),
    "weight": _("set the weight in grams"),
    "confirmation": _("ask for confirmation of delivery"),
    "ship_from": _("ship from the address of the store"),
    "no_notice": _("do not tell the marketplace"),
    "custom_1": _("set custom field 1"),
    "custom_2": _("set custom field 2"),
    "custom_3": _("set custom field 3"),
}
SCOPE_WORDS = {"any": _("at least one line meets all of this"), "all": _("every line meets all of this")}
REFUSED_WORDS = {
    "gone": _("left out: it does not exist any more"),
    "not_here": _("left out: this store has none"),
    "too_late": _("left out: the time is over"),
    "held": _("left out: it was on hold for another reason"),
}
WISH_WORDS = {
    "package": _("pack in %(value)s"),
    "size_mm": _("%(value)s mm"),
    "confirmation": _("confirmation: %(value)s"),
    "ship_from": _("ship from %(value)s"),
    "no_notice": _("the marketplace is not told"),
}


def criterion(told: Mapping, options: Options) -> str:
    """`country is “JP”`. A fact of another version is shown as its code."""
    fact, test = told["fact"], told["test"]
    words = {"fact": FACT_WORDS.get(fact, fact), "test": TEST_WORDS.get(test, test)}
    if test in {"yes", "no"}:
        return _now("%(fact)s: %(test)s") % words
    if test in WITHOUT_VALUE or fact not in FACTS:
        return _now("%(fact)s %(test)s") % words
    words["value"] = reading.shown(FACTS[fact].kind, told.get("value"), options.get(fact, {}))
    return _now("%(fact)s %(test)s “%(value)s”") % words


def action(told: Mapping, options: Options) -> str:
    """`put on tags “gift”`."""
    code = told["do"]
    word = ACTION_WORDS.get(code, code)
    if code not in ACTIONS or ACTIONS[code].kind == "none":
        return str(word)
    value = reading.shown(ACTIONS[code].kind, told.get("value"), options.get(code, {}))
    return _now("%(action)s “%(value)s”") % {"action": word, "value": value}


def conditions(criteria: list[Mapping], options: Options) -> list[str]:
    """A sentence for each criterion about the order and for each group about its lines."""
    found = []
    for group in criteria:
        told = [criterion(each, options) for each in group["criteria"]]
        if group["lines"]:
            scope = SCOPE_WORDS[group["lines"]]
            found.append(_now("%(scope)s: %(criteria)s") % {"scope": scope, "criteria": _now(" and ").join(told)})
        else:
            found += told
    return found


def deeds(actions: list[Mapping], options: Options) -> list[str]:
    return [action(each, options) for each in actions]


# -- traces


def done(codes: list[str], full: list[str] | None = None) -> list[str]:
    """What a fired rule did, from the codes of its trace. `full`: its actions with their values, where they are known."""
    found = []
    for place, code in enumerate(codes):
        name, _colon, refused = code.partition(":")
        word = capfirst(full[place] if full else str(ACTION_WORDS.get(name, name)))
        told = {"action": word, "why": REFUSED_WORDS.get(refused, refused)}
        found.append(_now("%(action)s (%(why)s)") % told if refused else word)
    return found


def why_not(why: Mapping | None, options: Options) -> str:
    """Why a rule did not fire: the rule's own criterion, and nothing of the order."""
    match (why or {}).get("code"):
        case "criterion":
            return _now("Not met: %(criterion)s.") % {"criterion": _scoped(why, options)}
        case "currency":
            told = {"criterion": _scoped(why, options)}
            return (
                _now("Not met: %(criterion)s. The order is in another currency, and amounts are not converted.") % told
            )
        case "no_line":
            return _now("No single line meets all the criteria about lines.")
        case "stopped":
            return _now("An earlier rule ended the run.")
        case "broken":
            return _now("The rule failed and was skipped.")
    return ""


def _scoped(why: Mapping, options: Options) -> str:
    told = criterion(why, options)
    scope = {"any": _now("at least one line: %(criterion)s"), "all": _now("every line: %(criterion)s")}
    return scope[why["lines"]] % {"criterion": told} if why.get("lines") else told


def broken(code: str) -> str:
    """What to do about a rule that failed; `code`: as it was noted on the rule."""
    if code.startswith("Invalid:"):
        return _now("It could not be understood. Open it, correct it and save it.")
    return _now("It failed while it ran. Open it, try it on the last orders, and tell your administrator.")


def wishes(found: Mapping, options: Options) -> list[str]:
    """What rules wish for a parcel, besides carrier and service, which the form has fields for."""
    told = []
    for name, sentence in WISH_WORDS.items():
        if name not in found:
            continue
        value = found[name]
        if name == "size_mm":
            value = reading.shown("size", value, {})
        told.append(str(sentence) % {"value": options.get(name, {}).get(value, value)})
    return told
