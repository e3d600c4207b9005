"""The start page: what needs work, counted, linked to exactly those rows, and only for those who may see them."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from orderhub import clock, dashboard
from orderhub.models import JobRun
from orders.models import QuarantinedOrder
from privacy import access
from shipments.models import ShipmentNotification
from stores.marketplaces import BY_CODE
from stores.models import UnconnectedOrder
from tests.factories import make_order, make_shipment, make_store, make_user

pytestmark = pytest.mark.django_db
START = reverse("admin:index")


@pytest.fixture
def busy(noon):
    """One of everything that needs work."""
    store = make_store()
    make_order(store, ship_by=noon - timedelta(hours=1))
    make_order(store, ship_by=noon + timedelta(hours=1))
    make_order(store, ship_by=noon + timedelta(days=2))
    make_order(store, status="on_hold")
    make_order(store, cancel_requested_at=noon, ship_by=None)
    make_order(store, redaction_due_at=noon + timedelta(days=1), ship_by=None)
    make_order(store, redaction_due_at=noon - timedelta(hours=2), status="shipped")
    for state in ("rejected", "needs_attention", "unknown"):
        shipment = make_shipment(make_order(store))
        ShipmentNotification.objects.filter(shipment=shipment).update(state=state)
    QuarantinedOrder.objects.create(account=store.account, order_number="111-1", code="UnexpectedAnswer")
    for number in range(3):
        UnconnectedOrder.objects.create(
            account=store.account, marketplace_id=BY_CODE["CA"].id, order_number=f"702-{number}"
        )
    return store


def _board(client):
    return client.get(START).context["board"]


def test_every_card_counts_what_its_list_shows(client, busy):
    client.force_login(make_user(access.SUPPORT))
    cards = _board(client).cards
    assert [card.count for card in cards] == [1, 1, 1, 1, 1, 1, 1, 2, 1, 1]
    for card in cards:
        rows = client.get(card.url).context["cl"]
        assert rows.result_count == card.count, card.title


@pytest.mark.sampled(3)
@pytest.mark.parametrize("role", list(access.ROLES))
def test_every_card_and_sentence_leads_to_a_page_its_reader_may_open(client, busy, role):
    client.force_login(make_user(role))
    board = _board(client)
    assert board.cards
    for link in [*board.cards, *board.notices]:
        assert client.get(link.url).status_code == 200, link
    html = client.get(START).content.decode()
    assert "Ada Example" not in html


def test_cards_are_made_only_for_those_with_the_right(client, busy):
    def seen(role):
        client.force_login(make_user(role))
        board = _board(client)
        return len(board.cards), {notice.level for notice in board.notices}, board.sees_runs

    assert seen(access.SUPPORT) == (10, {"warn"}, False)
    assert seen(access.WAREHOUSE) == (10, set(), False)
    assert seen(access.PRIVACY) == (8, {"bad"}, True)


def test_unconnected_sources_and_stopped_accounts_are_told_in_words(client, busy):
    busy.account.stop("revoked", "invalid_grant")
    client.force_login(make_user(access.SUPPORT))
    html = client.get(START).content.decode()
    assert "3 orders on Amazon.ca: connect this order source." in html
    assert "Amazon no longer accepts the token." in html


def test_a_silent_worker_is_an_alarm_until_it_beats(client, noon):
    client.force_login(make_user(access.ADMINISTRATOR))
    assert "The worker is silent" in client.get(START).content.decode()
    JobRun.objects.create(job=dashboard.HEARTBEAT, started_at=clock.now(), ok=True, outcome="alive")
    html = client.get(START).content.decode()
    assert "The worker is silent" not in html and "alive" in html


def test_the_picture_has_a_bar_a_day_and_no_inline_style(client, busy):
    client.force_login(make_user(access.SUPPORT))
    answer = client.get(START)
    bars = answer.context["board"].bars
    assert [bar.count for bar in bars] == [1, 1, 0, 1, 0, 0, 0, 0]
    html = answer.content.decode()
    assert html.count("<rect") == 8 and "style=" not in html


def test_the_start_page_has_a_constant_number_of_queries(client, noon, django_assert_max_num_queries):
    client.force_login(make_user(access.SUPPORT, access.ADMINISTRATOR))
    store, counts = make_store(), []
    for more in (5, 20):
        for _each in range(more):
            make_shipment(make_order(store))
            make_order(store)
        client.get(START)
        with django_assert_max_num_queries(23) as seen:
            client.get(START)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_header_names_user_role_and_lists_and_switches_the_language(client, noon):
    user = make_user(access.SUPPORT, username="maud")
    client.force_login(user)
    html = client.get(START).content.decode()
    for text in ("OrderHub", "maud", "Support", reverse("admin:orders_order_changelist"), reverse("set_language")):
        assert text in html
    answer = client.post(reverse("set_language"), {"language": "fr", "next": START})
    user.refresh_from_db()
    assert (urlsplit(answer.url).path, user.language) == (START, "fr")


def test_the_menu_offers_no_list_the_reader_may_not_open(client, noon):
    for role in access.ROLES:
        client.force_login(make_user(role))
        menu = client.get(START).context["menu"]
        for link in [*menu["first"], *menu["more"]]:
            assert client.get(link["url"]).status_code == 200, (role, link["url"])


def test_strangers_get_the_login_page_only(client, noon):
    answer = client.get(START)
    assert answer.status_code == 302 and "login" in answer.url
    html = client.get(answer.url).content.decode()
    assert "theme.css" in html and "oh-nav" not in html


def test_a_user_without_a_role_is_told_to_ask_for_one(client, noon):
    client.force_login(make_user())
    assert "Ask your administrator for a role" in client.get(START).content.decode()


def test_amounts_are_written_as_the_reader_writes_them():
    from decimal import Decimal

    from django.utils.translation import override

    from orderhub.wording import amount

    with override("fr"):
        assert amount(Decimal("1234.5"), "EUR").replace("\u202f", " ").replace("\xa0", " ") == "1 234,50 EUR"
        assert amount(Decimal("980"), "JPY") == "980 JPY"
    with override("en"):
        assert amount(Decimal("1234.5"), "USD") == "1,234.50 USD"
    assert amount(None, "EUR") == "–"


def test_what_a_role_does_not_include_is_refused_in_words(client):
    client.force_login(make_user("Warehouse", language="fr"))
    answer = client.get("/admin/stores/amazonaccount/add/")
    assert answer.status_code == 403
    assert "Votre rôle ne donne pas accès à cette page" in answer.content.decode()


def test_an_unknown_address_is_answered_in_words_without_repeating_it(client):
    client.force_login(make_user("Support", language="fr"))
    answer = client.get("/admin/orders/Jean-Exemple/")
    assert answer.status_code == 404
    assert "Page introuvable" in answer.content.decode()
    assert "Jean-Exemple" not in answer.content.decode().replace('value="/admin/orders/Jean-Exemple/"', "")


def test_after_signing_in_again_the_language_switch_is_no_dead_end(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    answer = client.get(reverse("set_language"), {"language": "fr"})
    user.refresh_from_db()
    assert (answer.status_code, answer.url, user.language) == (302, START, "en")


def test_the_buttons_of_languages_and_the_login_page_are_named(client, noon):
    assert "<h1>Log in</h1>" in client.get(reverse("admin:login")).content.decode()
    client.force_login(make_user(access.SUPPORT))
    assert 'aria-label="FR, Français"' in client.get(START).content.decode()


def test_a_stopped_account_can_be_opened_from_its_sentence(client, busy):
    busy.account.stop("revoked", "invalid_grant")
    client.force_login(make_user(access.SUPPORT))
    html = client.get(START).content.decode()
    page = reverse("admin:stores_amazonaccount_change", args=[busy.account.pk])
    assert f'<a href="{page}">Open the account</a>' in html


def test_a_french_colon_has_its_space_and_a_number_is_said_once():
    from django.utils.translation import override

    from orderhub.wording import about

    with override("fr"):
        assert about("111-1", "refusé") == "111-1\u00a0: refusé"
    assert about("111-1", "Order 111-1 is on hold.") == "Order 111-1 is on hold."
