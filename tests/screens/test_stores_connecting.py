"""Connecting an account through the screens: step by step, saved whole or not at all, the token unseen."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from orderhub import clock
from stores.models import AmazonAccount, ConnectionDraft, Merchant, Store
from stores.simulator import scenarios
from tests.factories import connect, make_merchant, make_user

pytestmark = pytest.mark.django_db
ADD = "/admin/stores/amazonaccount/add/"
CONNECTORS = ["Support", "Customer success", "Administrator"]


@pytest.fixture
def support(client):
    client.force_login(make_user("Support"))
    return client


def begun(client, country="US") -> str:
    """The address under which this connection's steps lie."""
    answer = client.post(ADD, {"country": country})
    assert answer.status_code == 302, sentences(answer)
    return answer["Location"].removesuffix("authorise/")


def typed(seller=scenarios.NA, **other) -> dict:
    return {"new_merchant": "Maple Lane", "seller_id": seller.seller_id, "token": seller.refresh_token} | other


def verified(client, seller=scenarios.NA, country="", **other) -> str:
    base = begun(client, country or seller.marketplaces[0])
    answer = client.post(base + "account/", typed(seller, **other))
    assert answer.status_code == 302, sentences(answer)
    assert answer["Location"] == base + "sources/"
    return base


def ticked(client, base: str, *sources: str) -> str:
    """The address of the last step."""
    answer = client.post(base + "sources/", {"sources": list(sources)})
    assert answer.status_code == 302, sentences(answer)
    return answer["Location"]


def connected(client, base: str, **identifiers: str):
    return client.post(ticked(client, base, *identifiers), identifiers, follow=True)


def sentences(answer) -> str:
    form = answer.context["form"]
    return " ".join(text for texts in form.errors.values() for text in texts)


def counts() -> tuple[int, int, int]:
    return Merchant.objects.count(), AmazonAccount.objects.count(), Store.objects.count()


def test_f3_to_f9_a_seller_is_connected_step_by_step_and_lands_on_the_stores_settings(support, world, noon):
    page = support.get(ADD).content.decode()
    assert re.findall(r'name="country" value="(\w\w)"', page)[:3] == ["US", "CA", "MX"]
    base = begun(support)
    page = support.get(base + "authorise/").content.decode()
    assert "sellercentral.amazon.com" in page
    answer = support.post(base + "account/", typed())
    assert counts() == (0, 0, 0)
    page = support.get(answer["Location"]).content.decode()
    assert re.findall(r'name="sources" value="(\w\w)"[^>]*?(checked)?>', page) == [
        ("US", "checked"), ("CA", "checked"), ("MX", "checked"),
    ]  # fmt: skip
    answer = connected(support, base, US="asin", CA="sku")
    account = AmazonAccount.objects.get()
    first = account.stores.get(marketplace="US")
    assert answer.redirect_chain == [(reverse("admin:stores_store_change", args=[first.pk]), 302)]
    assert "connected with 2 stores" in answer.content.decode()
    assert (account.merchant.name, account.country, account.account_type) == ("Maple Lane", "US", "unified")
    assert account.verified_by.groups.get().name == "Support"
    assert sorted(account.stores.values_list("marketplace", "product_identifier")) == [("CA", "sku"), ("US", "asin")]


def test_steps_are_left_and_come_back_to_without_losing_input(support, world):
    base = verified(support)
    last = ticked(support, base, "CA", "MX")
    assert 'value="CA"' in support.get(base + "country/").content.decode()
    page = support.get(base + "account/").content.decode()
    assert 'value="Maple Lane"' in page and f'value="{scenarios.NA.seller_id}"' in page
    assert scenarios.NA.refresh_token not in page
    # nothing typed anew: the kept token goes on
    assert support.post(base + "account/", typed(token="")).status_code == 302
    page = support.get(base + "sources/").content.decode()
    assert re.findall(r'name="sources" value="(\w\w)"[^>]*?(checked)?>', page) == [
        ("US", ""), ("CA", "checked"), ("MX", "checked"),
    ]  # fmt: skip
    support.post(last, {"CA": "sku", "MX": "asin"})
    assert Store.objects.count() == 2


