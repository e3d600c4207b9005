"""The simulated BigCommerce: orders copied from Amazon, their shipments, and the mails they would have cost."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from stores.simulator import scenarios

from .asking import InProcess
from .conftest import NOON, frozen

NAME = "Nell Elmsworthy"


class ShopAsker:
    """Asks as the program of the store-level account."""

    def __init__(self, world, token=scenarios.SHOP_TOKEN, store_hash=scenarios.SHOP_HASH):
        self.app, self.token, self.store_hash = InProcess(world), token, store_hash

    def __call__(self, method, path, data=None, **query):
        headers = {"X-Auth-Token": self.token}
        body = b""
        if data is not None:
            body, headers["Content-Type"] = json.dumps(data).encode(), "application/json"
        target = f"/stores/{self.store_hash}{path}" + (f"?{urlencode(query)}" if query else "")
        return self.app.send(method, target, body, headers)


@pytest.fixture
def shop(world):
    return world.shops[scenarios.SHOP_HASH]


@pytest.fixture
def ask(world):
    return ShopAsker(world)


@pytest.fixture
def mirror(shop, order):
    return shop.mirror(order)


@pytest.fixture
def ship(ask, mirror):
    """Ship lines of the mirrored order: quantities in their order, all of it unless told."""

    def post(*quantities, **changes):
        wanted = quantities or [line.quantity for line in mirror.lines]
        items = [
            {"order_product_id": line.line_id, "quantity": count}
            for line, count in zip(mirror.lines, wanted, strict=False)
            if count
        ]
        data = {"order_address_id": mirror.lines[0].address_id, "items": items, "tracking_number": "1Z",
                "shipping_provider": ""} | changes  # fmt: skip
        return ask("POST", f"/v2/orders/{mirror.order_id}/shipments", data)

    return post


def ids(reply):
    return [row["id"] for row in reply.json] if reply.body else []


# 1. Who may ask


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/v2/order_statuses", "store_v2_orders_read_only"),
        ("/v2/orders", "store_v2_orders_read_only"),
        ("/v2/store", "store_v2_information_read_only"),
        ("/v3/channels", "store_channel_settings_read_only"),
        ("/v3/settings/email-statuses", "store_v2_information_read_only"),
    ],
)
def test_1_the_door_is_opened_by_hash_token_and_scope(world, shop, path, scope):
    shop.scopes = frozenset({scope})
    assert ShopAsker(world)("GET", path).status in {200, 204}
    assert ShopAsker(world, token="x")("GET", path).status == 401
    assert ShopAsker(world, store_hash="other")("GET", path).status == 404
    shop.scopes = frozenset()
    refused = ShopAsker(world)("GET", path)
    assert refused.status == 403
    assert isinstance(refused.json, list if "/v2/" in path else dict)


def test_1_the_amazon_header_opens_nothing(world):
    reply = InProcess(world).send(
        "GET", f"/stores/{scenarios.SHOP_HASH}/v2/orders", b"", {"x-amz-access-token": scenarios.SHOP_TOKEN}
    )
    assert reply.status == 401


def test_1_reading_orders_is_not_writing_them(shop, ask, mirror, ship):
    shop.scopes = frozenset({"store_v2_orders_read_only"})
    assert ship().status == 403
    assert ask("PUT", f"/v2/orders/{mirror.order_id}", {"status_id": 2}).status == 403
    assert ask("GET", f"/v2/orders/{mirror.order_id}").status == 200
    assert shop.ledger == []


def test_1_an_answer_carries_no_amazon_header(ask):
    assert not [name for name in ask("GET", "/v2/store").headers if name.startswith("x-amzn")]


def test_1_each_world_has_its_own_store(world, shop, mirror):
    assert scenarios.SHOP.orders == {}
    assert frozen(scenarios.empty(now=NOON)).shops[scenarios.SHOP_HASH].orders == {}


# 2. Finding the mirror


@pytest.fixture
def three(world, shop):
    """Mirrored orders of today, yesterday and the day before, the last filled in by the other kind of connector."""
    made = [world.add_order(scenarios.NA, created=NOON - timedelta(days=days)) for days in range(3)]
    return [shop.mirror(made[0]), shop.mirror(made[1], channel_id=1), shop.mirror(made[2], by="external_id")]


def test_2_an_order_is_found_by_its_amazon_id(ask, three):
    row = ask("GET", "/v2/orders", external_order_id=three[1].external_order_id, limit=5).json
    assert [(one["id"], one["external_order_id"]) for one in row] == [(three[1].order_id, three[1].external_order_id)]
    assert ask("GET", "/v2/orders", external_order_id="902-0000000-0000000").status == 204


def test_2_a_filter_nobody_knows_filters_nothing(shop, ask, three):
    everything = [order.order_id for order in three]
    assert ids(ask("GET", "/v2/orders", external_id=three[2].external_id)) == everything
    shop.ignored_filters = frozenset({"external_order_id"})
    assert ids(ask("GET", "/v2/orders", external_order_id="902-0000000-0000000")) == everything


def test_2_channel_and_dates_narrow(shop, ask, three):
    assert ids(ask("GET", "/v2/orders", channel_id=1)) == [three[1].order_id]
    since, until = (NOON - timedelta(days=2)).isoformat(), (NOON - timedelta(hours=12)).isoformat()
    found = ask("GET", "/v2/orders", channel_id=shop.channel_id, min_date_created=since, max_date_created=until)
    assert [row["external_id"] for row in found.json] == [three[2].external_id]
    rfc = "Mon, 23 Nov 2026 00:00:00 +0000"
    assert ids(ask("GET", "/v2/orders", min_date_created=rfc)) == [three[0].order_id]
    assert ask("GET", "/v2/orders", min_date_created="soon").status == 400


def test_2_pages_end_with_a_204(ask, three):
    pages = [ids(ask("GET", "/v2/orders", limit=2, page=page)) for page in (1, 2, 3)]
    assert pages == [[three[0].order_id, three[1].order_id], [three[2].order_id], []]
    assert ask("GET", "/v2/orders", limit=2, page=3).status == 204
    assert ask("GET", "/v2/orders", limit=251).status == 413
    assert ask("GET", "/v2/orders", limit="x").status == 400


# 3. Orders


def test_3_the_fifteen_statuses(ask):
    names = {row["id"]: row["system_label"] for row in ask("GET", "/v2/order_statuses").json}
    assert (len(names), names[2], names[3], names[11]) == (15, "Shipped", "Partially Shipped", "Awaiting Fulfillment")


def test_3_products_and_addresses_lead_to_a_shipment(ask, mirror):
    products = ask("GET", f"/v2/orders/{mirror.order_id}/products").json
    [address] = ask("GET", f"/v2/orders/{mirror.order_id}/shipping_addresses").json
    assert [(row["sku"], row["quantity"], row["quantity_shipped"]) for row in products] == [("A", 2, 0), ("B", 1, 0)]
    assert {row["order_address_id"] for row in products} == {address["id"]}
    assert (address["items_total"], address["items_shipped"]) == (3, 0)


def test_3_a_status_is_set_by_hand_and_the_rest_is_not(shop, ask, mirror):
    path = f"/v2/orders/{mirror.order_id}"
    assert ask("PUT", path, {"status_id": 10}).json["status"] == "Completed"
    for wrong in ({"status_id": 15}, {"status_id": "2"}, {"external_merchant_id": "x"}, {"external_id": "x"}):
        reply = ask("PUT", path, wrong)
        assert reply.status == 400
        assert isinstance(reply.json, list)
    assert mirror.status_id == 10
    assert ask("PUT", "/v2/orders/999999", {"status_id": 2}).status == 404
    assert [entry["effect"] for entry in shop.ledger] == ["order_changed"]


# 4. Shipments


def test_4_a_whole_shipment_ships_the_order(shop, ask, mirror, ship):
    assert ask("GET", f"/v2/orders/{mirror.order_id}/shipments").status == 204
    made = ship()
    assert made.status == 201
    assert ids(ask("GET", f"/v2/orders/{mirror.order_id}/shipments")) == [made.json["id"]]
    order = ask("GET", f"/v2/orders/{mirror.order_id}").json
    assert (order["status_id"], order["items_shipped"], order["date_shipped"]) == (
        2, 3, "Mon, 23 Nov 2026 12:00:00 +0000",
    )  # fmt: skip
    assert [(entry["effect"], entry["tracking"]) for entry in shop.ledger] == [("shipment_created", "1Z")]


def test_4_parts_make_it_partially_shipped_until_all_is(mirror, ship):
    ship(1)
    assert mirror.status_id == 3
    ship(1, 1)
    assert mirror.status_id == 2


def test_4_a_second_post_makes_a_second_shipment_unless_told_otherwise(shop, mirror, ship):
    assert [ship().status, ship().status] == [201, 201]
    assert len(mirror.shipments) == len(shop.ledger) == 2
    assert mirror.count() == (3, 3)
    shop.refuses_reshipping = True
    assert ship().status == 400
    assert len(mirror.shipments) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"order_address_id": 1},
        {"order_address_id": None},
        {"items": []},
        {"items": None},
        {"items": [{"order_product_id": 1, "quantity": 1}]},
        {"items": [{"order_product_id": 1, "product_id": 1, "quantity": 1}]},
        {"items": ["x"]},
        {"tracking_number": "9" * 51},
        {"tracking_link": "https://example.com/" + "x" * 500},
        {"shipping_provider": "owl"},
        {"comments": 5},
    ],
)
def test_4_a_wrong_shipment_is_refused_and_nothing_happens(shop, mirror, ship, changes):
    reply = ship(**changes)
    assert reply.status == 400
    assert (reply.json[0]["status"], shop.ledger, shop.mails, mirror.status_id) == (400, [], [], 11)


@pytest.mark.parametrize("quantity", [0, 3, True, "1"])
def test_4_a_quantity_is_a_number_of_the_line(ask, mirror, quantity):
    line = mirror.lines[0]
    items = [{"order_product_id": line.line_id, "quantity": quantity}]
    data = {"order_address_id": line.address_id, "items": items, "shipping_provider": ""}
    assert ask("POST", f"/v2/orders/{mirror.order_id}/shipments", data).status == 400


def test_4_lines_of_two_addresses_need_two_shipments(mirror, ship):
    first, second = mirror.lines
    second.address_id = 5
    mirror.addresses[5] = mirror.addresses[first.address_id]
    assert ship().status == 400
    assert ship(2).status == ship(0, 1, order_address_id=5).status == 201
    assert mirror.status_id == 2


def test_4_a_missing_provider_becomes_custom(ask, mirror, ship):
    line = mirror.lines[0]
    data = {"order_address_id": line.address_id, "items": [{"order_product_id": line.line_id, "quantity": 1}]}
    assert ask("POST", f"/v2/orders/{mirror.order_id}/shipments", data).json["shipping_provider"] == "custom"
    assert ship(0, 1, shipping_provider="royalmail").json["shipping_provider"] == "royalmail"


def test_4_a_changed_label_changes_the_tracking_and_no_items(shop, ask, mirror, ship):
    path = f"/v2/orders/{mirror.order_id}/shipments/{ship().json['id']}"
    assert ask("PUT", path, {"items": []}).status == 400
    assert ask("PUT", path, {"tracking_number": "2Z"}).json["tracking_number"] == "2Z"
    assert ask("GET", path).json["tracking_number"] == "2Z"
    assert [(entry["effect"], entry["tracking"]) for entry in shop.ledger] == [
        ("shipment_created", "1Z"), ("shipment_changed", "2Z"),
    ]  # fmt: skip


def test_4_a_deleted_shipment_leaves_the_order_shipped(ask, mirror, ship):
    path = f"/v2/orders/{mirror.order_id}/shipments"
    number = ship(1).json["id"]
    ship(1, 1)
    assert ask("DELETE", f"{path}/{number}").status == 204
    assert (mirror.status_id, mirror.count()) == (2, (3, 2))
    assert ask("DELETE", f"{path}/{number}").status == 404
    assert ask("DELETE", path).status == 204
    assert (mirror.status_id, mirror.shipments) == (2, {})


# 5. Mails


def test_5_a_shipment_and_a_status_mail_the_buyer(shop, ask, mirror, ship):
    ship(1)
    ship(1, 1)
    ask("PUT", f"/v2/orders/{mirror.order_id}", {"status_id": 2})
    ask("PUT", f"/v2/orders/{mirror.order_id}", {"status_id": 10})
    assert [(mail["order_id"], mail["status_id"]) for mail in shop.mails] == [
        (mirror.order_id, 3), (mirror.order_id, 2),
    ]  # fmt: skip


def _switch_off_channel(shop):
    shop.channel_status_mail[shop.channel_id] = False


def _switch_off_store(shop):
    shop.status_mail = False


def _untick(shop):
    shop.mailed_statuses = frozenset()


@pytest.mark.parametrize("remedy", [_switch_off_channel, _switch_off_store, _untick])
def test_5_each_remedy_stops_the_mails(shop, mirror, ship, remedy):
    remedy(shop)
    assert ship().status == 201
    assert shop.mails == []


def test_5_a_channels_remedy_needs_the_channel_on_the_order(shop, mirror, ship):
    mirror.channel_id = 1
    _switch_off_channel(shop)
    ship()
    assert len(shop.mails) == 1


def test_5_a_channel_that_overrides_nothing_says_null(shop, ask):
    def switch(**query):
        return ask("GET", "/v3/settings/email-statuses", **query).json["data"]["combined_order_status_email"]

    assert (switch(), switch(channel_id=shop.channel_id)) == (True, None)
    _switch_off_channel(shop)
    assert (switch(), switch(channel_id=shop.channel_id), switch(channel_id=1)) == (True, False, None)


def test_5_the_amazon_channel_is_found_by_platform_and_type(shop, ask):
    query = {"platform:in": "amazon", "type:in": "marketplace"}
    assert [row["id"] for row in ask("GET", "/v3/channels", **query).json["data"]] == [shop.channel_id]
    assert len(ask("GET", "/v3/channels").json["data"]) == 3
    shop.channel_id = None
    assert ask("GET", "/v3/channels", **query).json["data"] == []


# 6. Limits, faults


def test_6_the_quota_is_told_counted_and_refilled(world, shop, ask):
    shop.quota = 2
    assert ask("GET", "/v2/store").headers["X-Rate-Limit-Requests-Left"] == "1"
    world.clock.advance(seconds=10)
    ask("GET", "/v2/store")
    refused = ask("GET", "/v2/store")
    assert (refused.status, refused.headers["X-Retry-After"], refused.headers["X-Rate-Limit-Time-Reset-Ms"]) == (
        429, "20", "20000",
    )  # fmt: skip
    world.clock.advance(seconds=20)
    assert ask("GET", "/v2/store").status == 200


def test_6_a_fault_speaks_bigcommerces_words(world, ask):
    world.faults.arm("bigcommerce.orders", "429", retry_after=9, reset_ms=4000)
    headers = ask("GET", "/v2/orders").headers
    assert (headers["X-Retry-After"], headers["X-Rate-Limit-Time-Reset-Ms"]) == ("9", "4000")
    world.faults.arm("bigcommerce.orders", "429")
    assert not [name for name in ask("GET", "/v2/orders").headers if name.startswith("X-")]
    for kind, status in (("500_before", 500), ("503", 503), ("403_revoked", 401)):
        world.faults.arm("bigcommerce.orders", kind)
        reply = ask("GET", "/v2/orders")
        assert (reply.status, reply.json[0]["status"]) == (status, status)


def test_6_a_500_may_hide_a_shipment(world, shop, ship):
    world.faults.arm("bigcommerce.create_shipment", "500_before")
    assert (ship().status, len(shop.ledger)) == (500, 0)
    world.faults.arm("bigcommerce.create_shipment", "500_after")
    assert (ship().status, len(shop.ledger)) == (500, 1)


def test_8_the_control_endpoint_tells_what_happened_and_nothing_personal(world, order, ship):
    order.address.name = NAME
    assert b"Elmsworthy" in ship().body
    reply = InProcess(world).ask("GET", "/__sim__/shops")
    [told] = reply.json
    assert (told["store_hash"], len(told["ledger"]), len(told["mails"])) == (scenarios.SHOP_HASH, 1, 1)
    assert scenarios.SHOP_TOKEN.encode() not in reply.body
    assert b"@" not in reply.body and b"Elmsworthy" not in reply.body
