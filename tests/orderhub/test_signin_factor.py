"""D1.4b: the second factor, its enrolment, its codes, and what opens without it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLResolver

from orderhub import clock
from orderhub.freshness import is_fresh
from orderhub.signin import secondfactor
from orderhub.signin.models import Authenticator, RecoveryCode
from privacy.models import SecurityEvent
from tests.factories import make_order, make_user
from tests.signins import (
    CHECK,
    FACTOR,
    PASSWORD,
    code_of,
    enrol,
    freshen,
    is_in,
    sign_in,
    type_code,
    type_password,
)  # fmt: skip

pytestmark = pytest.mark.django_db
PICTURE = "/account/second-factor/key.svg"


@pytest.fixture
def required(settings):
    settings.REQUIRE_SECOND_FACTOR = True


def addresses(resolver=None, prefix: str = "/") -> list[str]:
    """Every address of ours, with 1 for whatever is variable."""
    found = []
    for pattern in (resolver or get_resolver()).url_patterns:
        part = pattern.pattern
        if isinstance(pattern, URLResolver):
            found += addresses(pattern, f"{prefix}{part}")
        else:
            regex = getattr(part, "_route", None) or part.regex.pattern.lstrip("^").rstrip("$\\Z")
            found.append(f"{prefix}{regex}")
    return found


def concrete(route: str) -> str:
    for kind in ("<path:object_id>", "<path:content_type_id>", "<path:url>", "<int:content_type_id>"):
        route = route.replace(kind, "1")
    while "<" in route:
        start, end = route.index("<"), route.index(">")
        route = f"{route[:start]}1{route[end + 1 :]}"
    return (
        route.replace("(?P", "").replace("(", "").replace(")", "").replace("\\", "").replace("?", "").replace("$", "")
    )


EVERY = {concrete(route) for route in addresses()}
CLIENTS = sorted(address for address in EVERY if address.startswith(("/api/", "/shipstation")))  # keys, no sessions
ALL = sorted(EVERY - set(CLIENTS))
OPEN = {FACTOR, PICTURE, "/language/", "/admin/logout/", "/healthz", CHECK}


def test_a_session_opens_nothing_that_is_for_clients_with_a_key(client, noon):
    client.force_login(make_user("Support", is_superuser=True))
    assert len(CLIENTS) > 20
    for address in CLIENTS:
        for method in (client.get, client.post):
            assert method(address).status_code in {401, 404, 405}, address


@pytest.mark.parametrize("enrolled", [False, True])
def test_d14b_a_password_alone_opens_nothing_but_the_second_factor(client, noon, required, enrolled):
    user = make_user("Support", is_superuser=True)
    order = make_order()
    if enrolled:
        enrol(user)
    type_password(client, user)
    assert len(ALL) > 150
    opened = set()
    for address in (*ALL, f"/admin/orders/order/{order.pk}/change/", "/admin/nowhere/", "/nowhere"):
        for method in (client.get, client.post):
            answer = method(address)
            assert answer.status_code in {200, 302, 405, 404, 503}, (address, answer.status_code)
            if answer.status_code != 302:
                opened.add(address)
            if "logout" in address:
                type_password(client, user)
    assert opened <= OPEN
    assert (CHECK if enrolled else FACTOR) in opened


def test_d14b_a_session_without_a_row_of_ours_is_over(client, required):
    client.force_login(make_user("Support"))
    assert client.get("/admin/")["Location"].startswith("/admin/login/")


def test_d14b_enrolling_opens_everything_and_shows_ten_codes_once(client, noon, required):
    user = make_user("Support", username="maud")
    answer = type_password(client, user)
    assert answer["Location"] == f"{FACTOR}?next=%2Fadmin%2F"
    page = client.get(answer["Location"]).content.decode()
    device = secondfactor.being_enrolled(user)
    assert secondfactor.key_as_text(device) in page and f'src="{PICTURE}"' in page
    picture = client.get(PICTURE)
    assert (picture["Content-Type"], picture["Cache-Control"]) == ("image/svg+xml", "no-store, private")
    assert b"<svg" in picture.content and b"style" not in picture.content
    wrong = client.post(FACTOR, {"deed": "confirm", "code": "000000"})
    assert "not right" in wrong.content.decode() and secondfactor.of(user) is None
    code = secondfactor.code_at(device, clock.now())
    shown = client.post(FACTOR, {"deed": "confirm", "code": f"{code[:3]} {code[3:]}"})
    codes = shown.context["codes"]
    assert len(set(codes)) == 10 and all(text in shown.content.decode() for text in codes)
    assert is_in(client)
    again = client.get(FACTOR).content.decode()
    assert not any(text in again for text in codes) and client.get(PICTURE).status_code == 404
    assert [event.code for event in SecurityEvent.objects.order_by("pk")] == ["second_factor_added", "signed_in"]


def test_d14b_the_same_code_twice_is_refused(client, noon, required):
    user = make_user("Support")
    enrol(user)
    code = code_of(user)
    type_password(client, user)
    assert type_code(client, code).status_code == 302 and is_in(client)
    client.logout()
    type_password(client, user)
    assert "used already" in type_code(client, code).content.decode() and not is_in(client)
    clock.advance(seconds=30)
    assert type_code(client, code).status_code == 200  # still within the tolerance, and used
    type_code(client, code_of(user))
    assert is_in(client)


def test_d14b_the_code_that_enrolled_does_not_sign_in(client, noon, required):
    user = make_user("Support")
    type_password(client, user)
    client.get(FACTOR)
    code = secondfactor.code_at(secondfactor.being_enrolled(user), clock.now())
    client.post(FACTOR, {"deed": "confirm", "code": code})
    client.logout()
    type_password(client, user)
    assert type_code(client, code).status_code == 200


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_right_for_half_a_minute_around_its_own(client, noon, required, steps, right):
    user = make_user("Support")
    enrol(user)
    type_password(client, user)
    type_code(client, code_of(user, steps=steps))
    assert is_in(client) is right


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345", "1e5 00", "' OR 1=1"])
def test_what_is_no_code_is_refused(client, noon, required, typed):
    user = make_user("Support")
    enrol(user)
    type_password(client, user)
    assert type_code(client, typed).status_code == 200 and not is_in(client)


def test_codes_follow_the_standard():
    """RFC 6238, appendix B, SHA-1, its last six digits."""
    device = Authenticator(key=b"12345678901234567890".hex())
    told = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert {at: secondfactor.code_at(device, epoch + timedelta(seconds=at)) for at in told} == told


# ---- recovery codes


def test_a_recovery_code_stands_in_once(client, noon, required):
    user = make_user("Support")
    enrol(user)
    codes = secondfactor.new_recovery_codes(user)
    type_password(client, user)
    type_code(client, codes[3].lower().replace("-", " "))
    assert is_in(client)
    assert SecurityEvent.objects.filter(code="recovery_code_used", ids=[user.pk]).count() == 1
    client.logout()
    type_password(client, user)
    assert type_code(client, codes[3]).status_code == 200 and not is_in(client)
    type_code(client, codes[4])
    assert is_in(client) and secondfactor.codes_left(user) == 8


def test_another_users_recovery_code_is_nobodys(client, noon, required):
    user, other = make_user("Support"), make_user("Support")
    enrol(user), enrol(other)
    code = secondfactor.new_recovery_codes(other)[0]
    type_password(client, user)
    assert type_code(client, code).status_code == 200


def test_codes_and_keys_cannot_be_read_in_the_database(noon):
    user = make_user("Support")
    device = enrol(user)
    codes = secondfactor.new_recovery_codes(user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM signin_authenticator")
        stored = cursor.fetchone()[0]
    assert stored.startswith("v1:") and device.key not in stored
    kept = str(list(RecoveryCode.objects.values()))
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    assert "signin" not in {model._meta.app_label for model in _registered()}


def _registered():
    from django.contrib import admin

    return list(admin.site._registry)


def test_otp_secrets_are_not_in_the_admin(client):
    client.force_login(make_user(is_superuser=True))
    for model in ("authenticator", "recoverycode", "staffsession", "passwordhistory"):
        assert client.get(f"/admin/signin/{model}/").status_code == 404
    assert client.get("/admin/axes/accessfailurelog/").status_code == 404


# ---- where the factor is optional


def test_who_has_a_factor_is_asked_for_it_even_where_nobody_must(client, noon):
    user = make_user("Support")
    enrol(user)
    type_password(client, user)
    assert not is_in(client)
    type_code(client, code_of(user))
    assert is_in(client)


# ---- replacing and removing


def test_a_factor_is_replaced_with_a_fresh_proof_only(client, noon, required):
    user = make_user("Support")
    old = enrol(user)
    sign_in(client, user)
    clock.advance(minutes=10)
    for answer in (client.get(f"{FACTOR}?replace"), client.post(FACTOR, {"deed": "remove"}),
                   client.post(FACTOR, {"deed": "codes"}), client.post(f"{FACTOR}?replace", {"deed": "confirm", "code": "1"})):  # fmt: skip
        assert answer["Location"].startswith("/account/confirm/")
    assert client.get(PICTURE).status_code == 404
    assert secondfactor.of(user).pk == old.pk and not RecoveryCode.objects.exists()
    type_code(client, code_of(user), page="/account/confirm/")
    client.get(f"{FACTOR}?replace")
    code = secondfactor.code_at(secondfactor.being_enrolled(user), clock.now())
    client.post(f"{FACTOR}?replace", {"deed": "confirm", "code": code})
    new = secondfactor.of(user)
    assert new.pk != old.pk and new.key != old.key and Authenticator.objects.count() == 1
    assert SecurityEvent.objects.filter(code="second_factor_added", reason="replaced").exists()


def test_a_stolen_password_does_not_replace_the_factor(client, noon, required):
    user = make_user("Support")
    enrol(user)
    type_password(client, user)
    for address in (FACTOR, f"{FACTOR}?replace"):
        assert client.get(address)["Location"].startswith(CHECK)
        assert client.post(address, {"deed": "remove"})["Location"].startswith(CHECK)
    assert client.get(PICTURE).status_code == 404
    assert Authenticator.objects.filter(confirmed=False).count() == 0


def test_a_reset_password_does_not_skip_the_factor(client, noon, required):
    user = make_user("Support")
    enrol(user)
    user.set_password("Another-long one 2")
    user.password_is_temporary = True
    user.save()
    type_password(client, user, "Another-long one 2")
    assert client.get("/admin/password_change/")["Location"].startswith(FACTOR)
    type_code(client, code_of(user))
    assert client.get("/admin/password_change/").status_code == 200


def test_new_recovery_codes_replace_those_before(client, noon, required):
    user = make_user("Support")
    enrol(user)
    before = secondfactor.new_recovery_codes(user)
    sign_in(client, user)
    codes = client.post(FACTOR, {"deed": "codes"}).context["codes"]
    client.logout()
    type_password(client, user)
    assert type_code(client, before[0]).status_code == 200
    type_code(client, codes[0])
    assert is_in(client)


def test_removing_ones_own_factor_leads_to_a_new_one_where_it_is_required(client, noon, required):
    user = make_user("Support")
    enrol(user)
    sign_in(client, user)
    assert client.post(FACTOR, {"deed": "remove"})["Location"] == FACTOR
    assert not is_in(client) and client.get(FACTOR).status_code == 200
    assert SecurityEvent.objects.get(code="second_factor_removed").reason == "own"


def test_an_administrator_removes_a_lost_factor(client, noon):
    user, boss = make_user("Support"), make_user("Administrator")
    enrol(user)
    secondfactor.new_recovery_codes(user)
    client.force_login(boss)
    freshen(client)
    client.post(reverse("admin:orderhub_user_remove-factor", args=[user.pk]))
    assert secondfactor.of(user) is None and not RecoveryCode.objects.exists()
    event = SecurityEvent.objects.get(code="second_factor_removed")
    assert (event.user, event.ids, event.reason) == (boss, [user.pk], "administrator")


def test_an_administrator_does_not_skip_the_code_for_their_own(client, noon):
    boss = make_user("Administrator")
    enrol(boss)
    sign_in(client, boss)
    answer = client.post(reverse("admin:orderhub_user_remove-factor", args=[boss.pk]))
    assert answer["Location"] == FACTOR and secondfactor.of(boss)


# ---- a fresh proof


@pytest.mark.parametrize(("minutes", "fresh"), [(0, True), (9.99, True), (10, False), (-1, False)])
def test_a_proof_is_fresh_for_ten_minutes(client, rf, noon, minutes, fresh):
    user = make_user("Support")
    client.force_login(user)
    freshen(client)
    request = rf.get("/")
    request.user, request.session = user, client.session
    clock.advance(minutes=minutes)
    assert is_fresh(request) is fresh


def test_the_proof_is_a_code_where_there_is_a_factor_and_the_password_elsewhere(client, noon, rf):
    user = make_user("Support")
    client.force_login(user)
    page = "/account/confirm/?next=/admin/orders/order/"
    assert "Password" in client.get(page).content.decode()
    assert "not your password" in client.post(page, {"code": "123456"}).content.decode()
    assert client.post(page, {"code": PASSWORD})["Location"] == "/admin/orders/order/"
    enrol(user)
    assert "Code" in client.get(page).content.decode()
    assert client.post(page, {"code": PASSWORD}).status_code == 200
    assert client.post(page, {"code": code_of(user)})["Location"] == "/admin/orders/order/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_proof_leads_to_no_other_site(client, noon, elsewhere):
    user = make_user("Support")
    client.force_login(user)
    assert client.post("/account/confirm/", {"code": PASSWORD, "next": elsewhere})["Location"] == "/admin/"
