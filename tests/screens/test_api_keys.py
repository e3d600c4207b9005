"""API keys for administrators: shown once, changed, revoked, all of it recorded; the report; what warns before an end."""

import re
from datetime import timedelta
from itertools import chain

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub import apikeys, apireport, apiuse, clock, keystates
from orderhub.housekeeping import jobs
from orderhub.models import ApiKey, ApiUse, IdempotentRequest, RateWindow, User
from orderhub.models.apikey import UseKind
from orderhub.signin import disabling, secondfactor
from orderhub.signin.checks import every_account_is_a_persons
from orders.known import Known
from privacy import access, reviewing
from privacy.models import SecurityEvent
from privacy.models.event import EventCode
from stores.models import Store
from tests.api.client import ApiClient
from tests.factories import make_key, make_store, make_user
from tests.signins import freshen

pytestmark = pytest.mark.django_db
LIST, ADD = reverse("admin:orderhub_apikey_changelist"), reverse("admin:orderhub_apikey_add")
TOKEN = re.compile(r"oh_dev_[a-z0-9]{8}_[A-Za-z0-9_-]{43}")


@pytest.fixture
def boss(noon) -> User:
    return make_user(access.ADMINISTRATOR, username="boss")


@pytest.fixture
def admin(boss) -> Client:
    client = Client()
    client.force_login(boss)
    freshen(client)
    return client


def wish(boss: User, store, **other) -> dict:
    return {
        "name": "Partner", "owner": boss.pk, "scopes": ["orders:read"], "store_ids": [store.pk], "days": 90,
        "networks": "", "naive_zone": "America/Los_Angeles", "rate_per_minute": 120,
    } | other  # fmt: skip


def page(key: ApiKey, what: str = "change") -> str:
    return reverse(f"admin:orderhub_apikey_{what}", args=[key.pk])


def reasons() -> list[str]:
    events = SecurityEvent.objects.filter(code=EventCode.KEY_CHANGED).order_by("pk")
    return [event.reason for event in events]


def html_of(client: Client, url: str) -> str:
    return client.get(url).content.decode()


# -- made, and shown once


def test_a_new_key_is_shown_once_in_both_forms_and_works(admin, boss):
    store = make_store()
    answer = admin.post(ADD, wish(boss, store, networks="127.0.0.0/8\n"))
    html = answer.content.decode()
    (token,) = set(TOKEN.findall(html))
    user, secret = apikeys.basic_pair(token)
    assert answer.status_code == 200 and answer["Cache-Control"] == "no-store, private"
    for shown in (
        f"Bearer {token}",
        f"curl -u &quot;{user}:{secret}&quot;".replace("&quot;", '"'),
        "only one that shows it",
    ):
        assert shown in html
    assert ApiClient(token).get("orders").status_code == 200
    key = ApiKey.objects.get()
    assert (key.owner, key.scopes, key.store_ids, key.networks) == (boss, ["orders:read"], [store.pk], ["127.0.0.0/8"])
    assert key.expires_at == clock.now() + timedelta(days=90)
    assert reasons() == ["created"]
    for url in (LIST, ADD, page(key), page(key, "edit"), page(key, "revoke")):
        assert secret not in html_of(admin, url), url


def test_the_token_is_nowhere_in_the_database_or_the_session(admin, boss):
    token = TOKEN.search(admin.post(ADD, wish(boss, make_store())).content.decode())[0]
    secret = apikeys.basic_pair(token)[1]
    rows = chain.from_iterable(model._base_manager.values_list() for model in apps.get_models())
    kept = "\n".join(map(str, rows))
    assert ApiKey.objects.get().prefix in kept  # the dump is one
    assert secret not in kept and secret not in str(dict(admin.session))


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": 366}, {"days": 0}, {"scopes": []}, {"scopes": ["users:write"]}, {"store_ids": []}, {"store_ids": [4711]},
        {"rate_per_minute": 0}, {"rate_per_minute": 6001}, {"networks": "everywhere"}, {"naive_zone": "Mars/Base"},
        {"name": " "}, {"name": "a\nb"}, {"owner": 4711},
    ],
)  # fmt: skip
def test_what_makes_no_key_is_said_beside_its_field(admin, boss, wrong):
    html = admin.post(ADD, wish(boss, make_store(), **wrong)).content.decode()
    assert "Nothing was saved" in html and not TOKEN.search(html)
    assert ApiKey.objects.count() == 0 and reasons() == []


