"""Keys at the door: hashed, refused all alike, counted exactly, and honest about what is left."""

import base64
import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orderhub import apikeys, clock, ratelimits
from orderhub.api.authentication import FAILURES_A_MINUTE
from orderhub.errors import RuleViolation
from orderhub.models import ApiKey, RateWindow, User
from orderhub.models.apikey import LONGEST
from privacy.models import SecurityEvent
from privacy.models.event import EventCode, Outcome
from stores.models import Store
from tests.api.client import ApiClient
from tests.conftest import NOON
from tests.factories import make_key, make_order, make_store

pytestmark = pytest.mark.django_db
RATE = ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")
STRANGE = "oh_dev_aaaaaaaa_" + "x" * 43


def with_secret(token: str, secret: str) -> str:
    return f"{apikeys.basic_pair(token)[0]}_{secret}"


def rate_of(answer) -> tuple[int, ...]:
    return tuple(int(answer[name]) for name in RATE)


def asked(path: str, token: str) -> list[str]:
    with CaptureQueriesContext(connection) as seen:
        ApiClient(token).get(path)
    return [query["sql"].split("WHERE")[0] for query in seen]


# -- what a key is


def test_only_a_hash_of_the_secret_is_kept(noon):
    key, token = make_key(make_store())
    prefix, secret = apikeys.read_token(token)
    assert key.prefix == prefix and secret not in str(ApiKey.objects.values().get())
    assert len(key.secret_hash) == 128 and len(secret) == 43
    assert apikeys.find(prefix, secret) == key and apikeys.find(prefix, "x" * 43) is None


def test_d14c_no_key_lasts_longer_than_a_year(noon):
    store = make_store()
    key, _token = make_key(store, days=365)
    with pytest.raises(RuleViolation, match="between 1 and 365 days"):
        make_key(store, days=366)
    with pytest.raises(IntegrityError, match="apikey_a_year_at_most"), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(expires_at=key.created_at + LONGEST + timedelta(seconds=1))


# -- what is refused, in the same words


def broken(how: str) -> str:
    """A token that opens nothing, for this reason."""
    key, token = make_key(make_store(), days=30)
    if how == "over":
        clock.advance(days=30)
    elif how == "revoked":
        apikeys.revoke(key, apikeys.Reason.BY_HAND, now=clock.now())
    elif how == "responsible left":
        User.objects.filter(pk=key.owner_id).update(is_active=False)
    elif how == "from elsewhere":
        ApiKey.objects.update(networks=["192.0.2.0/24", "2001:db8::/48"])
    return {"wrong secret": with_secret(token, "x" * 43), "unknown": STRANGE, "no token": "hello"}.get(how, token)


WAYS = ("over", "revoked", "responsible left", "from elsewhere", "wrong secret", "unknown", "no token")


def test_every_key_that_opens_nothing_is_refused_in_the_same_words():
    told = set()
    for how in WAYS:
        with clock.at(NOON), transaction.atomic():
            token = broken(how)
            answer = ApiClient(token).get("orders")
            assert answer.status_code == 401, how
            assert answer["WWW-Authenticate"] == 'Bearer realm="OrderHub"'
            told.add(answer.content)
            user, secret = apikeys.basic_pair(token) if len(token) > 50 else ("a", "b")
            pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
            version_1 = Client().get("/shipstation/orders", headers={"Authorization": f"Basic {pair}"})
            assert version_1.status_code == 401 and "valid API key" in version_1.json()["Message"]
            transaction.set_rollback(True)
    assert len(told) == 1


def test_d12c_a_key_of_somebody_who_left_is_refused_at_the_next_request_and_taken_up_again(noon):
    key, token = make_key(make_store())
    client = ApiClient(token)
    assert client.get("orders").status_code == 200
    for active, status in ((False, 401), (True, 200)):
        User.objects.filter(pk=key.owner_id).update(is_active=active)
        assert client.get("orders").status_code == status


def test_networks_let_in_whom_they_hold(noon):
    key, token = make_key(make_store(), networks=["127.0.0.0/8"])
    assert ApiClient(token).get("orders").status_code == 200
    assert not apikeys.is_allowed_from(key, "192.0.2.1") and not apikeys.is_allowed_from(key, "")


