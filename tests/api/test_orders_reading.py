"""Reading orders with a key: whose they are, what of them is shown, and in how many statements."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.rest.scopes import SCOPES
from privacy.models import AccessLog
from tests.api.client import ApiClient
from tests.factories import make_account, make_key, make_order, make_store

pytestmark = pytest.mark.django_db


def test_a_client_reads_orders_of_its_stores_only():
    account = make_account()
    mine, other = (make_order(make_store(place, account=account)) for place in ("US", "CA"))
    client = ApiClient(make_key(mine.store)[1])
    assert [row["id"] for row in client.get("orders").json()["results"]] == [mine.pk]
    assert client.get(f"orders/{mine.pk}").json()["order_number"] == mine.order_number
    assert client.get(f"orders/{other.pk}").status_code == 404


def test_names_need_their_own_scope_and_every_view_is_logged():
    order = make_order()
    without = ApiClient(make_key(order.store, scopes=set(SCOPES) - {"orders:read_pii"})[1])
    assert without.get(f"orders/{order.pk}").json()["person"] is None
    assert not AccessLog.objects.exists()
    key, token = make_key(order.store)
    assert ApiClient(token).get(f"orders/{order.pk}").json()["person"]["street1"] == "1 Sample Street"
    assert AccessLog.objects.get().user == key.user


def test_a_page_costs_as_many_statements_for_one_order_as_for_twenty():
    store = make_store()
    client = ApiClient(make_key(store)[1])
    counts = []
    for rows in (1, 19):
        for _row in range(rows):
            make_order(store, lines=2)
        client.get("orders")  # the first of a minute notes that the key was used
        with CaptureQueriesContext(
            connection,
        ) as captured:
            answer = client.get("orders")
        counts.append(len(captured))
    assert len(answer.json()["results"]) == 20
    assert counts[0] == counts[1] <= 12, [query["sql"][:100] for query in captured]


def test_without_a_key_the_answer_is_a_problem_in_json():
    answer = ApiClient("oh_dev_aaaaaaaa_" + "x" * 43).get("orders")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:orderhub:problem:authentication-failed"
    assert {"X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"} <= set(answer.headers)