def test_the_step_buttons_take_along_what_is_typed_right_or_wrong(support, world):
    """A hurried agent ticks three sources after the remedy, then clicks the next step instead of "Next"."""
    base = begun(support, "CA")
    support.post(base + "account/", {"new_merchant": "Maple Lane", "seller_id": "half", "go": "country"})
    page = support.get(base + "account/").content.decode()
    assert 'value="Maple Lane"' in page and 'value="half"' in page
    assert support.post(base + "account/", typed()).status_code == 200
    support.post(base + "other-tile/")
    answer = support.post(base + "sources/", {"sources": ["US", "CA", "MX"], "go": "products"})
    assert answer["Location"] == base + "products/"
    page = support.get(base + "products/").content.decode()
    assert "Amazon.com, Amazon.ca, Amazon.com.mx" in page
    support.post(base + "products/", {"US": "asin", "CA": "sku", "MX": "wrong", "go": "sources"})
    page = support.get(base + "products/").content.decode()
    assert re.search(r'name="US" value="asin"[^>]* checked', page) and re.search(
        r'name="MX" value="sku"[^>]* checked', page
    )
    assert counts() == (0, 0, 0)


def test_what_a_step_button_takes_along_is_fit_to_be_saved(support, world):
    """Nobody checked it yet, and the next button may be the one that connects."""
    base = verified(support)
    ticked(support, base, "US")
    odd = {"merchant": "9" * 30, "new_merchant": "Map\x00le\r\nLane" + "x" * 200, "seller_id": "", "token": ""}
    assert (
        support.post(base + "account/", odd | {"seller_id": scenarios.NA.seller_id, "go": "products"}).status_code
        == 302
    )
    connected(support, base, US="sku")
    name = Merchant.objects.get().name
    assert name.startswith("MapleLane") and len(name) == 100


def test_a_step_that_was_not_reached_leads_back_to_the_one_to_do_first(support, world):
    base = begun(support)
    assert support.post(base + "account/", {"go": "products"})["Location"] == base + "products/"
    assert support.get(base + "products/")["Location"] == base + "account/"
    assert support.post(base + "account/", typed() | {"go": "nowhere"})["Location"] == base + "sources/"


def test_the_first_button_of_each_form_goes_on(support, world):
    """What the Enter key presses."""
    base = verified(support)
    ticked(support, base, "US")
    for name in ("account", "sources", "products"):
        page = support.get(f"{base}{name}/").content.decode()
        first = re.search(r'<button type="submit" form="step"[^>]*>', page)[0]
        assert "name=" not in first and page.index(first) < page.index('name="go"')


def test_a_token_amazon_refused_is_not_kept_nor_offered(support, world):
    base = begun(support)
    page = support.post(base + "account/", typed(token="Atzr|unknown")).content.decode()
    assert "Amazon refuses this authorisation token" in page and "A token is kept" not in page
    assert "A token is kept" not in support.get(base + "account/").content.decode()


def test_a_token_waits_while_amazon_is_busy(support, world):
    world.faults.arm("getMarketplaceParticipations", "503")
    base = begun(support)
    support.post(base + "account/", typed())
    assert "A token is kept" in support.get(base + "account/").content.decode()
    assert support.post(base + "account/", typed(token=""))["Location"] == base + "sources/"


def test_r1_a_plan_amazon_does_not_tell_is_declared_by_a_tick(support, world):
    base = verified(support, scenarios.NO_PII_ROLE)
    assert "Ask the seller and tick this" in sentences(support.post(base + "sources/", {"sources": ["US"]}))
    support.post(base + "sources/", {"sources": ["US"], "go": "account"})
    assert support.post(base + "sources/", {"sources": ["US"], "go": "products"})["Location"] == base + "products/"
    assert support.post(base + "products/", {"US": "sku"})["Location"] == base + "sources/"  # not passed by the buttons
    assert counts() == (0, 0, 0)
    answer = support.post(base + "sources/", {"sources": ["US"], "professional": "on"})
    assert answer["Location"] == base + "products/"
    assert re.search(r'name="professional"[^>]* checked', support.get(base + "sources/").content.decode())
    support.post(base + "products/", {"US": "sku"})
    assert AmazonAccount.objects.get().seller_plan == "declared"


