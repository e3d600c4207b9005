"""BigCommerce on the screens of stores: connected by hash and token, linked with two answers. F15, R21, B08."""

import re

import pytest

from orderhub import clock
from stores import linking
from stores.models import BigCommerceCredentials, Store
from stores.simulator import scenarios
from tests.factories import make_account, make_merchant, make_store, make_user

pytestmark = pytest.mark.django_db
ADD = "/admin/stores/store/bigcommerce/add/"


@pytest.fixture
def support(client):
    client.force_login(make_user("Support"))
    return client


def typed(merchant, **other) -> dict:
    return {"merchant": merchant.pk, "store_hash": scenarios.SHOP_HASH, "token": scenarios.SHOP_TOKEN} | other


def page_of(store: Store) -> str:
    return f"/admin/stores/store/{store.pk}/"


def mirrored() -> tuple[Store, Store]:
    """An Amazon store and a connected BigCommerce store of one merchant."""
    store = make_store()
    shop = linking.connect_shop(
        store.merchant, name="Mirror", store_hash=scenarios.SHOP_HASH, token=scenarios.SHOP_TOKEN, now=clock.now()
    )
    return store, shop


def answers(shop: Store, **other) -> dict:
    return {"shop": shop.pk, "told_by": "orderhub", "mails_off": "on"} | other


def told(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_a_store_is_connected_by_hash_and_token_and_its_page_opens(support, world):
    page = support.get(ADD).content.decode()
    assert "Orders: modify" in page and not re.search(r'name="[^"]*(url|host|address)', page)
    answer = support.post(ADD, typed(make_merchant()), follow=True)
    text = answer.content.decode()
    assert "BigCommerce confirmed the store" in text and scenarios.SHOP_TOKEN not in text
    assert f"Store hash {scenarios.SHOP_HASH}" in text
    assert Store.objects.get(platform="bigcommerce").bigcommerce.verified_by.groups.get().name == "Support"


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"store_hash": "https://evil.example/../abcd"}, "4 to 24 small letters and digits"),
        ({"store_hash": f"{scenarios.SHOP_HASH}\n"}, "4 to 24 small letters and digits"),
        ({"store_hash": ""}, "Type the store hash"),
        ({"token": ""}, "Paste the access token"),
        ({"token": "wrong"}, "refuses this access token"),
        ({"token": "x" * 201}, "200"),
        ({"merchant": ""}, "Choose the merchant"),
    ],
)
def test_bad_input_is_answered_with_a_sentence_and_saves_nothing(support, world, wrong, sentence):
    page = support.post(ADD, typed(make_merchant()) | wrong).content.decode()
    assert sentence in page and scenarios.SHOP_TOKEN not in page
    assert not Store.objects.filter(platform="bigcommerce").exists()


@pytest.mark.parametrize("token", ["x" * 201, "wrong", "with blank inside"])
def test_a_bad_new_token_is_not_said_to_be_confirmed(support, world, token):
    _store, shop = mirrored()
    answer = support.post(f"{page_of(shop)}bigcommerce/", {"token": token}, follow=True)
    assert "confirmed" not in told(answer) and told(answer)
    shop.bigcommerce.refresh_from_db()
    assert (shop.bigcommerce.access_token, shop.bigcommerce.status) == (scenarios.SHOP_TOKEN, "active")


def test_a_token_bigcommerce_no_longer_takes_is_shown_as_refused_until_another_works(support, world):
    store, shop = mirrored()
    support.post(f"{page_of(store)}link/", answers(shop))
    world.shops[scenarios.SHOP_HASH].token = "renewed"
    answer = support.post(f"{page_of(shop)}bigcommerce/", {"token": ""}, follow=True)
    assert "refuses this access token" in told(answer)
    assert BigCommerceCredentials.objects.get().status == "refused"
    assert "refuses this access token" in support.get(f"{page_of(store)}change/").content.decode()
    support.post(f"{page_of(shop)}bigcommerce/", {"token": "renewed"})
    assert BigCommerceCredentials.objects.get().status == "active"


def test_r21_a_store_is_linked_and_unlinked_on_its_page(support, world):
    store, shop = mirrored()
    page = support.get(f"{page_of(store)}change/").content.decode()
    assert "Not linked." in page and 'name="mails_off"' in page
    answer = support.post(f"{page_of(store)}link/", answers(shop, told_by="connector"), follow=True)
    assert "Linked: Mirror" in told(answer)
    text = answer.content.decode()
    assert "Amazon is told by: the connector between BigCommerce and Amazon." in text
    assert not re.search(r'name="mails_off"[^>]* checked', text)  # the tick is somebody's word, each time
    assert store.name in support.get(f"{page_of(shop)}change/").content.decode()
    assert "BigCommerce may mail your Amazon buyers" in text
    support.post(f"{page_of(store)}link/", {"unlink": "1"})
    store.refresh_from_db()
    assert (store.linked_store, store.amazon_told_by) == (None, "orderhub")


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"mails_off": ""}, "Turn off the status mails"),
        ({"told_by": "both"}, "both is not one of the available choices"),
        ({"shop": ""}, "Choose the BigCommerce store"),
    ],
)
def test_r59_a_link_without_its_answers_says_what_is_missing(support, world, change, sentence):
    store, shop = mirrored()
    answer = support.post(
        f"{page_of(store)}link/", {k: v for k, v in (answers(shop) | change).items() if v}, follow=True
    )
    assert sentence in told(answer)
    store.refresh_from_db()
    assert store.linked_store is None


def test_a_shop_of_another_merchant_cannot_be_chosen(support, world):
    _store, shop = mirrored()
    other = make_store("FR", account=make_account(scenarios.EU))
    answer = support.post(f"{page_of(other)}link/", answers(shop), follow=True)
    assert "Select a valid choice" in told(answer)
    other.refresh_from_db()
    assert other.linked_store is None


@pytest.mark.parametrize("role", ["Warehouse", "Privacy officer", None])
def test_only_those_who_change_stores_reach_bigcommerce(client, world, role):
    store, shop = mirrored()
    client.force_login(make_user(*([role] if role else [])))
    before = len(world.requests)
    assert client.get(ADD).status_code == 403
    assert client.post(ADD, typed(store.merchant)).status_code == 403
    assert client.post(f"{page_of(shop)}bigcommerce/", {"token": ""}).status_code == 403
    assert client.post(f"{page_of(store)}link/", answers(shop)).status_code == 403
    assert len(world.requests) == before


@pytest.mark.parametrize("name", ["bigcommerce", "link"])
def test_the_deeds_answer_get_without_any_effect(support, world, name):
    store, shop = mirrored()
    target = shop if name == "bigcommerce" else store
    before = len(world.requests)
    assert support.get(f"{page_of(target)}{name}/").url == f"{page_of(target)}change/"
    assert len(world.requests) == before


def test_the_wrong_kind_of_store_has_no_such_deed(support, world):
    store, shop = mirrored()
    assert support.post(f"{page_of(store)}bigcommerce/", {"token": ""}).status_code == 404
    assert support.post(f"{page_of(shop)}link/", answers(shop)).status_code == 404
