"""B19 and §4.3: how sessions begin, how long they live, and everything that ends them."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub import clock
from orderhub.housekeeping.jobs import disable_idle_accounts, prune
from orderhub.models import User
from orderhub.signin import checks, sessions
from orderhub.signin.models import StaffSession
from privacy.models import SecurityEvent
from tests.factories import make_user
from tests.signins import (
    FACTOR,
    PASSWORD,
    code_of,
    enrol,
    freshen,
    is_in,
    sign_in,
    type_code,
    type_password,
)

pytestmark = pytest.mark.django_db
START = "/admin/"
LIST = "/admin/orders/order/"


def browsers(user, count: int) -> list[Client]:
    """So many browsers, signed in one minute after the other."""
    found = []
    for _each in range(count):
        found.append(Client())
        sign_in(found[-1], user)
        clock.advance(minutes=1)
    return found


def open_ones(found: list[Client]) -> list[bool]:
    return [is_in(browser) for browser in found]


def reasons() -> list[str]:
    return list(SecurityEvent.objects.filter(code="session_ended").order_by("pk").values_list("reason", flat=True))


# ---- begin


def test_b19_signing_in_gives_a_new_session_id_at_each_step(client, noon):
    user = make_user("Support")
    enrol(user)
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    ids = [session.session_key]
    client.cookies["sessionid"] = session.session_key
    type_password(client, user)
    ids.append(client.session.session_key)
    type_code(client, code_of(user))
    ids.append(client.session.session_key)
    assert len(set(ids)) == 3 and is_in(client)
    thief = Client()
    for stolen in ids[:2]:
        thief.cookies["sessionid"] = stolen
        assert not is_in(thief)


def test_signing_in_and_out_is_recorded(client, noon):
    user = make_user("Support")
    row = sign_in(client, user)
    client.post("/admin/logout/")
    told = SecurityEvent.objects.order_by("pk").values_list("code", "user", "kind", "ids", "at")
    assert list(told) == [
        ("signed_in", user.pk, "session", [row.pk], noon),
        ("signed_out", user.pk, "session", [row.pk], noon),
    ]
    user.refresh_from_db()
    assert user.last_login == noon


# ---- end by time


@pytest.mark.parametrize(("minutes", "alive"), [(29.9, True), (30, False)])
def test_b19_a_session_unused_for_half_an_hour_is_over(client, noon, minutes, alive):
    sign_in(client, make_user("Support"))
    clock.advance(minutes=minutes)
    answer = client.get(LIST)
    assert answer.status_code == (200 if alive else 302)
    if not alive:
        assert answer["Location"] == "/admin/login/?next=%2Fadmin%2Forders%2Forder%2F"
        assert "unused for too long" in client.get(answer["Location"]).content.decode()
        assert reasons() == ["idle"]


@pytest.mark.parametrize(("minutes", "alive"), [(12 * 60 - 1, True), (12 * 60, False)])
def test_b19_a_session_in_use_is_over_after_twelve_hours(client, noon, minutes, alive):
    sign_in(client, make_user("Support"))
    for _each in range(minutes // 29):
        clock.advance(minutes=29)
        assert is_in(client)
    clock.advance(minutes=minutes % 29)
    assert is_in(client) is alive
    assert reasons() == ([] if alive else ["too_old"])


def test_a_form_sent_too_late_changes_nothing_and_leads_back_to_the_start(client, noon):
    user = make_user("Support")
    sign_in(client, user)
    clock.advance(minutes=31)
    answer = client.post("/language/", {"language": "fr", "next": LIST})
    user.refresh_from_db()
    assert answer["Location"] == "/admin/login/?next=%2Fadmin%2F" and user.language == "en"


def test_who_signs_in_with_an_old_session_in_the_browser_is_let_in_at_once(client, noon):
    user = make_user("Support")
    sign_in(client, user)
    clock.advance(hours=13)
    assert type_password(client, user)["Location"] == START and is_in(client)


# ---- how many


@pytest.mark.parametrize(
    ("roles", "count", "left"),
    [
        (["Support"], 3, [True, True, True]),
        (["Support"], 5, [False, False, True, True, True]),
        (["Warehouse"], 2, [False, True]),
        (["Warehouse", "Support"], 3, [True, True, True]),
    ],
)
def test_b19_of_too_many_sessions_the_oldest_ends(noon, roles, count, left):
    found = browsers(make_user(*roles), count)
    assert open_ones(found) == left
    assert reasons() == ["too_many"] * left.count(False)


def test_b19_a_password_without_the_code_ends_nobodys_session(noon):
    """Who stole a password does not throw its owner out."""
    user = make_user("Warehouse")
    enrol(user)
    owner = browsers(user, 1)[0]
    for _each in range(3):
        type_password(Client(), user)
    assert is_in(owner)


def test_sessions_that_are_over_do_not_count(noon):
    user = make_user("Support")
    browsers(user, 3)
    clock.advance(minutes=31)
    browsers(user, 1)
    assert reasons() == []


# ---- end by deed


def test_b19_log_out_ends_the_session_and_clears_the_browser(client, noon):
    sign_in(client, make_user("Support"))
    stolen = client.cookies["sessionid"].value
    assert client.get("/admin/logout/").status_code == 405 and is_in(client)
    answer = client.post("/admin/logout/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"' and answer.cookies["sessionid"].value == ""
    thief = Client()
    thief.cookies["sessionid"] = stolen
    assert not is_in(thief)


def test_b19_a_changed_password_ends_the_others(noon):
    user = make_user("Support")
    own, *others = browsers(user, 3)
    typed = {"old_password": PASSWORD, "new_password1": "Harbour-light 77", "new_password2": "Harbour-light 77"}
    before = own.session.session_key
    assert own.post("/admin/password_change/", typed).status_code == 302
    assert open_ones([own, *others]) == [True, False, False]
    assert own.session.session_key != before and reasons() == ["password"]


def test_b19_a_changed_factor_ends_the_others(noon):
    user = make_user("Support")
    enrol(user)
    own = Client()
    sign_in(own, user)
    clock.advance(minutes=1)
    other = Client()
    sign_in(other, user)
    freshen(own)
    own.post(FACTOR, {"deed": "remove"})
    assert open_ones([own, other]) == [True, False] and reasons() == ["factor"]


def administrator() -> Client:
    boss = Client()
    boss.force_login(make_user("Administrator"))
    freshen(boss)
    return boss


def page_of(user) -> str:
    return reverse("admin:orderhub_user_change", args=[user.pk])


def role(name: str) -> int:
    return Group.objects.get(name=name).pk


def test_b19_changed_roles_end_all(noon):
    user = make_user("Support")
    found = browsers(user, 2)
    same = {"username": user.username, "language": "en", "is_active": "on"}
    administrator().post(page_of(user), same | {"first_name": "Maud", "groups": [role("Support")]})
    assert open_ones(found) == [True, True]
    administrator().post(page_of(user), same | {"groups": [role("Support"), role("Warehouse")]})
    assert open_ones(found) == [False, False]
    assert reasons() == ["roles"]
    assert SecurityEvent.objects.filter(code="roles_changed", ids=[user.pk]).count() == 1


def test_d12c_deactivation_kills_every_session_at_its_next_request(noon):
    user = make_user("Support")
    found = browsers(user, 3)
    administrator().post(page_of(user), {"username": user.username, "language": "en", "groups": [role("Support")]})
    assert [browser.get(LIST).status_code for browser in found] == [302] * 3
    assert SecurityEvent.objects.get(code="user_changed").reason == "deactivated"
    User.objects.filter(pk=user.pk).update(is_active=True)
    assert open_ones(found) == [False] * 3  # what ended stays ended


def test_b19_deactivation_elsewhere_than_on_the_page_kills_them_too(noon):
    user = make_user("Support")
    found = browsers(user, 2)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert open_ones(found) == [False, False]
    User.objects.filter(pk=user.pk).update(is_active=True)
    assert open_ones(found) == [False, False]


def test_an_administrator_ends_sessions(noon):
    user = make_user("Support")
    found = browsers(user, 2)
    boss = administrator()
    assert "<dd>2</dd>" in boss.get(page_of(user)).content.decode()
    boss.post(reverse("admin:orderhub_user_end-sessions", args=[user.pk]))
    assert open_ones(found) == [False, False] and reasons() == ["by_hand"]


# ---- accounts nobody uses


@pytest.mark.parametrize(("days", "active"), [(89, True), (90, False)])
@pytest.mark.parametrize("ever", [True, False])
def test_d12c_accounts_idle_for_90_days_are_disabled(client, noon, days, active, ever):
    user = make_user("Support")
    if ever:
        sign_in(client, user)
    clock.advance(days=days)
    said = disable_idle_accounts()
    user.refresh_from_db()
    assert (user.is_active, said) == (active, f"{int(not active)} accounts disabled")
    assert SecurityEvent.objects.filter(code="user_changed", reason="idle", ids=[user.pk]).count() == int(not active)
    assert disable_idle_accounts() == "0 accounts disabled"


def test_d12c_who_is_made_active_again_has_90_days_more(noon):
    user = make_user("Support")
    clock.advance(days=91)
    disable_idle_accounts()
    boss = administrator()
    boss.post(page_of(user), {"username": user.username, "language": "en", "is_active": "on", "groups": []})
    assert disable_idle_accounts() == "0 accounts disabled"
    user.refresh_from_db()
    assert user.is_active


# ---- what it costs


def count(client, address: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


def test_a_session_of_ours_costs_no_statement_more_than_djangos(noon):
    user = make_user("Support")
    plain, ours = Client(), Client()
    plain.force_login(user)
    sign_in(ours, user)
    for browser in (plain, ours):
        browser.get(LIST)
    assert count(ours, LIST) == count(plain, LIST)
    clock.advance(minutes=1)
    assert count(ours, LIST) == count(plain, LIST) + 1  # seen, once a minute
    assert count(ours, LIST) == count(plain, LIST)


def test_rows_of_sessions_are_forgotten(client, noon):
    sign_in(client, make_user("Support"))
    clock.advance(days=3)
    prune()
    assert not StaffSession.objects.exists()
    assert not is_in(client)


def test_a_session_holds_no_name(client, noon):
    user = make_user("Support", username="maud")
    sign_in(client, user)
    assert set(client.session.keys()) <= {
        "_auth_user_id", "_auth_user_backend", "_auth_user_hash", sessions.KEY, "proved_at", "_csrftoken",
    }  # fmt: skip


# ---- settings


def test_cookies_of_production_are_bound_to_this_host(tmp_path):
    import os
    import subprocess
    import sys

    told = "from django.conf import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE, s.SESSION_COOKIE_PATH, s.SESSION_COOKIE_DOMAIN, s.REQUIRE_SECOND_FACTOR)"
    env = {"PATH": os.environ["PATH"], "ORDERHUB_ENV": "production", "SECRET_KEY": "x" * 60, "VAR_DIR": str(tmp_path)}
    env |= {"FIELD_ENCRYPTION_KEYS": "a:b", "DJANGO_SETTINGS_MODULE": "orderhub.settings"}
    done = subprocess.run([sys.executable, "-c", told], env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == [
        "__Host-sessionid", "__Host-csrftoken", "True", "True", "Lax", "/", "None", "True",
    ], done.stderr  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"PRODUCTION": True, "REQUIRE_SECOND_FACTOR": False}, "REQUIRE_SECOND_FACTOR"),
        ({"PASSWORD_POLICY": "none"}, "PASSWORD_POLICY"),
        ({"TRUSTED_PROXIES": -1}, "TRUSTED_PROXIES"),
        ({"ADMIN_ALLOWLIST": ["10.0.0.0/8", "home"]}, "ADMIN_ALLOWLIST"),
        ({"ADMIN_ALLOWLIST": ["10.0.0.1/8"]}, "ADMIN_ALLOWLIST"),
    ],
)
def test_wrong_settings_of_signing_in_are_refused(settings, change, says):
    assert checks.sign_in_is_set_up(None) == []
    for name, value in change.items():
        setattr(settings, name, value)
    assert [says in error.msg for error in checks.sign_in_is_set_up(None)] == [True]


def test_d12a_a_user_called_admin_stops_production(settings):
    make_user(username="maud")
    make_user(username="root", is_active=False)
    settings.PRODUCTION = True
    assert checks.every_account_is_a_persons(None) == []
    make_user(username="Admin")
    found = checks.every_account_is_a_persons(None)
    assert [error.id for error in found] == ["orderhub.E021"] and "'Admin'" in found[0].msg
    settings.PRODUCTION = False
    assert checks.every_account_is_a_persons(None) == []


def test_session_periods_are_settings(client, noon, settings):
    settings.SESSION_IDLE = timedelta(minutes=5)
    sign_in(client, make_user("Support"))
    clock.advance(minutes=5)
    assert not is_in(client)
