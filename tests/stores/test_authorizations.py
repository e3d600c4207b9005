"""An authorisation that ends or is withdrawn: the account stops at once, loses nothing, and people hear of it in time."""

from datetime import timedelta

import pytest
from django.core.mail.backends.locmem import EmailBackend

from orderhub import clock
from orderhub.jobs import run
from orderhub.models import User
from orders.jobs import import_account
from orders.models import Order
from privacy import access
from shipments import confirming
from shipments.jobs import notify_account
from shipments.models import ShipmentNotification
from stores import connecting, health, words
from stores.connectors.amazon import signin
from stores.jobs import watch_authorizations
from stores.models import AmazonAccount, DigestReceipt
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect, make_account, make_store, make_user
from tests.orders.driving import (
    assert_amazon_knows_once,
    assert_every_order_is_here_once,
    assert_nothing_is_stuck,
    import_now,
    notify_now,
    ship_everything,
    sweep,
    time_passes,
    time_passes_until,
)

pytestmark = pytest.mark.django_db
Status = AmazonAccount.Status


def add_orders(world, count: int, *, hour: int = 10) -> None:
    start = NOON.replace(hour=hour)
    for number in range(count):
        at = start + timedelta(seconds=number)
        world.add_order(scenarios.NA, marketplace="US", created=at, updated=at)


def forget_tokens() -> None:
    with signin._lock:
        signin._cache.clear()


def known_orders() -> int:
    return Order.objects.count()


# ---- withdrawn in Seller Central


@pytest.fixture
def many_pages(world):
    """250 orders, three pages; ten shipped orders of an earlier import wait to be told."""
    add_orders(world, 10, hour=8)
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    shipped = ship_everything()
    world.clock.set(clock.advance(minutes=10))
    add_orders(world, 250, hour=12)
    return account, shipped


def renewed_and_caught_up(world, account, shipped) -> None:
    connecting.renew(AmazonAccount.objects.get(pk=account.pk), world.renew(scenarios.NA), now=clock.now())
    time_passes_until(lambda: known_orders() == 260, world)
    time_passes(world, minutes=30)
    assert_every_order_is_here_once(world)
    assert_amazon_knows_once(world, shipped)
    assert_nothing_is_stuck()


def test_r13_a_token_withdrawn_between_two_pages_costs_two_more_calls_and_no_order(world, many_pages):
    account, shipped = many_pages
    asked = world.calls("searchOrders")
    world.after_calls("searchOrders", asked + 2, lambda: world.revoke(scenarios.NA))
    before = len(world.requests)
    assert "stopped" in import_now(account)
    time_passes(world, minutes=120)

    assert [call["operation"] for call in world.requests[before + 2 :]] == ["searchOrders", "lwa"]
    account.refresh_from_db()
    assert (account.status, account.status_reason) == (Status.REVOKED, "invalid_grant")
    assert (known_orders(), bool(account.page_token)) == (210, True)
    assert "paste the new token" in health.words(account)
    assert set(ShipmentNotification.objects.values_list("state", "attempts")) == {("pending", 0)}
    renewed_and_caught_up(world, account, shipped)


def test_r13_import_and_notices_running_together_cost_at_most_three_calls(world, many_pages):
    """The notices' worker has the account in hand and an access token of its own in memory."""
    account, shipped = many_pages
    in_hand, theirs = AmazonAccount.objects.get(pk=account.pk), dict(signin._cache)
    asked = world.calls("searchOrders")
    world.after_calls("searchOrders", asked + 2, lambda: world.revoke(scenarios.NA))
    before = len(world.requests)
    import_now(account)
    signin._cache.update(theirs)
    with pytest.raises(health.CredentialsRejected) as refusal:
        confirming.notify_due(in_hand, connecting.connector_for(in_hand), now=clock.now())
    health.stop_for(in_hand, refusal.value, now=clock.now())
    time_passes(world, minutes=120)

    after = [call["operation"] for call in world.requests[before + 2 :]]
    assert after == ["searchOrders", "lwa", "confirmShipment"]
    assert set(ShipmentNotification.objects.values_list("state", "attempts")) == {("pending", 0)}
    renewed_and_caught_up(world, account, shipped)


