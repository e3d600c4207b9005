"""Orders that clients of version 1 create, and whole records they send back.

An order of a marketplace keeps what the marketplace said; a client adds to it (R20). One that was made here is corrected
while nothing of it is sent or erased. Of an erased order no personal data is written, whoever sends it (R76): markers
and what was read are no attempt, anything else is recorded and ignored, and the rest of the record is saved.
"""

from django.db import transaction

from orderhub.errors import RuleViolation
from orderhub.rest import scopes
from orderhub.shipstation import orderbody, orders, shapes
from orderhub.shipstation.calls import Call, Refused, Wrong
from orderhub.shipstation.dispatching import route
from orderhub.shipstation.orderbody import Body, Line
from orders import annotating, assigning, correcting, deciding, entering, latch, notes, persons, products, tagging
from orders.entering import Entry
from orders.models import Order, OrderEvent, OrderItem, Tag
from stores.models import Store

Status = Order.Status
MOST_AT_ONCE = 100
CURRENCIES = {"GB": "GBP", "US": "USD", "CA": "CAD", "MX": "MXN", "JP": "JPY", "AU": "AUD", "SE": "SEK", "PL": "PLN"}


@route("POST", "/orders/createorder", scope=scopes.ORDERS_WRITE)
def created(call: Call) -> dict:
    """Create the order, or update the one of this orderKey, orderId or number; sent twice, it is one order."""
    order = _written(call, call.body)
    return orders.shown(call, order)


@route("POST", "/orders/createorders", scope=scopes.ORDERS_WRITE)
def created_many(call: Call) -> dict:
    """Each for itself: one that cannot be written says why, the others are."""
    told = call.body if isinstance(call.body, list) else []
    if not 1 <= len(told) <= MOST_AT_ONCE:
        raise Wrong({"orders": [f"Send a list of 1 to {MOST_AT_ONCE} orders."]})
    results = [_result(call, one) for one in told]
    return {"hasErrors": not all(row["success"] for row in results), "results": results}


def _result(call: Call, told) -> dict:
    sent = (
        {name: str(told.get(name) or "")[:60] or None for name in ("orderNumber", "orderKey")}
        if isinstance(told, dict)
        else {}
    )
    try:
        order = _written(call, told)
    except Wrong as error:
        return _failed(sent, " ".join(text for texts in error.errors.values() for text in texts))
    except Refused as error:
        return _failed(sent, error.message)
    except RuleViolation as error:
        return _failed(sent, str(error))
    return {
        "orderId": order.pk, "orderNumber": order.order_number, "orderKey": shapes.key_of(order), "success": True,
        "errorMessage": None,
    }  # fmt: skip


def _failed(sent: dict, message: str) -> dict:
    empty = {"orderId": None, "orderNumber": None, "orderKey": None}
    return empty | sent | {"success": False, "errorMessage": message}


def _written(call: Call, told) -> Order:
    body = orderbody.read(call, told)
    with transaction.atomic():
        order = _existing(call, body)
        if order is None:
            order = _enter(call, body)
        elif not correcting.why_not(order):
            _correct(call, order, body)
        attempts = latch.attempts(order)
        _guard(call, order, body)
        _add(call, order, body)
        if latch.attempts(order) > attempts:
            call.headers["Warning"] = latch.IGNORED
    return order


def _existing(call: Call, body: Body) -> Order | None:
    """By the client's key, then by ours, then by the number, in the store it names first. 404 for an unknown orderId."""
    found = orders.rows(call).select_related("store__merchant", "store__account", "person").order_by("-pk")
    if body.store_id in call.stores:
        found = found.filter(store=body.store_id)
    if body.key and (order := found.filter(client_key=body.key).first() or found.filter(order_number=body.key).first()):
        return order
    if body.order_id:
        return orders.one(call, body.order_id)
    return found.filter(order_number=body.number, client_key="").first() if not body.key else None


def _enter(call: Call, body: Body) -> Order:
    store = _store(call, body)
    personal = store.platform == Store.Platform.HANDMADE
    lines = [
        line.values | {"options": [] if personal else line.options or [], "line_key": line.key} for line in body.lines
    ]
    entry = Entry(
        body.number, _head(store, body), body.person, lines, body.status,
        {tag.pk: tag.name for tag in Tag.objects.filter(pk__in=body.tags or ())}, client_key=body.key,
    )  # fmt: skip
    (order,) = entering.enter(store, [entry], kind=OrderEvent.Kind.FROM_CLIENT, by=call.key.user, now=call.now)
    return order


def _head(store: Store, body: Body) -> dict:
    head = body.order | {"ordered_at": body.ordered_at, "currency": _currency(store, body)} | body.fields
    if body.weight_g:
        head |= {"weight_g": body.weight_g, "weight_is_typed": True}
    if body.status == Status.SHIPPED:
        head["shipped_at"] = body.shipped_at or body.ordered_at
    if body.status == Status.ON_HOLD:
        head["hold_until"] = body.hold_until
    return head


def _currency(store: Store, body: Body) -> str:
    """Version 1 tells none: the one of the store's latest order, else of its country; euros where nothing is known."""
    known = store.orders.exclude(currency="").order_by("-ordered_at").values_list("currency", flat=True).first()
    return known or CURRENCIES.get(store.ship_from.get("country", "") or body.person["country"], "EUR")


def _store(call: Call, body: Body) -> Store:
    """The store that is named, else the key's first manual one."""
    taking = entering.stores().filter(pk__in=call.stores).order_by("pk")
    if body.store_id:
        found = taking.filter(pk=body.store_id).first()
        told = "Orders cannot be created in this store. GET /stores lists those of this key; it must be a manual one."
    else:
        found = taking.filter(platform=Store.Platform.MANUAL).first() or taking.first()
        told = "This key has no manual store to create orders in. Name one, or ask for a key with one."
    if found is None:
        raise Wrong({"apiOrder.advancedOptions.storeId": [told]})
    return found


