"""Starting again, and adding order sources later."""

from datetime import timedelta

import pytest

from orderhub import clock
from orderhub.errors import RuleViolation
from orderhub.jobs import run
from orders import importing
from orders.jobs import import_account
from orders.models import Order
from shipments.jobs import notify_account
from stores import connecting, features
from stores.models import AmazonAccount, FeatureGrant, UnconnectedOrder
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect, make_merchant, make_user
from tests.orders.driving import import_now

pytestmark = pytest.mark.django_db


def test_an_account_stopped_by_the_operators_secret_resumes_with_the_token_it_has(world, settings):
    account = connect(scenarios.NA)
    expires = account.authorization_expires_at
    good, settings.LWA_CLIENT_SECRET = settings.LWA_CLIENT_SECRET, "wrong"
    run(import_account.job_name, account.pk)
    account.refresh_from_db()
    assert (account.status, account.status_reason) == (AmazonAccount.Status.PAUSED, "operator")
    with pytest.raises(RuleViolation, match="LWA_CLIENT_SECRET"):
        connecting.resume(account, now=clock.now())
    assert "paused" in run(notify_account.job_name, account.pk)

    settings.LWA_CLIENT_SECRET = good
    connecting.resume(account, now=clock.now())
    account.refresh_from_db()
    assert (account.status, account.authorization_expires_at) == (AmazonAccount.Status.ACTIVE, expires)
    assert "complete" in run(import_account.job_name, account.pk)


def test_a_source_added_later_gets_the_orders_that_were_counted_before(simulate, travel):
    world = simulate(scenarios.demo(now=NOON))
    account = connect(scenarios.NA, sources=("US",))
    run(import_account.job_name, account.pk)
    counted = UnconnectedOrder.objects.filter(account=account, marketplace_id="A2EUQ1WTGCTBG2").count()
    american = Order.objects.count()
    assert counted > 0

    travel(world, minutes=10)
    account.refresh_from_db()
    connecting.add_sources(account, ["CA"])
    import_now(account)

    canadian = Order.objects.filter(store__marketplace="CA").count()
    skipped = account.stores.get(marketplace="CA").skipped.count()
    assert canadian + skipped == counted
    assert Order.objects.filter(store__marketplace="US").count() == american
    assert not UnconnectedOrder.objects.filter(account=account, marketplace_id="A2EUQ1WTGCTBG2").exists()


def test_amazon_co_jp_gets_its_recent_orders_when_it_is_granted(simulate, travel):
    world = simulate(scenarios.demo(now=NOON))
    verified = connecting.verify("FE", scenarios.JP.seller_id, scenarios.JP.refresh_token)
    account = connecting.connect(
        verified, scenarios.JP.refresh_token, merchant=make_merchant(), sources=["JP"], now=clock.now()
    )
    run(import_account.job_name, account.pk)
    assert Order.objects.count() == 0

    travel(world, hours=2)
    store = account.stores.get()
    features.grant(store, FeatureGrant.Feature.JAPAN, by=make_user("Customer success"), reason="asked by the seller")
    import_now(account)
    assert Order.objects.filter(store=store).count() > 10


def test_a_source_added_while_an_import_runs_ends_it_and_moves_no_cursor(simulate, travel, monkeypatch):
    world = simulate(scenarios.demo(now=NOON))
    account = connect(scenarios.NA, sources=("US",))
    run(import_account.job_name, account.pk)
    travel(world, minutes=10)
    running = AmazonAccount.objects.get(pk=account.pk)  # what the worker has in hand
    connecting.add_sources(AmazonAccount.objects.get(pk=account.pk), ["CA"])

    with pytest.raises(importing.AccountReopened):
        importing.import_changes(running, connecting.connector_for(running), now=clock.now())

    assert AmazonAccount.objects.get(pk=account.pk).imported_until == running.imported_until > NOON - timedelta(days=1)
    assert account.history_reads.get().created_after < NOON - timedelta(days=29)


def test_a_refusal_of_the_old_token_does_not_stop_a_renewed_account(world):
    account = connect(scenarios.NA)
    in_hand = AmazonAccount.objects.get(pk=account.pk)
    token = world.renew(scenarios.NA)
    connecting.renew(account, token, now=clock.now())
    in_hand.stop(AmazonAccount.Status.REVOKED, "invalid_grant")
    account.refresh_from_db()
    assert account.status == AmazonAccount.Status.ACTIVE