def test_a_refused_last_step_keeps_what_was_chosen(support, world):
    base = verified(support)
    last = ticked(support, base, "US", "CA")
    answer = support.post(last, {"US": "asin"})
    assert "Choose SKU or ASIN" in sentences(answer)
    assert counts() == (0, 0, 0)
    assert re.search(r'name="US" value="asin"[^>]* checked', answer.content.decode())


@pytest.mark.parametrize("change", ["seller", "token", "region"])
def test_r3_changing_what_was_verified_takes_the_order_sources_away(support, world, change):
    base = verified(support)
    if change == "region":
        support.post(base + "country/", {"country": "FR"})
    else:
        wrong = {"seller": {"seller_id": "A1OTHERSELLER99"}, "token": {"token": "Atzr|another"}}[change]
        assert support.post(base + "account/", typed(**wrong)).status_code == 200
    assert support.get(base + "sources/")["Location"] == base + "account/"
    assert support.post(base + "products/", {"US": "sku"})["Location"] == base + "account/"
    assert counts() == (0, 0, 0)


def test_another_seller_id_needs_its_own_token(support, world):
    base = verified(support)
    answer = support.post(base + "account/", typed(seller_id="A1OTHERSELLER99", token=""))
    assert "Another seller ID needs its own token" in sentences(answer)


@pytest.mark.parametrize("tile", ["CA", "MX"])
def test_r4_r8_a_unified_account_through_another_tile_is_refused_with_the_remedy_in_one_click(support, world, tile):
    base = begun(support, tile)
    answer = support.post(base + "account/", typed())
    page = answer.content.decode()
    source = {"CA": "Amazon.ca", "MX": "Amazon.com.mx"}[tile]
    assert f"The direct {source} tile only works for a stand-alone account" in page
    assert f"Use the Amazon.com tile, with the order source {source}" in page
    assert support.get(base + "account/").content.decode().count("stand-alone account") == 1
    calls = len(world.requests)
    assert support.post(base + "other-tile/")["Location"] == base + "sources/"
    page = support.get(base + "sources/").content.decode()
    assert re.findall(r'name="sources" value="(\w\w)"[^>]*? checked', page) == [tile]
    connected(support, base, **{tile: "sku"})
    assert Store.objects.get().marketplace == tile
    assert AmazonAccount.objects.get().country == "US"
    assert len(world.requests) == calls  # Amazon was asked once


def test_r9_the_canadian_tile_works_for_a_stand_alone_canadian_account(support, world):
    base = verified(support, scenarios.STANDALONE_CA, country="CA")
    connected(support, base, CA="sku")
    account = AmazonAccount.objects.get()
    assert (account.account_type, account.country) == ("standalone", "CA")


def test_a_tile_the_seller_does_not_sell_in_is_refused_with_one_that_fits(support, world):
    base = begun(support, "IT")
    page = support.post(base + "account/", typed(scenarios.EU)).content.decode()
    assert "This seller does not sell on Amazon.it. Amazon confirmed:" in page
    assert support.post(base + "other-tile/")["Location"] == base + "sources/"


def test_the_remedy_of_a_tile_that_fits_changes_nothing(support, world):
    base = verified(support)
    assert support.post(base + "other-tile/")["Location"] == base + "account/"
    assert support.get(base + "other-tile/")["Location"] == base + "account/"


def test_japan_is_not_ticked_and_stays_inactive(support, world):
    base = verified(support, scenarios.JP)
    assert not re.search(r'value="JP"[^>]* checked', support.get(base + "sources/").content.decode())
    connected(support, base, JP="sku")
    assert not Store.objects.get(marketplace="JP").active


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"seller_id": ""}, "Type the seller ID"),
        ({"seller_id": "A1 WITH BLANK"}, "only letters and digits"),
        ({"token": ""}, "Paste the authorisation token"),
        ({"token": "amzn.mws.4ea1"}, "closed MWS in 2024"),
        ({"token": "Atzr|unknown"}, "Amazon refuses this authorisation token"),
        ({"seller_id": "A1SOMEBODYELSE"}, "does not belong to this token"),
        ({"new_merchant": ""}, "type the name of a new one"),
    ],
)
def test_r2_bad_input_is_answered_with_a_sentence_and_saves_nothing(support, world, wrong, sentence):
    answer = support.post(begun(support) + "account/", typed(**wrong))
    assert sentence in sentences(answer)
    assert counts() == (0, 0, 0)


