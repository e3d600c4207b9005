"""Lock-out: after how many failures, from where, for how long, and that unknown names get the same answer."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from orderhub import clock
from orderhub.signin import lockout
from privacy.models import SecurityEvent
from tests.factories import make_user
from tests.signins import FACTOR, LOGIN, PASSWORD, code_of, enrol, freshen, is_in, type_code, type_password

pytestmark = pytest.mark.django_db
HERE = "203.0.113.1"


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed."""

    algorithm = "counting"
    runs = 0

    def encode(self, password, salt):
        type(self).runs += 1
        return f"{self.algorithm}${salt}${MD5PasswordHasher().encode(password, salt).rsplit('$', 1)[1]}"


def addresses(count: int, times: int) -> list[str]:
    """So many failures, from so many addresses in turn."""
    return [f"203.0.113.{1 + number % count}" for number in range(times)]


def fail(client, user, *, at: list[str], step: str = "password"):
    answer = None
    for address in at:
        if step == "password":
            answer = type_password(client, user, "wrong", address=address)
        else:
            client.logout()
            answer = type_password(client, user, address=address)
            if answer.status_code == 302:
                answer = type_code(client, "000000", address=address)
    return answer


def codes() -> list[str]:
    return list(SecurityEvent.objects.order_by("pk").values_list("code", flat=True))


# ---- D1.2b how many


@pytest.mark.parametrize("step", ["password", "code"])
@pytest.mark.parametrize(
    ("failures", "from_addresses", "let_in"),
    [(4, 1, True), (5, 1, False), (6, 1, False), (9, 10, True), (10, 10, False), (11, 10, False)],
)
def test_d12b_five_from_one_address_or_ten_from_anywhere_lock(client, noon, step, failures, from_addresses, let_in):
    user = make_user("Support")
    if step == "code":
        enrol(user)
    last = fail(client, user, at=addresses(from_addresses, failures), step=step)
    assert last.status_code == (200 if let_in else 429)
    client.logout()
    clock.advance(seconds=60)
    answer = type_password(client, user, address="203.0.113.1")
    if step == "code" and let_in:
        answer = type_code(client, code_of(user), address="203.0.113.1")
    assert (answer.status_code, is_in(client)) == ((302, True) if let_in else (429, False))


def test_b18_a_lock_of_one_address_lets_the_owner_in_from_another(client, noon):
    user = make_user("Support")
    fail(client, user, at=[HERE] * 5)
    assert type_password(client, user, address=HERE).status_code == 429
    assert type_password(client, user, address="198.51.100.7").status_code == 302
    assert is_in(client)


def test_b18_tries_while_locked_are_not_counted_towards_the_day(client, noon):
    user = make_user("Support")
    fail(client, user, at=[HERE] * 30)
    assert AccessFailureLog.objects.count() == 5
    assert type_password(client, user, address="198.51.100.7").status_code == 302


def test_b18_a_whole_sign_in_forgives_its_own_address_only(client, noon):
    user = make_user("Support")
    fail(client, user, at=addresses(9, 9))
    assert type_password(client, user, address=HERE).status_code == 302
    client.logout()
    fail(client, user, at=["198.51.100.1"])
    assert type_password(client, user, address=HERE).status_code == 302  # 9 of others: one was forgiven
    client.logout()
    assert fail(client, user, at=["198.51.100.2", "198.51.100.3"]).status_code == 429
    assert type_password(client, user, address=HERE).status_code == 429


def test_a_right_password_does_not_forgive_wrong_codes(client, noon):
    """Who knows the password cannot guess at codes for ever by signing in again in between."""
    user = make_user("Support")
    enrol(user)
    assert fail(client, user, at=[HERE] * 5, step="code").status_code == 429
    assert type_password(client, user, address=HERE).status_code == 429


@pytest.mark.parametrize(("minutes", "let_in"), [(14.9, False), (15, True)])
def test_the_lock_of_an_address_ends_after_15_minutes(client, noon, minutes, let_in):
    user = make_user("Support")
    fail(client, user, at=[HERE] * 5)
    clock.advance(minutes=minutes)
    type_password(client, user, address=HERE)
    assert is_in(client) is let_in


