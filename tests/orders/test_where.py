"""“Where is order X?” and “fetch now”: every answer, its one action, through the simulator where Amazon is asked."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub import clock, jobs
from orders import fetching
from orders.models import Order, OrderEvent, QuarantinedOrder, SkippedOrder
from orders.tracing import tidy, trace
from privacy import access
from stores.marketplaces import BY_CODE
from stores.models import AmazonAccount, Store, UnconnectedOrder
from stores.simulator import scenarios
from stores.simulator.orders import SimAddress
from tests.conftest import NOON
from tests.factories import PERSON, connect, make_account, make_order, make_store, make_user
from tests.orders.driving import import_now, sweep

pytestmark = pytest.mark.django_db
WHERE = reverse("admin:orders_where")
FETCH = reverse("admin:orders_where_fetch")
NUMBER = "112-1234567-1234567"


@pytest.fixture
def support(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return user


def ask(number=NUMBER, user=None):
    return trace(number, user or make_user(access.SUPPORT), now=clock.now())


def up_to_date(**given) -> AmazonAccount:
    return make_account(imported_until=clock.now(), last_poll_at=clock.now(), **given)


# -- the number


@pytest.mark.parametrize(
    "typed", [f" {NUMBER} ", "11212345671234567", "112–1234567–1234567", "112-1234567-\n1234567", "112 1234567 1234567"]
)
def test_a_number_is_found_however_it_was_pasted(noon, typed):
    make_order(order_number=NUMBER)
    assert "is in store" in ask(typed if "112 " not in typed else typed.replace(" ", "")).verdict.text


def test_a_number_is_cut_to_what_a_column_holds():
    assert len(tidy("9" * 500)) == 60


@pytest.mark.parametrize(
    "number", ["112-123-1234567", "A-1", "<script>alert(1)</script>", "１１２-1234567-1234567", "‮x"]
)
def test_a_malformed_number_gets_a_sentence(client, support, number):
    make_account()
    page = client.get(WHERE, {"number": number})
    assert page.status_code == 200
    assert "those have 3, 7 and 7 digits" in page.content.decode()
    assert "<script>alert" not in page.content.decode()
    assert page.context["trace"].verdict.action is None
    assert not page.context["accounts"]


def test_an_order_of_a_manual_store_is_found_by_its_own_number(noon):
    account = make_account()
    store = Store.objects.create(merchant=account.merchant, name="Workshop", platform="manual", time_zone="UTC")
    order = make_order(store, order_number="ATELIER/7")
    found = ask("ATELIER/7")
    assert "Workshop" in found.verdict.text and "It can be sent now." in found.verdict.text
    assert found.verdict.action.url == reverse("admin:orders_order_change", args=[order.pk])


# -- orders that are here


@pytest.mark.parametrize(
    ("given", "level", "said"),
    [
        ({}, "ok", "It can be sent now."),
        ({"status": "on_hold", "hold_reason": "To be checked"}, "warn", "is on hold. Release it first"),
        ({"status": "shipped"}, "ok", "already shipped"),
        ({"status": "cancelled"}, "info", "is cancelled: do not send it"),
        ({"status": "awaiting_payment"}, "warn", "is not paid yet"),
        ({"cancel_requested_at": NOON}, "warn", "asks to cancel it"),
        ({"pii_state": "redacted", "redacted_at": NOON}, "warn", "was erased on schedule. Send it from Seller Central"),
        ({"fulfilled_by": "AFN"}, "ok", "Amazon ships it"),
    ],
)
def test_w3_an_order_that_is_here_says_why_it_cannot_be_shipped(noon, given, level, said):
    order = make_order(order_number=NUMBER, **given)
    found = ask()
    assert (found.verdict.level, found.verdict.action.url) == (
        level,
        reverse("admin:orders_order_change", args=[order.pk]),
    )
    assert said in found.verdict.text and str(order.store) in found.verdict.text
    assert any(step.asked == "Personal data" and step.found for step in found.steps)


def test_no_personal_data_on_the_page_and_no_view_logged(client, support):
    from privacy.models import AccessLog

    make_order(order_number=NUMBER)
    html = client.get(WHERE, {"number": NUMBER}).content.decode()
    for value in (PERSON["buyer_name"], PERSON["street1"], PERSON["phone"], PERSON["city"], "78701"):
        assert value not in html
    assert not AccessLog.objects.exists()


def test_the_rules_and_the_notice_have_their_line(noon):
    from orders.models import RuleFiring
    from tests.factories import make_shipment

    order = make_order(order_number=NUMBER)
    trail = [{"rule": 1, "name": "Heavy parcels", "fired": True}, {"rule": 2, "name": "Gifts", "fired": False}]
    RuleFiring.objects.create(order=order, at=NOON, trace=trail)
    make_shipment(order)
    told = {step.asked: step.found for step in ask().steps}
    assert "1 rule applied (Heavy parcels)" in told["Automation rules"]
    assert "Amazon" in told["Notice of the shipment"]


# -- orders that were left out


def skipped(reason: str, **store):
    row = make_store(**store)
    AmazonAccount.objects.update(imported_until=clock.now())
    return SkippedOrder.objects.create(store=row, order_number=NUMBER, reason=reason)


@pytest.mark.parametrize(
    ("reason", "store", "said", "leads_to"),
    [
        ("afn_off", {}, "Tick “import Amazon-fulfilled orders”", "store"),
        ("afn_off", {"import_afn": True}, "Fetch it now", "fetch"),
        ("afn_not_shipped", {"import_afn": True}, "nothing to do", None),
        ("not_physical", {}, "nothing to do", None),
        ("inactive", {"active": False}, "Activate it", "store"),
        ("inactive", {"marketplace": "JP"}, "customer success", "store"),
        ("inactive", {}, "Fetch it now", "fetch"),
    ],
)
def test_w3_a_skipped_order_says_its_reason_and_the_one_remedy(noon, reason, store, said, leads_to):
    row = skipped(reason, **store)
    found = ask()
    assert said in found.verdict.text
    action = found.verdict.action
    if leads_to is None:
        assert action is None
    elif leads_to == "fetch":
        assert action.fetches and action.account == row.store.account_id
    else:
        assert action.url == reverse("admin:stores_store_change", args=[row.store_id])


def test_w3_an_unconnected_source_is_to_be_connected(noon):
    account = up_to_date()
    UnconnectedOrder.objects.create(account=account, marketplace_id=BY_CODE["CA"].id, order_number=NUMBER)
    found = ask()
    assert "Amazon.ca" in found.verdict.text and "Connect this order source" in found.verdict.text
    assert found.verdict.action.url == reverse("admin:stores_amazonaccount_change", args=[account.pk])
    make_store("CA", account=account)
    assert ask().verdict.action.fetches


def test_w3_an_unreadable_order_can_be_fetched_again(noon):
    account = up_to_date()
    QuarantinedOrder.objects.create(account=account, order_number=NUMBER, code="Misread", path="orderItems")
    found = ask()
    assert "(Misread)" in found.verdict.text
    assert found.verdict.action.account == account.pk


# -- orders nobody knows


def test_w3_a_stopped_account_is_to_be_renewed(noon):
    up_to_date()
    account = up_to_date(selling_partner_id="OTHER")
    account.stop("revoked", "invalid_grant")
    found = ask()
    assert (found.verdict.level, found.verdict.action.url) == (
        "bad",
        reverse("admin:stores_amazonaccount_change", args=[account.pk]),
    )
    assert "Authorise the application again" in found.verdict.text


def test_w3_an_account_that_is_throttled_says_when_it_goes_on(noon):
    account = up_to_date()
    AmazonAccount.objects.update(page_token="more", next_poll_at=noon + timedelta(minutes=4))
    found = ask()
    assert "20 Nov 2026, 12:04 UTC" in found.verdict.text
    assert found.verdict.action.fetches and found.verdict.action.account is None
    assert any("Amazon allows the next page at" in step.found for step in found.steps if str(account) in step.asked)


def test_w3_an_account_that_lags_may_still_bring_it(noon):
    up_to_date()
    AmazonAccount.objects.update(imported_until=noon - timedelta(hours=2))
    assert "is read until 20 Nov 2026, 10:00 UTC only" in ask().verdict.text


def test_w3_unknown_everywhere_asks_amazon_or_somebody_who_may(noon):
    up_to_date()
    found = ask()
    assert "older than the 30 days" in found.verdict.text and found.verdict.action.fetches
    warehouse = ask(user=make_user(access.WAREHOUSE))
    assert warehouse.verdict.action is None and "ask support" in warehouse.verdict.text
    assert not warehouse.can_be_asked


def test_w3_without_any_account_one_is_to_be_connected(noon):
    assert ask().verdict.action.url == reverse("admin:stores_amazonaccount_add")


def test_b_who_may_not_see_orders_learns_nothing(client, noon):
    make_order(order_number=NUMBER)
    user = make_user()
    found = ask(user=user)
    assert (found.steps, found.verdict.action) == ([], None)
    assert "does not include orders" in found.verdict.text
    client.force_login(user)
    assert "is in store" not in client.get(WHERE, {"number": NUMBER}).content.decode()
    assert WHERE not in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("role", list(access.ROLES))
def test_every_role_may_ask_and_only_some_may_fetch(client, noon, role):
    client.force_login(make_user(role))
    assert client.get(WHERE, {"number": NUMBER}).status_code == 200
    allowed = "orders.fetch_order" in access.ROLES[role]
    order = make_order()
    answers = [client.post(FETCH, {"number": "1"}), client.post(reverse("admin:orders_order_fetch", args=[order.pk]))]
    assert [answer.status_code for answer in answers] == ([302, 302] if allowed else [403, 403])


# -- the ways in


def test_the_start_page_the_menu_and_an_empty_search_lead_here(client, support):
    up_to_date()
    start = client.get(reverse("admin:index")).content.decode()
    assert f'action="{WHERE}"' in start and f'<a href="{WHERE}">Where is…?</a>' in start
    empty = client.get(reverse("admin:orders_order_changelist"), {"q": NUMBER}).content.decode()
    assert f'href="{WHERE}?number={NUMBER}"' in empty and f"Where is order “{NUMBER}”?" in empty
    assert "What was looked at" not in client.get(WHERE).content.decode()


def test_only_get_asks_and_only_post_fetches(client, support):
    assert client.post(WHERE).status_code == 405
    assert client.get(FETCH, {"number": NUMBER})["Location"] == f"{WHERE}?number={NUMBER}"
    assert client.put(FETCH).status_code == 405


def test_an_answer_costs_the_same_queries_whatever_there_is(noon, django_assert_max_num_queries):
    def cost() -> int:
        user = make_user(access.SUPPORT)
        with CaptureQueriesContext(connection) as seen:
            ask(user=user)
        return len(seen)

    for number in range(2):
        make_order(make_store(account=up_to_date(selling_partner_id=f"S{number}")), order_number=NUMBER)
    few = cost()
    for number in range(2, 20):
        store = make_store(account=up_to_date(selling_partner_id=f"S{number}"))
        make_order(store, order_number=NUMBER)
        SkippedOrder.objects.create(store=store, order_number=NUMBER, reason="afn_off")
        QuarantinedOrder.objects.create(account=store.account, order_number=NUMBER, code="X")
    print(f"{few} queries")
    assert cost() == few <= 14


# -- fetch now, over HTTP


@pytest.fixture
def lost(world, travel):
    """A connected account, all read, and an order of 40 days ago that no import ever saw."""
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    travel(world, minutes=30)
    sweep()
    old = NOON - timedelta(days=40)
    address = SimAddress(name="Zebulon Quickfeather", line1="77 Larkspur Hollow", city="Austin", postal_code="78701")
    order = world.add_order(scenarios.NA, marketplace="US", created=old, updated=old, address=address)
    return world, account, order.order_id


def test_w3_an_order_older_than_the_backfill_is_fetched_with_everything(client, support, lost):
    world, account, number = lost
    page = client.get(WHERE, {"number": number})
    assert "Fetch from Amazon now" in page.content.decode()
    answer = client.post(FETCH, {"number": number}, follow=True)
    html = answer.content.decode()
    assert "It was taken in." in html and "is in store" in html
    order = Order.objects.get(order_number=number)
    assert order.person.recipient_name == "Zebulon Quickfeather"
    assert order.items.count() == 1
    event = order.events.get(kind=OrderEvent.Kind.FETCHED)
    assert (event.actor, event.params) == (support, {})
    assert "Zebulon" not in html
    assert world.calls("getOrder", 200) == 1


def test_fetching_leaves_the_cursor_alone_and_twice_changes_nothing(lost, support):
    world, account, number = lost
    before = AmazonAccount.objects.values("imported_until", "page_token", "next_poll_at").get()
    assert fetching.fetch(account, number, now=clock.now(), by=support) == "imported"
    assert fetching.fetch(account, number, now=clock.now(), by=support) == "unchanged"
    assert AmazonAccount.objects.values("imported_until", "page_token", "next_poll_at").get() == before
    assert Order.objects.count() == 1


def test_the_button_on_the_order_page_brings_it_up_to_date(client, support, lost):
    world, account, number = lost
    fetching.fetch(account, number, now=clock.now())
    order = Order.objects.get()
    page = reverse("admin:orders_order_change", args=[order.pk])
    button = reverse("admin:orders_order_fetch", args=[order.pk])
    assert button in client.get(page).content.decode()
    world.update(number, status="CANCELLED")
    answer = client.post(button, follow=True)
    assert answer.redirect_chain == [(page, 302)]
    assert "It was brought up to date." in answer.content.decode()
    order.refresh_from_db()
    assert order.status == "cancelled"
    world.orders.pop(number)
    assert "did not give this order" in client.post(button, follow=True).content.decode()


def test_a_fetched_order_obeys_the_rules_of_the_import(client, support, lost):
    world, account, number = lost
    world.update(number, fulfilled_by="AMAZON", status="SHIPPED")
    html = client.post(FETCH, {"number": number}, follow=True).content.decode()
    assert "Amazon has it, and it is left out" in html and "Tick “import Amazon-fulfilled orders”" in html
    assert not Order.objects.exists()
    canadian = world.add_order(scenarios.NA, marketplace="CA", created=NOON - timedelta(days=50)).order_id
    html = client.post(FETCH, {"number": canadian}, follow=True).content.decode()
    assert "Connect this order source" in html


def test_an_erased_order_stays_erased_when_it_is_fetched(lost, support):
    world, account, number = lost
    fetching.fetch(account, number, now=clock.now())
    from privacy import erasure

    Order.objects.update(redaction_due_at=clock.now() - timedelta(minutes=1))
    erasure.redact_due(now=clock.now())
    world.update(number, service_level="EXPEDITED")
    fetching.fetch(account, number, now=clock.now())
    order = Order.objects.get()
    assert order.service_level == "EXPEDITED"
    assert "Zebulon" not in order.person.recipient_name


def test_amazon_is_asked_for_every_account_that_fits_until_one_knows_it(client, support, lost, world):
    simulated, account, number = lost
    other = connect(scenarios.STANDALONE_CA)
    theirs = simulated.add_order(scenarios.STANDALONE_CA, marketplace="CA", created=NOON - timedelta(days=60)).order_id
    assert [found.pk for found in fetching.candidates(theirs)] == [account.pk, other.pk]
    html = client.post(FETCH, {"number": theirs}, follow=True).content.decode()
    assert "It was taken in." in html
    assert Order.objects.get(order_number=theirs).store.account == other
    assert [found.pk for found in fetching.candidates(theirs[:4] + "1111111-1111111")] == [other.pk, account.pk]
    html = client.post(FETCH, {"number": NUMBER}, follow=True).content.decode()
    assert f"Amazon was asked for {account}, {other} and did not give this order." in html
    html = client.post(FETCH, {"number": NUMBER, "account": other.pk}, follow=True).content.decode()
    assert f"Amazon was asked for {other} and" in html


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("429", "Amazon is busy for account"),
        ("500_before", "Amazon is busy for account"),
        ("html", "makes no sense"),
        ("truncated_json", "makes no sense"),
        ("403_revoked", "no longer accepts the token"),
    ],
)
def test_what_amazon_answers_wrongly_is_a_sentence_and_nothing_is_lost(client, support, lost, kind, said):
    world, account, number = lost
    world.faults.arm("getOrder", kind, times=2)
    html = client.post(FETCH, {"number": number}, follow=True).content.decode()
    assert said in html
    assert not Order.objects.exists()


def test_the_bucket_of_getorder_is_kept(lost, support):
    world, account, number = lost
    for _time in range(30):
        fetching.fetch(account, number, now=clock.now())
    with pytest.raises(fetching.RuleViolation, match="Try again in 1 min"):
        fetching.fetch(account, number, now=clock.now())
    assert world.calls("getOrder", 429) == 0


def test_an_order_without_the_role_for_people_comes_without_them(world, travel):
    account = connect(scenarios.NO_PII_ROLE)
    number = world.add_order(scenarios.NO_PII_ROLE, marketplace="US", created=NOON - timedelta(days=50)).order_id
    assert fetching.fetch(account, number, now=clock.now()) == "imported"
    assert Order.objects.get().person.recipient_name == ""
    assert AmazonAccount.objects.get().has_pii_role  # says nothing about searches


def test_nobody_else_writes_the_accounts_orders_meanwhile(lost, support):
    world, account, number = lost
    told = []

    def import_runs() -> str:
        with pytest.raises(fetching.RuleViolation, match="Try again in a minute") as refused:
            fetching.fetch(account, number, now=clock.now())
        told.append(str(refused.value))
        return "read"

    jobs.under_lease(fetching.import_lease(account.pk), import_runs)
    assert told and not Order.objects.exists()


def test_a_stopped_account_is_not_asked(lost, support):
    world, account, number = lost
    account.stop("paused", "operator")
    with pytest.raises(fetching.RuleViolation, match="LWA_CLIENT_ID"):
        fetching.fetch(account, number, now=clock.now())
    assert world.calls("getOrder") == 0


def test_an_order_that_cannot_be_read_is_kept_by_its_number(lost, support):
    world, account, number = lost
    world.update(number, extra={"createdTime": "never"})
    outcome = fetching.fetch(account, number, now=clock.now())
    assert outcome == "quarantined"
    assert QuarantinedOrder.objects.get().order_number == number