def test_a_country_that_is_none_is_answered_with_a_sentence(support, noon):
    assert "Choose the country" in support.post(ADD, {"country": "XX"}).content.decode()
    assert "Choose the country" in support.post(ADD, {}).content.decode()


def test_r1_an_individual_selling_plan_is_refused(support, world):
    answer = support.post(begun(support) + "account/", typed(scenarios.INDIVIDUAL))
    assert "This is an Individual selling plan" in sentences(answer)


def test_a_merchant_is_chosen_or_named_never_both(support, world):
    known = make_merchant("Known")
    base = begun(support)
    answer = support.post(base + "account/", typed(merchant=known.pk, new_merchant="Another"))
    assert "not both" in sentences(answer)
    answer = support.post(base + "account/", typed(new_merchant="known"))
    assert "exists already" in sentences(answer)


def test_a_known_merchant_keeps_its_row(support, world):
    known = make_merchant("Known")
    connected(support, verified(support, merchant=known.pk, new_merchant=""), US="sku")
    assert AmazonAccount.objects.get().merchant == known
    assert Merchant.objects.count() == 1


@pytest.mark.parametrize("wish", [[], ["FR"], ["US", "FR"], ["ZZ"]])
def test_a_forged_or_empty_choice_saves_nothing_not_even_the_merchant(support, world, wish):
    base = verified(support)
    answer = support.post(base + "sources/", {"sources": wish})
    assert sentences(answer)
    assert support.get(base + "products/")["Location"] == base + "sources/"
    assert counts() == (0, 0, 0)


def test_r10_a_forged_identifier_saves_nothing(support, world):
    last = ticked(support, verified(support), "US")
    assert "ean is not one of the available choices" in sentences(support.post(last, {"US": "ean"}))
    assert counts() == (0, 0, 0)


