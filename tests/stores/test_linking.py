"""BigCommerce: connected by hash and token, linked with two answers, never by an address. R21, B08."""

import pytest
from django.db import IntegrityError, connection, transaction

from orderhub import clock
from orderhub.errors import RuleViolation
from stores import linking
from stores.models import BigCommerceCredentials, Store
from stores.simulator import scenarios
from tests.factories import make_merchant, make_store, make_user

pytestmark = pytest.mark.django_db


def connect_shop(merchant=None, **other) -> Store:
    given = {"name": "", "store_hash": scenarios.SHOP_HASH, "token": scenarios.SHOP_TOKEN} | other
    return linking.connect_shop(merchant or make_merchant(), now=clock.now(), **given)


def shop_of(world):
    return world.shops[scenarios.SHOP_HASH]


def link(store: Store, shop: Store, **other) -> None:
    linking.link(store, shop, **({"mails_off": True, "told_by": "orderhub", "now": clock.now()} | other))


def test_a_store_is_verified_and_saved_with_what_bigcommerce_said(world):
    user = make_user("Support")
    store = connect_shop(by=user)
    credentials = store.bigcommerce
    assert (store.platform, store.name, store.account) == ("bigcommerce", shop_of(world).name, None)
    assert (credentials.verified_at, credentials.verified_by) == (clock.now(), user)
    assert credentials.amazon_channel_id == shop_of(world).channel_id
    assert world.calls("bigcommerce.orders") == 1


def test_blanks_around_hash_and_token_are_not_part_of_them(world):
    assert connect_shop(store_hash=f" {scenarios.SHOP_HASH}\n", token=f" {scenarios.SHOP_TOKEN} ").pk


def test_the_token_is_not_readable_in_the_database(world):
    connect_shop()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM stores_bigcommercecredentials")
        assert scenarios.SHOP_TOKEN not in str(cursor.fetchall())


@pytest.mark.parametrize(
    "given, sentence",
    [
        ({"store_hash": "UPPER1"}, "4 to 24 small letters and digits"),
        ({"store_hash": "https://api.bigcommerce.com/stores/maplelane7"}, "4 to 24 small letters and digits"),
        ({"store_hash": "unknown9"}, "no store of this hash"),
        ({"token": "wrong"}, "refuses this access token"),
        ({"token": "with blank inside"}, "without blanks"),
        ({"token": "clé"}, "without blanks"),
        ({"token": ""}, "without blanks"),
    ],
)
def test_bad_input_is_refused_with_a_remedy_and_saves_nothing(world, given, sentence):
    with pytest.raises(RuleViolation, match=sentence):
        connect_shop(**given)
    assert not Store.objects.filter(platform="bigcommerce").exists()


def test_a_missing_scope_is_named(world):
    shop_of(world).scopes = frozenset({"store_v2_information_read_only"})
    with pytest.raises(RuleViolation, match="Orders: modify"):
        connect_shop()


@pytest.mark.parametrize("kind", ["429", "503", "html", "empty", "cut"])
def test_a_bigcommerce_that_fails_saves_nothing_and_says_so(world, kind):
    world.faults.arm("bigcommerce.order_statuses", kind, times=None)
    with pytest.raises(RuleViolation, match="Nothing was saved"):
        connect_shop()
    assert not BigCommerceCredentials.objects.exists()


def test_a_store_is_connected_once_and_the_known_one_is_named(world):
    first = connect_shop(name="Mirror")
    calls = len(world.requests)
    with pytest.raises(RuleViolation, match="connected already, as Mirror"):
        connect_shop()
    assert len(world.requests) == calls
    with pytest.raises(IntegrityError), transaction.atomic():
        other = Store.objects.create(merchant=first.merchant, name="Other", platform="bigcommerce")
        BigCommerceCredentials.objects.create(
            store=other, store_hash=scenarios.SHOP_HASH, access_token="x", verified_at=clock.now()
        )


def test_verifying_again_takes_a_new_token_or_the_old_one_and_keeps_links(world):
    shop = connect_shop()
    store = make_store()
    Store.objects.filter(pk=store.pk).update(merchant=shop.merchant)
    store.refresh_from_db()
    link(store, shop)
    BigCommerceCredentials.objects.update(status="refused", status_reason="401")
    linking.renew_shop(shop, "", now=clock.now())
    shop.bigcommerce.refresh_from_db()
    assert (shop.bigcommerce.status, shop.bigcommerce.status_reason) == ("active", "")
    with pytest.raises(RuleViolation, match="refuses this access token"):
        linking.renew_shop(shop, "another", now=clock.now())
    shop.bigcommerce.refresh_from_db()
    assert shop.bigcommerce.access_token == scenarios.SHOP_TOKEN
    store.refresh_from_db()
    assert store.linked_store == shop


def test_r21_a_link_keeps_both_answers_who_gave_them_and_when(world):
    shop, user = connect_shop(), make_user("Support")
    store = make_store()
    Store.objects.filter(pk=store.pk).update(merchant=shop.merchant)
    store.refresh_from_db()
    link(store, shop, told_by="connector", by=user)
    assert (store.linked_store, store.amazon_told_by) == (shop, "connector")
    assert (store.linked_mails_off_at, store.linked_mails_off_by) == (clock.now(), user)
    linking.unlink(store)
    assert (store.linked_store, store.amazon_told_by, store.linked_mails_off_at) == (None, "orderhub", None)


@pytest.mark.parametrize(
    "answers, sentence",
    [
        ({"mails_off": False}, "Turn off the status mails"),
        ({"told_by": "both"}, "never both"),
        ({"told_by": ""}, "never both"),
    ],
)
def test_r59_a_link_without_its_answers_is_refused(world, answers, sentence):
    shop = connect_shop()
    store = make_store()
    Store.objects.filter(pk=store.pk).update(merchant=shop.merchant)
    store.refresh_from_db()
    with pytest.raises(RuleViolation, match=sentence):
        link(store, shop, **answers)
    store.refresh_from_db()
    assert store.linked_store is None


def test_nothing_is_linked_across_merchants_or_the_wrong_way_round(world):
    shop, store = connect_shop(), make_store()
    with pytest.raises(RuleViolation, match="another merchant"):
        link(store, shop)
    with pytest.raises(RuleViolation, match="from an Amazon store"):
        link(shop, store)


def test_the_database_refuses_a_link_without_its_answer(world):
    shop, store = connect_shop(), make_store()
    with pytest.raises(IntegrityError), transaction.atomic():
        Store.objects.filter(pk=store.pk).update(linked_store=shop)
    with pytest.raises(IntegrityError), transaction.atomic():
        Store.objects.filter(pk=store.pk).update(amazon_told_by="connector")