def _correct(call: Call, order: Order, body: Body) -> None:
    """The whole record, as staff would type it; nothing where it is the same. Lines are known by their key, id or SKU."""
    before = correcting.as_it_is(order)
    personal = order.origin_marketplace == entering.AMAZON
    rows = {item.pk: item for item in order.items.all()}
    lines = []
    for line in body.lines:
        item = _item(rows, line)
        kept = rows.pop(item.pk) if item else None
        options = (kept.options if kept else []) if personal or line.options is None else line.options
        lines.append(({"item": kept.pk} if kept else {"line_key": line.key}) | line.values | {"options": options})
    # Columns that version 1 has no name for stay as they are; a key that reads no names cannot have sent them back
    person = before.person | (body.person if call.key.may(scopes.ORDERS_READ_PII) else _told(body.person))
    head = before.order | body.order | body.fields | {"ordered_at": body.ordered_at}
    status = body.status if body.status in correcting.statuses(order) else order.status
    after = Entry(body.number, head, person, lines or before.lines, status)
    if _same(before, after):
        return
    correcting.correct(order, after, as_seen=correcting.seen(order), by=call.key.user, now=call.now)


def _told(person: dict) -> dict:
    return {name: value for name, value in person.items() if value}


def _same(before: Entry, after: Entry) -> bool:
    """Whether a client sent back what is there. Lines are compared by what a client can tell of them."""
    rows = [
        [{name: line.get(name) or None for name in line if name != "asin"} for line in one.lines]
        for one in (before, after)
    ]
    return (before.number, before.order, before.person, before.status, rows[0]) == (
        after.number, after.order, after.person, after.status, rows[1],
    )  # fmt: skip


def _item(rows: dict[int, OrderItem], line: Line) -> OrderItem | None:
    """The line of ours that is meant, among those not taken yet."""
    if line.key and (found := next((item for item in rows.values() if item.amazon_item_id == line.key), None)):
        return found
    if line.number in rows:
        return rows[line.number]
    sku = line.values["sku"]
    return next((item for item in rows.values() if sku and sku in (item.sku, item.asin)), None)


def _guard(call: Call, order: Order, body: Body) -> None:
    """Of an erased order: whether personal data was offered that is neither a marker nor what the client has read."""
    order.refresh_from_db(fields=["pii_state"])
    if not latch.is_shut(order, getattr(order, "person", None)):
        return
    read = persons.record_for(call.key.user, order, now=call.now)
    offered = {name: value for name, value in body.person.items() if value and value != read.get(name)}
    latch.guard(order, offered, client=call.key.name, by=call.key.user, now=call.now)


def _add(call: Call, order: Order, body: Body) -> None:
    """What a client may add to any order, in the order in which a person would."""
    who = {"by": call.key.user, "now": call.now}
    rows = {item.pk: item for item in order.items.all()}
    options = {}
    for line in body.lines:
        item = _item(rows, line)
        blind = not line.options and not call.key.may(scopes.ORDERS_READ_PII)  # it has not seen what it would take off
        if item is not None and line.options is not None and not blind:
            options[rows.pop(item.pk).pk] = line.options
    annotating.set_options(order, options, client=call.key.name, **who)
    fields = {name: value for name, value in body.fields.items() if not annotating.why_no_field(order, name)}
    annotating.set_custom_fields(order, fields, client=call.key.name, **who)
    _weigh(order, body, who)
    if body.user and order.status != Status.CANCELLED:
        assigning.assign([order.pk], orders.worker(body.user), **who)
    if body.tags is not None:
        _tag(order, body.tags, who)
    _note(call, order, body)
    _hold(call, order, body)


def _weigh(order: Order, body: Body, who: dict) -> None:
    """Only a weight of its own: the one that was read, rounded to ounces, is no new one."""
    if body.weight_g and order.is_open and abs(body.weight_g - (order.weight_g or 0)) > 1:
        products.weigh_by_hand(order, str(body.weight_g), **who)


def _tag(order: Order, wanted: list[int], who: dict) -> None:
    """Exactly these: a client sends the whole list."""
    known, worn = Tag.objects.filter(pk__in=wanted), order.tags.exclude(pk__in=wanted)
    tagging.put_on([order.pk], list(known), **who)
    if gone := list(worn):
        tagging.take_off([order.pk], gone, **who)


def _note(call: Call, order: Order, body: Body) -> None:
    """What is new in the text becomes a note: notes are only ever added. Of an erased order it is an attempt."""
    there = notes.joined(order, sees_person=call.key.may(scopes.ORDERS_READ_PII))
    text = body.notes.removeprefix(there).strip() if body.notes != there else ""
    if not text or text == there or text in there.split("\n"):
        return
    if order.masked:
        latch.record([order.pk], client=call.key.name, by=call.key.user, now=call.now)
        return
    notes.add(order, text[: notes.MOST], by=call.key.user, now=call.now)


def _hold(call: Call, order: Order, body: Body) -> None:
    order.refresh_from_db(fields=["status", "hold_until"])
    if body.status == Status.ON_HOLD and order.status == Status.AWAITING_SHIPMENT:
        until = body.hold_until if body.hold_until and body.hold_until > call.now else None
        orders.hold(call, order, until)
    held = order.status == Status.ON_HOLD and not deciding.held_for_cancellation(order)
    if held and body.status == Status.AWAITING_SHIPMENT:
        deciding.release(order, by=call.key.user, now=call.now)
