"""The consent page, from the application's redirect to its tokens."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from stores.simulator import scenarios

from .asking import FORM, InProcess

PAGE, BACK = "/apps/authorize/consent", "https://hub.example/amazon/back"


@pytest.fixture
def asked() -> dict[str, str]:
    return {"application_id": scenarios.APPLICATION_ID, "state": "n0nce", "redirect_uri": BACK}


def agree(asker, asked, seller=scenarios.EU):
    return asker.send("POST", PAGE, urlencode(asked | {"seller_id": seller.seller_id}).encode(), {"Content-Type": FORM})


def test_the_whole_way_from_consent_to_tokens(world, asked):
    asker = InProcess(world)
    page = asker.ask("GET", PAGE, **asked)
    assert page.status == 200 and scenarios.EU.seller_id.encode() in page.body
    target = urlsplit(agree(asker, asked).headers["Location"])
    back = {name: values[0] for name, values in parse_qs(target.query).items()}
    assert target._replace(query="").geturl() == BACK
    assert (back["state"], back["selling_partner_id"]) == ("n0nce", scenarios.EU.seller_id)
    answer = asker.lwa(grant_type="authorization_code", code=back["spapi_oauth_code"], redirect_uri=BACK)
    participations = asker.sign_in(scenarios.EU, answer.json["refresh_token"]).ask(
        "GET", "/sellers/v1/marketplaceParticipations"
    )
    assert participations.json["payload"][0]["marketplace"]["countryCode"] == "FR"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"application_id": "another"}, b"MD1000"),
        ({"redirect_uri": "https://thief.example/"}, b"MD5101"),
        ({"redirect_uri": f"{BACK}#here"}, b"MD5110"),
    ],
)
def test_a_wrong_request_shows_the_real_pages_error_and_gives_no_code(world, asked, change, code):
    world.redirect_uris.append(BACK)
    asker = InProcess(world)
    for reply in (asker.ask("GET", PAGE, **asked | change), agree(asker, asked | change)):
        assert reply.status == 400 and code in reply.body and "Location" not in reply.headers
    assert world.tokens.codes == {}


def test_what_the_application_sends_is_escaped(world, asked):
    reply = InProcess(world).ask("GET", PAGE, **asked | {"state": '"><script>'})
    assert b"<script>" not in reply.body


def test_a_draft_application_is_asked_for_as_beta(world, asked):
    world.application_draft = True
    asker = InProcess(world)
    assert b"MD1000" in asker.ask("GET", PAGE, **asked).body
    assert asker.ask("GET", PAGE, **asked | {"version": "beta"}).status == 200


@pytest.mark.parametrize("code", ["SPDC8143", "SPSA0404", "SPSA2043", "CONSENT_LIMIT_REACHED"])
def test_a_seller_amazon_does_not_let_confirm_sees_the_code_and_does_not_come_back(world, asked, code):
    world.consent_refusals[scenarios.EU.seller_id] = code
    reply = agree(InProcess(world), asked)
    assert reply.status == 400 and code.encode() in reply.body and "Location" not in reply.headers
    assert world.tokens.codes == {}
