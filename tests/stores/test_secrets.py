"""The application's client secret: rotated without losing a call, and its age known in time."""

from datetime import date, timedelta

import pytest

from orderhub import clock
from orderhub.jobs import run
from orders.models import Order
from privacy import access
from stores import connecting, secrets
from stores.connectors.amazon import signin
from stores.jobs import watch_authorizations
from stores.models import AmazonAccount, ClientSecretSeen
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect, make_user
from tests.orders.driving import (
    assert_amazon_knows_once,
    assert_every_order_is_here_once,
    assert_nothing_is_stuck,
    import_now,
    notify_now,
    ship_everything,
    time_passes,
    time_passes_until,
)

pytestmark = pytest.mark.django_db
Status = AmazonAccount.Status
OLD, NEW = scenarios.CLIENT_SECRET, "amzn1.oa2-cs.v1.the-new-one"


def forget_tokens() -> None:
    with signin._lock:
        signin._cache.clear()


@pytest.fixture(autouse=True)
def fresh_process():
    """No secret is remembered from another test."""
    with signin._lock:
        signin._worked.clear()


@pytest.fixture
def account(world):
    return connect(scenarios.NA, sources=("US",))


def deploy(settings, current: str, previous: str = "") -> None:
    settings.LWA_CLIENT_SECRET, settings.LWA_CLIENT_SECRET_PREVIOUS = current, previous


def sign_ins(world, account) -> list[int]:
    """The answers to the token calls of one sign-in without a token in memory."""
    forget_tokens()
    before = len(world.requests)
    connecting.connector_for(account).sign_in()
    return [call["status"] for call in world.requests[before:]]


# ---- rotation


def test_two_secrets_are_tried_only_where_the_first_is_refused(world, account, settings):
    deploy(settings, OLD, NEW)
    assert sign_ins(world, account) == [200]


@pytest.mark.parametrize(("current", "previous"), [(NEW, OLD), (OLD, NEW)])
def test_whichever_of_the_two_is_live_works(world, account, settings, current, previous):
    deploy(settings, current, previous)
    world.rotate_secret(add=previous)
    world.rotate_secret(drop=current)
    assert sign_ins(world, account) == [401, 200]


def test_the_secret_that_works_leads_for_ten_minutes_then_the_first_has_its_turn(world, account, settings, travel):
    deploy(settings, NEW, OLD)
    assert sign_ins(world, account) == [401, 200]
    travel(world, minutes=9)
    assert sign_ins(world, account) == [200]
    travel(world, minutes=1)
    assert sign_ins(world, account) == [401, 200]
    assert sign_ins(world, account) == [200]
    world.rotate_secret(add=NEW)
    travel(world, minutes=10)
    world.rotate_secret(drop=OLD)
    assert sign_ins(world, account) == sign_ins(world, account) == [200]


def test_the_secret_that_led_may_die_within_its_ten_minutes(world, account, settings):
    deploy(settings, NEW, OLD)
    sign_ins(world, account)
    world.rotate_secret(add=NEW, drop=OLD)
    assert sign_ins(world, account) == [401, 200]
    assert sign_ins(world, account) == [200]


def test_only_both_refused_is_the_operators_mistake(world, account, settings):
    deploy(settings, "wrong", "wrong too")
    forget_tokens()
    before = len(world.requests)
    assert "stopped" in import_now(account)
    account.refresh_from_db()
    assert (account.status, account.status_reason) == (Status.PAUSED, "operator")
    assert [call["status"] for call in world.requests[before:]] == [401, 401]


def test_the_same_secret_twice_is_asked_once(world, account, settings):
    deploy(settings, "wrong", "wrong")
    forget_tokens()
    before = len(world.requests)
    import_now(account)
    assert len(world.requests) == before + 1


@pytest.mark.parametrize("kind", ["500_before", "429", "html", "reset"])
def test_an_unclear_answer_asks_no_second_secret(world, account, settings, kind):
    deploy(settings, OLD, NEW)
    forget_tokens()
    world.faults.arm("lwa", kind, times=1)
    before = len(world.requests)
    import_now(account)
    account.refresh_from_db()
    assert (account.status, len(world.requests)) == (Status.ACTIVE, before + 1)


def test_a_withdrawn_token_is_told_apart_from_a_dead_secret(world, account, settings):
    deploy(settings, NEW, OLD)
    forget_tokens()
    world.revoke(scenarios.NA)
    import_now(account)
    account.refresh_from_db()
    assert (account.status, account.status_reason) == (Status.REVOKED, "invalid_grant")


