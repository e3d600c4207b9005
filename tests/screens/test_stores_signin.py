"""Sign-in with Amazon: what leaves, what may come back, and nothing left behind in an address. B12, B13."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.urls import reverse
from django.utils.html import escape
from django.views.debug import ExceptionReporter

from orderhub import clock
from stores.models import AmazonAccount, AuthorizationAttempt, ConnectionDraft, Store
from stores.simulator import scenarios
from tests.factories import connect, make_user

pytestmark = pytest.mark.django_db
LIST = "/admin/stores/amazonaccount/"
CALLBACK = f"{LIST}sign-in/callback/"
FROM_AMAZON = f"{LIST}sign-in/from-amazon/"
CONFIRM = f"https://sellercentral.amazon.com/apps/authorize/confirm/{scenarios.APPLICATION_ID}"


@pytest.fixture
def support(client):
    client.force_login(make_user("Support"))
    return client


def begun(client, country="US") -> str:
    return client.post(f"{LIST}add/", {"country": country})["Location"].removesuffix("authorise/")


def left(client, base: str) -> dict[str, str]:
    """What the browser is sent to Amazon with."""
    answer = client.post(f"{base}account/", {"new_merchant": "Maple Lane", "how": "sign_in"})
    assert answer.status_code == 303
    return sent(answer["Location"])


def sent(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def coming_back(world, state: str, seller=scenarios.NA, **other: str) -> str:
    """The address Amazon sends the browser to."""
    asked = {
        "state": state,
        "selling_partner_id": seller.seller_id,
        "spapi_oauth_code": world.authorization_code(seller),
    }
    return f"{CALLBACK}?{urlencode(asked | other)}"


def told(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def nothing_came_of_it() -> bool:
    return AmazonAccount.objects.count() == 0 and Store.objects.count() == 0


def test_a_seller_signs_in_and_the_order_sources_are_next(support, world, settings):
    base = begun(support)
    answer = support.post(f"{base}account/", {"new_merchant": "Maple Lane", "how": "sign_in"})
    parts = urlsplit(answer["Location"])
    assert f"{parts.scheme}://{parts.netloc}" == settings.SELLER_CENTRAL_BASE_URL
    assert parts.path == "/apps/authorize/consent"
    asked = sent(answer["Location"])
    assert asked["application_id"] == scenarios.APPLICATION_ID
    assert asked["redirect_uri"] == f"http://testserver{CALLBACK}"
    assert "version" not in asked
    assert len(asked["state"]) >= 43  # 256 bits
    back = support.get(coming_back(world, asked["state"]))
    assert (back.status_code, back["Location"]) == (303, f"{base}sources/")
    support.post(f"{base}sources/", {"sources": ["US", "CA"]})
    support.post(f"{base}products/", {"US": "sku", "CA": "sku"})
    account = AmazonAccount.objects.get()
    assert (account.selling_partner_id, account.credential_kind) == (scenarios.NA.seller_id, "sign_in")
    assert account.refresh_token in world.tokens.refresh and account.refresh_token != scenarios.NA.refresh_token


def test_signing_in_as_another_seller_than_the_one_typed_is_refused(support, world):
    base = begun(support, "CA")
    answer = support.post(
        f"{base}account/",
        {"new_merchant": "Maple Lane", "seller_id": scenarios.STANDALONE_CA.seller_id, "how": "sign_in"},
    )
    answer = support.get(coming_back(world, sent(answer["Location"])["state"], scenarios.NO_PII_ROLE), follow=True)
    assert f"You typed seller {scenarios.STANDALONE_CA.seller_id}, but signed in as seller" in told(answer)
    assert f'value="{scenarios.STANDALONE_CA.seller_id}"' in answer.content.decode()


def test_a_draft_application_says_so_and_a_registered_address_is_used_as_it_is(support, world, settings):
    settings.SPAPI_APPLICATION_DRAFT = True
    settings.SPAPI_REDIRECT_URI = "https://orderhub.example/back/"
    asked = left(support, begun(support))
    assert (asked["version"], asked["redirect_uri"]) == ("beta", "https://orderhub.example/back/")


def test_the_real_consent_page_is_on_the_sellers_own_seller_central(support, world, settings):
    settings.SELLER_CENTRAL_BASE_URL = ""
    for country, host in (("CA", "sellercentral.amazon.ca"), ("FR", "sellercentral-europe.amazon.com")):
        base = begun(support, country)
        answer = support.post(f"{base}account/", {"new_merchant": "Maple Lane", "how": "sign_in"})
        assert answer["Location"].startswith(f"https://{host}/apps/authorize/consent?")
        page = support.get(f"{base}account/")
        assert f"form-action 'self' https://{host};" in page["Content-Security-Policy"]
        assert page["Referrer-Policy"] == "same-origin"  # else browsers post `Origin: null`, which CSRF checks refuse
    assert "form-action 'self';" in support.get(f"{LIST}add/")["Content-Security-Policy"]


def test_sign_in_needs_a_merchant_first(support, world):
    base = begun(support)
    page = support.post(f"{base}account/", {"how": "sign_in"})
    assert "type the name of a new one" in page.content.decode()
    assert AuthorizationAttempt.objects.count() == 0


def test_without_an_application_id_there_is_no_sign_in(support, world, settings):
    settings.SPAPI_APPLICATION_ID = ""
    base = begun(support)
    assert "Sign in with Amazon" not in support.get(f"{base}account/").content.decode()
    answer = support.post(f"{base}account/", {"new_merchant": "M", "how": "sign_in"}, follow=True)
    assert "paste a token instead" in told(answer)
    assert AuthorizationAttempt.objects.count() == 0


# -- B12: the callbacks


def test_b12_1_a_missing_state_is_refused(support, world):
    left(support, begun(support))
    answer = support.get(coming_back(world, ""), follow=True)
    assert "not started here" in told(answer)
    assert nothing_came_of_it()


def test_b12_2_a_state_works_once(support, world):
    base = begun(support)
    state = left(support, base)["state"]
    assert support.get(coming_back(world, state))["Location"] == f"{base}sources/"
    calls = len(world.requests)
    answer = support.get(coming_back(world, state), follow=True)
    assert "used already" in told(answer)
    assert len(world.requests) == calls


def test_b12_3_a_foreign_state_is_refused_and_stays_good_for_its_owner(support, client, world):
    base = begun(support)
    state = left(support, base)["state"]
    other = type(client)()
    other.force_login(make_user("Support"))
    assert "not started here" in told(other.get(coming_back(world, state), follow=True))
    assert support.get(coming_back(world, state))["Location"] == f"{base}sources/"


def test_b12_4_a_state_is_over_after_ten_minutes(support, world, noon):
    state = left(support, begun(support))["state"]
    with clock.at(noon + timedelta(minutes=10)):
        answer = support.get(coming_back(world, state), follow=True)
    assert "longer than 10 minutes" in told(answer)
    assert nothing_came_of_it()


def test_b12_5_a_code_is_not_taken_twice(support, world):
    code = world.authorization_code(scenarios.NA)
    base = begun(support)
    assert support.get(coming_back(world, left(support, base)["state"], spapi_oauth_code=code)).status_code == 303
    again = begun(support)
    answer = support.get(coming_back(world, left(support, again)["state"], spapi_oauth_code=code), follow=True)
    assert "works once, for five minutes" in told(answer)
    assert answer.redirect_chain[-1] == (f"{again}account/", 303)


def test_b12_6_somebody_elses_callback_does_not_connect_their_store_here(support, client, world):
    """Log-in CSRF: the victim follows an address that carries the attacker's state and code."""
    attacker = type(client)()
    attacker.force_login(make_user("Support"))
    bait = coming_back(world, left(attacker, begun(attacker))["state"], scenarios.EU)
    answer = support.get(bait, follow=True)
    assert "not started here" in told(answer)
    assert nothing_came_of_it() and ConnectionDraft.objects.count() == 1  # the attacker's own