@pytest.mark.parametrize(("hours", "let_in"), [(23.9, False), (24, True)])
def test_the_lock_everywhere_ends_after_a_day(client, noon, hours, let_in):
    user = make_user("Support")
    fail(client, user, at=addresses(10, 10))
    clock.advance(hours=hours)
    type_password(client, user, address="198.51.100.7")
    assert is_in(client) is let_in


def test_failures_more_than_15_minutes_apart_do_not_lock_the_address(client, noon):
    user = make_user("Support")
    for _each in range(9):
        fail(client, user, at=[HERE])
        clock.advance(minutes=4)
    assert type_password(client, user, address=HERE).status_code == 302


def test_tries_sent_at_the_same_time_do_not_slip_through_together(rf, noon):
    """Each is written down before it is looked at."""
    request = rf.post(LOGIN)
    assert [lockout.admit("maud", request, now=noon) is not None for _each in range(7)] == [True] * 5 + [False] * 2


def test_b17_spellings_of_a_name_are_one_name(client, noon):
    make_user("Support", username="maud")
    for name in ("maud", "Maud", "MAUD", " maud", "ｍaud"):
        type_password(client, name, "wrong", address=HERE)
    assert type_password(client, "maud", address=HERE).status_code == 429


# ---- B17 same answer


def page_of(answer) -> str:
    return "".join(
        line for line in answer.content.decode().splitlines(True) if "csrf" not in line and "value=" not in line
    )


@pytest.mark.parametrize("times", [1, 5, 6])
def test_b17_an_unknown_name_gets_the_same_answers_statements_and_hashing(client, noon, settings, times):
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    inactive = make_user("Support", username="ines", is_active=False)
    known = make_user("Support", username="maud")
    seen = []
    for name in (known.username, "nobody", inactive.username):
        before = CountingHasher.runs
        with CaptureQueriesContext(connection) as caught:
            answers = [type_password(client, name, "wrong", address=HERE) for _each in range(times)]
        seen.append((answers[-1].status_code, page_of(answers[-1]), len(caught), CountingHasher.runs - before))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][3] == min(times, 5)  # one hash a try, none while locked


def test_b17_there_is_no_reset_by_mail_to_flood():
    with pytest.raises(NoReverseMatch):
        reverse("admin_password_reset")


def test_d12b_there_is_no_basic_authentication(client):
    make_user("Support", username="maud")
    answer = client.get("/admin/", HTTP_AUTHORIZATION="Basic bWF1ZDpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=")
    assert answer.status_code == 302 and answer["Location"].startswith(LOGIN)
    assert "authentication" not in " ".join(settings.REST_FRAMEWORK).lower() or "Basic" not in str(
        settings.REST_FRAMEWORK
    )


# ---- the other places where a password is typed


def test_d12b_the_page_that_asks_again_and_the_password_page_count_too(client, noon):
    user = make_user("Support")
    type_password(client, user, address=HERE)
    for _each in range(2):
        client.post("/account/confirm/", {"code": "wrong"}, REMOTE_ADDR=HERE)
    page = reverse("admin:password_change")
    typed = {"old_password": "wrong", "new_password1": "Some-thing new 1", "new_password2": "Some-thing new 1"}
    for _each in range(2):
        assert client.post(page, typed, REMOTE_ADDR=HERE).status_code == 200
    assert client.post(page, typed, REMOTE_ADDR=HERE).status_code == 429
    right = client.post(page, typed | {"old_password": PASSWORD}, REMOTE_ADDR=HERE)
    user.refresh_from_db()
    assert right.status_code == 429 and user.check_password(PASSWORD)


def test_too_many_wrong_codes_at_the_desk_end_the_session(client, noon):
    user = make_user("Support")
    type_password(client, user, address=HERE)
    for _each in range(5):
        answer = client.post("/account/confirm/", {"code": "wrong"}, REMOTE_ADDR=HERE)
    assert answer.status_code == 429 and not is_in(client)
    ended = SecurityEvent.objects.get(code="session_ended")
    assert ended.reason == "locked"


# ---- unlocking


