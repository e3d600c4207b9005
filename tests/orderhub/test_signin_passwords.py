"""D1.4a: what a password must be, how old it may get, and which ones do not come back."""

from datetime import timedelta

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.urls import reverse

from orderhub import clock
from orderhub.models import User
from orderhub.signin.models import PasswordHistory
from privacy.models import SecurityEvent
from tests.factories import make_user
from tests.signins import PASSWORD, freshen, is_in, sign_in, type_password

pytestmark = pytest.mark.django_db
PAGE = "/admin/password_change/"
GOOD = "Harbour-light 77"


def codes_of(password: str, **given) -> set[str]:
    user = User(**({"username": "someone.else"} | given))
    try:
        validate_password(password, user)
    except ValidationError as error:
        return {found.code for found in error.error_list}
    return set()


@pytest.mark.parametrize(
    ("password", "refused_for"),
    [
        ("Abcdef-7890", {"password_too_short"}),  # 11
        ("Abcdef-78901", set()),  # 12
        ("abcdef-78901", {"password_kinds"}),
        ("ABCDEF-78901", {"password_kinds"}),
        ("Abcdef-ghijk", {"password_kinds"}),
        ("Abcdefg78901", {"password_kinds"}),
        ("Abcdef 78901", {"password_kinds"}),  # a blank is no sign
        ("Élan-vital 1848", set()),
        ("Ab1-" * 16, set()),  # 64
        ("Ab1-" * 50, set()),  # 200
        ("Aa1-日本語のとても長い", set()),
    ],
)
def test_d14a_length_and_kinds(password, refused_for):
    assert codes_of(password) == refused_for


@pytest.mark.parametrize(
    ("name", "password", "refused"),
    [
        ("jean.dupont", "Big-Jean-house 1", True),
        ("jean.dupont", "Big-DUPO-house 1", True),
        ("jean.dupont", "Big-upon-house 1", True),
        ("jean.dupont", "Big-jea-dup-house 1", False),  # three letters
        ("helene", "Big-Hélène-house 1", True),
        ("hélène", "Big-HELENE-house 1", True),
        ("mia", "Big-mia-house 12", False),
        ("a1b2c3", "Big-a1b2c3-house", False),  # no four letters in a row
        ("straße", "Big-STRASSE-hut 1", True),
    ],
)
def test_d14a_no_part_of_the_user_name(name, password, refused):
    assert ("password_user_name" in codes_of(password, username=name)) is refused


@pytest.mark.parametrize("password", ["password1234", "PASSWORD1234", "1qaz2wsx3edc"])
def test_d14a_common_passwords_are_refused(password):
    assert "password_too_common" in codes_of(password)


@pytest.mark.parametrize(("policy", "codes"), [("dpp", {"password_kinds"}), ("asvs", set())])
def test_d14a_asvs_asks_for_no_kinds(settings, policy, codes):
    settings.PASSWORD_POLICY = policy
    assert codes_of("a long and plain phrase") == codes


def change(client, old: str, new: str):
    return client.post(PAGE, {"old_password": old, "new_password1": new, "new_password2": new})


def test_d14a_the_tenth_before_is_refused_and_the_eleventh_allowed(noon):
    user = make_user("Support")
    had = [f"Harbour-light {number}!" for number in range(100, 112)]
    for password in had:
        user.set_password(password)
        user.save()

    def refused(password):
        try:
            validate_password(password, user)
        except ValidationError as error:
            return {found.code for found in error.error_list} == {"password_used_before"}
        return False

    # had[-1] is the present one, had[-2] the first before it, had[-11] the tenth, had[-12] the eleventh
    assert [refused(password) for password in reversed(had)] == [True] * 11 + [False]


def test_d14a_the_history_holds_hashes_only(noon):
    user = make_user("Support")
    user.set_password(GOOD)
    user.save()
    user.save()
    former = PasswordHistory.objects.get()
    assert former.user == user and former.password.startswith("md5$") and PASSWORD not in former.password
    assert str(former) == f"#{former.pk}"


@pytest.mark.parametrize(("hours", "allowed"), [(23 + 59 / 60, False), (24, True)])
def test_d14a_changed_again_after_a_day_only(client, noon, hours, allowed):
    user = make_user("Support")
    sign_in(client, user)
    assert change(client, PASSWORD, GOOD).status_code == 302  # the first one may be changed at once
    clock.advance(hours=hours)
    type_password(client, user, GOOD)
    answer = change(client, GOOD, "Another-light 78")
    assert ("less than a day ago" in answer.content.decode()) is not allowed
    user.refresh_from_db()
    assert user.check_password("Another-light 78") is allowed


