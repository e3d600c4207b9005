"""BigCommerce on the screens of stores: connected by hash and token, linked with two answers. F15, R21, B08."""

import re
from datetime import timedelta

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
        ({"store_hash": f"{scenarios.SHOP_HASH}\nx"}, "4 to 24 small letters and digits"),
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
    assert 'name="mails_off"' not in text  # answered for this shop, and there is no other
    assert "Status mails said to be off: " in text
    assert store.name in support.get(f"{page_of(shop)}change/").content.decode()
    assert '<p class="oh-quiet">BigCommerce may mail your Amazon buyers' in text
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
    text = linked(support, store, {k: v for k, v in (answers(shop, told_by="connector") | change).items() if v})
    card = text.partition('id="bigcommerce"')[2]
    assert sentence in card and " autofocus" in card
    if "shop" not in change:
        assert f'<option value="{shop.pk}" selected>' in card
    if "told_by" not in change:
        assert re.search(r'value="connector"[^>]* checked', card)
    assert 'role="alert"' in text and '<a href="#bigcommerce" class="oh-text--bad">' in text
    store.refresh_from_db()
    assert store.linked_store is None


def test_r59_the_answer_about_mails_stands_as_long_as_the_shop_does(support, world, noon):
    store, shop = mirrored()
    support.post(f"{page_of(store)}link/", answers(shop))
    Store.objects.update(linked_mails_off_at=noon - timedelta(days=3), linked_mails_off_by=None)
    assert "Linked: Mirror" in linked(support, store, {"shop": shop.pk, "told_by": "connector"})
    store.refresh_from_db()
    kept = (store.amazon_told_by, store.linked_mails_off_at, store.linked_mails_off_by)
    assert kept == ("connector", noon - timedelta(days=3), None)
    other = Store.objects.create(merchant=store.merchant, name="Other", platform="bigcommerce")
    page = support.get(f"{page_of(store)}change/").content.decode()
    assert re.search(r'name="mails_off"(?![^>]* checked)', page)  # the tick is somebody's word, for each shop
    text = linked(support, store, {"shop": other.pk, "told_by": "connector"})
    assert "Turn off the status mails" in text.partition('id="bigcommerce"')[2]
    store.refresh_from_db()
    assert store.linked_store == shop


def linked(client, store: Store, typed: dict) -> str:
    answer = client.post(f"{page_of(store)}link/", typed, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_who_comes_from_an_amazon_store_goes_back_to_it(support, world):
    store = make_store()
    page = support.get(f"{page_of(store)}change/").content.decode()
    address = f"{ADD}?store={store.pk}"
    assert f'href="{address}"' in page
    text = support.get(address).content.decode()
    assert f'<option value="{store.merchant_id}" selected>' in text and f'href="{page_of(store)}change/"' in text
    answer = support.post(address, typed(store.merchant, store_hash=f" {scenarios.SHOP_HASH}\n"))
    assert answer.url == f"{page_of(store)}change/"
    assert store.merchant.stores.get(platform="bigcommerce").bigcommerce.store_hash == scenarios.SHOP_HASH


@pytest.mark.parametrize("number", ["4711", "x", "", "1%00"])
def test_another_number_in_the_address_leads_nowhere_else(support, world, number):
    merchant = make_merchant()
    assert support.get(f"{ADD}?store={number}").status_code == 200
    answer = support.post(f"{ADD}?store={number}", typed(merchant))
    assert answer.url == f"{page_of(merchant.stores.get())}change/"


def test_everything_but_the_token_is_kept_after_an_error(support, world):
    merchant = make_merchant()
    text = support.post(ADD, typed(merchant, token="wrong", name="Mirror")).content.decode()
    assert "paste it again" in text and f'<option value="{merchant.pk}" selected>' in text
    assert 'value="Mirror"' in text and f'value="{scenarios.SHOP_HASH}"' in text and "wrong" not in text
    assert re.search(r'name="token"[^>]* autofocus', text) and 'role="alert"' in text
    Store.objects.create(merchant=merchant, name="Mirror", platform="manual")
    assert "another store of this name" in support.post(ADD, typed(merchant, name="mirror")).content.decode()


def test_a_shop_of_another_merchant_cannot_be_chosen(support, world):
    _store, shop = mirrored()
    other = make_store("FR", account=make_account(scenarios.EU))
    assert "Select a valid choice" in linked(support, other, answers(shop))
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


@pytest.mark.parametrize("role", ["Support", "Customer success", "Administrator"])
def test_the_list_of_stores_leads_to_connecting(client, noon, role):
    client.force_login(make_user(role))
    page = client.get("/admin/stores/store/").content.decode()
    assert f'href="{ADD}"' in page and 'href="/admin/stores/amazonaccount/add/"' in page