def test_nobody_who_left_and_no_program_answers_for_a_key(admin, boss):
    key, _token = make_key(make_store(), owner=boss)
    for other in (make_user(access.SUPPORT, is_active=False), key.user):
        answer = admin.post(ADD, wish(boss, Store.objects.get(), owner=other.pk))
        assert "Nothing was saved" in answer.content.decode()


def test_a_name_twice_is_refused(admin, boss):
    store = make_store()
    admin.post(ADD, wish(boss, store))
    html = admin.post(ADD, wish(boss, store)).content.decode()
    assert "There is a key of this name already" in html and not TOKEN.search(html)
    assert reasons() == ["created"]


def test_without_a_fresh_proof_of_identity_nothing_is_done(boss):
    stale = Client()
    stale.force_login(boss)
    key, token = make_key(make_store(), owner=boss)
    for url in (ADD, page(key, "edit"), page(key, "revoke")):
        answer = stale.post(url, wish(boss, Store.objects.get()))
        assert answer.status_code == 302 and answer["Location"].startswith("/account/confirm/")
    assert ApiKey.objects.count() == 1 and reasons() == []
    assert ApiClient(token).get("orders").status_code == 200


# -- changed and revoked


def test_every_change_is_recorded_and_holds_from_the_next_request_on(admin, boss):
    store, other = make_store(), make_user(access.SUPPORT)
    key, token = make_key(store, owner=boss, scopes=["orders:read"], rate_per_minute=120)
    changes = {"name": key.name, "owner": other.pk, "scopes": ["shipments:read"], "networks": "192.0.2.0/24"}
    answer = admin.post(page(key, "edit"), wish(boss, store, **changes), follow=True)
    assert "It holds from the next request on" in answer.content.decode()
    key.refresh_from_db()
    assert (key.owner, key.scopes, key.networks) == (other, ["shipments:read"], ["192.0.2.0/24"])
    assert reasons() == ["changed: owner_id", "changed: scopes", "changed: networks"]
    assert ApiClient(token).get("shipments").status_code == 401


def test_a_renamed_client_is_named_so_in_logs_too(admin, boss):
    store = make_store()
    key, _token = make_key(store, owner=boss)
    admin.post(page(key, "edit"), wish(boss, store, name="New name"))
    key.refresh_from_db()
    assert key.user.username == "API: New name"


def test_a_key_is_revoked_for_good(admin, boss):
    key, token = make_key(make_store(), owner=boss)
    assert "final" in html_of(admin, page(key, "revoke"))
    assert ApiClient(token).get("orders").status_code == 200  # it only asked
    assert "is revoked" in admin.post(page(key, "revoke"), follow=True).content.decode()
    assert ApiClient(token).get("orders").status_code == 401
    admin.post(page(key, "revoke"))
    answer = admin.post(page(key, "edit"), wish(boss, Store.objects.get()))
    assert "was revoked, which is final" in answer.content.decode()
    assert reasons() == ["revoked"]
    html = html_of(admin, page(key))
    assert "by an administrator" in html and page(key, "edit") not in html


# -- the list and the report


@pytest.fixture
def one_of_each(boss) -> dict[str, ApiKey]:
    store, now = make_store(), clock.now()
    gone = make_user(access.SUPPORT, is_active=False)
    made = {
        "usable": make_key(store, owner=boss, name="Good")[0],
        "expired": make_key(store, owner=boss, name="Old", days=1, now=now - timedelta(days=2))[0],
        "left": make_key(store, owner=gone, name="Orphan")[0],
        "revoked": make_key(store, owner=boss, name="Ended")[0],
    }
    apikeys.revoke(made["revoked"], apikeys.Reason.BY_HAND, now=now)
    for key in made.values():
        key.refresh_from_db()
    return made


def test_the_list_says_how_each_stands_and_narrows_to_it(admin, one_of_each):
    for wanted, key in one_of_each.items():
        html = html_of(admin, f"{LIST}?state={wanted}")
        assert str(keystates.state(key, now=clock.now())) == wanted
        assert [other.name for other in one_of_each.values() if f">{other.name}<" in html] == [key.name]