def test_d14a_asvs_knows_no_least_age(client, noon, settings):
    settings.PASSWORD_POLICY = "asvs"  # noqa: S105
    user = make_user("Support")
    sign_in(client, user)
    change(client, PASSWORD, "one plain long phrase")
    change(client, "one plain long phrase", "one other long phrase")
    user.refresh_from_db()
    assert user.check_password("one other long phrase")


@pytest.mark.parametrize(
    ("policy", "age", "led_away"),
    [
        ("dpp", timedelta(days=365), False),
        ("dpp", timedelta(days=365, seconds=1), True),
        ("dpp", timedelta(days=366), True),
        ("asvs", timedelta(days=4000), False),
    ],
)
def test_d14a_an_old_password_is_changed_before_anything_else(client, noon, settings, policy, age, led_away):
    settings.PASSWORD_POLICY = policy
    user = make_user("Support")
    User.objects.filter(pk=user.pk).update(password_changed_at=noon - age)
    sign_in(client, user)
    answer = client.get("/admin/orders/order/")
    assert answer.status_code == (302 if led_away else 200)
    if led_away:
        assert answer["Location"] == f"{PAGE}?next=%2Fadmin%2Forders%2Forder%2F"
        assert "more than a year old" in client.get(PAGE).content.decode()
        assert client.post("/admin/orders/order/add/", {"x": "y"}).status_code == 302
        assert change(client, PASSWORD, GOOD).status_code == 302
        assert is_in(client)


def test_a_password_set_by_an_administrator_is_for_one_sign_in(client, noon):
    user = make_user("Support")
    boss = make_user("Administrator")
    client.force_login(boss)
    freshen(client)
    phrase = "Another-long one 2"
    form = {"password1": phrase, "password2": phrase, "usable_password": "true"}
    client.post(reverse("admin:auth_user_password_change", args=[user.pk]), form)
    client.logout()
    type_password(client, user, phrase)
    assert client.get("/admin/")["Location"].startswith(PAGE)
    assert "An administrator set your password" in client.get(PAGE).content.decode()
    assert change(client, phrase, GOOD).status_code == 302  # less than a day after the reset
    user.refresh_from_db()
    assert user.check_password(GOOD) and not user.password_is_temporary and is_in(client)
    told = SecurityEvent.objects.filter(code="password_changed").order_by("pk")
    assert [(event.user, event.ids, event.reason) for event in told] == [
        (boss, [user.pk], "administrator"), (user, [user.pk], ""),
    ]  # fmt: skip


def test_ones_own_password_is_not_set_without_the_old_one(client):
    boss = make_user("Administrator")
    client.force_login(boss)
    door = reverse("admin:auth_user_password_change", args=[boss.pk])
    answer = client.post(door, {"password1": GOOD, "password2": GOOD, "usable_password": "true"})
    boss.refresh_from_db()
    assert answer["Location"] == PAGE and boss.check_password(PASSWORD)


def test_a_new_user_changes_the_first_password(client, noon):
    client.force_login(make_user("Administrator"))
    freshen(client)
    typed = {"username": "nina", "password1": GOOD, "password2": GOOD, "language": "en"}
    client.post(reverse("admin:orderhub_user_add"), typed)
    client.logout()
    type_password(client, "nina", GOOD)
    assert client.get("/admin/")["Location"].startswith(PAGE)


@pytest.mark.parametrize("name", ["admin", "Admin", "test", "demo", "root", "admin2", "TEST_01", "guest"])
def test_d12a_names_that_are_nobodys_are_refused_by_the_form(client, name):
    client.force_login(make_user("Administrator"))
    freshen(client)
    page = client.post(
        reverse("admin:orderhub_user_add"), {"username": name, "password1": GOOD, "password2": GOOD, "language": "en"}
    )
    assert "could be anybody" in page.content.decode()
    assert not User.objects.filter(username=name).exists()


def test_d12a_nor_can_a_user_be_renamed_so(client):
    user = make_user("Support", username="maud")
    client.force_login(make_user("Administrator"))
    freshen(client)
    client.post(
        reverse("admin:orderhub_user_change", args=[user.pk]),
        {"username": "admin", "language": "en", "is_active": "on"},
    )
    user.refresh_from_db()
    assert user.username == "maud"
