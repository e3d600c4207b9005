"""Linking a BigCommerce store. The number in a name is the section of the fact sheet it follows."""

import logging
import socket
from collections.abc import Callable

import pytest

from orderhub.errors import CredentialsRejected, RequestRejected, Throttled, TryLater, UnexpectedAnswer
from orderhub.http import HttpClient, Limits
from stores.connectors.bigcommerce import mapping
from stores.connectors.bigcommerce.client import BigCommerceClient
from stores.connectors.bigcommerce.connector import BigCommerceConnector, ShopFacts
from stores.simulator import scenarios

ORDERS_ONLY = frozenset({"store_v2_orders"})
CALLS = ["order_statuses", "orders", "store", "channels", "email_statuses", "email_statuses"]
EVERY_STATUS = tuple(range(15))
CANARY = "Zqcanaryqz"


@pytest.fixture
def shop(world):
    return world.shops[scenarios.SHOP_HASH]


@pytest.fixture
def client(world, settings) -> Callable[..., BigCommerceClient]:
    def make(store_hash=scenarios.SHOP_HASH, token=scenarios.SHOP_TOKEN, **limits) -> BigCommerceClient:
        here = frozenset({"127.0.0.1"})
        http = HttpClient(settings.SPAPI_BASE_URL, allowed_hosts=here, limits=Limits(**limits))
        return BigCommerceClient(http, store_hash, token)

    return make


@pytest.fixture
def verify(client) -> Callable[..., ShopFacts]:
    return lambda *given, **limits: BigCommerceConnector(client(*given, **limits)).verify()


def asked(world) -> list[str]:
    return [entry["operation"].removeprefix("bigcommerce.") for entry in world.requests]


# 1. Host, authentication, scopes


def test_1_a_good_token_shows_what_linking_needs_in_six_calls(world, shop, verify):
    facts = verify()
    assert facts == ShopFacts("Maple Lane Goods", shop.channel_id, EVERY_STATUS, None)
    assert asked(world) == CALLS


def test_1_a_second_look_gives_the_same_and_changes_nothing(shop, verify):
    assert verify() == verify()
    assert (shop.ledger, shop.mails) == ([], [])


def test_1_a_wrong_token_is_401_and_costs_one_call(world, verify):
    with pytest.raises(CredentialsRejected) as refusal:
        verify(token="another")
    assert refusal.value.code == "401"
    assert asked(world) == ["order_statuses"]


def test_1_a_missing_order_scope_is_403(world, shop, verify):
    shop.scopes -= {"store_v2_orders"}
    with pytest.raises(CredentialsRejected) as refusal:
        verify()
    assert refusal.value.code == "403"
    assert asked(world) == ["order_statuses"]


def test_1_an_order_list_refused_after_the_statuses_is_refused(world, verify):
    world.faults.arm("bigcommerce.orders", "403_revoked")
    with pytest.raises(CredentialsRejected) as refusal:
        verify()
    assert refusal.value.code == "401"
    assert asked(world) == ["order_statuses", "orders"]


def test_1_a_wrong_hash_is_404(world, verify):
    with pytest.raises(RequestRejected) as refusal:
        verify("nosuchstore")
    assert refusal.value.code == "404"
    assert asked(world) == ["order_statuses"]


@pytest.mark.parametrize(
    ("more", "name", "channel", "mailing"),
    [
        ([], "", None, None),
        (["store_channel_settings_read_only"], "", 1_206_321, None),
        (["store_v2_information_read_only"], "Maple Lane Goods", None, EVERY_STATUS),
    ],
)
def test_1_an_optional_scope_may_be_missing(shop, verify, more, name, channel, mailing):
    shop.scopes = ORDERS_ONLY | set(more)
    assert verify() == ShopFacts(name, channel, mailing, None)


def test_1_reading_orders_only_is_enough_to_verify_and_not_known_to_be_enough_to_write(shop, verify):
    shop.scopes = frozenset({"store_v2_orders_read_only"})
    assert verify() == ShopFacts("", None, None, None)


@pytest.mark.parametrize("operation", ["store", "channels", "email_statuses"])
def test_1_a_token_that_dies_while_we_ask_is_no_missing_scope(world, verify, operation):
    world.faults.arm(f"bigcommerce.{operation}", "403_revoked")
    with pytest.raises(CredentialsRejected) as refusal:
        verify()
    assert refusal.value.code == "401"