def test_b12_7_a_swapped_seller_id_is_refused(support, world):
    state = left(support, begun(support))["state"]
    answer = support.get(coming_back(world, state, selling_partner_id=scenarios.STANDALONE_CA.seller_id), follow=True)
    assert "does not belong to this token" in told(answer)
    assert nothing_came_of_it()


def test_b12_7_a_renewal_by_another_seller_leaves_the_account_as_it_was(support, world):
    account = connect(scenarios.NA)
    before = account.fingerprint
    state = sent(support.post(f"{LIST}{account.pk}/sign-in/")["Location"])["state"]
    calls = len(world.requests)
    answer = support.get(coming_back(world, state, scenarios.STANDALONE_CA), follow=True)
    assert f"this account is seller {scenarios.NA.seller_id}" in told(answer)
    account.refresh_from_db()
    assert account.fingerprint == before
    assert len(world.requests) == calls


def test_b12_8_a_seller_of_another_region_is_refused(support, world):
    state = left(support, begun(support, "US"))["state"]
    answer = support.get(coming_back(world, state, scenarios.EU), follow=True)
    assert "sells on no marketplace of the chosen region" in told(answer)
    assert nothing_came_of_it()


def test_b12_8_a_draft_moved_to_another_region_meanwhile_is_refused(support, world):
    base = begun(support, "US")
    state = left(support, base)["state"]
    support.post(f"{base}country/", {"country": "FR"})
    answer = support.get(coming_back(world, state), follow=True)
    assert "changed or has waited too long" in told(answer)
    assert support.get(f"{base}sources/")["Location"] == f"{base}account/"


