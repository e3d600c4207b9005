"""The pages of accounts, merchants and stores: who may do what, and what it does."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock
from stores import features
from stores.models import AmazonAccount, FeatureGrant, Merchant, RateBucket, Store, UnconnectedOrder
from stores.simulator import scenarios
from tests.factories import connect, make_account, make_merchant, make_order, make_store, make_user
from tests.screens.storepages import page_of_store, settings_of, sign_in

pytestmark = pytest.mark.django_db
ROLES = ["Support", "Customer success", "Administrator", "Warehouse", "Privacy officer"]
CONNECTORS = ROLES[:3]
CA = "A2EUQ1WTGCTBG2"


def page_of(account) -> str:
    return f"/admin/stores/amazonaccount/{account.pk}/"


# ---- accounts


@pytest.mark.parametrize("role", ROLES)
def test_account_pages_and_panels_are_for_those_who_connect(client, world, role):
    account = connect(sources=("US",))
    sign_in(client, role)
    allowed = role in CONNECTORS
    page = page_of(account)
    assert client.get("/admin/stores/amazonaccount/").status_code == (200 if allowed else 403)
    assert client.get(f"{page}change/").status_code == (200 if allowed else 403)
    answers = [
        client.post(f"{page}sources/", {"sources": ["CA"], "product_identifier": "sku"}).status_code,
        client.post(f"{page}renew/", {"token": world.renew(scenarios.NA)}).status_code,
        client.post(f"{page}import-now/").status_code,
    ]
    assert answers == [302 if allowed else 403] * 3
    assert account.stores.count() == (2 if allowed else 1)


def test_an_account_is_neither_typed_nor_deleted_even_by_a_superuser(client, noon):
    account = make_account()
    sign_in(client, is_superuser=True)
    assert client.post(f"{page_of(account)}change/", {"status": "paused"}).status_code == 405
    assert client.get(f"{page_of(account)}delete/").status_code == 403
    assert client.post(f"{page_of(account)}delete/", {"post": "yes"}).status_code == 403
    account.refresh_from_db()
    assert account.status == "active"


def test_panels_answer_get_without_any_effect(client, noon):
    account = make_account()
    sign_in(client, "Support")
    for panel in ("sources", "renew", "resume", "import-now"):
        assert client.get(f"{page_of(account)}{panel}/").url == f"{page_of(account)}change/"
        assert client.put(f"{page_of(account)}{panel}/").status_code == 405
    store = make_store(account=account)
    assert client.get(f"{page_of_store(store)}grant/").url == f"{page_of_store(store)}change/"
    assert AmazonAccount.objects.get().next_poll_at is None


def test_the_account_page_says_what_is_not_connected(client, noon):
    account = make_account()
    make_store("US", account=account)
    UnconnectedOrder.objects.bulk_create(
        UnconnectedOrder(account=account, marketplace_id=CA, order_number=f"702-{n}") for n in range(37)
    )
    text = sign_in(client, "Support").get(f"{page_of(account)}change/").content.decode()
    assert "37 orders on Amazon.ca: connect this order source." in text
    assert "Amazon.com.mx: no order seen so far." in text
    assert account.refresh_token not in text and account.fingerprint in text
    assert "style=" not in text


def test_a_bucket_is_shown_as_full_as_it_is_now(client, noon):
    account = make_account()
    RateBucket.objects.create(account=account, operation="searchOrders", tokens=2, rate=0.5, burst=20, updated_at=noon)
    clock.advance(seconds=10)
    assert "7 of 20" in sign_in(client, "Support").get(f"{page_of(account)}change/").content.decode()


def test_order_sources_are_added_without_going_back_to_amazon(client, world):
    account = connect(sources=("US",))
    calls = len(world.requests)
    sign_in(client, "Support")
    answer = client.post(f"{page_of(account)}sources/", {"sources": ["CA"], "product_identifier": "asin"}, follow=True)
    assert "Connected: Amazon.ca." in answer.content.decode()
    assert account.stores.get(marketplace="CA").product_identifier == "asin"
    assert len(world.requests) == calls


def test_a_forged_order_source_is_refused_with_the_choices(client, noon):
    account = make_account()
    sign_in(client, "Support")
    answer = client.post(f"{page_of(account)}sources/", {"sources": ["CA", "FR"], "product_identifier": "sku"})
    assert "does not sell on Amazon.fr" in answer.content.decode()
    assert Store.objects.count() == 0


def test_a_renewed_token_resumes_the_account_and_keeps_stores_and_cursor(client, world):
    account = connect(sources=("US", "CA"))
    account.stop(AmazonAccount.Status.REVOKED, "invalid_grant")
    cursor = account.imported_until
    token = world.renew(world.sellers[scenarios.NA.seller_id])
    sign_in(client, "Support")
    assert "paste the new token on the account" in client.get(f"{page_of(account)}change/").content.decode()
    answer = client.post(f"{page_of(account)}renew/", {"token": token}, follow=True)
    assert "The authorisation is renewed" in answer.content.decode()
    assert token not in answer.content.decode()
    account.refresh_from_db()
    assert (account.status, account.refresh_token, account.imported_until) == ("active", token, cursor)
    assert account.stores.count() == 2
    assert token not in str(list(LogEntry.objects.values()))


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("", "Paste the authorisation token"),
        ("Atzr|wrong", "Amazon refuses this authorisation token"),
        ("amzn.mws.1", "This is an MWS token"),
        (scenarios.EU.refresh_token, "no marketplace of the chosen region"),
        (
            scenarios.STANDALONE_CA.refresh_token,
            "This token is another seller&#x27;s. Paste one of seller A1SIMNASELLER1",
        ),
    ],
)
def test_a_wrong_token_leaves_the_old_one(client, world, token, sentence):
    account = connect(sources=("US",))
    sign_in(client, "Support")
    answer = client.post(f"{page_of(account)}renew/", {"token": token})
    text = answer.content.decode()
    assert answer.status_code == 200 and sentence in text
    assert not token or token not in text
    account.refresh_from_db()
    assert account.refresh_token == scenarios.NA.refresh_token


def test_import_now_makes_the_next_poll_due_and_says_so(client, noon):
    account = make_account(next_poll_at=noon.replace(hour=18))
    answer = sign_in(client, "Support").post(f"{page_of(account)}import-now/", follow=True)
    assert "The import is due now" in answer.content.decode()
    assert AmazonAccount.objects.due(noon).get() == account


def test_import_now_of_a_stopped_account_says_why_not(client, noon):
    account = make_account(status="revoked", next_poll_at=None)
    answer = sign_in(client, "Support").post(f"{page_of(account)}import-now/", follow=True)
    assert "Amazon no longer accepts the token" in answer.content.decode()
    account.refresh_from_db()
    assert account.next_poll_at is None


def test_the_token_cannot_be_guessed_through_the_address_bar(client, noon):
    account = make_account()
    sign_in(client, "Support")
    for lookup in ("refresh_token", "refresh_token__startswith", "page_token__contains"):
        assert client.get(f"/admin/stores/amazonaccount/?{lookup}={account.refresh_token}").status_code == 400


# ---- query counts


def queries(client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


@pytest.mark.parametrize("name", ["merchant", "amazonaccount", "store"])
def test_lists_take_the_same_queries_for_5_and_25_rows(client, noon, name):
    sign_in(client, "Support")

    def grow(numbers):
        for number in numbers:
            make_store("US", account=make_account(selling_partner_id=f"A{number:05d}"))

    grow(range(5))
    client.get("/admin/")
    few = queries(client, f"/admin/stores/{name}/")
    grow(range(5, 25))
    assert queries(client, f"/admin/stores/{name}/") == few <= 12


def test_the_account_page_takes_the_same_queries_for_more_stores_and_orders(client, noon):
    account = make_account()
    make_store("US", account=account)
    sign_in(client, "Support")
    client.get("/admin/")
    few = queries(client, f"{page_of(account)}change/")
    for code in ("CA", "MX"):
        make_store(code, account=account)
        RateBucket.objects.create(account=account, operation=code, tokens=1, rate=1, burst=1, updated_at=noon)
    UnconnectedOrder.objects.bulk_create(
        UnconnectedOrder(account=account, marketplace_id=CA, order_number=str(n)) for n in range(25)
    )
    assert queries(client, f"{page_of(account)}change/") == few <= 14


# ---- merchants


@pytest.mark.parametrize("role", ROLES)
def test_merchants_are_named_by_those_who_connect(client, noon, role):
    merchant = make_merchant("Before")
    sign_in(client, role)
    allowed = role in CONNECTORS
    status = 302 if allowed else 403
    assert client.post("/admin/stores/merchant/add/", {"name": "New"}).status_code == status
    assert client.post(f"/admin/stores/merchant/{merchant.pk}/change/", {"name": "After"}).status_code == status
    assert client.post(f"/admin/stores/merchant/{merchant.pk}/delete/", {"post": "yes"}).status_code == 403
    assert sorted(Merchant.objects.values_list("name", flat=True)) == (["After", "New"] if allowed else ["Before"])


# ---- stores


@pytest.mark.parametrize("role", ROLES)
def test_store_settings_are_for_those_who_connect(client, noon, role):
    store = make_store()
    sign_in(client, role)
    allowed = role in CONNECTORS
    assert client.get("/admin/stores/store/").status_code == (200 if allowed else 403)
    answer = client.post(f"{page_of_store(store)}change/", settings_of(store, product_identifier="asin"))
    assert answer.status_code == (302 if allowed else 403)
    store.refresh_from_db()
    assert store.product_identifier == ("asin" if allowed else "sku")


def test_only_the_settings_of_a_store_can_be_posted(client, noon):
    store, other = make_store("US"), make_merchant()
    sign_in(client, is_superuser=True)
    forged = settings_of(
        store, merchant=other.pk, marketplace="CA", time_zone="UTC", account="", platform="manual",
        custom_fields_enabled="on", japan_enabled="on",
    )  # fmt: skip
    client.post(f"{page_of_store(store)}change/", forged)
    after = Store.objects.values().get(pk=store.pk)
    before = {name: getattr(store, name) for name in after}
    assert after == before


def test_the_ship_from_address_is_kept_part_by_part(client, noon):
    store = make_store(ship_from={"district": "Old town", "city": "Lyon"})
    sign_in(client, "Support")
    address = {
        "ship_from_name": "Maple Lane",
        "ship_from_street1": "1 Rue Exemple",
        "ship_from_city": "",
        "ship_from_country": "fr",
    }
    client.post(f"{page_of_store(store)}change/", settings_of(store, **address))
    store.refresh_from_db()
    assert store.ship_from == {
        "district": "Old town", "name": "Maple Lane", "street1": "1 Rue Exemple", "country": "FR",
    }  # fmt: skip
    answer = client.post(f"{page_of_store(store)}change/", settings_of(store, ship_from_country="1!"))
    assert "Type the two letters of the country" in answer.content.decode()
    assert "1 Rue Exemple" not in str(list(LogEntry.objects.values()))


def test_a_japanese_store_is_not_activated_by_its_form(client, world):
    store = make_store("JP", account=make_account(scenarios.JP))
    sign_in(client, "Customer success", is_superuser=True)
    assert client.post(f"{page_of_store(store)}change/", settings_of(store)).status_code == 302
    store.refresh_from_db()
    assert not store.active


def test_a_store_with_orders_is_not_deleted(client, noon):
    store = make_order().store
    sign_in(client, is_superuser=True)
    for answer in (
        client.get(f"{page_of_store(store)}delete/", follow=True),
        client.post(f"{page_of_store(store)}delete/", {"post": "yes"}, follow=True),
    ):
        assert "has orders and cannot be deleted. Make it inactive instead." in answer.content.decode()
    assert Store.objects.filter(pk=store.pk).exists()
    sign_in(client, "Support")
    assert client.post(f"{page_of_store(store)}delete/", {"post": "yes"}).status_code == 403


def test_a_store_without_orders_can_be_deleted_by_a_superuser(client, noon):
    store = make_store()
    sign_in(client, is_superuser=True).post(f"{page_of_store(store)}delete/", {"post": "yes"})
    assert not Store.objects.exists()


# ---- features


def wish(feature="japan", enabled="on", reason="Asked by the merchant") -> dict:
    return {"feature": feature, "enabled": enabled, "reason": reason}


def test_customer_success_enables_amazon_co_jp_and_the_page_says_who_and_why(client, world):
    store = make_store("JP", account=make_account(scenarios.JP))
    sign_in(client, "Customer success", username="claire")
    answer = client.post(f"{page_of_store(store)}grant/", wish(), follow=True)
    text = answer.content.decode()
    assert "Amazon.co.jp: enabled." in text and "claire: Asked by the merchant" in text
    store.refresh_from_db()
    assert store.active and store.japan_enabled
    client.post(f"{page_of_store(store)}grant/", wish(enabled="off"))
    store.refresh_from_db()
    assert not store.active and not store.japan_enabled


@pytest.mark.parametrize("given", [{"is_superuser": True}, {"roles": ["Support"]}, {"roles": ["Administrator"]}])
def test_nobody_else_enables_a_feature_not_even_a_superuser(client, world, given):
    given = dict(given)
    store = make_store("JP", account=make_account(scenarios.JP))
    sign_in(client, *given.pop("roles", []), **given)
    page = client.get(f"{page_of_store(store)}change/").content.decode()
    assert "Only a member of customer success can change this feature" in page
    assert 'name="feature"' not in page
    for feature in ("japan", "custom_fields"):
        for reason in ("please", ""):
            answer = client.post(f"{page_of_store(store)}grant/", wish(feature, reason=reason), follow=True)
            assert "Only a member of customer success can change this feature" in answer.content.decode()
    store.refresh_from_db()
    assert (store.japan_enabled, store.custom_fields_enabled, FeatureGrant.objects.count()) == (
        False,
        False,
        0,
    )


@pytest.mark.parametrize("role", ["Warehouse", "Privacy officer"])
def test_those_without_stores_do_not_reach_the_grant(client, noon, role):
    store = make_store()
    assert sign_in(client, role).post(f"{page_of_store(store)}grant/", wish()).status_code == 403


@pytest.mark.parametrize(
    ("forged", "sentence"),
    [
        (wish(reason="  "), "Say why this feature is changed"),
        (wish(feature="superpowers"), "Nothing was changed"),
        (wish(enabled="maybe"), "Nothing was changed"),
        (wish(reason="x" * 201), "Nothing was changed"),
    ],
)
def test_a_grant_needs_a_reason_and_a_known_feature(client, noon, forged, sentence):
    store = make_store()
    answer = sign_in(client, "Customer success").post(f"{page_of_store(store)}grant/", forged, follow=True)
    assert sentence in answer.content.decode()
    assert FeatureGrant.objects.count() == 0


def test_the_japanese_panel_is_on_japanese_stores_only(client, noon):
    store = make_store("US")
    features.grant(store, "custom_fields", by=make_user("Customer success"), reason="trial")
    text = sign_in(client, "Customer success").get(f"{page_of_store(store)}change/").content.decode()
    assert "Custom fields" in text and "trial" in text and 'value="japan"' not in text


def test_texts_of_people_are_inert_on_every_page(client, noon):
    evil = '<script>alert("x")</script>'
    account = make_account(merchant=make_merchant(evil), status="paused", status_reason=evil)
    store = make_store(account=account, name=evil)
    features.grant(store, "custom_fields", by=make_user("Customer success"), reason=evil)
    sign_in(client, "Customer success")
    for address in (
        "/admin/stores/merchant/", "/admin/stores/amazonaccount/", "/admin/stores/store/",
        "/admin/stores/amazonaccount/add/",
        f"{page_of(account)}change/", f"{page_of_store(store)}change/",
    ):  # fmt: skip
        text = client.get(address).content.decode()
        assert evil not in text and "&lt;script&gt;" in text


# ---- the right to see alone


@pytest.fixture
def reader(client):
    """Somebody who may see stores and nothing else: no role is so today."""
    user = make_user()
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_amazonaccount", "view_store", "view_merchant"])
    )
    client.force_login(user)
    return client


def test_who_only_reads_sees_no_form_and_reaches_no_panel(reader, world):
    account = connect(sources=("US",))
    text = reader.get(f"{page_of(account)}change/").content.decode()
    assert 'name="token"' not in text and 'name="sources"' not in text
    for panel in ("sources", "renew", "import-now"):
        given = {"token": scenarios.NA.refresh_token, "sources": ["CA"], "product_identifier": "sku"}
        assert reader.post(f"{page_of(account)}{panel}/", given).status_code == 403
    assert account.stores.count() == 1


def test_who_only_reads_sees_a_store_and_its_address_as_text(reader, noon):
    store = make_store(ship_from={"city": "Lyon", "country": "FR"})
    text = reader.get(f"{page_of_store(store)}change/").content.decode()
    assert "Lyon, FR" in text and 'name="product_identifier"' not in text
    assert reader.post(f"{page_of_store(store)}change/", settings_of(store, name="X")).status_code == 403


def test_a_revoked_authorisation_has_no_days_left(client, noon):
    account = make_account()
    account.stop(AmazonAccount.Status.REVOKED, "invalid_grant")
    sign_in(client, "Support")
    for address in ("/admin/stores/amazonaccount/", f"{page_of(account)}change/"):
        text = client.get(address).content.decode()
        assert "no longer valid" in text and "days left" not in text


def test_r13_a_renewed_token_is_pasted_on_the_stores_page_and_renews_its_siblings(client, world):
    account = connect(sources=("US", "CA"))
    AmazonAccount.objects.filter(pk=account.pk).update(status="revoked", status_reason="invalid_grant")
    store = account.stores.get(marketplace="CA")
    sign_in(client, "Support")
    page = client.get(f"{page_of_store(store)}change/").content.decode()
    assert "Amazon no longer accepts the token" in page and "sellercentral.amazon.ca" in page
    assert f"Renewing counts for these stores of the account too: {account.stores.get(marketplace='US').name}" in page
    token = world.renew(scenarios.NA)
    answer = client.post(f"{page_of(account)}renew/", {"token": token, "store": store.pk}, follow=True)
    assert answer.redirect_chain[-1][0] == f"{page_of_store(store)}change/"
    text = answer.content.decode()
    assert "The authorisation is renewed" in text and token not in text
    account.refresh_from_db()
    assert (account.status, account.refresh_token) == ("active", token)


@pytest.mark.parametrize("token, sentence", [("", "Paste the authorisation token"), ("Atzr|wrong", "Amazon refuses")])
def test_a_refused_token_leads_back_to_the_stores_page(client, world, token, sentence):
    account = connect(sources=("US",))
    store, before = account.stores.get(), account.fingerprint
    sign_in(client, "Support")
    answer = client.post(f"{page_of(account)}renew/", {"token": token, "store": store.pk}, follow=True)
    assert answer.redirect_chain[-1][0] == f"{page_of_store(store)}change/"
    assert sentence in answer.content.decode()
    account.refresh_from_db()
    assert account.fingerprint == before


@pytest.mark.parametrize("odd", ["", "x", "9" * 30, "0"])
def test_another_store_than_the_accounts_is_not_led_to(client, world, odd):
    account = connect(sources=("US",))
    sign_in(client, "Support")
    answer = client.post(f"{page_of(account)}renew/", {"token": world.renew(scenarios.NA), "store": odd})
    assert answer["Location"].startswith(f"{page_of(account)}change/")
