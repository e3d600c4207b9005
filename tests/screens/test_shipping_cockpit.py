"""The cockpit of Amazon's limits: figures as the buckets have them, times as the forecast has them, a guarded button. W5."""

from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import OrmQ

from orderhub import clock
from orderhub.jobs import inline
from privacy import access
from shipments import cockpit, cockpitwords
from shipments.jobs import notify_account
from shipments.models import ShipmentNotification
from shipments.predicting import Forecast
from stores.connectors.amazon.client import CREATE_FEED, GET_ORDER
from stores.models import AmazonAccount, RateBucket
from stores.simulator import scenarios
from tests.factories import connect, make_account, make_store, make_user
from tests.orders.driving import all_told, assert_amazon_knows_once, import_now, ship_everything
from tests.shipments.notices import make_feed, make_notice

pytestmark = pytest.mark.django_db
State = ShipmentNotification.State
COCKPIT = reverse("admin:shipments_cockpit")
NOTICES = reverse("admin:shipments_shipmentnotification_changelist")
PUSHES = {access.SUPPORT, access.SUCCESS, access.ADMINISTRATOR}
SEES = PUSHES | {access.WAREHOUSE}


def bucket(account: AmazonAccount, operation: str = "confirmShipment", **given) -> RateBucket:
    defaults = {"tokens": 10, "rate": 1.6, "burst": 10, "updated_at": clock.now()}
    return RateBucket.objects.create(account=account, operation=operation, **(defaults | given))


def page(client) -> str:
    return " ".join(unescape(client.get(COCKPIT).content.decode()).split())


def push(client, account: AmazonAccount, **more):
    return client.post(reverse("admin:shipments_tellnow", args=[account.pk]), **more)


def waiting(count: int, store=None) -> list[ShipmentNotification]:
    store = store or make_store()
    return [make_notice(State.PENDING, store=store) for _one in range(count)]


def seller(number: int) -> AmazonAccount:
    return make_account(selling_partner_id=f"SELLER{number}")


@pytest.fixture
def support(client):
    client.force_login(make_user(access.SUPPORT))
    return client


def test_w5_a_gauge_says_what_the_bucket_holds_now(support, noon):
    account = waiting(1)[0].order.store.account
    bucket(account, tokens=0.2, updated_at=noon - timedelta(seconds=2))  # 3.4 by now
    bucket(account, "createFeed", tokens=0.5, rate=CREATE_FEED.rate * 0.8, burst=15)
    html = page(support)
    assert "3 of 10 calls left, one more every 0.6 s" in html
    assert "0 of 15 calls left, one more every 2.5 min" in html
    assert 'aria-label="Read an order back: all 30 calls left"' in html  # never asked yet
    assert html.count('role="img"') == len(cockpit.OPERATIONS)
    drawn = html.partition('aria-label="Tell of one order')[2].partition("</svg>")[0]
    assert f'width="{round(cockpitwords.WIDTH * 3.4 / 10)}"' in drawn


def test_w5_the_clock_of_a_bucket_runs_while_the_page_does_not_write(support, travel):
    account = waiting(1)[0].order.store.account
    bucket(account, tokens=0)
    before = list(RateBucket.objects.values())
    assert "0 of 10 calls left" in page(support)
    travel(seconds=5)
    assert "8 of 10 calls left" in page(support)
    assert list(RateBucket.objects.values()) == before


def test_w5_a_closed_bucket_says_until_when_and_refuses_the_push(support, noon):
    account = waiting(1)[0].order.store.account
    bucket(account, tokens=0, blocked_until=noon + timedelta(minutes=5), throttled=2)
    html = page(support)
    assert "closed until 12:05 UTC: Amazon said it is too much" in html
    assert 'type="submit" disabled aria-describedby' in html
    refusal = "Amazon is closed until 12:05 UTC: pressing now would lengthen the wait."
    assert refusal in html and refusal in push(support, account, follow=True).content.decode()
    assert OrmQ.objects.count() == 0


