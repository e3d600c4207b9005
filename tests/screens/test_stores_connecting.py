"""Connecting an account through the screens: verified first, saved whole or not at all, the token unseen."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from orderhub import clock
from stores.models import AmazonAccount, Merchant, Store
from stores.simulator import scenarios
from tests.factories import connect, make_merchant, make_user

pytestmark = pytest.mark.django_db
ADD = "/admin/stores/amazonaccount/add/"
CONNECTORS = ["Support", "Customer success", "Administrator"]


@pytest.fixture
def support(client):
    client.force_login(make_user("Support"))
    return client


def typed(seller=scenarios.NA, **other) -> dict:
    return {
        "new_merchant": "Maple Lane",
        "region": seller.region,
        "seller_id": seller.seller_id,
        "token": seller.refresh_token,
    } | other


def choice(*sources: str, identifier: str = "sku") -> dict:
    return {"sources": list(sources), "product_identifier": identifier}


def verified(client, seller=scenarios.NA, **other) -> str:
    """The address of step 2."""
    answer = client.post(ADD, typed(seller, **other))
    assert answer.status_code == 302, sentences(answer)
    return answer["Location"]


def sentences(answer) -> str:
    form = answer.context["form"]
    return " ".join(text for texts in form.errors.values() for text in texts)


def counts() -> tuple[int, int, int]:
    return Merchant.objects.count(), AmazonAccount.objects.count(), Store.objects.count()


def test_a_seller_is_connected_in_two_steps(support, world, noon):
    step_2 = verified(support)
    assert counts() == (0, 0, 0)
    page = support.get(step_2).content.decode()
    assert re.findall(r'name="sources" value="(\w\w)"[^>]*?(checked)?>', page) == [
        ("US", "checked"), ("CA", "checked"), ("MX", "checked"),
    ]  # fmt: skip
    answer = support.post(step_2, choice("US", "CA", identifier="asin"), follow=True)
    account = AmazonAccount.objects.get()
    assert answer.redirect_chain == [(reverse("admin:stores_amazonaccount_change", args=[account.pk]), 302)]
    assert "connected with 2 stores" in answer.content.decode()
    assert account.merchant.name == "Maple Lane"
    assert account.verified_by.groups.get().name == "Support"
    assert sorted(account.stores.values_list("marketplace", "product_identifier")) == [
        ("CA", "asin"),
        ("US", "asin"),
    ]


def test_japan_is_not_ticked_and_stays_inactive(support, world):
    step_2 = verified(support, scenarios.JP)
    assert "checked" not in support.get(step_2).content.decode().split("product_identifier")[0]
    support.post(step_2, choice("JP"))
    assert not Store.objects.get(marketplace="JP").active


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"token": "Atzr|nobody-has-this"}, "Amazon refuses this authorisation token"),
        ({"seller_id": "A2SIMEUSELLER2"}, "does not belong to this token"),
        ({"seller_id": "not a seller!"}, "only letters and digits"),
        ({"token": "amzn.mws.1234"}, "This is an MWS token"),
        ({"region": "EU"}, "no marketplace of the chosen region"),
        ({"region": ""}, "Choose the region"),
        ({"seller_id": ""}, "Type the seller ID"),
        ({"token": ""}, "Paste the authorisation token"),
        ({"new_merchant": ""}, "Choose the merchant, or type the name"),
        ({"new_merchant": "M" * 101}, "at most 100 characters"),
    ],
)
def test_bad_input_is_answered_with_a_sentence_and_saves_nothing(support, world, wrong, sentence):
    answer = support.post(ADD, typed(**wrong))
    assert (answer.status_code, counts()) == (200, (0, 0, 0))
    assert sentence in sentences(answer)
    assert scenarios.NA.refresh_token not in answer.content.decode()
    assert "pending_connections" not in support.session


def test_an_individual_selling_plan_is_refused(support, world):
    answer = support.post(ADD, typed(scenarios.INDIVIDUAL))
    assert "Individual selling plan" in sentences(answer)
    assert counts() == (0, 0, 0)


def test_a_merchant_is_chosen_or_named_never_both(support, world):
    make_merchant("Maple Lane")
    assert "exists already" in sentences(support.post(ADD, typed(new_merchant="maple lane")))
    both = typed(merchant=Merchant.objects.get().pk, new_merchant="Other")
    assert "not both" in sentences(support.post(ADD, both))
    assert counts() == (1, 0, 0)


def test_a_known_merchant_keeps_its_row(support, world):
    merchant = make_merchant("Maple Lane")
    support.post(verified(support, merchant=merchant.pk, new_merchant=""), choice("US"))
    assert counts() == (1, 1, 1)


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (choice("US", "BR"), "does not sell on Amazon.com.br"),
        (choice("FR"), "does not sell on Amazon.fr"),
        (choice("XX"), "does not sell on XX"),
        (choice(), "Tick at least one order source"),
        ({"sources": ["US"]}, "Choose SKU or ASIN"),
        (choice("US", identifier="ean"), "Select a valid choice"),
    ],
)
def test_a_forged_or_empty_choice_saves_nothing_not_even_the_merchant(support, world, wish, sentence):
    step_2 = verified(support)
    answer = support.post(step_2, wish)
    assert (answer.status_code, counts()) == (200, (0, 0, 0))
    assert sentence in sentences(answer)
    assert support.post(step_2, choice("US")).status_code == 302  # the page can be corrected


def test_a_second_connection_leads_to_the_account_and_saves_nothing(support, world):
    account = connect()
    before = counts()
    answer = support.post(ADD, typed(), follow=True)
    assert answer.redirect_chain[-1][0].endswith(f"/{account.pk}/change/")
    assert "is already connected" in answer.content.decode()
    assert counts() == before


def test_two_people_connecting_at_once_make_one_account(support, world):
    step_2 = verified(support)
    connect(sources=("US",))
    before = counts()
    answer = support.post(step_2, choice("US"))
    assert "is already connected, for" in sentences(answer)
    assert counts() == before


def test_a_verification_works_once_for_ten_minutes_in_its_own_session(support, client, world, noon):
    stale = verified(support)
    clock.advance(minutes=10)
    assert support.post(stale, choice("US"))["Location"] == ADD
    fresh = verified(support)
    other = type(client)()
    other.force_login(make_user("Support"))
    assert other.post(fresh, choice("US"))["Location"] == ADD
    assert counts() == (0, 0, 0)
    assert support.post(fresh, choice("US")).status_code == 302
    assert support.post(fresh, choice("CA"))["Location"] == ADD
    assert counts() == (1, 1, 1)


def test_the_token_is_nowhere_in_pages_or_in_the_session_as_text(support, world, noon):
    token = scenarios.NA.refresh_token
    step_2 = verified(support)
    page = support.get(step_2).content.decode()
    stored = str(support.session["pending_connections"])
    assert token not in page + stored + step_2
    assert token.split("|")[1] not in stored
    final = support.post(step_2, choice("US"), follow=True).content.decode()
    assert token not in final
    assert support.session["pending_connections"] == {}
    assert all(token not in str(session.get_decoded()) for session in Session.objects.all())


def test_old_verifications_leave_the_session_at_the_next_one(support, world, noon):
    verified(support)
    clock.advance(minutes=11)
    verified(support)
    until = [entry["until"] for entry in support.session["pending_connections"].values()]
    assert until == [(noon + timedelta(minutes=21)).isoformat()]


@pytest.mark.parametrize("role", ["Support", "Customer success", "Administrator", "Warehouse", "Privacy officer"])
def test_only_those_who_may_connect_get_the_form(client, world, role):
    client.force_login(make_user(role))
    allowed = role in CONNECTORS
    assert client.get(ADD).status_code == (200 if allowed else 403)
    assert client.post(ADD, typed()).status_code == (302 if allowed else 403)
    if not allowed:
        assert client.post(f"{ADD}anything/", choice("US")).status_code == 403
        assert counts() == (0, 0, 0)


def test_a_form_without_its_csrf_token_does_nothing(world):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("Support"))
    assert client.post(ADD, typed()).status_code == 403


def test_the_token_field_neither_completes_nor_comes_back(support, world):
    page = support.post(ADD, typed(region="EU")).content.decode()
    field = re.search(r'<input[^>]*name="token"[^>]*>', page).group()
    assert 'type="password"' in field and 'autocomplete="off"' in field and "value=" not in field
    assert "style=" not in page
