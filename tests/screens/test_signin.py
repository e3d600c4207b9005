"""The pages of signing in: what they say, in which language, without anything inline, at a constant price."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub.signin import secondfactor
from tests.factories import make_user
from tests.signins import CHECK, FACTOR, code_of, enrol, freshen, is_in, sign_in, type_code, type_password

pytestmark = pytest.mark.django_db
LOGIN, START, CONFIRM, PASSWORD_PAGE = "/admin/login/", "/admin/", "/account/confirm/", "/admin/password_change/"
OFF = "The second factor is off here"


@pytest.mark.parametrize("required", [True, False])
def test_where_the_second_factor_is_off_the_sign_in_page_and_the_start_page_say_so(client, noon, settings, required):
    settings.REQUIRE_SECOND_FACTOR = required
    assert (OFF in client.get(LOGIN).content.decode()) is not required
    user = make_user("Support")
    enrol(user)
    sign_in(client, user)
    assert (OFF in client.get(START).content.decode()) is not required


def every_page(noon) -> dict[str, str]:
    """Each page of signing in, as HTML."""
    pages, user = {}, make_user("Support", username="maud")
    client = Client()
    pages["sign in"] = client.get(LOGIN)
    type_password(client, user)
    freshen(client)
    pages["enrol"] = client.get(FACTOR)
    code = secondfactor.code_at(secondfactor.being_enrolled(user), noon)
    pages["codes"] = client.post(FACTOR, {"deed": "confirm", "code": code})
    pages["factor"] = client.get(FACTOR)
    pages["confirm"] = client.get(CONFIRM)
    pages["password"] = client.get(PASSWORD_PAGE)
    other = Client()
    type_password(other, user)
    pages["check"] = other.get(CHECK)
    for _each in range(5):
        pages["locked"] = type_code(other, "000000")
    return {name: answer.content.decode() for name, answer in pages.items()}


def test_every_page_has_one_heading_labels_and_nothing_inline(noon):
    pages = every_page(noon)
    assert len(pages) == 8
    for name, page in pages.items():
        assert page.count("<h1>") == 1, name
        assert "style=" not in page and "<style" not in page and "onclick" not in page and "data:" not in page, name
        assert not re.search(r"<script(?![^>]* src=)", page), name
        fields = re.findall(r'<input type="(?:text|password)"[^>]* id="(\w+)"', page)
        assert all(f'for="{field}"' in page for field in fields), name
        assert not re.search(r"\bAda\b", page)  # letters of a token are no name


def test_who_owes_a_code_sees_no_menu_and_can_leave_or_change_the_language(client, noon):
    user = make_user("Support")
    enrol(user)
    type_password(client, user)
    page = client.get(CHECK).content.decode()
    assert "oh-nav" not in page and "Log out" in page and "Français" in page
    client.post("/language/", {"language": "fr", "next": CHECK})
    assert client.get(CHECK)["Content-Language"] == "fr"
    client.post("/admin/logout/")
    assert client.get(CHECK)["Location"].startswith(LOGIN)


def test_after_the_code_one_is_where_one_wanted_to_be(client, noon):
    user = make_user("Support")
    enrol(user)
    wanted = "/admin/orders/order/?status=shipped"
    answer = client.post(LOGIN, {"username": user.username, "password": "correct horse battery", "next": wanted})
    answer = client.get(answer["Location"])
    assert answer["Location"].startswith(CHECK)
    page = client.get(answer["Location"]).content.decode()
    assert f'name="next" value="{wanted}"' in page
    assert client.post(CHECK, {"code": code_of(user), "next": wanted})["Location"] == wanted


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example"])
def test_signing_in_leads_to_no_other_site(client, noon, elsewhere):
    user = make_user("Support")
    enrol(user)
    type_password(client, user)
    assert client.post(CHECK, {"code": code_of(user), "next": elsewhere})["Location"] == START


def test_the_locked_page_says_what_to_do_and_when_to_come_back(client, noon):
    for _each in range(5):
        answer = type_password(client, "nobody", "wrong")
    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert "Wait 15 minutes" in page and "ask an administrator" in page and "nobody" not in page


def test_few_recovery_codes_are_told(client, noon):
    user = make_user("Support")
    enrol(user)
    codes = secondfactor.new_recovery_codes(user)
    for code in codes[:7]:
        type_password(client, user)
        type_code(client, code)
        assert is_in(client)
        page = client.get(PASSWORD_PAGE).content.decode()
        client.post("/admin/logout/")
    assert "3 recovery codes are left. Make new ones" in page


def test_the_panel_of_a_user_is_for_administrators_and_costs_the_same_for_many_sessions(client, noon):
    user = make_user("Support", username="maud")
    page = reverse("admin:orderhub_user_change", args=[user.pk])
    client.force_login(make_user("Administrator"))
    client.get(page)

    def cost() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert "not locked" in client.get(page).content.decode()
        return len(caught)

    few = cost()
    for _each in range(3):
        sign_in(Client(), user)
        type_password(Client(), user, "wrong", address="203.0.113.5")
    assert cost() == few <= 24


def test_signing_in_costs_the_same_whatever_happened_before(client, noon):
    user = make_user("Support")

    def cost() -> int:
        browser = Client()
        with CaptureQueriesContext(connection) as caught:
            assert type_password(browser, user).status_code == 302
        browser.post("/admin/logout/")
        return len(caught)

    first = cost()
    for number in range(9):
        type_password(client, user, "wrong", address=f"203.0.113.{number}")
    assert cost() == first
