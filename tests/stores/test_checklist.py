"""What is left to do before a store works (R11, F9)."""

from datetime import timedelta

import pytest

from stores import checklist, features, senders
from stores.models import BigCommerceCredentials, Store
from tests.factories import make_account, make_merchant, make_order, make_store, make_user

pytestmark = pytest.mark.django_db
ADDRESS = {"name": "Lake", "street1": "1 Sample Road", "city": "Annecy", "country": "FR"}


def left(store: Store, now) -> list[str]:
    return [item.link for item in checklist.items(Store.objects.get(pk=store.pk), now=now) if item.open]


def test_r11_a_new_store_has_everything_before_it(noon):
    store = make_store(account=make_account(has_pii_role=False))
    assert left(store, noon) == ["#ship-from", "#brand", "#sender", f"/admin/orders/order/?store={store.pk}"]


@pytest.mark.parametrize(
    ("has_role", "sentence"), [(True, "sends names"), (False, "ask Amazon for the role Direct-to")]
)
def test_whether_amazon_sends_names_is_not_known_before_the_first_order(noon, has_role, sentence):
    store = make_store(account=make_account(has_pii_role=has_role))
    items = checklist.items(store, now=noon)
    waiting = [item.text for item in items if not item.known]
    assert waiting == ["Amazon sends names and addresses: known once the first order has come"]
    assert not any(item.done or item.open for item in items if not item.known)
    make_order(store)
    page = f"/admin/stores/amazonaccount/{store.account_id}/change/"
    item = next(item for item in checklist.items(store, now=noon) if sentence in item.text)
    assert (item.done, item.open, item.known, item.link) == (has_role, not has_role, True, page)


def test_r11_a_store_that_works_has_nothing_left(noon):
    store = make_store(ship_from=ADDRESS, brand_name="Lake", brand_logo="a.png", brand_from_email="a@lake.example")
    senders.confirm_sender(store, "a@lake.example", by=make_user("Support"), now=noon)
    make_order(store)
    assert left(store, noon) == []


@pytest.mark.parametrize("missing", ["name", "street1", "city", "country"])
def test_an_address_with_a_part_missing_is_left_to_do(noon, missing):
    store = make_store(ship_from=ADDRESS | {missing: ""})
    assert "#ship-from" in left(store, noon)


def test_a_company_will_do_for_a_name(noon):
    assert "#ship-from" not in left(make_store(ship_from=ADDRESS | {"name": "", "company": "Lake SA"}), noon)


@pytest.mark.parametrize(("days", "done"), [(30, False), (31, True), (0, False), (-1, False)])
def test_an_authorisation_that_ends_within_30_days_is_left_to_do(noon, days, done):
    account = make_account()
    account.authorization_expires_at = noon + timedelta(days=days)
    account.save()
    store = make_store(account=account)
    assert (f"/admin/stores/amazonaccount/{account.pk}/change/" not in left(store, noon)) is done


def test_a_stopped_account_is_left_to_do(noon):
    store = make_store(account=make_account(status="revoked"))
    assert f"/admin/stores/amazonaccount/{store.account_id}/change/" in left(store, noon)


def test_what_customer_success_owns_is_listed_where_the_store_waits_for_it(noon):
    store = make_store("JP")
    assert "#features" in left(store, noon) and "#custom-fields" not in left(store, noon)
    success = make_user("Customer success")
    features.grant(store, "japan", by=success, reason="test")
    features.grant(store, "custom_fields", by=success, reason="test")
    assert "#features" not in left(store, noon) and "#custom-fields" in left(store, noon)


@pytest.mark.parametrize(("status", "done"), [("active", True), ("refused", False), (None, False)])
def test_a_linked_bigcommerce_store_must_work(noon, status, done):
    store = make_store()
    shop = Store.objects.create(merchant=store.merchant, name="Shop", platform="bigcommerce")
    if status:
        BigCommerceCredentials.objects.create(
            store=shop, store_hash="abcd1234", access_token="t", status=status, verified_at=noon
        )
    assert "#bigcommerce" not in left(store, noon)
    Store.objects.filter(pk=store.pk).update(linked_store=shop, linked_mails_off_at=noon)
    assert ("#bigcommerce" not in left(store, noon)) is done


def test_a_store_of_another_platform_has_no_amazon_on_its_list(noon):
    shop = Store.objects.create(merchant=make_merchant(), name="Shop", platform="bigcommerce")
    assert left(shop, noon) == ["#ship-from", "#brand"]