@pytest.mark.parametrize("token", ["tok\r\nX-Evil: 1", "tök", "tok\x00", "tok\u2028en"])
def test_1_a_token_that_fits_no_header_is_not_sent(world, verify, token):
    with pytest.raises(RequestRejected) as refusal:
        verify(token=token)
    assert refusal.value.code == "BadHeader"
    assert world.requests == []


# 2. Finding orders: lists


def test_2_an_empty_list_may_be_a_204(client):
    assert client().orders({"limit": "1"}) == []


def test_2_filters_reach_bigcommerce(world, shop, client):
    mirrored = [shop.mirror(world.add_order(scenarios.NA)) for _ in range(3)]
    found = client().orders({"external_order_id": mirrored[1].external_order_id, "limit": "5"})
    assert [order["id"] for order in found] == [mirrored[1].order_id]


def test_2_only_amazons_channels_and_one_order_are_asked_for(world, verify):
    verify()
    told = {entry["operation"]: entry["params"] for entry in world.requests}
    assert told["bigcommerce.channels"] == ["platform:in", "type:in"]
    assert told["bigcommerce.orders"] == ["limit"]


def test_2_a_filter_nobody_obeys_does_not_make_another_channel_amazons(shop, verify):
    shop.ignored_filters = frozenset({"platform:in", "type:in"})
    assert verify().amazon_channel_id == shop.channel_id


# 5. Mails


def test_5_a_store_without_an_amazon_channel_follows_the_stores_switch(shop, verify):
    shop.channel_id = None
    assert verify() == ShopFacts("Maple Lane Goods", None, EVERY_STATUS, None)
    shop.status_mail = False
    assert verify().mailing_statuses == ()


@pytest.mark.parametrize(("store", "channel", "on"), [(True, False, False), (False, True, True)])
def test_5_the_channels_switch_wins_over_the_stores(world, shop, verify, store, channel, on):
    shop.status_mail, shop.channel_status_mail = store, {shop.channel_id: channel}
    assert verify().mailing_statuses == (EVERY_STATUS if on else ())
    assert asked(world) == CALLS[:5]


@pytest.mark.parametrize(("store", "mailing"), [(True, EVERY_STATUS), (False, ())])
def test_5_a_channel_that_overrides_nothing_follows_the_store(shop, verify, store, mailing):
    shop.status_mail = store
    assert verify().mailing_statuses == mailing


def test_5_mails_are_never_said_to_be_off_where_the_channel_is_unknown(shop, verify):
    shop.scopes -= {"store_channel_settings_read_only"}
    shop.status_mail = False
    assert verify().mailing_statuses is None


def test_5_of_two_amazon_channels_none_is_guessed(shop, verify):
    shop.more_amazon_channels, shop.channel_status_mail = (1_206_322,), {shop.channel_id: False}
    assert verify() == ShopFacts("Maple Lane Goods", None, EVERY_STATUS, None)
    shop.status_mail = False
    assert verify().mailing_statuses is None


def test_5_settings_that_say_nothing_are_not_known(shop, verify):
    shop.status_mail = None
    assert verify().mailing_statuses is None


# 6. Limits and retries


def test_6_another_refusal_is_final_and_named_by_its_status(client):
    with pytest.raises(RequestRejected) as refusal:
        client().orders({"limit": "251"})
    assert refusal.value.code == "413"


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, 30),
        ({"retry_after": 7}, 7),
        ({"reset_ms": 12_000}, 12),
        ({"reset_ms": 1_500}, 2),
        ({"retry_after": 7, "reset_ms": 12_000}, 12),
        ({"retry_after": 40, "reset_ms": 12_000}, 40),
        ({"retry_after": 99_999}, 3600),
        ({"reset_ms": 9_000_000}, 3600),
        ({"retry_after": "inf"}, 3600),
        ({"retry_after": "nan"}, 30),
        ({"retry_after": "soon", "reset_ms": ""}, 30),
        ({"retry_after": -5}, 30),
    ],
)
def test_6_a_429_waits_as_long_as_it_says(world, verify, headers, wait_s):
    world.faults.arm("bigcommerce.order_statuses", "429", **headers)
    with pytest.raises(Throttled) as refusal:
        verify()
    assert (refusal.value.wait_s, refusal.value.code) == (wait_s, "429")