def test_d12b_unlocking_is_an_administrators_recorded_action(client, noon):
    user = make_user("Support", username="maud")
    fail(client, user, at=addresses(10, 10))
    boss = make_user("Administrator")
    client.force_login(boss)
    page = reverse("admin:orderhub_user_change", args=[user.pk])
    assert "locked everywhere" in client.get(page).content.decode()
    door = reverse("admin:orderhub_user_unlock", args=[user.pk])
    assert client.post(door)["Location"].startswith("/account/confirm/")  # a fresh proof first
    assert lockout.state_of("maud", now=noon) == "day"
    freshen(client)
    assert client.get(door).status_code == 302 and lockout.state_of("maud", now=noon) == "day"
    client.post(door)
    event = SecurityEvent.objects.get(code="unlocked")
    assert (event.user, event.kind, event.ids, lockout.state_of("maud", now=noon)) == (boss, "user", [user.pk], "")
    client.logout()
    assert type_password(client, user, address=HERE).status_code == 302


@pytest.mark.parametrize("role", ["Support", "Customer success", "Warehouse", "Privacy officer"])
def test_nobody_else_unlocks(client, noon, role):
    user = make_user("Support", username="maud")
    fail(client, user, at=[HERE] * 5)
    client.force_login(make_user(role))
    freshen(client)
    for door in ("unlock", "remove-factor", "end-sessions"):
        assert client.post(reverse(f"admin:orderhub_user_{door}", args=[user.pk])).status_code == 403
    assert lockout.state_of("maud", now=noon) == "address"


def test_an_administrator_does_not_touch_a_superuser(client, noon):
    root = make_user(is_superuser=True)
    enrol(root)
    client.force_login(make_user("Administrator"))
    freshen(client)
    assert client.post(reverse("admin:orderhub_user_remove-factor", args=[root.pk])).status_code == 403
    assert client.get(FACTOR).status_code == 200


def test_who_has_the_server_unlocks_by_command(client, noon):
    user = make_user("Administrator", username="maud")
    enrol(user)
    fail(client, user, at=addresses(10, 10))
    call_command("unlock_user", "maud", "--second-factor")
    assert type_password(client, user, address=HERE).status_code == 302 and is_in(client)
    assert {"unlocked", "second_factor_removed"} <= set(codes())
    with pytest.raises(CommandError):
        call_command("unlock_user", "nobody")


# ---- what is kept


def test_failures_and_locks_are_recorded_without_what_was_typed(client, noon):
    user = make_user("Support", username="maud")
    fail(client, user, at=[HERE] * 5)
    fail(client, "Tr0ub4dor&3 in the wrong field", at=["203.0.113.9"])
    assert codes() == ["sign_in_failed"] * 5 + ["locked", "sign_in_failed"]
    locked = SecurityEvent.objects.get(code="locked")
    assert (locked.kind, locked.ids, locked.reason, locked.address, locked.outcome) == (
        "user", [user.pk], "address", HERE, "refused",
    )  # fmt: skip
    assert SecurityEvent.objects.last() is not None
    kept = [*AccessFailureLog.objects.values(), *SecurityEvent.objects.values()]
    for secret in ("Tr0ub4dor", "wrong field", "'wrong'", "maud"):
        assert secret not in str(kept)
    assert not AccessAttempt.objects.exists() and not AccessLog.objects.exists()


def test_log_lines_of_a_failed_sign_in_hold_no_value(client, noon, caplog):
    from orderhub.logs import EventFormatter

    make_user("Support", username="maud")
    with caplog.at_level("DEBUG"):
        fail(client, "maud", at=[HERE] * 6)
    lines = [EventFormatter().format(record) for record in caplog.records if record.name.split(".")[0] == "axes"]
    assert not any("maud" in line or HERE in line or "wrong" in line for line in lines)


def test_failures_that_no_longer_count_are_forgotten(client, noon):
    from orderhub.housekeeping.jobs import prune

    fail(client, "nobody", at=[HERE])
    clock.advance(days=1, hours=23)
    prune()
    assert AccessFailureLog.objects.count() == 1
    clock.advance(hours=2)
    prune()
    assert AccessFailureLog.objects.count() == 0


def test_the_limits_are_settings(client, noon, settings):
    settings.LOCK_AFTER, settings.LOCK_FOR = 2, timedelta(minutes=1)
    user = make_user("Support")
    assert fail(client, user, at=[HERE] * 2).status_code == 429
    clock.advance(minutes=1)
    assert type_password(client, user, address=HERE).status_code == 302