@pytest.mark.parametrize("first", [import_now, notify_now])
def test_r13_a_token_refused_at_sign_in_costs_one_call(world, many_pages, first):
    account, shipped = many_pages
    forget_tokens()
    world.revoke(scenarios.NA)
    before = len(world.requests)
    first(account)
    time_passes(world, minutes=120)
    assert [call["operation"] for call in world.requests[before:]] == ["lwa"]
    renewed_and_caught_up(world, account, shipped)


def test_r13_notices_that_meet_the_withdrawn_token_first_cost_one_call(world, many_pages):
    account, shipped = many_pages
    world.revoke(scenarios.NA)
    before = len(world.requests)
    notify_now(account)
    time_passes(world, minutes=120)
    assert [call["operation"] for call in world.requests[before:]] == ["confirmShipment"]
    renewed_and_caught_up(world, account, shipped)


# ---- the year is over


def ends_in(account: AmazonAccount, **delta: float) -> AmazonAccount:
    AmazonAccount.objects.filter(pk=account.pk).update(authorization_expires_at=clock.now() + timedelta(**delta))
    account.refresh_from_db()
    return account


def test_r13_an_expired_authorisation_is_never_tried_and_a_renewed_one_goes_on(world):
    add_orders(world, 3, hour=8)
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    shipped = ship_everything()
    ends_in(account, minutes=5)
    world.clock.set(clock.advance(minutes=5))
    add_orders(world, 4, hour=12)
    before, cursor = len(world.requests), account.imported_until
    time_passes(world, minutes=60)

    assert len(world.requests) == before
    account.refresh_from_db()
    assert (account.status, account.status_reason, account.imported_until) == (Status.EXPIRED, "year_over", cursor)
    assert set(ShipmentNotification.objects.values_list("state", "attempts")) == {("pending", 0)}
    assert known_orders() == 3

    connecting.renew(account, world.renew(scenarios.NA), now=clock.now())
    time_passes(world, minutes=30)
    assert known_orders() == 7
    assert_every_order_is_here_once(world)
    assert_amazon_knows_once(world, shipped)
    assert_nothing_is_stuck()


def test_r13_a_window_half_read_when_the_year_ends_is_read_to_its_end_afterwards(world):
    add_orders(world, 250)
    account = connect(scenarios.NA, sources=("US",))
    world.faults.arm("searchOrders", "429", times=1, after=1)
    import_now(account)
    account.refresh_from_db()
    assert (known_orders(), bool(account.page_token)) == (100, True)
    kept = (account.page_token, account.window_after, account.imported_until)
    ends_in(account, hours=0)
    time_passes(world, minutes=90)
    account.refresh_from_db()
    assert account.status == Status.EXPIRED
    assert (account.page_token, account.window_after, account.imported_until) == kept
    connecting.renew(account, world.renew(scenarios.NA), now=clock.now())
    time_passes_until(lambda: known_orders() == 250, world)
    assert_every_order_is_here_once(world)


@pytest.mark.parametrize("job", [import_account, notify_account])
def test_r13_the_first_job_after_the_end_stops_the_account(world, job):
    account = ends_in(connect(scenarios.NA, sources=("US",)), hours=0)
    before = len(world.requests)
    assert "expired" in run(job.job_name, account.pk)
    account.refresh_from_db()
    assert (account.status, len(world.requests)) == (Status.EXPIRED, before)


def test_r13_the_watch_stops_what_no_job_looks_at(noon):
    quiet, paused, fine = (make_account(selling_partner_id=f"A{number}") for number in range(3))
    AmazonAccount.objects.exclude(pk=fine.pk).update(authorization_expires_at=noon)
    paused.stop(Status.PAUSED, health.OPERATOR)
    assert run(watch_authorizations.job_name).startswith("2 expired")
    found = dict(AmazonAccount.objects.values_list("pk", "status"))
    assert found == {quiet.pk: Status.EXPIRED, paused.pk: Status.EXPIRED, fine.pk: Status.ACTIVE}


@pytest.mark.parametrize(
    ("left", "status"),
    [({"hours": 30}, Status.REVOKED), ({"hours": 23}, Status.EXPIRED), ({"seconds": 1}, Status.EXPIRED)],
)
def test_r13_a_refusal_about_the_end_of_the_year_is_called_expired(world, left, status):
    account = ends_in(connect(scenarios.NA, sources=("US",)), **left)
    world.revoke(scenarios.NA)
    import_now(account)
    account.refresh_from_db()
    assert (account.status, account.status_reason) == (status, "invalid_grant")


