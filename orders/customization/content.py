"""From Amazon's JSON of a customised line to ours: a list of what the buyer chose.

Source: Amazon's reference, section 13. The tree (`customizationData`) comes first. The flat list (`customizationInfo`)
is the fallback, and gives back what one of the two lost: each of them loses texts that the other still has.
An entry: `label` and `value` as the buyer saw them, `kind` (one of KINDS), `image`: a file name, or ''.
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub import clock
from orderhub.errors import RuleViolation
from orders import latch
from orders.models import ItemPersonalData, Order, OrderItem

KINDS = ("text", "option", "font", "colour", "image")
MOST_ENTRIES, MOST_LABEL, MOST_VALUE = 200, 200, 4000
_VERSION = "version3.0"
_TURNS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}  # make text read otherwise than it is

Entry = dict[str, str]


def entries_of(told: dict | list) -> list[Entry]:
    """What the buyer chose, in the order of the form; nothing for a document of another shape."""
    if not isinstance(told, dict):
        return []
    tree = list(_leaves(told.get("customizationData")))
    flat = list(_areas(told))
    if tree:  # fonts and colours are written differently there, and would be told twice
        known = {entry["value"] for entry in tree}
        flat = [entry for entry in flat if entry["kind"] in {"text", "option"} and entry["value"] not in known]
    return [*tree, *flat][:MOST_ENTRIES]


def clean(value, most: int) -> str:
    """A text as data: at most so many letters, line breaks kept, nothing that cannot be stored or that turns lines."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    text = str(value)[: 2 * most].replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_shown(sign) for sign in text).strip()[:most].strip()


def _shown(sign: str) -> str:
    if sign == "\n":
        return sign
    kind = unicodedata.category(sign)
    if kind == "Cs" or sign in "\ufffe\uffff":
        return "\ufffd"
    if kind == "Cc":
        return " " if sign in "\t\v\f\x85" else ""
    return "" if ord(sign) in _TURNS else sign


def _entry(kind: str, label, value, image="") -> Iterator[Entry]:
    found = {"label": clean(label, MOST_LABEL), "kind": kind, "value": clean(value, MOST_VALUE)}
    found["image"] = clean(image, 255)
    if found["value"] or found["image"]:
        yield found


def _part(node: dict, name: str) -> dict:
    found = node.get(name)
    return found if isinstance(found, dict) else {}


def _children(node: dict, name: str = "children") -> list[dict]:
    found = node.get(name)
    return [child for child in found if isinstance(child, dict)] if isinstance(found, list) else []


def _leaves(node) -> Iterator[Entry]:
    """The tree, depth first; how deep it may be is judged where the JSON is read."""
    if not isinstance(node, dict):
        return
    label = node.get("label") or node.get("name")
    match node.get("type"):
        case "TextCustomization":
            yield from _entry("text", label, node.get("inputValue"))
        case "OptionCustomization":
            chosen = _part(node, "optionSelection")
            yield from _entry("option", label, node.get("displayValue") or chosen.get("label") or chosen.get("name"))
        case "FontCustomization":
            yield from _entry("font", label, _part(node, "fontSelection").get("family"))
        case "ColorCustomization":
            yield from _entry("colour", label, _colour(_part(node, "colorSelection")))
        case "ImageCustomization":
            image = _part(node, "image")
            yield from _entry("image", label, image.get("buyerFilename"), image.get("imageName"))
        case _:
            yield from _entry("image", label, "", _part(node, "snapshot").get("imageName"))
    for child in _children(node):
        yield from _leaves(child)


def _colour(chosen: dict) -> str:
    name, value = clean(chosen.get("name"), 100), clean(chosen.get("value"), 100)
    return f"{name} ({value})" if name and value and name != value else name or value


def _areas(told: dict) -> Iterator[Entry]:
    """The flat list; its two outer keys are met in either order."""
    inside = _part(_part(told, "customizationInfo"), _VERSION) or _part(_part(told, _VERSION), "customizationInfo")
    for surface in _children(inside, "surfaces"):
        for area in _children(surface, "areas"):
            label = area.get("label") or area.get("name")
            match area.get("customizationType"):
                case "TextPrinting":
                    yield from _entry("text", label, area.get("text"))
                    yield from _entry("font", label, area.get("fontFamily"))
                    yield from _entry(
                        "colour", label, _colour({"name": area.get("colorName"), "value": area.get("fill")})
                    )
                case "Options":
                    yield from _entry("option", label, area.get("optionValue"))
                case "ImagePrinting":
                    yield from _entry("image", label, area.get("buyerFilename"))


def written(entries: list[Entry]) -> str:
    """As the column has it."""
    return json.dumps(entries, ensure_ascii=False)


def keep(item: OrderItem, given: Iterable[Mapping[str, str]], *, client: str = "API") -> None:
    """What a client of the API tells of a line, `label` and `value` each, in place of the texts kept so far.

    `client`: the key's name, for the record where the order is erased. Pictures stay. An archive that still waits at Amazon is not fetched any more. RuleViolation where the order's personal
    data is erased, or never was ours.
    """
    texts = [entry for told in given for entry in _entry("text", told.get("label"), told.get("value"))]
    with latch.watching(item.order, client=client, now=clock.now()), transaction.atomic():
        order = Order.objects.select_for_update().get(pk=item.order_id)
        if order.masked:
            raise latch.Erased(
                _("The personal data of order %(number)s is erased: it takes no customisation any more.")
                % {"number": order.order_number}
            )
        if order.by_amazon:
            raise RuleViolation(
                _("Order %(number)s is fulfilled by Amazon: no customisation is kept for it.")
                % {"number": order.order_number}
            )
        row, _made = ItemPersonalData.objects.select_for_update().get_or_create(item=item)
        shown = [entry for entry in read(row) if entry["image"]]
        row.customization = written([*texts[:MOST_ENTRIES], *shown])
        row.state, row.customized_url, row.next_attempt_at = ItemPersonalData.State.FETCHED, "", None
        row.save(update_fields=["customization", "state", "customized_url", "next_attempt_at"])
        count_as_personal(order)


def read(row: ItemPersonalData) -> list[Entry]:
    """The entries of a row; nothing where there are none, or where they are erased."""
    return json.loads(row.customization) if row.customization and not row.marker else []


def count_as_personal(order: Order) -> None:
    """An order that held nothing of a person does from now on. Safe to repeat."""
    Order.objects.filter(pk=order.pk, pii_state=Order.PiiState.NONE).update(pii_state=Order.PiiState.PRESENT)
