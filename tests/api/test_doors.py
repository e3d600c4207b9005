"""The door of both APIs: what is refused before any view is asked, and what every answer carries."""

import base64
import json

import pytest
from django.test import Client, override_settings

from orderhub import apikeys
from tests.api.client import ApiClient
from tests.factories import make_key, make_order

pytestmark = pytest.mark.django_db


def basic(token: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(":".join(apikeys.basic_pair(token)).encode()).decode()}


def test_version_1_is_found_in_any_case_below_its_prefix_and_at_the_root_of_its_host():
    token = make_key(make_order().store)[1]
    for path in ("/shipstation/orders", "/ShipStation/Orders/List", "/shipstation/orders/"):
        assert Client().get(path, headers=basic(token)).json()["page"] == 1, path
    with override_settings(SHIPSTATION_HOSTS=["ss.example"], ALLOWED_HOSTS=["ss.example"]):
        assert Client().get("/Orders/", headers=basic(token) | {"host": "ss.example"}).json()["page"] == 1


def test_version_1_words_its_errors_its_own_way():
    answer = Client().get("/shipstation/orders")
    assert (answer.status_code, set(answer.json())) == (401, {"Message", "code"})
    assert answer["X-Rate-Limit-Remaining"]


def test_a_key_in_an_address_is_refused_and_revoked():
    key, token = make_key(make_order().store)
    answer = ApiClient(token).get(f"orders?key={token}")
    assert answer.status_code == 401
    key.refresh_from_db()
    assert key.revoked_because == "in_address"
    assert ApiClient(token).get("orders").status_code == 401


def test_b24_b11_what_is_no_plain_order_is_not_read():
    key, token = make_key(make_order().store)
    many = {f"f{number}": 1 for number in range(1001)}
    deep = "[" * 60 + "]" * 60
    for body in (many, "{", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1e999}', f'{{"a": {deep}}}', "12", "null x"):
        text = body if isinstance(body, str) else json.dumps(body)
        answer = ApiClient(token).client.post(
            "/api/v1/orders", text, content_type="application/json", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 400, (text[:30], answer.content)
    form = ApiClient(token).client.post("/api/v1/orders", {"a": 1}, headers={"Authorization": f"Bearer {token}"})
    assert form.status_code == 415


def test_b24_a_large_body_is_refused_before_it_is_read():
    token = make_key(make_order().store)[1]
    answer = ApiClient(token).client.post(
        "/api/v1/orders", b"{" + b" " * 2_100_000 + b"}", content_type="application/json", headers=basic(token)
    )
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"