def test_an_account_renewed_meanwhile_is_not_stopped_by_its_old_date(world):
    account = ends_in(connect(scenarios.NA, sources=("US",)), hours=0)
    in_hand = AmazonAccount.objects.get(pk=account.pk)
    connecting.renew(account, world.renew(scenarios.NA), now=clock.now())
    assert health.stop_if_expired(in_hand, now=clock.now()) is False
    account.refresh_from_db()
    assert account.status == Status.ACTIVE


@pytest.mark.parametrize(
    ("status", "days", "may"),
    [
        (Status.ACTIVE, 200, False),
        (Status.PAUSED, 200, True),
        (Status.REVOKED, 200, True),
        (Status.EXPIRED, 0.5, False),  # refused by Amazon a few hours before our own date
        (Status.REVOKED, -1, False),
        (Status.PAUSED, -1, False),
    ],
)
def test_the_same_token_is_offered_only_where_it_may_help(noon, status, days, may):
    account = make_account()
    account.status, account.authorization_expires_at = status, noon + timedelta(days=days)
    assert health.can_resume(account, now=noon) is may
    assert "same token" not in health.words(account)


@pytest.mark.parametrize(
    ("left", "text", "level"),
    [
        ({"days": 200}, "200 days left", "ok"),
        ({"days": 31}, "31 days left", "ok"),
        ({"days": 30, "hours": 23}, "30 days left", "warn"),
        ({"days": 8}, "8 days left", "warn"),
        ({"days": 7}, "7 days left", "bad"),
        ({"days": 1}, "1 day left", "bad"),
        ({"hours": 1}, "less than a day left", "bad"),
        ({"hours": 0}, "expired", "bad"),
    ],
)
def test_the_badge_says_how_long_and_how_urgent(noon, left, text, level):
    account = ends_in(make_account(), **left)
    assert words.expiry_badge(account) == f'<span class="oh-badge oh-badge--{level}">{text}</span>'


# ---- the mail


@pytest.fixture
def staff(noon):
    """Somebody in every role, and those who must get nothing."""
    for number, role in enumerate(access.ROLES):
        make_user(role, username=role, email=f"user{number}@staff.example")
    make_user(access.SUPPORT, username="left", email="left@staff.example", is_active=False)
    make_user(access.SUPPORT, username="mailless")
    make_user(username="roleless", email="roleless@staff.example")
    make_user(access.SUPPORT, access.SUCCESS, username="twice", email="USER0@staff.example", language="fr")


TOLD = {"user0@staff.example", "user1@staff.example", "user4@staff.example"}  # Support, Customer success, Administrator


def watch() -> str:
    return run(watch_authorizations.job_name)


def days_pass(days: float) -> None:
    """The watch runs every hour, as in a worker."""
    for _hour in range(int(days * 24)):
        clock.advance(hours=1)
        watch()


@pytest.mark.long
def test_f11_each_threshold_is_told_once_and_the_end_too(staff, mailoutbox):
    account = ends_in(make_account(), days=35)
    heard = []
    for day in range(40):
        days_pass(1)
        heard += [day + 1] * (len(mailoutbox) > 0)
        assert {mail.to[0] for mail in mailoutbox} in ({*()}, TOLD)
        mailoutbox.clear()
    assert heard == [5, 21, 28, 34, 35]  # 30, 14, 7 and 1 days before the 35th day, and on it
    account.refresh_from_db()
    assert (account.status, account.warned_days) == (Status.EXPIRED, 0)


def test_f11_one_mail_lists_everything_and_no_secret(staff, mailoutbox, settings):
    settings.LWA_CLIENT_SECRET_ISSUED_ON = "2026-10-01"
    soon = ends_in(make_account(scenarios.NA), days=12)
    make_store("US", account=soon, name="Lac US")
    make_store("CA", account=soon, name="Lac & Fils CA")
    gone = make_account(scenarios.EU)
    gone.stop(Status.REVOKED, "invalid_grant")
    make_account(scenarios.JP)
    assert watch() == "0 expired; 2 accounts to tell of: 3 mails"

    mail = mailoutbox[0]
    assert {mail.to[0] for mail in mailoutbox} == TOLD and len(mailoutbox) == 3
    assert mail.subject == "OrderHub: 2 Amazon accounts need you"
    for part in (
        soon.selling_partner_id, soon.merchant.name, "Stores: Lac & Fils CA, Lac US", "2 Dec 2026 (12 days left)",
        gone.selling_partner_id, gone.merchant.name, "Amazon no longer accepts the token", "50 days old",
    ):  # fmt: skip
        assert part in mail.body, part
    assert scenarios.JP.seller_id not in mail.body
    for secret in ("Atzr|", "Atza|", settings.LWA_CLIENT_SECRET, "http"):
        assert secret not in mail.body + mail.subject