def test_r6_a_second_connection_leads_to_the_account_names_its_stores_and_saves_nothing(support, world):
    account = connect(scenarios.NA, sources=("US",))
    before = counts()
    answer = support.post(begun(support) + "account/", typed(), follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain[-1][0].startswith(reverse("admin:stores_amazonaccount_change", args=[account.pk]))
    assert "is already connected" in page and account.stores.get().name in page
    assert counts() == before


def test_two_people_connecting_at_once_make_one_account(support, world):
    last = ticked(support, verified(support), "US")
    connect(scenarios.NA)
    before = counts()
    answer = support.post(last, {"US": "sku"})
    assert "is already connected, for" in sentences(answer)
    assert counts() == before


def test_a_draft_works_once_in_its_own_session(support, client, world):
    last = ticked(support, verified(support), "US")
    other = type(client)()
    other.force_login(make_user("Support"))
    assert other.get(last)["Location"] == ADD
    assert support.post(last, {"US": "sku"}).status_code == 302
    assert AmazonAccount.objects.count() == 1
    assert support.post(last, {"US": "sku"})["Location"] == ADD


def test_a_draft_waits_for_half_an_hour(support, world, noon):
    last = ticked(support, verified(support), "US")
    with clock.at(noon + timedelta(minutes=29)):
        assert support.get(last).status_code == 200
    with clock.at(noon + timedelta(minutes=31)):
        assert support.get(last)["Location"] == ADD


def test_f2_the_token_is_nowhere_in_pages_or_in_the_session_as_text(support, world, noon):
    base = verified(support)
    last = ticked(support, base, "US")
    pages = "".join(
        support.get(base + name).content.decode() for name in ("country/", "authorise/", "account/", "sources/")
    )
    wrong = support.post(base + "account/", typed(new_merchant="")).content.decode()
    assert scenarios.NA.refresh_token not in pages + wrong + support.get(last).content.decode()
    assert all(scenarios.NA.refresh_token not in str(row.get_decoded()) for row in Session.objects.all())


def test_old_drafts_are_removed_by_the_next_one(support, world, noon):
    for _tab in range(3):
        begun(support)
    assert ConnectionDraft.objects.count() == 3
    with clock.at(noon + timedelta(hours=1)):
        begun(support)
    assert ConnectionDraft.objects.count() == 1


def test_two_tabs_do_not_lose_each_others_work(support, world):
    first, second = begun(support), begun(support, "FR")
    assert support.post(first + "account/", typed()).status_code == 302
    assert support.post(second + "account/", typed(scenarios.EU, new_merchant="Other")).status_code == 302
    connected(support, first, US="sku")
    assert support.get(first + "products/")["Location"] == ADD  # used up, and not brought back by the other tab
    connected(support, second, FR="sku")
    assert AmazonAccount.objects.count() == 2


@pytest.mark.parametrize("step", ["sources", "products"])
def test_a_page_that_showed_another_seller_connects_nothing(support, world, step):
    base = verified(support)
    ticked(support, base, "US")
    support.post(base + "account/", typed(scenarios.NEWCOMER))
    ticked(support, base, "US")
    answer = support.post(
        f"{base}{step}/", {"seller": scenarios.NA.seller_id, "sources": ["US"], "US": "sku"}, follow=True
    )
    assert "Another seller was verified meanwhile" in answer.content.decode()
    assert counts() == (0, 0, 0)


def test_the_last_step_says_what_is_about_to_be_connected(support, world):
    page = support.get(ticked(support, verified(support), "US", "CA")).content.decode()
    assert f"Seller {scenarios.NA.seller_id}, merchant Maple Lane: Amazon.com, Amazon.ca." in page


def test_r8_the_wrong_tile_is_not_passed_by_going_on_by_hand(support, world):
    """The trap itself: a unified seller through the direct Amazon.ca tile."""
    base = begun(support, "CA")
    page = support.post(base + "account/", typed()).content.decode()
    assert base + "sources/" not in page
    assert support.get(base + "sources/")["Location"] == base + "account/"
    assert support.post(base + "sources/", {"sources": ["CA"]})["Location"] == base + "account/"
    assert support.post(base + "products/", {"CA": "sku"})["Location"] == base + "account/"
    assert counts() == (0, 0, 0)


def test_a_merchant_named_meanwhile_by_somebody_else_is_not_taken_silently(support, world):
    last = ticked(support, verified(support), "US")
    make_merchant("maple lane")
    assert "Somebody added a merchant of this name meanwhile" in sentences(support.post(last, {"US": "sku"}))
    assert AmazonAccount.objects.count() == 0


def test_a_seller_id_amazon_does_not_let_us_compare_is_said_to_be_unchecked(support, world):
    world.faults.arm("searchListingsItems", "403_revoked", times=None)
    base = verified(support)
    assert "did not let us compare it with the seller ID" in support.get(base + "sources/").content.decode()


@pytest.mark.parametrize("role", ["Warehouse", "Privacy officer", None])
def test_only_those_who_may_connect_get_the_steps(client, support, world, role):
    base = verified(support)
    client.force_login(make_user(*([role] if role else [])))
    assert client.get(ADD).status_code == 403
    assert client.post(ADD, {"country": "US"}).status_code == 403
    for name in ("country", "authorise", "account", "other-tile", "sources", "products"):
        assert client.get(f"{base}{name}/").status_code == 403
        assert client.post(f"{base}{name}/", typed()).status_code == 403


@pytest.mark.parametrize("role", CONNECTORS)
def test_those_who_connect_get_the_first_step(client, noon, role):
    client.force_login(make_user(role))
    assert client.get(ADD).status_code == 200


def test_a_form_without_its_csrf_token_does_nothing(world, client):
    strict = type(client)(enforce_csrf_checks=True)
    strict.force_login(make_user("Support"))
    refused = strict.post(ADD, {"country": "US"})
    assert refused.status_code == 403
    assert "open the page anew and retry" in refused.content.decode()
    assert not ConnectionDraft.objects.exists()


def test_the_token_field_neither_completes_nor_comes_back(support, world):
    base = begun(support)
    page = support.post(base + "account/", typed(new_merchant="")).content.decode()
    field = re.search(r'<input type="password" name="token"[^>]*>', page)[0]
    assert 'autocomplete="off"' in field and "value=" not in field