def test_b12_9_a_seller_who_is_connected_already_is_refused_with_its_stores_named(support, world):
    account = connect(scenarios.NA, sources=("US",))
    before = account.fingerprint
    state = left(support, begun(support))["state"]
    answer = support.get(coming_back(world, state), follow=True)
    assert "is already connected" in told(answer)
    assert answer.redirect_chain[-1][0] == reverse("admin:stores_amazonaccount_change", args=[account.pk])
    account.refresh_from_db()
    assert account.fingerprint == before and AmazonAccount.objects.count() == 1


# -- more that may come back


@pytest.mark.parametrize(
    "changes", [{"spapi_oauth_code": ""}, {"selling_partner_id": ""}, {"spapi_oauth_code": "x" * 600}]
)
def test_a_callback_that_lacks_something_is_refused(support, world, changes):
    state = left(support, begun(support))["state"]
    assert "no authorisation code" in told(support.get(coming_back(world, state, **changes), follow=True))


@pytest.mark.parametrize("kind", ["429", "503", "timeout_after", "cut", "empty", "html", "garbled"])
def test_an_amazon_that_fails_at_the_exchange_saves_nothing_and_says_so(support, world, kind):
    base = begun(support)
    state = left(support, base)["state"]
    world.faults.arm("lwa", kind, seconds=0.3, bytes=20)
    answer = support.get(coming_back(world, state), follow=True)
    assert "Start the sign-in again" in told(answer) or "start the sign-in again" in told(answer)
    assert nothing_came_of_it()


def test_the_exchange_survives_a_rotation_of_the_client_secret(support, world, settings):
    base = begun(support)
    state = left(support, base)["state"]
    settings.LWA_CLIENT_SECRET, settings.LWA_CLIENT_SECRET_PREVIOUS = "not live yet", settings.LWA_CLIENT_SECRET
    assert support.get(coming_back(world, state))["Location"] == f"{base}sources/"


def test_a_busy_amazon_after_the_exchange_sends_back_to_the_sign_in(support, world):
    state = left(support, begun(support))["state"]
    world.faults.arm("getMarketplaceParticipations", "503")
    answer = support.get(coming_back(world, state), follow=True)
    assert "does not answer at the moment" in told(answer) and "Then start the sign-in again" in told(answer)
    assert nothing_came_of_it()