def test_the_list_takes_as_many_statements_for_many_as_for_few(admin, boss):
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert admin.get(LIST).status_code == 200
        return len(asked)

    store = make_store()
    make_key(store, owner=boss)
    admin.get(LIST)
    few = statements()
    for _each in range(5):
        make_key(store, owner=boss)
    assert statements() == few


def test_w8_the_report_says_what_the_client_calls_and_what_was_not_understood(admin, boss):
    key, token = make_key(make_store(), owner=boss)
    client = ApiClient(token)
    client.get("orders")
    client.get("orders/4711")
    client.get("nothing/here")
    client.post("orders", {"colour": "blue"})
    client.get("/shipstation/Orders/List?modifyDateStart=2026-11-20T08:00:00Z")
    client.get("/shipstation/fulfillments/4711")
    uses = {(use.surface, use.kind, use.name) for use in key.uses.all()}
    assert uses >= {
        ("native", "endpoint", "GET /orders"), ("native", "endpoint", "GET /orders/{id}"),
        ("native", "refused", "GET /orders/{id} 404 not-found"), ("native", "unknown_path", "GET /nothing/…"),
        ("native", "refused", "POST /orders 422 invalid"), ("native", "unknown_field", "POST /orders colour"),
        ("shipstation", "endpoint", "GET /orders"), ("shipstation", "alias", "GET /orders/list"),
        ("shipstation", "time_zone", "zulu"), ("shipstation", "unknown_path", "GET /fulfillments/…"),
    }  # fmt: skip
    assert not any("4711" in name for _surface, _kind, name in uses)
    html = html_of(admin, page(key))
    for text in ("GET /orders/{id}", "POST /orders colour", "GET /orders/list", "GET /fulfillments/…"):
        assert text in html
    assert "This client sends UTC (Z)" in html and "America/Los_Angeles" in html


def test_w8_requests_beyond_the_rate_are_counted_for_both_apis():
    key, token = make_key(make_store(), rate_per_minute=1)
    client = ApiClient(token)
    assert [client.get(path).status_code for path in ("orders", "orders", "/shipstation/orders")] == [200, 429, 429]
    counted = set(key.uses.filter(kind=UseKind.THROTTLED).values_list("surface", "name", "count"))
    assert counted == {("native", "GET /orders", 1), ("shipstation", "GET /orders", 1)}
    assert "allow more than 1 requests a minute" in apireport.of(key).sections[-1].advice


@pytest.mark.parametrize(
    ("zone", "noted", "told"),
    [
        ("America/Los_Angeles", ["naive", "naive_utc_guess"], ["most likely means UTC", "read as America/Los_Angeles"]),
        ("UTC", ["naive", "zulu"], ["nothing is to be done", "read as UTC"]),
        ("America/Los_Angeles", ["offset", "date_only"], ["never mistaken", "days in America/Los_Angeles"]),
    ],
)
def test_w8_the_guess_of_the_time_zone_is_a_sentence_with_what_to_do(zone, noted, told):
    key, _token = make_key(make_store(), naive_zone=zone)
    apiuse.count(key, "shipstation", [(UseKind.TIME_ZONE, name) for name in noted], now=clock.now())
    remarks = [remark.text for remark in apireport.of(key).zones]
    assert len(remarks) == len(told)
    for text, remark in zip(told, remarks, strict=True):
        assert text in remark


def test_names_a_client_makes_up_fill_no_table(monkeypatch):
    monkeypatch.setattr(apiuse, "MOST_NAMES", 3)
    key, _token = make_key(make_store())
    for number in range(6):
        noted = [(UseKind.UNKNOWN_FIELD, f"field{number}"), (UseKind.ENDPOINT, f"GET /{number}")]
        apiuse.count(key, "native", noted, now=clock.now())
    kinds = list(key.uses.values_list("kind", flat=True))
    assert (kinds.count("unknown_field"), kinds.count("endpoint")) == (3, 6)


# -- before a key ends


@pytest.mark.parametrize(("days", "level"), [(31, ""), (30, "warn"), (14, "warn"), (7, "bad"), (1, "bad")])
def test_d14c_the_start_page_warns_before_a_key_ends(admin, boss, days, level):
    make_key(make_store(), owner=boss, name="Partner", days=days)
    html = html_of(admin, reverse("admin:index"))
    assert ("The API key of Partner ends on" in html) is bool(level)
    assert [found for _text, found, _pk in keystates.alarms(now=clock.now())] == [level] * bool(level)


