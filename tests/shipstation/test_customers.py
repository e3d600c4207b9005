"""Customers over version 1: those of the key's stores, named for who may see names."""

import pytest

from orderhub.rest.scopes import SCOPES
from orders.models import Customer, Order
from privacy.models import AccessLog
from tests.factories import make_account, make_store
from tests.orders.buyers import attached
from tests.shipstation.caller import Caller

pytestmark = pytest.mark.django_db
FIELDS = {
    "customerId", "createDate", "modifyDate", "name", "company", "street1", "street2", "city", "state", "postalCode",
    "countryCode", "phone", "email", "addressVerified", "marketplaceUsernames", "tags",
}  # fmt: skip


def test_customers_of_the_keys_stores_are_listed_once_each_with_names_and_the_view_is_logged():
    account = make_account()
    store, other = make_store("US", account=account), make_store("CA", account=account)
    order = attached(store, person={"buyer_username": "ada1"})
    attached(store)
    attached(other, person={"buyer_email": "xyz@marketplace.amazon.com"})
    caller = Caller(store)
    answer = caller.get("/customers")
    assert (answer["total"], answer["pages"]) == (1, 1)
    (found,) = answer["customers"]
    order.refresh_from_db()
    assert set(found) == FIELDS and found["customerId"] == order.customer_id
    assert (found["name"], found["email"]) == ("Ada Example", "abc123@marketplace.amazon.com")
    assert AccessLog.objects.get().user == caller.key.user
    stranger = Customer.objects.exclude(pk=order.customer_id).get()
    assert caller.send("GET", f"/customers/{stranger.pk}").status_code == 404
    assert caller.get(f"/customers/{order.customer_id}") == found


def test_names_are_blank_without_their_scope():
    order = attached()
    found = Caller(order.store, scopes=set(SCOPES) - {"orders:read_pii"}).get("/customers")["customers"][0]
    assert (found["name"], found["email"], found["phone"], found["marketplaceUsernames"]) == ("", "", "", [])
    assert not AccessLog.objects.exists()


def test_customers_are_found_by_country_and_cost_as_many_statements_for_one_as_for_ten():
    store = make_store()
    caller = Caller(store)
    attached(store, person={"country": "FR", "buyer_email": "one@marketplace.amazon.fr"})
    few = caller.statements("/customers")
    for number in range(9):
        attached(store, person={"buyer_email": f"{number}@marketplace.amazon.com"})
    assert caller.statements("/customers") == few <= 12
    assert caller.get("/customers", countryCode="fr")["total"] == 1
    assert caller.get("/customers", stateCode="TX", countryCode="US")["total"] == 9


def test_an_erased_customer_shows_the_bare_marker():
    order = attached()
    Order.objects.filter(pk=order.pk).update(pii_state="redacting")
    found = Caller(order.store).get("/customers")["customers"][0]
    assert found["name"] == "EXPURGÉ (Amazon)" and found["phone"] == "EXPURGÉ (Amazon)"
    assert found["email"] == "abc123@marketplace.amazon.com"
