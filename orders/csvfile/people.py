"""The personal data of chosen orders as a file: the answer to a buyer who asks what is kept (GDPR, article 15).

One line an order, made in memory and stored nowhere. Whose data it was stands in the access log, order by order, and
in the security log as one event; both are written before the file is.
"""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders import persons
from orders.csvfile import columns, writing
from orders.csvfile.columns import Column
from orders.customization import content
from orders.models import Order, OrderItem
from privacy import access, audit, markers, masks
from privacy.models.event import EventCode

log = logging.getLogger("orderhub.orders")
RIGHT = "orders.export_personal_data"
MOST = 50
WHAT = "export"
OF_ORDER = ("order_number", "store", "status", "ordered_at")
_OWN = (  # what no other file of ours has
    Column("buyer_username", "User name", "Nom d'utilisateur"),
    Column("romanised_name", "Recipient (Roman letters)", "Destinataire (lettres latines)"),
    Column("romanised_company", "Company (Roman letters)", "Société (lettres latines)"),
    Column("romanised_street1", "Street 1 (Roman letters)", "Adresse 1 (lettres latines)"),
    Column("romanised_street2", "Street 2 (Roman letters)", "Adresse 2 (lettres latines)"),
    Column("romanised_street3", "Street 3 (Roman letters)", "Adresse 3 (lettres latines)"),
    Column("romanised_city", "City (Roman letters)", "Ville (lettres latines)"),
    Column("romanised_state", "State (Roman letters)", "État ou région (lettres latines)"),
    Column("customisation", "Customisation", "Personnalisation"),
    Column("note_to_buyer", "Note to the buyer", "Message à l'acheteur"),
    Column("redaction_due_at", "Personal data until", "Données personnelles jusqu'au"),
)
_BY_NAME = columns.BY_NAME | {column.name: column for column in _OWN}
COLUMNS = [_BY_NAME[name] for name in (*OF_ORDER, *persons.EXPORTED, *(column.name for column in _OWN[-3:]))]


def may(user) -> bool:
    """Whether this user may export people; a superuser may not by being one."""
    return user.has_perm(RIGHT) and access.holds(user, RIGHT)


def export(rows: QuerySet, reason: str, *, request, now: datetime) -> str:
    """The file of these orders, as the request's user sees them for this reason. A constant number of queries.

    RuleViolation for an unknown reason, for more than 50 orders and for none: then nothing is recorded. Erased orders
    are in it with their marker, and so is one whose date has come, whatever its columns still hold.
    """
    if reason not in masks.ExportReason.values:
        raise RuleViolation(_("Choose a reason first: it is kept with your name and the time."))
    orders = _read(rows)
    if not orders:
        raise RuleViolation(_("None of these orders is here any more. Choose them again in the list."))
    words = writing.Words.in_use()
    lines = [_cells(request.user, order, words, now=now) for order in orders]
    _record([order.pk for order in orders], reason, request=request)
    return "".join(writing.lines_of(COLUMNS, lines, french=words.french))


def _read(rows: QuerySet) -> list[Order]:
    whole = rows.select_related("store", "person").prefetch_related(
        Prefetch("items", OrderItem.objects.select_related("person").order_by("pk")), "shipments"
    )
    orders = list(whole.order_by("-pk")[: MOST + 1])
    if len(orders) > MOST:
        raise RuleViolation(_("Choose at most %(count)d orders at once.") % {"count": MOST})
    return orders


def _record(ids: list[int], reason: str, *, request) -> None:
    with transaction.atomic():
        access.log_views(request.user, ids, what=WHAT, why=reason)
        audit.record(EventCode.EXPORTED, request=request, kind="order", ids=ids, reason=reason)
    log.info("personal_data_exported", extra={"count": len(ids), "user": request.user.pk})


def _cells(user, order: Order, words: writing.Words, *, now: datetime) -> dict[str, str]:
    values = {
        "order_number": order.order_number, "store": order.store.name, "status": words.statuses[order.status],
        "ordered_at": order.ordered_at, "redaction_due_at": order.redaction_due_at,
        **persons.values_for(user, order, now=now),
        "customisation": _told(order, _customisation(order), now=now), "note_to_buyer": _told(order, _notes(order), now=now),
    }  # fmt: skip
    return {name: writing.cell(value, french=words.french) for name, value in values.items()}


def _told(order: Order, texts: list[str], *, now: datetime) -> str:
    """These texts as they are shown: the marker where anything was once the order is erased or due."""
    if not texts:
        return ""
    erased = [text for text in texts if text in markers.MARKERS]
    if erased or order.is_erased(now=now):
        return f"« {(erased or [markers.AMAZON])[0]} »"
    return " | ".join(texts)


def _customisation(order: Order) -> list[str]:
    """What the buyer wrote for its lines; of a picture only that there is one."""
    rows = [item.person for item in order.items.all() if hasattr(item, "person")]
    told = [row.marker for row in rows if row.marker and row.customization]
    picture = _("picture")
    for row in rows:
        told += [f"{entry['label']}: {entry['value'] or picture}" for entry in content.read(row)]
    return told


def _notes(order: Order) -> list[str]:
    return [shipment.note_to_buyer for shipment in order.shipments.all() if shipment.note_to_buyer]