def test_6_a_quota_used_up_by_others_is_waited_for(world, shop, verify):
    shop.quota = 3
    with pytest.raises(Throttled) as refusal:
        verify()
    assert refusal.value.wait_s == 30
    assert asked(world) == CALLS[:4]


@pytest.mark.parametrize("kind", ["500_before", "500_after", "503", "cut", "reset"])
@pytest.mark.parametrize("operation", ["order_statuses", "orders", "store", "channels", "email_statuses"])
def test_6_a_broken_call_is_tried_later_and_never_by_us(world, shop, verify, operation, kind):
    shop.mirror(world.add_order(scenarios.NA))  # an empty list has no body to cut
    world.faults.arm(f"bigcommerce.{operation}", kind)
    with pytest.raises(TryLater) as later:
        verify()
    assert (later.value.wait_s, type(later.value)) == (60, TryLater)
    assert asked(world).count(operation) == 1


def test_6_a_silent_bigcommerce_is_tried_later(world, verify):
    world.faults.arm("bigcommerce.orders", "timeout_before", seconds=5)
    with pytest.raises(TryLater) as later:
        verify(read_s=0.2)
    assert later.value.wait_s == 60


def test_6_a_bigcommerce_that_is_not_there_is_tried_later():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        http = HttpClient(f"http://127.0.0.1:{closed.getsockname()[1]}", allowed_hosts=frozenset({"127.0.0.1"}))
        with pytest.raises(TryLater) as later:
            BigCommerceClient(http, "abcd", "t").order_statuses()
    assert later.value.wait_s == 60


# 8. What is unreadable, and what nobody may read


@pytest.mark.parametrize("kind", ["truncated_json", "html", "empty", "garbled"])
@pytest.mark.parametrize("operation", ["order_statuses", "orders", "store", "channels", "email_statuses"])
def test_8_an_unreadable_answer_is_said_to_be_so(world, verify, operation, kind):
    world.faults.arm(f"bigcommerce.{operation}", kind)
    with pytest.raises(UnexpectedAnswer):
        verify()


def test_8_an_endless_answer_is_cut(world, verify):
    world.faults.arm("bigcommerce.orders", "huge", bytes=200_000)
    with pytest.raises(UnexpectedAnswer) as failure:
        verify(max_bytes=100_000)
    assert failure.value.code == "TooLarge"


def test_8_a_redirect_is_not_followed(world, settings, verify):
    aim = f"{settings.SPAPI_BASE_URL}/stores/{scenarios.SHOP_HASH}/v2/store"
    world.faults.arm("bigcommerce.order_statuses", "redirect", location=aim)
    with pytest.raises(UnexpectedAnswer) as failure:
        verify()
    assert failure.value.code == "Redirect"
    assert asked(world) == ["order_statuses"]


@pytest.mark.parametrize("kind", ["429", "500_after", "truncated_json", "garbled", "redirect", "403_revoked", None])
def test_8_no_buyer_and_no_token_in_errors_and_logs(world, shop, verify, caplog, kind):
    shop.mirror(_order(world))
    if kind:
        world.faults.arm("bigcommerce.orders", kind)
    with caplog.at_level(logging.DEBUG):
        said = _failure(verify)
    assert bool(said) == bool(kind)
    assert CANARY not in said + caplog.text
    assert scenarios.SHOP_TOKEN not in said + caplog.text


def _order(world):
    order = world.add_order(scenarios.NA, buyer_email=f"{CANARY}@example.com")
    order.address.name = order.address.line1 = CANARY
    return order


def _failure(verify) -> str:
    try:
        verify()
    except Exception as error:
        return f"{error!s} {error!r} {vars(error)} {error.__cause__!r}"
    return ""