def test_b14_error_reports_hold_neither_token_nor_code_nor_state(support, world, monkeypatch):
    """A bug in the deepest place, and the report Django would mail. (Production refuses DEBUG.)"""
    base = begun(support)
    state = left(support, base)["state"]
    address = coming_back(world, state)

    def bug(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("stores.connectors.amazon.mapping.participations", bug)
    support.raise_request_exception = False
    reports = []
    for ask in (
        lambda: support.get(address),
        lambda: support.post(
            f"{base}account/",
            {"new_merchant": "M", "seller_id": scenarios.EU.seller_id, "token": scenarios.EU.refresh_token},
        ),
    ):
        answer = ask()
        assert answer.status_code == 500
        request = answer.wsgi_request
        reports.append(ExceptionReporter(request, *answer.exc_info).get_traceback_text())
        reports.append(ExceptionReporter(request, *answer.exc_info).get_traceback_html())
    text = "".join(reports)
    tokens = [token for token in world.tokens.refresh if token in text]
    assert not tokens
    assert sent(address)["spapi_oauth_code"] not in text and state not in text


def test_a_wrong_client_secret_is_the_operators_to_mend(support, world, settings):
    state = left(support, begun(support))["state"]
    settings.LWA_CLIENT_SECRET = "wrong"
    assert "LWA_CLIENT_SECRET" in told(support.get(coming_back(world, state), follow=True))


def test_b14_neither_code_nor_state_nor_token_outlives_the_callback(support, world, caplog):
    base = begun(support)
    state = left(support, base)["state"]
    address = coming_back(world, state)
    code = sent(address)["spapi_oauth_code"]
    answer = support.get(address)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "?" not in answer["Location"]
    page = support.get(answer["Location"]).content.decode()
    kept = str(list(AuthorizationAttempt.objects.values())) + page + caplog.text
    assert state not in kept and code not in kept
    assert not any(token in page + caplog.text for token in world.tokens.refresh)


def test_a_visitor_whose_session_ended_is_sent_to_sign_in_without_the_code(client, world):
    answer = client.get(coming_back(world, "any"))
    assert (answer.status_code, answer["Location"]) == (303, f"/admin/login/?next={LIST}")


@pytest.mark.parametrize("role", ["Warehouse", "Privacy officer"])
def test_those_who_may_not_connect_get_nothing_from_a_callback(client, world, role):
    client.force_login(make_user(role))
    calls = len(world.requests)
    answer = client.get(coming_back(world, "any"))
    assert (answer.status_code, answer["Location"]) == (303, reverse("admin:index"))
    assert client.get(FROM_AMAZON).status_code == 403
    assert len(world.requests) == calls


def test_a_callback_by_post_does_nothing(support, world):
    assert support.post(CALLBACK).status_code == 405


def test_a_unified_seller_who_signed_in_through_another_tile_gets_the_remedy(support, world):
    base = begun(support, "CA")
    state = left(support, base)["state"]
    assert support.get(coming_back(world, state))["Location"] == f"{base}account/"
    assert "only works for a stand-alone account" in support.get(f"{base}account/").content.decode()
    assert support.post(f"{base}other-tile/")["Location"] == f"{base}sources/"


def test_r13_an_account_is_renewed_by_sign_in(support, world, travel):
    account = connect(scenarios.NA)
    AmazonAccount.objects.filter(pk=account.pk).update(status="revoked", status_reason="invalid_grant")
    travel(world, days=300)
    asked = sent(support.post(f"{LIST}{account.pk}/sign-in/")["Location"])
    answer = support.get(coming_back(world, asked["state"]), follow=True)
    assert "The authorisation is renewed" in told(answer)
    account.refresh_from_db()
    assert (account.status, account.credential_kind) == ("active", "sign_in")
    assert account.authorization_expires_at == clock.now() + timedelta(days=365)
    assert account.stores.count() == 3


def test_old_attempts_are_removed_by_the_next_one(support, world, noon):
    left(support, begun(support))
    with clock.at(noon + timedelta(days=2)):
        left(support, begun(support))
    assert AuthorizationAttempt.objects.count() == 1


# -- B13: addresses that lead elsewhere

EVIL = "evil.example"
REFUSED = [
    "",
    f"https://{EVIL}/apps/authorize/confirm/{scenarios.APPLICATION_ID}",
    CONFIRM.replace("https:", "http:"),
    CONFIRM.replace("https:", ""),
    CONFIRM.replace("https://", "https:/"),
    CONFIRM.replace("https://", "https:\\\\"),
    CONFIRM.replace("https://", "https://user@"),
    CONFIRM.replace("https://", f"https://{EVIL}@"),
    CONFIRM.replace(".com/", f".com@{EVIL}/"),
    CONFIRM.replace(".com/", f".com.{EVIL}/"),
    CONFIRM.replace(".com/", ".com:8443/"),
    CONFIRM.replace(".com/", ".com./"),
    CONFIRM.replace(".com/", f".com\\@{EVIL}/"),
    CONFIRM.replace(".com/", f".com#@{EVIL}/"),
    CONFIRM.replace(".com/", f".com?@{EVIL}/"),
    CONFIRM.replace("sellercentral.amazon.com", "sellercentral.amazon.co"),
    CONFIRM.replace("sellercentral.amazon.com", "notsellercentral.amazon.com"),
    CONFIRM.replace("amazon.com", "аmazon.com"),  # Cyrillic а
    CONFIRM.replace("amazon.com", "amazon。com"),
    CONFIRM.replace("/apps/authorize/confirm/", "/redirect/"),
    CONFIRM.replace("/confirm/", "/confirm/../../redirect/"),
    CONFIRM.replace(scenarios.APPLICATION_ID, "amzn1.sp.solution.another"),
    CONFIRM + f"?redirect_uri=https://{EVIL}/",
    CONFIRM + f"\r\nLocation: https://{EVIL}/",
    f"javascript:alert(1)//{CONFIRM}",
]


@pytest.mark.parametrize("url", REFUSED, ids=range(1, len(REFUSED) + 1))
def test_b13_an_address_that_is_not_amazons_own_is_not_followed(support, world, url):
    asked = {"amazon_callback_uri": url, "amazon_state": "theirs", "country": "US"}
    for answer in (support.get(FROM_AMAZON, asked), support.post(FROM_AMAZON, asked)):
        assert (answer.status_code, answer["Location"]) == (303, f"{LIST}add/")
    assert AuthorizationAttempt.objects.count() == 0
    assert len(REFUSED) == 25


@pytest.mark.parametrize("url", REFUSED[1:], ids=range(2, len(REFUSED) + 1))
def test_b13_no_next_leads_off_this_site(client, noon, url):
    make_user("Support", username="agent", password="correct horse battery")
    answer = client.post(
        f"/admin/login/?{urlencode({'next': url})}",
        {"username": "agent", "password": "correct horse battery", "next": url},
    )
    assert answer.status_code == 302
    assert urlsplit(answer["Location"]).netloc == "" and answer["Location"].startswith("/")
    answer = client.post("/language/", {"language": "en", "next": url})
    assert urlsplit(answer["Location"]).netloc == "" and answer["Location"].startswith("/")


@pytest.mark.parametrize("host", ["sellercentral.amazon.com", "amazon.com", "sellercentral-europe.amazon.com"])
def test_amazons_own_start_of_the_flow_is_answered_after_a_person_said_yes(support, world, host):
    url = CONFIRM.replace("sellercentral.amazon.com", host)
    asked = {"amazon_callback_uri": url, "amazon_state": "theirs", "selling_partner_id": scenarios.NA.seller_id}
    page = support.get(FROM_AMAZON, asked)
    assert page.status_code == 200 and AuthorizationAttempt.objects.count() == 0
    answer = support.post(FROM_AMAZON, asked | {"country": "US"})
    link = answer.context["leave"]
    assert link.startswith(f"{url}?") and escape(link) in answer.content.decode()
    back = sent(link)
    assert back["amazon_state"] == "theirs" and back["redirect_uri"] == f"http://testserver{CALLBACK}"
    answer = support.get(coming_back(world, back["state"]))
    assert answer["Location"].endswith("/account/")  # the merchant is still to be named
    base = answer["Location"].removesuffix("account/")
    answer = support.post(
        f"{base}account/", {"new_merchant": "Maple Lane", "seller_id": scenarios.NA.seller_id, "token": ""}
    )
    assert answer["Location"] == f"{base}sources/"