def test_f11_told_accounts_that_stay_stopped_are_listed_again_only_beside_news(staff, mailoutbox):
    gone = make_account(scenarios.EU)
    gone.stop(Status.REVOKED, "invalid_grant")
    near = ends_in(make_account(scenarios.NA), days=31)
    watch()
    days_pass(0.4)
    assert len(mailoutbox) == 3 and near.selling_partner_id not in mailoutbox[0].body
    mailoutbox.clear()
    days_pass(1)
    assert len(mailoutbox) == 3
    assert all(account.selling_partner_id in mailoutbox[0].body for account in (gone, near))


def test_f11_a_renewed_authorisation_is_warned_of_anew(world, staff, mailoutbox):
    account = ends_in(connect(scenarios.NA, sources=("US",)), days=0.5)
    watch()
    clock.advance(days=1)
    watch()
    assert len(mailoutbox) == 6
    account.refresh_from_db()
    connecting.renew(account, world.renew(scenarios.NA), now=clock.now())
    watch()
    account.refresh_from_db()
    assert account.warned_days is None
    ends_in(account, days=6)
    watch()
    account.refresh_from_db()
    assert (len(mailoutbox), account.warned_days) == (9, 7)


@pytest.mark.parametrize(("days", "mails"), [(200, [3, 3, 6, 6]), (20, [3, 6, 9, 12])])
def test_f11_an_account_that_was_resumed_and_stops_again_is_told_again(world, staff, mailoutbox, days, mails):
    """With 20 days left, what is told after resuming is that the year ends."""
    account, heard = ends_in(connect(scenarios.NA, sources=("US",)), days=days), []
    for _stop in range(2):
        AmazonAccount.objects.get(pk=account.pk).stop(Status.PAUSED, health.OPERATOR)
        watch()
        watch()
        heard.append(len(mailoutbox))
        connecting.resume(AmazonAccount.objects.get(pk=account.pk), now=clock.now())
        watch()
        watch()
        heard.append(len(mailoutbox))
    assert heard == mails


def test_f11_a_paused_account_whose_year_ends_is_told_of_with_its_new_remedy(staff, mailoutbox):
    account = ends_in(make_account(), days=100)
    account.stop(Status.PAUSED, health.OPERATOR)
    watch()
    clock.advance(days=101)
    watch()
    assert ["LWA_CLIENT_ID" in mail.body for mail in mailoutbox] == [True] * 3 + [False] * 3
    assert "yearly authorisation has expired" in mailoutbox[-1].body


def test_f11_a_watch_that_slept_tells_the_latest_threshold_only(staff, mailoutbox):
    account = ends_in(make_account(), days=100)
    watch()
    clock.advance(days=95)
    watch()
    watch()
    account.refresh_from_db()
    assert (len(mailoutbox), account.warned_days) == (3, 7)


def test_f11_each_reads_the_mail_in_their_own_language(staff, mailoutbox):
    make_user(access.SUPPORT, email="fr@staff.example", language="fr")
    gone = make_account(scenarios.EU)
    gone.stop(Status.EXPIRED, "year_over")
    watch()
    bodies = {mail.to[0]: mail.body for mail in mailoutbox}
    assert "The yearly authorisation has expired" in bodies["user0@staff.example"]
    assert "The yearly authorisation has expired" not in bodies["fr@staff.example"]


# ---- mail servers that fail

SENT = []


class Down(EmailBackend):
    """Nobody answers."""

    def send_messages(self, messages):
        raise ConnectionRefusedError


class Breaks(EmailBackend):
    """Takes one mail, then dies; `error` says of what."""

    error: BaseException = ConnectionResetError()

    def send_messages(self, messages):
        SENT.append(messages[0].to[0])
        if len(SENT) > 1:
            raise self.error
        return 1


class RefusedAddress(OSError):
    """As smtplib says it."""

    def __init__(self, code: int):
        self.recipients = {"user0@staff.example": (code, b"no")}