def test_the_start_page_says_which_clients_are_refused_and_go_on_asking(admin, one_of_each):
    assert keystates.alarms(now=clock.now()) == []  # nobody asks
    ApiKey.objects.update(last_used_at=clock.now())
    html = html_of(admin, reverse("admin:index"))
    assert "The API key of Old is over since" in html and "The API key of Orphan is refused" in html
    assert "Ended" not in html and "Good" not in html
    other = Client()
    other.force_login(make_user(access.SUPPORT))
    assert "The API key of" not in html_of(other, reverse("admin:index"))


# -- the accounts of keys are no staff


@pytest.fixture
def account(boss) -> User:
    return make_key(make_store(), owner=boss, name="Partner")[0].user


def test_the_account_of_a_key_is_on_no_page_of_staff(admin, account):
    for url in (reverse("admin:orderhub_user_changelist"), reverse("admin:orders_order_changelist")):
        assert account.username not in html_of(admin, url)
    assert admin.get(reverse("admin:orderhub_user_change", args=[account.pk])).status_code == 302  # unknown here
    for name in ("unlock", "remove-factor", "end-sessions"):
        assert admin.post(reverse(f"admin:orderhub_user_{name}", args=[account.pk])).status_code == 404
    assert account.pk not in Known({}).users


def test_the_account_of_a_key_cannot_sign_in_even_with_a_password(account):
    account.set_password("correct horse battery")
    account.save()
    client = Client()
    answer = client.post("/admin/login/", {"username": account.username, "password": "correct horse battery"})
    assert "_auth_user_id" not in client.session and answer.status_code == 200
    client.force_login(account)
    for url in ("/admin/", "/account/second-factor/", "/account/confirm/", "/admin/password_change/"):
        answer = client.get(url)
        assert answer.status_code == 302 and "/admin/login/" in answer["Location"], url
    assert secondfactor.of(account) is None


def test_the_account_of_a_key_is_neither_idle_nor_a_nobody(account, settings):
    User.objects.filter(pk=account.pk).update(active_since=clock.now() - timedelta(days=300), username="test")
    assert disabling.disable_idle(now=clock.now()) == 0
    settings.PRODUCTION = True
    assert every_account_is_a_persons(None) == []


def test_d12c_the_access_review_shows_every_key_and_signs_it(admin, boss, account):
    def digest() -> str:
        now = clock.now()
        return reviewing.digest(reviewing.lines(now=now), reviewing.key_lines(now=now))

    html = html_of(admin, reverse("admin:privacy_accessreview_changelist"))
    assert [line.username for line in reviewing.lines(now=clock.now())] == ["boss"]
    for text in ("Partner", "orders:read_pii", "boss"):
        assert text in html.partition("keys-title")[2]
    key, before = account.api_key, digest()
    ApiKey.objects.update(last_used_at=clock.now())
    assert digest() == before  # uses go on meanwhile
    for change in ({"scopes": ["orders:read"]}, {"store_ids": [1, 2]}, {"networks": ["10.0.0.0/8"]}):
        ApiKey.objects.filter(pk=key.pk).update(**change)
        assert digest() != before, change
        before = digest()
    apikeys.revoke(key, apikeys.Reason.BY_HAND, now=clock.now())
    assert digest() != before


# -- what is pruned


def test_what_no_longer_counts_is_pruned(noon):
    key, _token = make_key(make_store())
    for age, name in ((timedelta(days=2), "old"), (timedelta(hours=1), "new")):
        RateWindow.objects.create(name=name, started_at=noon - age)
        IdempotentRequest.objects.create(key=key, value_hash=name, route="r", body_hash="b", at=noon - age)
    for age, name in ((366, "old"), (300, "new")):
        apiuse.count(key, "native", [(UseKind.ENDPOINT, name)], now=noon - timedelta(days=age))
    jobs.prune()
    assert list(RateWindow.objects.values_list("name", flat=True)) == ["new"]
    assert list(IdempotentRequest.objects.values_list("value_hash", flat=True)) == ["new"]
    assert list(ApiUse.objects.values_list("name", flat=True)) == ["new"]
