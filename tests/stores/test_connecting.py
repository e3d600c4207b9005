"""Connecting a seller account: what is wrong leaves no trace, and every refusal says what to do."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from orderhub import clock
from orderhub.errors import RuleViolation
from orderhub.http import NotAllowed
from stores import connecting, features, outbound, verifying
from stores.admin_signin import home_market
from stores.marketplaces import BY_CODE
from stores.models import AmazonAccount, FeatureGrant, Merchant, Store
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect, make_account, make_merchant, make_store, make_user

pytestmark = pytest.mark.django_db
NA = scenarios.NA
TOKEN = NA.refresh_token
BAD = {
    "no region": (("XX", NA.seller_id, TOKEN), "Choose the region"),
    "no seller id": (("NA", "", TOKEN), "only letters and digits"),
    "a seller id with signs": (("NA", "A1/../B", TOKEN), "only letters and digits"),
    "a seller id too long": (("NA", "A" * 41, TOKEN), "only letters and digits"),
    "a seller id in wide letters": (("NA", "Ａ１ＳＩＭ", TOKEN), "only letters and digits"),
    "no token": (("NA", NA.seller_id, "  "), "Paste the authorisation token"),
    "an MWS token": (("NA", NA.seller_id, "amzn.mws.1234-abcd"), "Amazon closed MWS"),
    "a token with blanks": (("NA", NA.seller_id, "Atzr|a b"), "without blanks"),
    "a token with a line break": (("NA", NA.seller_id, "Atzr|a\nb"), "without blanks"),
    "a token too long": (("NA", NA.seller_id, "A" * 2049), "without blanks"),
    "a token nobody gave": (("NA", NA.seller_id, "Atzr|wrong"), "Amazon refuses this authorisation token"),
    "the wrong region": (("EU", NA.seller_id, TOKEN), "no marketplace of the chosen region"),
    "another's seller id": (("NA", scenarios.EU.seller_id, TOKEN), "does not belong to this token"),
    "an Individual plan": (
        ("NA", scenarios.INDIVIDUAL.seller_id, scenarios.INDIVIDUAL.refresh_token),
        "Individual selling plan",
    ),
}


def counts() -> tuple[int, int, int]:
    return Merchant.objects.count(), AmazonAccount.objects.count(), Store.objects.count()


def command(**given) -> str:
    out = StringIO()
    options = {"region": "NA", "seller_id": NA.seller_id, "token": TOKEN, "sources": "US"} | given
    call_command("connect_account", stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize("case", BAD)
def test_r1_r2_r3_bad_input_is_refused_with_a_remedy_and_saves_nothing(world, case):
    (region, seller_id, token), remedy = BAD[case]
    with pytest.raises(RuleViolation, match=remedy) as refusal:
        connecting.verify(region, seller_id, token)
    assert token.strip() == "" or token not in str(refusal.value)
    if region != "XX":  # argparse knows the regions
        with pytest.raises(CommandError, match=remedy):
            command(region=region, seller_id=seller_id, token=token)
    assert counts() == (0, 0, 0)


@pytest.mark.parametrize(
    ("operation", "kind", "remedy"),
    [
        ("lwa", "500_before", "does not answer"),
        ("lwa", "html", "does not answer"),
        ("getMarketplaceParticipations", "503", "does not answer"),
        ("getMarketplaceParticipations", "429", "does not answer"),
        ("getMarketplaceParticipations", "html", "did not confirm"),
        ("getMarketplaceParticipations", "redirect", "did not confirm"),
        ("getMarketplaceParticipations", "403_revoked", "refuses this authorisation token"),
    ],
)
def test_an_amazon_that_fails_saves_nothing_and_says_so(world, operation, kind, remedy):
    from stores.connectors.amazon import signin

    signin._cache.clear()
    world.faults.arm(operation, kind, times=None)
    with pytest.raises(CommandError, match=remedy):
        command()
    assert counts() == (0, 0, 0)


def test_an_answer_of_another_shape_saves_nothing_and_says_so(noon):
    from stores.connectors.amazon import mapping

    with pytest.raises(mapping.Misread):
        mapping.participations({"payload": "none"})
    with pytest.raises(mapping.Misread):
        mapping.plan({"payload": "none"})


def test_a_wrong_client_secret_is_named_as_the_operators_to_mend(world, settings):
    settings.LWA_CLIENT_SECRET = "wrong"
    with pytest.raises(RuleViolation, match="LWA_CLIENT_SECRET"):
        connecting.verify("NA", NA.seller_id, TOKEN)


@pytest.mark.parametrize(
    ("sources", "remedy"),
    [("", "Tick at least one"), ("US,DE", "does not sell on"), ("US,ZZ", "does not sell on ZZ"), (",", "Tick")],
)
def test_bad_order_sources_save_neither_account_nor_store_nor_merchant(world, sources, remedy):
    with pytest.raises(CommandError, match=remedy):
        command(sources=sources)
    assert counts() == (0, 0, 0)


def test_the_command_connects_each_source_as_a_store_of_its_own(world):
    said = command(sources="us, CA", merchant="Maple Lane", product_identifier="asin")
    assert "connected" in said
    assert counts() == (1, 1, 2)
    account = AmazonAccount.objects.get()
    assert (account.status, account.account_type, account.seller_plan) == ("active", "unified", "professional")
    assert set(Store.objects.values_list("marketplace", "product_identifier", "active")) == {
        ("US", "asin", True), ("CA", "asin", True),
    }  # fmt: skip
    assert TOKEN not in said


def test_the_command_reads_the_token_from_standard_input(world, monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO(f"{TOKEN}\n"))
    assert "connected" in command(token="-")


def test_r6_a_known_account_is_not_connected_twice(world):
    command(merchant="Maple Lane")
    with pytest.raises(CommandError, match="already connected, for Maple Lane"):
        command(merchant="Somebody Else")
    assert counts() == (1, 1, 1)


def test_r6_the_database_refuses_an_account_or_a_source_twice(noon):
    store = make_store()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_account()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_store(account=store.account)


def test_the_token_is_not_readable_in_the_database(world):
    from django.db import connection

    connect(NA)
    with connection.cursor() as cursor:
        cursor.execute("SELECT refresh_token FROM stores_amazonaccount")
        assert "Atzr" not in str(cursor.fetchall())
    assert TOKEN not in str(AmazonAccount.objects.get()) + AmazonAccount.objects.get().fingerprint


def test_r7_adding_a_source_later_asks_amazon_nothing_and_is_safe_to_repeat(world):
    account = connect(NA, sources=("US",))
    before = len(world.requests)
    for _time in range(2):
        connecting.add_sources(account, ["MX", "US"])
    assert len(world.requests) == before
    assert sorted(account.stores.values_list("marketplace", flat=True)) == ["MX", "US"]


def test_r9_a_stand_alone_canadian_account_connects(world):
    account = connect(scenarios.STANDALONE_CA)
    assert account.account_type == AmazonAccount.Kind.STANDALONE
    assert account.stores.get().marketplace == "CA"


def test_a_plan_amazon_does_not_tell_is_declared_by_whoever_connects(world):
    assert connect(scenarios.NO_PII_ROLE).seller_plan == AmazonAccount.Plan.DECLARED


def test_r1_the_database_refuses_an_active_individual_or_unverified_account(noon):
    account = make_account()
    for wrong in ({"seller_plan": "individual"}, {"verified_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            AmazonAccount.objects.filter(pk=account.pk).update(**wrong)


@pytest.mark.parametrize("token", ["amzn.mws.1", "Atzr|wrong", "", scenarios.EU.refresh_token])
def test_r13_renewing_with_a_wrong_token_changes_nothing(world, token):
    account = connect(NA)
    account.stop(AmazonAccount.Status.REVOKED, "invalid_grant")
    before = AmazonAccount.objects.values().get()
    with pytest.raises(RuleViolation):
        connecting.renew(account, token, now=clock.now())
    assert AmazonAccount.objects.values().get() == before


def test_r14_renewing_keeps_stores_cursor_and_identity_and_starts_the_year_again(world, travel):
    account = connect(NA)
    account.stop(AmazonAccount.Status.EXPIRED, "a year is over")
    travel(world, days=3)
    kept = {"id", "merchant_id", "selling_partner_id", "region", "imported_until"}
    before = AmazonAccount.objects.values(*kept).get()
    connecting.renew(account, world.renew(NA), now=clock.now())
    assert AmazonAccount.objects.values(*kept).get() == before
    account.refresh_from_db()
    assert (account.status, account.status_reason) == (AmazonAccount.Status.ACTIVE, "")
    assert (account.authorization_expires_at - clock.now()).days == 365
    assert account.stores.count() == 3


# -- what only customer success may switch on


def jp_store() -> Store:
    return make_store("JP", account=make_account(scenarios.JP))


@pytest.mark.parametrize("who", [{}, {"is_superuser": True}], ids=["plain", "superuser"])
@pytest.mark.parametrize("roles", [(), ("Support", "Administrator")], ids=["no role", "other roles"])
def test_r15_nobody_but_customer_success_enables_a_feature_not_even_a_superuser(noon, who, roles):
    store = jp_store()
    with pytest.raises(RuleViolation, match="customer success"):
        features.grant(store, FeatureGrant.Feature.JAPAN, by=make_user(*roles, **who), reason="please")
    store.refresh_from_db()
    assert (store.japan_enabled, store.active, FeatureGrant.objects.count()) == (False, False, 0)


def test_r15_customer_success_enables_a_feature_and_who_and_why_is_kept(noon):
    store, somebody = jp_store(), make_user("Customer success")
    features.grant(store, FeatureGrant.Feature.JAPAN, by=somebody, reason=" asked by phone ")
    store.refresh_from_db()
    assert (store.japan_enabled, store.active) == (True, True)
    kept = FeatureGrant.objects.get()
    assert (kept.granted_by, kept.granted_at, kept.reason) == (somebody, NOON, "asked by phone")
    features.grant(store, FeatureGrant.Feature.JAPAN, by=somebody, reason="mistake", enabled=False)
    store.refresh_from_db()
    assert (store.japan_enabled, store.active, FeatureGrant.objects.count()) == (False, False, 2)


def test_r15_a_grant_needs_a_reason(noon):
    with pytest.raises(RuleViolation, match="why"):
        features.grant(jp_store(), FeatureGrant.Feature.JAPAN, by=make_user("Customer success"), reason="  ")


def test_r15_the_database_refuses_an_active_amazon_co_jp_without_its_grant(noon):
    store = jp_store()
    with pytest.raises(IntegrityError), transaction.atomic():
        Store.objects.filter(pk=store.pk).update(active=True)


@pytest.mark.parametrize("kind", ["503", "429", "timeout_after", "html", "empty", "500_before"])
@pytest.mark.parametrize("operation", ["searchListingsItems", "getAccount"])
def test_r3_an_amazon_that_is_busy_confirms_neither_seller_nor_plan(world, operation, kind):
    world.faults.arm(operation, kind, seconds=0.2)
    seller = scenarios.NA if operation == "searchListingsItems" else scenarios.INDIVIDUAL
    with pytest.raises(RuleViolation, match="does not answer at the moment|did not confirm this account"):
        connecting.verify(seller.region, seller.seller_id, seller.refresh_token)


def test_a_seller_id_amazon_does_not_let_us_compare_must_at_least_sell_where_the_stores_are(world):
    account = connect(scenarios.NA)
    before = account.fingerprint
    world.faults.arm("searchListingsItems", "403_revoked", times=None)
    with pytest.raises(RuleViolation, match="does not sell on Amazon.com.mx, Amazon.com, where|is it another seller's"):
        connecting.renew(account, scenarios.STANDALONE_CA.refresh_token, now=clock.now())
    account.refresh_from_db()
    assert account.fingerprint == before
    assert connecting.renew(account, world.renew(scenarios.NA), now=clock.now()).status == "active"


def test_the_same_token_pasted_again_starts_no_new_year(world, travel):
    account = connect(scenarios.NA)
    ends = account.authorization_expires_at
    travel(world, days=350)
    with pytest.raises(RuleViolation, match="the token the account has already"):
        connecting.renew(account, f" {scenarios.NA.refresh_token}\n", now=clock.now())
    account.refresh_from_db()
    assert account.authorization_expires_at == ends


def test_r13_after_the_year_the_old_token_does_not_resume(world, travel):
    account = connect(scenarios.NA)
    travel(world, days=366)
    calls = len(world.requests)
    with pytest.raises(RuleViolation, match="only a renewed one helps"):
        connecting.resume(account, now=clock.now())
    assert len(world.requests) == calls


def test_r5_a_unified_account_has_no_source_but_the_three(noon):
    verified = verifying.Verification(
        "NA",
        "A9UNIFIEDBR",
        "professional",
        verifying.sources_of(sold_on("US", "CA", "BR"), "NA"),
        sold_on("US", "CA", "BR"),
    )
    assert verified.codes == ("US", "CA")
    merchant = make_merchant()
    with pytest.raises(RuleViolation, match="Choose among: Amazon.ca, Amazon.com"):
        connecting.connect(verified, "Atzr|x", merchant=merchant, sources=["BR"], now=clock.now())
    assert verifying.sources_of(sold_on("BR"), "NA") == ("BR",)


def sold_on(*codes: str) -> list[dict]:
    return [{"marketplace": BY_CODE[code].id, "store_name": "Shop", "active": True} for code in codes]


def test_r8_connecting_through_the_wrong_tile_is_refused_by_the_function_itself(world):
    verified = connecting.verify("NA", scenarios.NA.seller_id, scenarios.NA.refresh_token)
    with pytest.raises(verifying.WrongTile) as problem:
        connecting.connect(
            verified,
            scenarios.NA.refresh_token,
            merchant=make_merchant(),
            sources=["CA"],
            now=clock.now(),
            country="CA",
        )
    assert (problem.value.country, problem.value.source) == ("US", "CA")
    assert AmazonAccount.objects.count() == 0


def test_a_renewal_with_an_old_row_in_hand_still_ends_what_ran_before_it(world):
    """A colleague adds a source while the renewal asks Amazon; an import that began in between has the old token."""
    account = connect(scenarios.NA, sources=("US",))
    in_hand = AmazonAccount.objects.get(pk=account.pk)
    connecting.add_sources(account, ["CA"])
    running = AmazonAccount.objects.get(pk=account.pk)  # what an import holds
    connecting.renew(in_hand, world.renew(scenarios.NA), now=clock.now())
    running.stop("revoked", "invalid_grant")
    assert AmazonAccount.objects.get(pk=account.pk).status == "active"


def test_a_long_merchant_name_fits_the_names_of_its_stores(world):
    verified = connecting.verify("NA", scenarios.NA.seller_id, scenarios.NA.refresh_token)
    account = connecting.connect(
        verified, scenarios.NA.refresh_token, merchant=make_merchant("M" * 120), sources=["MX"], now=clock.now()
    )
    assert len(account.stores.get().name) == 120


def test_r2_the_database_refuses_an_active_account_without_a_token(noon):
    account = make_account()
    with pytest.raises(IntegrityError), transaction.atomic():
        AmazonAccount.objects.filter(pk=account.pk).update(refresh_token="")


def test_the_database_knows_a_merchants_name_in_any_case(noon):
    make_merchant("Maple Lane")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_merchant("MAPLE LANE")


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "https://api.amazon.com.evil.example/", "http://api.amazon.com/"]
)
def test_b08_no_other_host_is_ever_reached(url):
    with pytest.raises(NotAllowed):
        outbound.client(url)


@pytest.mark.parametrize("column, host", [("AU", "sellercentral.amazon.com.au"), ("", "sellercentral.amazon.com.au")])
def test_an_account_without_a_tile_goes_to_the_seller_central_of_its_stores(noon, column, host):
    account = make_account(scenarios.JP, country=column, participations=sold_on("AU", "JP"))
    make_store("AU", account=account)
    assert home_market(account).host == host


def test_r15_a_feature_is_for_the_stores_it_says_something_to(noon):
    success, store = make_user("Customer success"), make_store("US")
    with pytest.raises(RuleViolation, match="Only a store of Amazon.co.jp"):
        features.grant(store, "japan", by=success, reason="please")
    shop = Store.objects.create(merchant=store.merchant, name="Mirror", platform="bigcommerce")
    with pytest.raises(RuleViolation, match="Only an Amazon store"):
        features.grant(shop, "custom_fields", by=success, reason="please")
    assert FeatureGrant.objects.count() == 0