def test_w5_an_empty_bucket_refuses_the_push_until_a_call_is_there(support, travel):
    account = waiting(1)[0].order.store.account
    bucket(account, tokens=0.5, rate=0.2)
    assert "No call is left until 12:00:02 UTC" in push(support, account, follow=True).content.decode()
    assert OrmQ.objects.count() == 0
    travel(seconds=3)
    push(support, account)
    assert OrmQ.objects.count() == 1


def test_w5_the_push_wakes_the_account_and_changes_no_notice(support, noon):
    account = waiting(2)[0].order.store.account
    rows = list(ShipmentNotification.objects.order_by("pk").values())
    answer = push(support, account, follow=True)
    assert "OrderHub tells Amazon now of what is due." in answer.content.decode()
    assert OrmQ.objects.get().task["args"] == (notify_account.job_name, account.pk)
    assert list(ShipmentNotification.objects.order_by("pk").values()) == rows


def test_nothing_is_pushed_where_nothing_waits_or_the_account_is_stopped(support, noon):
    account = make_account()
    bucket(account)
    assert "No order waits to be told of." in push(support, account, follow=True).content.decode()
    stopped = waiting(1, make_store(account=seller(1)))[0].order.store.account
    AmazonAccount.objects.filter(pk=stopped.pk).update(status=AmazonAccount.Status.REVOKED)
    assert "account is stopped" in push(support, stopped, follow=True).content.decode()
    assert OrmQ.objects.count() == 0
    assert f'id="account-{stopped.pk}"' not in page(support)


@pytest.mark.parametrize("role", list(access.ROLES))
def test_who_sees_it_and_who_pushes(client, noon, role):
    account = waiting(1)[0].order.store.account
    client.force_login(make_user(role))
    answer = client.get(COCKPIT)
    assert answer.status_code == (200 if role in SEES else 403)
    assert (b"Tell Amazon now" in answer.content) == (role in PUSHES)
    assert push(client, account).status_code == (302 if role in PUSHES else 403)
    assert OrmQ.objects.count() == (role in PUSHES)


