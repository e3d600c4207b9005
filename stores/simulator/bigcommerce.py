"""The simulated BigCommerce: Orders V2, and the few of V3 that a link needs. Error texts ours, shapes theirs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from stores.simulator.answers import Answer, Refusal, as_json
from stores.simulator.bigcommerce_answers import (
    TOLD,
    address_row,
    listed,
    order_row,
    product_row,
    refused,
    shipment_row,
)
from stores.simulator.bigcommerce_world import STATUSES, MirrorLine, MirrorOrder, MirrorShipment, Shop
from stores.simulator.request import Request
from stores.simulator.world import World

Handler = Callable[[World, Shop, Request], Answer]
PREFIX = "bigcommerce."
WRITE_ORDERS = frozenset({"store_v2_orders"})
READ_ORDERS = WRITE_ORDERS | {"store_v2_orders_read_only"}
READ_CHANNELS = frozenset({"store_channel_settings", "store_channel_settings_read_only"})
READ_STORE = frozenset({"store_v2_information", "store_v2_information_read_only"})
PROVIDERS = {
    "", "auspost", "canadapost", "endicia", "usps", "fedex", "ups", "upsready", "upsonline", "shipperhq", "royalmail",
}  # fmt: skip
READ_ONLY = {"id", "external_id", "external_merchant_id", "order_source", "date_created", "items_shipped"}
MAX_LIMIT = 250


def _version(asked: Request) -> str:
    return asked.path.split("/")[3]


def _call(handler: Handler, scopes: frozenset[str]) -> Callable[[World, Request], Answer]:
    """The handler behind the door: right store, right token, quota left, right scope."""

    def answer(world: World, asked: Request) -> Answer:
        shop = _shop(world, asked)
        now = world.clock.now()
        try:
            _admit(world, shop, asked, scopes, now)
            given = handler(world, shop, asked)
        except Refusal as refusal:
            given = refusal.answer
        given.headers = shop.rate_headers(now) | given.headers
        return given

    return answer


def _shop(world: World, asked: Request) -> Shop:
    shop = world.shops.get(asked.path_values["store_hash"])
    if shop is None:
        raise refused(404, "The requested resource was not found.", version=_version(asked))
    if asked.access_token != shop.token:
        raise refused(401, "Unauthorized.", version=_version(asked))
    return shop


def _admit(world: World, shop: Shop, asked: Request, scopes: frozenset[str], now: datetime) -> None:
    if not shop.spend(now) and world.throttling:
        refusal = refused(429, "Too many requests.", version=_version(asked))
        seconds = -(-int(shop.rate_headers(now)["X-Rate-Limit-Time-Reset-Ms"]) // 1000)
        refusal.answer.headers["X-Retry-After"] = str(seconds)
        raise refusal
    if not scopes & shop.scopes:
        raise refused(403, "The token lacks a required scope.", version=_version(asked))


def _body(asked: Request) -> dict[str, Any]:
    if asked.content_type.split(";")[0].strip() != "application/json":
        raise refused(415, "The content type must be application/json.")
    try:
        data = json.loads(asked.body)
    except ValueError:
        raise refused(400, "The body is not JSON.") from None
    if not isinstance(data, dict):
        raise refused(400, "The body is not an object.")
    return data


# --- orders


def _order_statuses(world: World, shop: Shop, asked: Request) -> Answer:
    return listed(
        [
            {
                "id": number,
                "name": name,
                "system_label": name,
                "custom_label": name,
                "system_description": f"The order is {name.lower()}.",
            }
            for number, name in enumerate(STATUSES)
        ]
    )


def _orders(world: World, shop: Shop, asked: Request) -> Answer:
    found = [order for order in shop.orders.values() if _wanted(order, shop, asked)]
    return listed([order_row(order) for order in _page(found, asked)])


def _wanted(order: MirrorOrder, shop: Shop, asked: Request) -> bool:
    """By the documented filters; a filter nobody knows, `external_id` for one, filters nothing."""
    given = {name: value for name, value in asked.query.items() if name not in shop.ignored_filters}
    exact = {"external_order_id": order.external_order_id, "channel_id": order.channel_id, "status_id": order.status_id}
    return (
        all(str(value) == given.get(name, str(value)) for name, value in exact.items())
        and _instant(given, "min_date_created", order.created) <= order.created
        and order.created <= _instant(given, "max_date_created", order.created)
        and _number(given, "min_id", 0) <= order.order_id
    )


def _instant(given: dict[str, str], name: str, default: datetime) -> datetime:
    """RFC 2822 or ISO 8601; UTC where no zone is named."""
    if name not in given:
        return default
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            instant = read(given[name])
        except (TypeError, ValueError):
            continue
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    raise refused(400, f"The field '{name}' is not a date.")


def _number(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise refused(400, f"The field '{name}' is not a number.")
    return int(text)


def _page(rows: list[Any], asked: Request) -> list[Any]:
    limit, page = _number(asked.query, "limit", 50), _number(asked.query, "page", 1)
    if limit > MAX_LIMIT:
        raise refused(413, f"The limit is {MAX_LIMIT}.")
    if not limit or not page:
        raise refused(400, "The fields 'limit' and 'page' begin at 1.")
    return rows[limit * (page - 1) : limit * page]


def _order(shop: Shop, asked: Request) -> MirrorOrder:
    number = asked.path_values["order_id"]
    found = shop.orders.get(int(number)) if number.isascii() and number.isdigit() else None
    if found is None:
        raise refused(404, "The requested resource was not found.")
    return found


def _get_order(world: World, shop: Shop, asked: Request) -> Answer:
    return as_json(order_row(_order(shop, asked)))


def _update_order(world: World, shop: Shop, asked: Request) -> Answer:
    order, wish = _order(shop, asked), _body(asked)
    for name in sorted(READ_ONLY & wish.keys()):
        raise refused(400, f"The field '{name}' cannot be written to. Please remove it from your request.")
    status_id = wish.get("status_id", order.status_id)
    if type(status_id) is not int or not 0 <= status_id < len(STATUSES):
        raise refused(400, "The field 'status_id' is invalid.")
    order.external_order_id = wish.get("external_order_id", order.external_order_id)
    shop.set_status(order, status_id, world.clock.now())
    shop.record(order, "order_changed", world.clock.now())
    return as_json(order_row(order))


def _products(world: World, shop: Shop, asked: Request) -> Answer:
    order = _order(shop, asked)
    hidden = {"order_address_id": 0} if shop.hides_addresses else {}
    return listed([product_row(order, line) | hidden for line in _page(order.lines, asked)])


def _shipping_addresses(world: World, shop: Shop, asked: Request) -> Answer:
    order = _order(shop, asked)
    addresses = _page(list(order.addresses.items()), asked)
    return listed([address_row(order, number, address) for number, address in addresses])


# --- shipments


def _shipments(world: World, shop: Shop, asked: Request) -> Answer:
    order = _order(shop, asked)
    return listed([shipment_row(order, one) for one in _page(list(order.shipments.values()), asked)])


def _create_shipment(world: World, shop: Shop, asked: Request) -> Answer:
    order, wish = _order(shop, asked), _body(asked)
    told = _told(wish)
    told.setdefault("shipping_provider", "custom")  # and then no tracking link goes into the mail
    address_id = wish.get("order_address_id")
    if type(address_id) is not int or address_id not in order.addresses:
        raise refused(400, "The field 'order_address_id' is invalid.")
    if shop.refuses:
        raise refused(422, "The shipment cannot be created.")
    items = _items(shop, order, wish.get("items"), address_id)
    return as_json(shipment_row(order, shop.ship(order, address_id, items, told, world.clock.now())), 201)


def _told(wish: dict[str, Any]) -> dict[str, str]:
    told = {name: wish[name] for name in TOLD if name in wish}
    for name, value in told.items():
        if not isinstance(value, str) or len(value) > TOLD[name]:
            raise refused(400, f"The field '{name}' is invalid.")
    provider = told.get("shipping_provider", "")
    if provider not in PROVIDERS and not provider.startswith("carrier_"):
        raise refused(400, "The field 'shipping_provider' is invalid.")
    return told


def _items(shop: Shop, order: MirrorOrder, wish: Any, address_id: int) -> dict[int, int]:
    if not isinstance(wish, list) or not wish:
        raise refused(400, "The field 'items' is required.")
    items: dict[int, int] = {}
    for item in wish:
        line, quantity = _item(order, item, address_id)
        items[line.line_id] = items.get(line.line_id, 0) + quantity
        open_quantity = line.quantity - order.quantity_shipped(line)
        if shop.refuses_reshipping and items[line.line_id] > open_quantity:
            raise refused(400, "The field 'quantity' is more than is left to ship.")
    return items


def _item(order: MirrorOrder, item: Any, address_id: int) -> tuple[MirrorLine, int]:
    if not isinstance(item, dict) or item.keys() - {"order_product_id", "quantity"}:
        raise refused(400, "The field 'items' takes order_product_id and quantity only.")
    line, quantity = order.line(item.get("order_product_id")), item.get("quantity")
    if line is None or line.address_id != address_id:
        raise refused(400, "The field 'order_product_id' is invalid.")
    if type(quantity) is not int or not 0 < quantity <= line.quantity:
        raise refused(400, "The field 'quantity' is invalid.")
    return line, quantity


def _shipment(order: MirrorOrder, asked: Request) -> MirrorShipment:
    number = asked.path_values["shipment_id"]
    found = order.shipments.get(int(number)) if number.isascii() and number.isdigit() else None
    if found is None:
        raise refused(404, "The requested resource was not found.")
    return found


def _get_shipment(world: World, shop: Shop, asked: Request) -> Answer:
    order = _order(shop, asked)
    return as_json(shipment_row(order, _shipment(order, asked)))


def _update_shipment(world: World, shop: Shop, asked: Request) -> Answer:
    order = _order(shop, asked)
    shipment, wish = _shipment(order, asked), _body(asked)
    if "items" in wish:
        raise refused(400, "The field 'items' cannot be written to. Please remove it from your request.")
    shipment.told |= _told(wish)
    shop.record(order, "shipment_changed", world.clock.now(), shipment)
    return as_json(shipment_row(order, shipment))


def _delete_shipment(world: World, shop: Shop, asked: Request) -> Answer:
    """The order keeps its status: set back by hand."""
    order = _order(shop, asked)
    chosen = [_shipment(order, asked)] if "shipment_id" in asked.path_values else list(order.shipments.values())
    for shipment in chosen:
        del order.shipments[shipment.shipment_id]
        shop.record(order, "shipment_deleted", world.clock.now(), shipment)
    return Answer(204)


# --- what surrounds the orders


def _store(world: World, shop: Shop, asked: Request) -> Answer:
    return as_json({"id": shop.store_hash, "name": shop.name, "status": "live", "plan_name": "Plus"})


def _channels(world: World, shop: Shop, asked: Request) -> Answer:
    """`platform:in` and `type:in` take comma-separated words."""
    rows = [_channel_row(1, "bigcommerce", "storefront", "active"), _channel_row(7, "ebay", "marketplace", "connected")]
    amazon = (*([shop.channel_id] if shop.channel_id else []), *shop.more_amazon_channels)
    rows += [_channel_row(number, "amazon", "marketplace", "connected") for number in amazon]
    given = {name: value for name, value in asked.query.items() if name not in shop.ignored_filters}
    for name in ("platform", "type"):
        if f"{name}:in" in given:
            rows = [row for row in rows if row[name] in given[f"{name}:in"].split(",")]
    return as_json({"data": rows, "meta": {"pagination": {"total": len(rows), "current_page": 1, "total_pages": 1}}})


def _channel_row(number: int, platform: str, kind: str, status: str) -> dict[str, Any]:
    return {"id": number, "name": platform.title(), "platform": platform, "type": kind, "status": status}


def _email_statuses(world: World, shop: Shop, asked: Request) -> Answer:
    """One switch for the mails of all order statuses; of a channel null where it follows the store's."""
    switch: bool | None = shop.status_mail
    if "channel_id" in asked.query:
        switch = shop.channel_status_mail.get(_number(asked.query, "channel_id", 1))
    others = None if "channel_id" in asked.query else True
    return as_json(
        {"data": {"invoice_email": others, "combined_order_status_email": switch, "return_statuschange_email": others}, "meta": {}}
    )  # fmt: skip