class Refuses(EmailBackend):
    """One address is not taken."""

    code = 550

    def send_messages(self, messages):
        if messages[0].to == ["user0@staff.example"]:
            raise RefusedAddress(self.code)
        return super().send_messages(messages)


@pytest.fixture
def backend(settings, staff):
    """`backend(Class)`: mails go through it."""
    SENT.clear()
    make_account(scenarios.EU).stop(Status.REVOKED, "invalid_grant")

    def use(backend) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.{backend.__name__}"

    yield use
    Breaks.error = ConnectionResetError()


def warned() -> int | None:
    return AmazonAccount.objects.get().warned_days


def test_f11_a_mail_server_that_is_down_is_named_and_tried_again(backend, settings, mailoutbox):
    backend(Down)
    assert watch() == (
        "0 expired; 1 accounts to tell of: 0 mails; mail failed: ConnectionRefusedError; tried again at the next run"
    )
    assert warned() is None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    watch()
    assert (len(mailoutbox), warned()) == (3, 0)
    watch()
    assert len(mailoutbox) == 3


def test_f11_a_mail_server_that_is_down_stops_no_account_from_being_stopped(backend, world):
    account = ends_in(connect(scenarios.NA, sources=("US",)), hours=0)
    backend(Down)
    assert watch().startswith("1 expired; ")
    account.refresh_from_db()
    assert account.status == Status.EXPIRED


@pytest.mark.parametrize("error", [ConnectionResetError(), KeyboardInterrupt()])
def test_f11_a_round_that_broke_off_goes_on_with_those_left_out(backend, settings, mailoutbox, error):
    Breaks.error = error
    backend(Breaks)
    if isinstance(error, Exception):
        watch()
    else:
        with pytest.raises(KeyboardInterrupt):
            watch()
    assert (len(SENT), warned()) == (2, None)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    watch()
    first = set(SENT[:1])  # the second was on its way when the round broke off
    assert {mail.to[0] for mail in mailoutbox} == TOLD - first
    assert warned() is not None and not DigestReceipt.objects.exists()
    watch()
    assert len(mailoutbox) == len(TOLD - first)


def test_f11_a_refused_address_costs_the_others_nothing_and_is_named_by_its_user(backend, mailoutbox):
    backend(Refuses)
    outcome = watch()
    assert "2 mails, address refused of users " in outcome and "@" not in outcome
    assert (len(mailoutbox), warned()) == (2, 0)
    watch()
    assert len(mailoutbox) == 2


def test_f11_where_every_address_is_refused_nobody_was_told(backend, settings, mailoutbox):
    backend(Refuses)
    User.objects.exclude(email="user0@staff.example").delete()
    for _round in range(2):
        assert "address refused of users" in (outcome := watch()) and "tried again" in outcome
        assert warned() is None


def test_f11_an_address_refused_for_now_is_tried_again(backend, monkeypatch):
    monkeypatch.setattr(Refuses, "code", 450)
    backend(Refuses)
    assert "mail failed: RefusedAddress" in watch()
    assert warned() is None


def test_f11_without_anybody_to_tell_it_stays_untold(noon, mailoutbox):
    make_account(scenarios.EU).stop(Status.REVOKED, "invalid_grant")
    assert "no active staff with an e-mail address" in watch()
    assert warned() is None
    make_user(access.SUPPORT, email="new@staff.example")
    watch()
    assert (len(mailoutbox), warned()) == (1, 0)


def test_f11_an_account_re_opened_while_the_mail_leaves_starts_anew(backend, world, mailoutbox, settings):
    AmazonAccount.objects.all().delete()
    account = connect(scenarios.NA, sources=("US",))
    account.stop(Status.REVOKED, "invalid_grant")
    settings.EMAIL_BACKEND = f"{__name__}.Renewing"
    Renewing.act = lambda: connecting.renew(
        AmazonAccount.objects.get(pk=account.pk), world.renew(scenarios.NA), now=clock.now()
    )
    watch()
    assert (len(mailoutbox), warned()) == (3, None)


class Renewing(EmailBackend):
    """Somebody renews the account while the first mail leaves."""

    act = None

    def send_messages(self, messages):
        act, Renewing.act = Renewing.act, None
        if act:
            act()
        return super().send_messages(messages)


def test_sweeps_leave_a_stopped_account_alone(world):
    account = connect(scenarios.NA, sources=("US",))
    account.stop(Status.EXPIRED, "year_over")
    before = len(world.requests)
    sweep()
    assert len(world.requests) == before