@pytest.mark.parametrize(
    ("read", "answer"),
    [
        (mapping.status_ids, []),
        (mapping.status_ids, [{"id": 1}, "oops"]),
        (mapping.status_ids, [{"id": True}]),
        (mapping.status_ids, [{"id": []}]),
        (mapping.status_ids, [{}]),
        (mapping.shop_name, {"name": ["x"]}),
        (mapping.amazon_channels, {}),
        (mapping.amazon_channels, {"data": {}}),
        (mapping.amazon_channels, {"data": [5]}),
        (mapping.amazon_channels, {"data": [{"platform": "amazon", "id": "5"}]}),
        (mapping.amazon_channels, {"data": [{"platform": "amazon", "id": 0}]}),
        (mapping.amazon_channels, {"data": [{"platform": "amazon", "id": 2**31}]}),
        (mapping.status_mail, {"data": []}),
        (mapping.status_mail, {"data": {"combined_order_status_email": "no"}}),
    ],
)
def test_8_what_cannot_be_read_is_never_guessed(read, answer):
    with pytest.raises(UnexpectedAnswer):
        read(answer)


def test_8_a_name_is_fit_for_a_column():
    assert mapping.shop_name({"name": " Ma\x00ple\ud800\r\n" + "x" * 900}) == "Maple" + "x" * 195
    assert mapping.shop_name({}) == ""


@pytest.mark.parametrize("status", ["archived", "deleted", "terminated", "disconnected", "inactive"])
def test_2_a_channel_no_longer_in_use_is_not_amazons(status):
    rows = [{"id": 5, "platform": "amazon", "status": status}, {"id": 6, "platform": "amazon", "status": "connected"}]
    assert mapping.amazon_channels({"data": rows}) == (6,)


# B08: a store hash is put into the fixed host's path, and nothing else is one

TRICKS = {
    "dotted": "127.0.0.1",
    "decimal": "http://2130706433/",
    "octal": "0177.0.0.1",
    "hexadecimal": "0x7f.0.0.1",
    "short address": "127.1",
    "metadata": "169.254.169.254",
    "ipv6": "[::1]",
    "ipv6-mapped": "[::ffff:127.0.0.1]",
    "ipv6-mapped hexadecimal": "::ffff:7f00:1",
    "userinfo": "api.bigcommerce.com@evil.example",
    "at": "abcd@evil",
    "port": "abcd:8080",
    "fragment": "abcd#",
    "fragment and path": "abcd#/v2/store",
    "query": "abcd?x=1",
    "ampersand": "abcd&limit=250",
    "semicolon": "abcd;x",
    "accent": "münchen",
    "punycode": "xn--mnchen-3ya",
    "cyrillic a": "\u0430bcd",
    "fullwidth digits": "\uff11\uff12\uff13\uff14",
    "arabic digits": "\u0661\u0662\u0663\u0664",
    "circled letters": "\u24d0\u24d1\u24d2\u24d3",
    "zero width": "abcd\u200b",
    "trailing dot": "abcd.",
    "slash": "abcd/efgh",
    "two slashes": "//evil.example",
    "backslash": "abcd\\efgh",
    "encoded slash": "abcd%2Fefgh",
    "encoded twice": "abcd%252e%252e",
    "dots": "..",
    "climbing": "../../evil",
    "carriage return": "abcd\r\nHost: evil",
    "newline at the end": "abcd\n",
    "nul": "abcd\x00",
    "space": "ab cd",
    "uppercase": "ABCD",
    "too long": "a" * 25,
    "empty": "",
    "whole address": "https://api.bigcommerce.com/stores/abcd/v3/",
}


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_b08_a_hash_that_is_none_is_refused_before_any_socket_is_opened(world, client, monkeypatch, trick):
    opened = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: opened.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *address, **_: opened.append(address))
    with pytest.raises(RequestRejected) as refusal:
        client(trick).order_statuses()
    assert refusal.value.code == "BadHash"
    assert (opened, world.requests) == ([], [])
    assert not trick or trick not in str(refusal.value)


def test_b08_there_are_forty_tricks():
    assert len(TRICKS) == len(set(TRICKS.values())) == 40


@pytest.mark.parametrize("number", ["2130706433", "017700000001", "localhost", "a" * 24, "0x7f000001"])
def test_b08_a_hash_that_looks_like_a_host_stays_a_part_of_the_path(world, verify, number):
    with pytest.raises(RequestRejected) as refusal:
        verify(number)
    assert refusal.value.code == "404"
    assert asked(world) == ["order_statuses"]