@pytest.mark.long
def test_a_rotation_in_the_middle_of_an_import_loses_nothing(world, settings):
    """Deployed before it is live, live between two pages, the old one dead while orders and notices wait."""
    for number in range(350):
        at = NOON.replace(hour=10) + timedelta(seconds=number)
        world.add_order(scenarios.NA, marketplace="US", created=at, updated=at)
    account = connect(scenarios.NA, sources=("US",))
    deploy(settings, NEW, OLD)
    before = len(world.requests)
    world.after_calls("searchOrders", 1, forget_tokens)
    world.faults.arm("searchOrders", "429", times=1, after=2)
    import_now(account)
    assert Order.objects.count() == 200
    world.rotate_secret(add=NEW, drop=OLD)
    forget_tokens()
    time_passes_until(lambda: Order.objects.count() == 350, world)
    ship_everything()
    forget_tokens()
    notify_now(account)
    deploy(settings, NEW)
    time_passes(world, minutes=150)

    lwa = [call["status"] for call in world.requests[before:] if call["operation"] == "lwa"]
    assert lwa[:5] == [401, 200, 200, 401, 200] and set(lwa[5:]) == {200}
    assert_every_order_is_here_once(world)
    assert len(world.effective_confirmations()) == 350
    assert_amazon_knows_once(world, list(Order.objects.all()))
    assert_nothing_is_stuck()
    account.refresh_from_db()
    assert account.status == Status.ACTIVE


def test_a_secret_does_not_show_in_what_a_sign_in_says_of_itself(world, account, settings):
    deploy(settings, OLD, NEW)
    text = repr(connecting.connector_for(account).client.sign_in)
    for secret in (OLD, NEW, account.refresh_token):
        assert secret not in text


# ---- age


def test_the_age_counts_from_the_day_it_was_first_seen(noon, settings):
    assert secrets.age_days(noon) is None
    run(watch_authorizations.job_name)
    assert secrets.age_days(noon) == 0
    clock.advance(days=40)
    run(watch_authorizations.job_name)
    assert secrets.age_days(clock.now()) == 40
    settings.LWA_CLIENT_SECRET = "another"
    run(watch_authorizations.job_name)
    assert secrets.age_days(clock.now()) == 0


def test_the_operators_date_counts_where_it_is_given(noon, settings, django_assert_num_queries):
    secrets.note(noon)
    settings.LWA_CLIENT_SECRET_ISSUED_ON = "2026-06-23"
    with django_assert_num_queries(0):
        assert secrets.age_days(noon) == 150
    settings.LWA_CLIENT_SECRET_ISSUED_ON = "soon"
    assert secrets.age_days(noon) == 0
    settings.LWA_CLIENT_SECRET_ISSUED_ON = "2027-01-01"
    assert secrets.age_days(noon) == 0


def test_without_a_secret_there_is_no_age(noon, settings):
    settings.LWA_CLIENT_SECRET = ""
    secrets.note(noon)
    assert secrets.age_days(noon) is None and not ClientSecretSeen.objects.exists()


def test_the_age_outlives_a_change_of_our_own_key_and_the_secret_is_not_kept(noon, settings):
    secrets.note(noon)
    kept = ClientSecretSeen.objects.get().fingerprint
    assert len(kept) == 64 and settings.LWA_CLIENT_SECRET not in kept
    settings.SECRET_KEY = "another-key-of-ours"
    assert secrets.age_days(noon) == 0


@pytest.mark.parametrize(
    ("age", "level", "text"),
    [
        (None, "", ""),
        (149, "", ""),
        (150, "warn", "150 days old"),
        (174, "warn", "should issue a new one"),
        (175, "bad", "Amazon stops it at 180 days: import and notices would end for all accounts."),
        (400, "bad", "400 days old"),
    ],
)
def test_the_words_grow_urgent_with_age(age, level, text):
    assert secrets.level(age) == level
    assert text in secrets.words(age) and bool(secrets.words(age)) == bool(level)


def test_f11_an_old_secret_is_mailed_once_at_150_and_at_175_days(noon, settings, mailoutbox):
    make_user(access.ADMINISTRATOR, email="operator@staff.example")
    settings.LWA_CLIENT_SECRET_ISSUED_ON = "2026-07-01"
    heard = []
    for _quarter_of_a_day in range(4 * 40):
        run(watch_authorizations.job_name)
        if mailoutbox:
            heard.append((clock.now().date(), mailoutbox.pop().subject))
            assert mailoutbox == []
        clock.advance(hours=6)
    subject = "OrderHub: the application's client secret grows old"
    assert heard == [(date(2026, 11, 28), subject), (date(2026, 12, 23), subject)]
    settings.LWA_CLIENT_SECRET, settings.LWA_CLIENT_SECRET_ISSUED_ON = NEW, "2026-07-20"  # another secret, old as well
    run(watch_authorizations.job_name)
    assert len(mailoutbox) == 1 and NEW not in mailoutbox[0].body
