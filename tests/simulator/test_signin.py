"""Login with Amazon, access tokens, roles."""

import pytest

from stores.simulator import scenarios

from .asking import InProcess


def test_a_refresh_token_is_not_rotated(world):
    reply = InProcess(world).lwa(grant_type="refresh_token", refresh_token=scenarios.NA.refresh_token)
    assert reply.json["refresh_token"] == scenarios.NA.refresh_token
    assert reply.json["access_token"].startswith("Atza|")
    assert (reply.json["token_type"], reply.json["expires_in"]) == ("bearer", 3600)


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"grant_type": "refresh_token", "refresh_token": "Atzr|unknown"}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token"}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "everything"}, 400, "invalid_scope"),
        (
            {"grant_type": "authorization_code", "code": "x", "redirect_uri": "https://h/"},
            400,
            "invalid_grant",
        ),
        ({"grant_type": "refresh_token", "client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token", "client_id": "somebody"}, 401, "invalid_client"),
    ],
)
def test_errors_of_lwa_have_their_code_and_status(world, fields, status, error):
    reply = InProcess(world).lwa(**fields)
    assert (reply.status, reply.json["error"]) == (status, error)


def test_lwa_takes_forms_only(world):
    assert InProcess(world).ask("POST", "/auth/o2/token", data={"grant_type": "refresh_token"}).status == 400


def test_two_client_secrets_live_during_a_rotation(world):
    world.client_secrets.append("the-new-one")
    fields = {"grant_type": "refresh_token", "refresh_token": scenarios.NA.refresh_token}
    assert InProcess(world).lwa(**fields, client_secret="the-new-one").status == 200
    world.client_secrets.remove(scenarios.CLIENT_SECRET)
    assert InProcess(world).lwa(**fields).status == 401


def test_a_code_is_good_once_and_for_five_minutes(world):
    asker = InProcess(world)
    fields = {"grant_type": "authorization_code", "redirect_uri": "https://hub.example/back"}
    code = world.authorization_code(scenarios.NA)
    answer = asker.lwa(**fields, code=code)
    assert asker.sign_in(scenarios.NA, answer.json["refresh_token"]).search().status == 200
    assert asker.lwa(**fields, code=code).json["error"] == "invalid_grant"
    late = world.authorization_code(scenarios.NA)
    world.clock.advance(seconds=300)
    assert asker.lwa(**fields, code=late).json["error"] == "invalid_grant"


def test_the_details_of_a_403_tell_the_cases_apart(world, us):
    good, us.token = us.token, None
    missing = us.search()
    us.token = "Atza|nonsense"
    malformed = us.search()
    us.token = good
    world.clock.advance(seconds=3600)
    expired = us.search()
    assert [r.status for r in (missing, malformed, expired)] == [403] * 3
    assert {r.code for r in (missing, malformed, expired)} == {"Unauthorized"}
    assert "missing" in missing.text and "malformed" in malformed.text and "expired" in expired.text


def test_revoking_kills_live_tokens_and_renewing_gives_a_new_one(world, us):
    world.revoke(scenarios.NA)
    assert us.search().status == 403 and "revoked" in us.search().text
    old = {"grant_type": "refresh_token", "refresh_token": scenarios.NA.refresh_token}
    assert us.lwa(**old).json["error"] == "invalid_grant"
    assert InProcess(world).sign_in(scenarios.EU).search().status == 200
    assert us.sign_in(scenarios.NA, world.renew(scenarios.NA)).search().status == 200
    assert us.lwa(**old).json["error"] == "invalid_grant"


def test_a_grantless_token_reads_no_sellers_data(world):
    asker = InProcess(world)
    reply = asker.lwa(grant_type="client_credentials", scope="sellingpartnerapi::notifications")
    assert "refresh_token" not in reply.json
    asker.token = reply.json["access_token"]
    assert asker.search().status == 403


def test_the_account_tells_its_plan_unless_the_role_is_missing(world):
    def account(seller):
        return InProcess(world).sign_in(seller).ask("GET", "/sellers/v1/account")

    assert account(scenarios.NA).json["payload"]["sellingPlan"] == "PROFESSIONAL"
    assert account(scenarios.INDIVIDUAL).json["payload"]["sellingPlan"] == "INDIVIDUAL"
    assert account(scenarios.NO_PII_ROLE).status == 403


def test_participations_list_the_sellers_marketplaces_and_a_pseudo_one(us):
    entries = us.ask("GET", "/sellers/v1/marketplaceParticipations").json["payload"]
    assert [e["marketplace"]["id"] for e in entries[:3]] == [
        "ATVPDKIKX0DER",
        "A2EUQ1WTGCTBG2",
        "A1AM78C64UM0Y8",
    ]
    assert entries[3]["marketplace"]["name"].startswith("Non-Amazon")


def test_a_foreign_seller_id_is_told_apart_from_the_own(us):
    def listings(seller_id):
        return us.ask("GET", f"/listings/2021-08-01/items/{seller_id}", marketplaceIds="ATVPDKIKX0DER")

    assert listings(scenarios.NA.seller_id).status == 200
    wrong = listings(scenarios.EU.seller_id)
    assert (wrong.status, wrong.code) == (400, "InvalidInput") and "seller id is not valid" in wrong.text


def test_every_answer_carries_id_date_and_where_promised_the_rate(us):
    good, missing = us.search(), us.order("112-0000000-0000000")
    assert good.headers["Date"] == "Mon, 23 Nov 2026 12:00:00 GMT"
    assert good.headers["x-amzn-RateLimit-Limit"] == "0.0056" and missing.headers["x-amzn-RateLimit-Limit"] == "0.5"
    assert good.headers["x-amzn-RequestId"] != missing.headers["x-amzn-RequestId"]
    us.token = None
    assert "x-amzn-RateLimit-Limit" not in us.search().headers
