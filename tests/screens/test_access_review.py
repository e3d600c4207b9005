"""D1.2c: everybody's access on one page, a signature every 90 days, and no role given once that is overdue."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub import clock
from orderhub.models import User
from privacy import access, reviewing
from privacy.models import AccessReview, SecurityEvent
from privacy.models.event import EventCode, Outcome
from tests.factories import make_user
from tests.signins import freshen

pytestmark = pytest.mark.django_db
PAGE, SIGN, START = "admin:privacy_accessreview_changelist", "admin:privacy_accessreview_sign", "admin:index"


@pytest.fixture
def boss(client, noon) -> User:
    user = make_user(access.ADMINISTRATOR, username="boss", date_joined=noon)
    client.force_login(user)
    freshen(client)
    return user


def fingerprint(now) -> str:
    return reviewing.digest(reviewing.lines(now=now), reviewing.key_lines(now=now))


def html_of(client, name: str) -> str:
    return client.get(reverse(name)).content.decode()


def sign(client, seen: str = "", **more):
    return client.post(reverse(SIGN), {"digest": seen or fingerprint(clock.now())}, **more)


def later(client, user: User, **delta) -> None:
    """Time goes by, and the user signs in again."""
    clock.advance(**delta)
    client.force_login(user)
    freshen(client)


def events(code: EventCode) -> list[tuple]:
    return list(SecurityEvent.objects.filter(code=code).order_by("pk").values_list("user", "ids", "reason", "outcome"))


def test_the_page_says_who_may_sign_in_as_what_and_since_when_they_did_not(client, boss, noon):
    idle = make_user(access.SUPPORT, access.PRIVACY, username="idle", first_name="Ida", last_name="Idle")
    long_ago = noon - timedelta(days=300)
    User.objects.filter(pk=idle.pk).update(
        last_login=noon - timedelta(days=120), date_joined=long_ago, active_since=long_ago
    )
    make_user(username="gone", is_active=False, date_joined=noon)
    make_user(username="root", is_superuser=True, date_joined=noon)
    html = html_of(client, PAGE)
    row = html.partition(">idle<")[2].partition("</tr>")[0]
    assert "Ida Idle" in row and "Privacy officer, Support" in row and ">120<" in row and "oh-text--warn" in row
    assert "made inactive" in html.partition(">gone<")[2].partition("</tr>")[0]
    assert "superuser" in html.partition(">root<")[2].partition("</tr>")[0]
    assert "It was never signed." in html


def test_an_administrator_signs_what_was_on_the_page(client, boss, noon):
    answer = sign(client, follow=True)
    review = AccessReview.objects.get()
    assert (review.signed_by, review.signed_at, review.accounts) == (boss, noon, User.objects.count())
    assert review.digest == fingerprint(noon)
    assert "Last signed on 20 Nov 2026, 12:00 UTC by boss." in answer.content.decode()
    assert events(EventCode.ACCESS_REVIEWED) == [(boss.pk, [review.pk], "", "ok")]


def test_what_changed_since_the_page_was_opened_is_not_signed(client, boss):
    seen = fingerprint(clock.now())
    make_user(access.SUPPORT)
    answer = sign(client, seen, follow=True)
    assert "access changed since you opened this page" in answer.content.decode()
    assert AccessReview.objects.count() == 0 and events(EventCode.ACCESS_REVIEWED) == []


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"is_superuser": True}, {"username": "other"}, {"roles": [access.SUPPORT]}]
)
def test_the_digest_changes_with_every_access_and_not_with_a_sign_in(boss, noon, change):
    other = make_user(access.PRIVACY)
    before = fingerprint(noon)
    User.objects.filter(pk=other.pk).update(last_login=noon)
    assert fingerprint(noon + timedelta(days=1)) == before
    if "roles" in change:
        other.groups.set(Group.objects.filter(name__in=change["roles"]))
    else:
        User.objects.filter(pk=other.pk).update(**change)
    assert fingerprint(noon) != before


@pytest.mark.parametrize("role", [*access.ROLES, ""])
def test_the_privacy_officer_reads_and_administrators_sign(client, noon, role):
    client.force_login(make_user(*filter(None, [role])))
    read, signed = client.get(reverse(PAGE)).status_code, sign(client).status_code
    may = {access.ADMINISTRATOR: (200, 302), access.PRIVACY: (200, 403)}
    assert (read, signed) == may.get(role, (403, 403))
    assert AccessReview.objects.count() == (1 if role == access.ADMINISTRATOR else 0)


def test_a_signature_is_never_changed_or_deleted(client, boss):
    sign(client)
    pk = AccessReview.objects.get().pk
    for deed in ("change", "delete"):
        answer = client.post(reverse(f"admin:privacy_accessreview_{deed}", args=[pk]), {"post": "yes", "accounts": 1})
        assert answer.status_code == 403
    assert client.post(reverse("admin:privacy_accessreview_add"), {}).status_code == 403
    assert AccessReview.objects.get().accounts == 1


@pytest.mark.parametrize(
    ("days", "nag", "blocked"), [(79, False, False), (80, True, False), (90, True, False), (91, True, True)]
)
def test_d12c_the_start_page_says_so_from_day_80_and_roles_are_blocked_from_day_91(client, boss, days, nag, blocked):
    sign(client)
    other = make_user(username="other")
    later(client, boss, days=days)
    html = html_of(client, START)
    assert ("access review" in html.partition('id="content"')[2]) == nag
    assert ("access review is overdue" in html.partition('id="content"')[2]) == blocked
    answer = give(client, other, access.SUPPORT)
    assert (answer.status_code == 200) == blocked
    assert roles_of(other) == (set() if blocked else {access.SUPPORT})
    assert ("Sign it first: until then no role is given." in answer.content.decode()) == blocked


def give(client, user: User, *roles: str, **more):
    """What the form of a user sends."""
    groups = list(Group.objects.filter(name__in=roles).values_list("pk", flat=True))
    data = {"username": user.username, "language": "en", "is_active": "on", "groups": groups} | more
    return client.post(reverse("admin:orderhub_user_change", args=[user.pk]), data)


def roles_of(user: User) -> set[str]:
    return set(User.objects.get(pk=user.pk).groups.values_list("name", flat=True))


def test_while_overdue_roles_are_taken_away_and_the_rest_of_an_account_is_changed(client, boss):
    other = make_user(access.SUPPORT, access.PRIVACY, username="other")
    sign(client)
    later(client, boss, days=91)
    assert give(client, other, access.SUPPORT, first_name="Otto").status_code == 302
    assert roles_of(other) == {access.SUPPORT} and User.objects.get(pk=other.pk).first_name == "Otto"


def test_while_overdue_nobody_new_gets_a_role_and_a_signature_ends_it(client, boss):
    later(client, boss, days=91)  # never signed: since the first account
    group = Group.objects.get(name=access.SUPPORT).pk
    password = "Correct-Horse-7-battery"
    data = {"username": "fresh", "password1": password, "password2": password, "language": "en", "groups": [group]}
    answer = client.post(reverse("admin:orderhub_user_add"), data)
    assert answer.status_code == 200 and "was never signed in 91 days" in answer.content.decode()
    assert not User.objects.filter(username="fresh").exists()
    sign(client)
    assert client.post(reverse("admin:orderhub_user_add"), data).status_code == 302
    assert roles_of(User.objects.get(username="fresh")) == {access.SUPPORT}


def test_role_changes_are_recorded_with_who_and_whose(client, boss):
    other = make_user(access.SUPPORT, username="other")
    give(client, other, access.PRIVACY)
    assert events(EventCode.ROLES_CHANGED) == [
        (boss.pk, [other.pk], "given: Privacy officer", "ok"),
        (boss.pk, [other.pk], "taken: Support", "ok"),
    ]
    give(client, other, access.PRIVACY, first_name="Otto")
    assert len(events(EventCode.ROLES_CHANGED)) == 2


def test_a_role_given_with_a_new_account_is_recorded_too(client, boss):
    password, group = "Correct-Horse-7-battery", Group.objects.get(name=access.WAREHOUSE).pk
    data = {"username": "fresh", "password1": password, "password2": password, "language": "en", "groups": [group]}
    client.post(reverse("admin:orderhub_user_add"), data)
    fresh = User.objects.get(username="fresh")
    assert events(EventCode.ROLES_CHANGED) == [(boss.pk, [fresh.pk], "given: Warehouse", "ok")]


def test_refused_role_changes_are_recorded_as_refused(client, boss):
    other = make_user(username="other")
    later(client, boss, days=91)
    give(client, other, access.SUPPORT)
    assert events(EventCode.ROLES_CHANGED) == [(boss.pk, [other.pk], "review overdue", Outcome.REFUSED)]


def test_accounts_are_changed_only_by_somebody_who_proved_lately_who_they_are(client, boss):
    other = make_user(username="other")
    clock.advance(minutes=11)
    answers = [give(client, other, access.SUPPORT), client.post(reverse("admin:orderhub_user_add"), {})]
    answers.append(client.post(reverse("admin:auth_user_password_change", args=[other.pk]), {}))
    assert all(answer["Location"].startswith("/account/confirm/") for answer in answers)
    assert roles_of(other) == set()
    assert client.get(reverse("admin:orderhub_user_change", args=[other.pk])).status_code == 200


@pytest.mark.parametrize("other", [access.SUPPORT, access.SUCCESS, access.WAREHOUSE])
def test_an_administrator_holds_no_role_that_sees_buyers(client, boss, other):
    user = make_user(username="other")
    assert give(client, user, access.ADMINISTRATOR, other).status_code == 200
    assert roles_of(user) == set() and events(EventCode.ROLES_CHANGED) == []
    assert give(client, user, access.ADMINISTRATOR).status_code == 302
    assert give(client, user, access.ADMINISTRATOR, other).status_code == 200
    assert roles_of(user) == {access.ADMINISTRATOR}


@pytest.mark.parametrize("given", [{}, {"is_superuser": True}])
def test_nobody_edits_their_own_roles(client, noon, given):
    user = make_user(access.ADMINISTRATOR, username="self", **given)
    client.force_login(user)
    freshen(client)
    give(client, user, access.PRIVACY, is_superuser="on")
    give(client, user)
    assert roles_of(user) == {access.ADMINISTRATOR} and events(EventCode.ROLES_CHANGED) == []
    assert User.objects.get(pk=user.pk).is_superuser == bool(given)


def test_an_administrator_makes_nobody_superuser(client, boss):
    other = make_user(username="other")
    give(client, other, is_superuser="on", is_staff="on", user_permissions=[1])
    other.refresh_from_db()
    assert not other.is_superuser and not other.user_permissions.exists()


def test_the_page_takes_the_same_statements_for_3_and_30_accounts(client, boss):
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(reverse(PAGE)).status_code == 200
        return len(seen)

    html_of(client, PAGE)
    few = cost()
    for _ in range(27):
        make_user(access.SUPPORT, access.PRIVACY)
    assert cost() == few <= 20


def test_the_command_prints_the_list_and_where_the_review_stands(client, boss, noon):
    make_user(access.WAREHOUSE, username="packer")
    sign(client)
    clock.advance(days=91)
    out = io.StringIO()
    call_command("access_review", stdout=out)
    told = out.getvalue()
    assert "packer" in told and "Warehouse" in told and "2 accounts, 0 API keys; last signed 2026-11-20 by boss" in told
    assert "91 days; OVERDUE, no role can be given" in told
    assert fingerprint(clock.now()) in told