def test_what_a_key_may_not_do_or_see_is_said_apart_from_who_it_is(noon):
    order = make_order()
    other = Store.objects.create(merchant=order.store.merchant, platform="manual", name="Fair", time_zone="UTC")
    lacking = ApiClient(make_key(order.store, scopes=["products:read"])[1]).get("orders")
    assert (lacking.status_code, lacking.json()["type"]) == (403, "urn:orderhub:problem:scope-missing")
    elsewhere, unknown = (ApiClient(make_key(other)[1]).get(f"orders/{pk}") for pk in (order.pk, 4711))
    assert elsewhere.status_code == 404 and elsewhere.content == unknown.content


def test_an_unknown_key_and_a_wrong_secret_take_the_same_statements(noon):
    token = make_key(make_store())[1]
    ApiClient(STRANGE).get("orders")  # the address has its window
    unknown, wrong = asked("orders", STRANGE), asked("orders", with_secret(token, "x" * 43))
    assert unknown == wrong and len(unknown) == 3


# -- too often


def test_attempts_from_one_address_are_limited_and_recorded_twice_a_minute(noon):
    token = make_key(make_store())[1]
    codes = [ApiClient(STRANGE).get("orders").status_code for _each in range(FAILURES_A_MINUTE + 3)]
    assert codes == [401] * FAILURES_A_MINUTE + [429] * 3
    events = SecurityEvent.objects.filter(code=EventCode.KEY_REFUSED)
    assert [(event.outcome, event.reason) for event in events] == [(Outcome.REFUSED, "unknown")] * 2
    assert ApiClient(token).get("orders").status_code == 200  # whoever has a key is not locked out by others
    clock.advance(seconds=60)
    assert ApiClient(STRANGE).get("orders").status_code == 401


def test_the_rate_is_the_keys_own_and_a_new_minute_begins_anew(noon):
    store = make_store()
    slow, quick = (ApiClient(make_key(store, rate_per_minute=count)[1]) for count in (2, 10))
    answers = [slow.get("orders") for _each in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [rate_of(answer) for answer in answers] == [(2, 1, 60), (2, 0, 60), (2, 0, 60)]
    assert answers[-1]["Retry-After"] == "60"
    assert quick.get("orders").status_code == 200
    clock.advance(seconds=45)
    assert slow.get("orders")["Retry-After"] == "15"
    clock.advance(seconds=15)
    assert rate_of(slow.get("orders")) == (2, 1, 60)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets one writer in at a time")
@pytest.mark.django_db(transaction=True)
def test_of_many_requests_at_once_exactly_as_many_as_allowed_get_through():
    """The twelve threads ask three times as often as they may, before there is a window and after."""
    for name in ("key:1", "key:2"):
        allowed, gate = [], threading.Barrier(12)

        def ask(name: str = name, gate=gate, allowed=allowed) -> None:
            try:
                gate.wait(30)
                for _each in range(5):
                    allowed.append(ratelimits.take(name, limit=20, now=NOON).allowed)
            finally:
                connection.close()

        threads = [threading.Thread(target=ask) for _thread in range(12)]
        [thread.start() for thread in threads]
        [thread.join(60) for thread in threads]
        assert (len(allowed), sum(allowed)) == (60, 20)
        assert RateWindow.objects.get(name=name).used == 20


# -- what every answer says


def test_every_answer_says_what_is_left_and_is_kept_by_nobody(noon):
    client = ApiClient(make_key(make_order().store, rate_per_minute=5)[1])
    large = {"data": b"{" + b" " * 2_100_000 + b"}", "content_type": "application/json"}
    answers = {
        200: client.get("orders"), 404: client.get("orders/4711"), 422: client.get("orders?page_size=x"),
        405: client.delete("orders"), 401: ApiClient(STRANGE).get("orders"),
        413: client.client.post("/api/v1/orders", headers=client.headers, **large),
    }  # fmt: skip
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer["Cache-Control"] == "no-store, private"
    found = {status: rate_of(answer)[:2] for status, answer in answers.items()}
    assert found == {200: (5, 4), 404: (5, 3), 422: (5, 2), 405: (5, 1), 401: (120, 120), 413: (120, 120)}
    client.get("nothing/here")
    late = client.get("orders")
    assert (late.status_code, rate_of(late)) == (429, (5, 0, int(late["Retry-After"])))


def test_an_address_that_is_not_there_is_the_clients_own_request(noon):
    """With a key it counts as one; without, it is answered all the same; with a wrong one it is refused."""
    client = ApiClient(make_key(make_store(), rate_per_minute=5)[1])
    answer = client.post("no/such/place", {})
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:orderhub:problem:no-such-address")
    assert rate_of(answer)[:2] == (5, 4)
    assert Client().get("/api/v1/no/such/place").status_code == 404
    assert ApiClient(STRANGE).get("no/such/place").status_code == 401