def test_looking_changes_nothing(support, noon):
    account = waiting(12)[0].order.store.account
    support.get(COCKPIT)  # the first page of a session writes the session
    for url in (COCKPIT, reverse("admin:shipments_tellnow", args=[account.pk])):
        with CaptureQueriesContext(connection) as asked:
            assert support.get(url).status_code in {200, 302}
        assert not [one["sql"] for one in asked if one["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert OrmQ.objects.count() == 0 and RateBucket.objects.count() == 0
    assert support.post(COCKPIT).status_code == 405


def test_w5_a_predicted_time_is_the_forecast_s(support, noon):
    rows = waiting(12)
    account = rows[0].order.store.account
    bucket(account, tokens=0, blocked_until=noon + timedelta(minutes=20))
    bucket(account, "createFeed", tokens=0, rate=CREATE_FEED.rate, burst=15, blocked_until=noon + timedelta(minutes=30))
    forecast, html = Forecast(account, now=noon), page(support)
    for row in rows:
        found = forecast.of(row)
        line = html.partition(row.order.order_number)[2].partition("</tr>")[0]
        assert f"<td>{cockpitwords.expected(found.at, found.together, now=noon)}</td>" in line
    last = cockpitwords.at(max(found.at for found in forecast.expected.values()), now=noon)
    assert f"<dt>Last one through</dt><dd>{last}</dd>" in html


def test_w5_few_leave_one_by_one_and_many_in_one_submission(support, noon):
    rows = waiting(3)
    assert "These 3 orders leave one by one within two minutes." in page(support)
    waiting(9, rows[0].order.store)
    html = page(support)
    assert "These 12 orders leave in one submission within a minute." in html
    assert "A batch of more than 10 labels made now would leave at once" in html
    assert html.count("12:04 UTC, together with others") == 12


def test_w5_single_labels_keep_their_distance_from_the_last_submission(support, noon):
    store = make_store()
    make_feed(store.account, "done", submitted_at=noon - timedelta(minutes=4))
    waiting(12, store)
    html = page(support)
    assert "These 12 orders leave one by one" in html
    assert "The next submission of single labels can leave at 12:16 UTC." in html


def test_w5_a_submission_under_way_says_when_the_next_can_leave(support, noon):
    sent = make_notice(State.IN_FEED)
    store = sent.order.store
    waiting(2, store)
    html = page(support)
    assert "A submission is under way: the next one can leave at about 12:04 UTC." in html
    assert "Meanwhile 2 orders leave one by one, the last at 12:00:45 UTC." in html
    assert "would wait for that submission, until about 12:04 UTC." in html
    assert "3 orders, with Amazon, result awaited, since 12:00:00 UTC" in html


def test_w5_the_queue_is_counted_and_leads_to_the_same_notices(support, noon):
    store = make_store()
    states = {State.PENDING: 2, State.RETRY_AT: 1, State.UNKNOWN: 2, State.REJECTED: 1, State.NEEDS_ATTENTION: 1}
    for state, count in states.items():
        for _one in range(count):
            make_notice(state, store=store)
    make_notice(State.RETRY_AT, store=store, error_code="QuotaExceeded")
    make_notice(State.PENDING, store=store, channel="bigcommerce")
    waiting(1, make_store(account=seller(1)))  # of another account
    html = page(support).partition(f'id="account-{store.account_id}"')[2].partition("</section>")[0]
    wanted = {"pending": 2, "retry_at": 2, "throttled": 1, "unknown": 2, "stuck": 2}
    for state, count in wanted.items():
        link = f"?state={state}&account={store.account_id}"
        assert f'href="{NOTICES}{link}">{count}</a>' in html
        assert support.get(NOTICES + link).context["cl"].result_count == count


def test_accounts_with_most_waiting_come_first_and_those_long_unused_not_at_all(support, noon):
    few, many, used, idle = (make_store(account=seller(number)) for number in range(4))
    waiting(1, few), waiting(2, many)
    bucket(used.account, GET_ORDER.name, burst=30, updated_at=noon - timedelta(hours=23))
    bucket(idle.account, GET_ORDER.name, burst=30, updated_at=noon - timedelta(hours=25))
    shown = [console.account.pk for console in cockpit.consoles(now=noon)]
    assert shown == [many.account_id, few.account_id, used.account_id]


def queries(client) -> int:
    with CaptureQueriesContext(connection) as asked:
        client.get(COCKPIT)
    return len(asked)


def test_each_account_costs_three_queries_whatever_waits(support, noon):
    stores = [make_store(account=seller(number)) for number in range(3)]
    waiting(1, stores[0])
    support.get(COCKPIT)
    one = queries(support)
    waiting(14, stores[0])
    assert queries(support) == one
    waiting(2, stores[1]), waiting(3, stores[2])
    make_feed(stores[2].account)
    assert queries(support) == one + 2 * 3


def test_at_most_twenty_accounts_are_shown(support, noon):
    for number in range(cockpit.ACCOUNTS + 2):
        bucket(seller(number))
    assert len(cockpit.consoles(now=noon)) == cockpit.ACCOUNTS


def test_w5_the_button_tells_amazon_at_once_and_once(simulate, noon, client):
    world = simulate(scenarios.backlog(now=noon, orders=3))
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    orders = ship_everything()
    client.force_login(make_user(access.SUPPORT))
    assert "These 3 orders leave one by one within two minutes." in page(client)
    with inline():
        push(client, account)
    assert all_told()
    assert_amazon_knows_once(world, orders)
    assert "No order waits to be told of." in page(client)


def test_the_list_of_notices_leads_there(support, noon):
    make_notice()
    assert f'href="{COCKPIT}"' in support.get(NOTICES).content.decode()
