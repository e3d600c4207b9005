"""What every page says above all: accounts that stopped or will, and a client secret that grows old. Two lines at most."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from privacy import access
from stores import health, secrets
from stores.models import AmazonAccount
from tests.factories import make_account, make_merchant, make_order, make_store, make_user

pytestmark = pytest.mark.django_db
Status = AmazonAccount.Status
LIST = reverse("admin:orders_order_changelist")
START = reverse("admin:index")


def account_named(number: int, *, days: float = 200, status: str = "", name: str = ""):
    account = make_account(selling_partner_id=f"A{number}SELLER", merchant=make_merchant(name or f"Shop {number}"))
    AmazonAccount.objects.filter(pk=account.pk).update(
        authorization_expires_at=account.authorized_at + timedelta(days=days)
    )
    if status:
        account.stop(status, health.OPERATOR)
    return account


def banner(client, address: str = LIST) -> list[tuple[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    return [(notice.level, notice.text) for notice in answer.context["banner"]]


@pytest.fixture
def support(client):
    client.force_login(make_user(access.SUPPORT))
    return client


def test_nothing_is_said_while_all_is_well(support, noon):
    account_named(1, days=31)
    account_named(2, status=Status.PENDING)
    assert banner(support) == []
    assert "oh-note" not in support.get(LIST).content.decode()


def test_a_stopped_account_is_named_with_its_page(support, noon):
    account = account_named(1, status=Status.REVOKED)
    assert banner(support) == [("bad", "1 account must be authorised again: Shop 1 (NA).")]
    html = support.get(LIST).content.decode()
    page = reverse("admin:stores_amazonaccount_change", args=[account.pk])
    assert f'<a href="{page}">Open the account</a>' in html and "oh-note--bad" in html


@pytest.mark.parametrize(("days", "level"), [(30.5, "warn"), (8, "warn"), (7.5, "bad"), (0.5, "bad")])
def test_an_authorisation_that_ends_is_named_in_time(support, noon, days, level):
    account_named(1, days=days)
    assert banner(support) == [(level, "1 authorisation ends within 30 days: Shop 1 (NA).")]


def test_many_accounts_make_one_line(support, noon):
    for number in range(9):
        account_named(number, days=20)
    ending = "9 authorisations end within 30 days: Shop 0 (NA), Shop 1 (NA), Shop 2 (NA), 6 more."
    assert banner(support) == [("warn", ending)]
    for account in AmazonAccount.objects.order_by("pk")[:5]:
        account.stop(Status.EXPIRED, "year_over")
    stopped = "5 accounts must be authorised again: Shop 0 (NA), Shop 1 (NA), Shop 2 (NA), 2 more."
    assert banner(support) == [("bad", f"{stopped} 4 authorisations end within 30 days.")]
    assert f'<a href="{reverse("admin:stores_amazonaccount_changelist")}">Open the accounts</a>' in (
        support.get(LIST).content.decode()
    )


def test_accounts_the_operator_must_mend_are_not_sent_back_to_their_sellers(support, noon):
    account_named(1, status=Status.PAUSED)
    account_named(2, status=Status.PAUSED)
    assert banner(support) == [("bad", "2 accounts are stopped: Shop 1 (NA), Shop 2 (NA).")]


@pytest.mark.parametrize(("issued", "levels"), [("2026-06-24", []), ("2026-06-23", ["warn"]), ("2026-05-29", ["bad"])])
def test_an_old_client_secret_is_a_line_of_its_own(support, noon, settings, issued, levels):
    settings.LWA_CLIENT_SECRET_ISSUED_ON = issued
    account_named(1, status=Status.REVOKED)
    assert [level for level, _text in banner(support)[1:]] == levels
    assert (secrets.HOW_TO in support.get(LIST).content.decode()) == bool(levels)


def test_names_of_merchants_are_shown_as_text(support, noon):
    account_named(1, status=Status.REVOKED, name="<script>alert(1)</script>")
    html = support.get(LIST).content.decode()
    assert "<script>alert" not in html and "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize("role", list(access.ROLES))
def test_it_is_for_those_who_may_change_accounts(client, noon, settings, role):
    settings.LWA_CLIENT_SECRET_ISSUED_ON = "2026-05-01"
    account_named(1, status=Status.REVOKED)
    client.force_login(make_user(role))
    may = "stores.change_amazonaccount" in access.ROLES[role]
    assert len(banner(client)) == (2 if may else 0)
    assert ("Shop 1 (NA)" in client.get(LIST).content.decode()) is may


def test_every_page_has_it_but_not_the_login_page(client, support, noon):
    order = make_order(make_store(account=account_named(1, status=Status.EXPIRED)))
    for address in (
        LIST, reverse("admin:orders_order_change", args=[order.pk]), reverse("admin:stores_store_changelist"),
        reverse("admin:stores_amazonaccount_changelist"), reverse("admin:password_change"),
    ):  # fmt: skip
        assert len(banner(support, address)) == 1, address
    assert "must be authorised again" in support.get("/admin/nothing-here/").content.decode()
    client.logout()
    assert "must be authorised again" not in client.get(reverse("admin:login")).content.decode()


def test_the_start_page_says_it_at_length_and_once(support, noon, settings):
    settings.LWA_CLIENT_SECRET_ISSUED_ON = "2026-05-01"
    account_named(1, status=Status.EXPIRED)
    account_named(2, days=12.5)
    account_named(3, days=3.5)
    account_named(4)
    answer = support.get(START)
    html = answer.content.decode()
    assert answer.context["banner"] == []
    said = [(notice.level, notice.text) for notice in answer.context["board"].notices]
    assert [level for level, _text in said] == ["bad", "bad", "warn", "bad"]
    for text, (_level, found) in zip(
        ("A1SELLER (NA): The yearly", "A3SELLER (NA): The authorisation ends on 24 Nov 2026 (3 days left)",
         "A2SELLER (NA): The authorisation ends on 3 Dec 2026 (12 days left)", "days old"), said, strict=True,
    ):  # fmt: skip
        assert text in found and html.count(found.replace("'", "&#x27;")) == 1
    assert "A4SELLER" not in html


def test_it_costs_one_query_for_accounts_and_one_for_the_secret(client, noon, settings):
    page = reverse("admin:password_change")

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(page).status_code == 200
        return len(caught)

    client.force_login(make_user(access.WAREHOUSE))
    queries()
    without = queries()
    client.force_login(make_user(access.SUPPORT))
    queries()
    assert queries() == without + 2
    for number in range(25):
        account_named(number, status=Status.REVOKED if number % 2 else "", days=10)
    assert queries() == without + 2
    settings.LWA_CLIENT_SECRET_ISSUED_ON = "2026-05-01"
    assert queries() == without + 1


def test_no_token_is_even_read_for_it(support, noon):
    account_named(1, status=Status.REVOKED)
    with CaptureQueriesContext(connection) as caught:
        assert len(banner(support, reverse("admin:password_change"))) == 1
    assert not [query for query in caught if "refresh_token" in query["sql"]]


def test_the_accounts_own_page_does_not_send_to_itself(support, noon):
    account = account_named(1, status=Status.REVOKED)
    page = reverse("admin:stores_amazonaccount_change", args=[account.pk])
    assert banner(support, page) == []
    assert "Amazon no longer accepts the token" in support.get(page).content.decode()