_STORE = "/stores/{store_hash}"
_ORDERS = f"{_STORE}/v2/orders"
_ORDER = f"{_ORDERS}/{{order_id}}"
_SHIPMENTS = f"{_ORDER}/shipments"
_SHIPMENT = f"{_SHIPMENTS}/{{shipment_id}}"
ROUTES = tuple(
    (method, path, PREFIX + name, _call(handler, scopes))
    for method, path, name, handler, scopes in (
        ("GET", f"{_STORE}/v2/order_statuses", "order_statuses", _order_statuses, READ_ORDERS),
        ("GET", _ORDERS, "orders", _orders, READ_ORDERS),
        ("GET", _ORDER, "order", _get_order, READ_ORDERS),
        ("PUT", _ORDER, "update_order", _update_order, WRITE_ORDERS),
        ("GET", f"{_ORDER}/products", "products", _products, READ_ORDERS),
        ("GET", f"{_ORDER}/shipping_addresses", "shipping_addresses", _shipping_addresses, READ_ORDERS),
        ("GET", _SHIPMENTS, "shipments", _shipments, READ_ORDERS),
        ("POST", _SHIPMENTS, "create_shipment", _create_shipment, WRITE_ORDERS),
        ("DELETE", _SHIPMENTS, "delete_shipments", _delete_shipment, WRITE_ORDERS),
        ("GET", _SHIPMENT, "shipment", _get_shipment, READ_ORDERS),
        ("PUT", _SHIPMENT, "update_shipment", _update_shipment, WRITE_ORDERS),
        ("DELETE", _SHIPMENT, "delete_shipment", _delete_shipment, WRITE_ORDERS),
        ("GET", f"{_STORE}/v2/store", "store", _store, READ_STORE),
        ("GET", f"{_STORE}/v3/channels", "channels", _channels, READ_CHANNELS),
        ("GET", f"{_STORE}/v3/settings/email-statuses", "email_statuses", _email_statuses, READ_STORE),
    )
)
