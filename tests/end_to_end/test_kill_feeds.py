"""A worker is killed by SIGKILL at every named place of a submission to Amazon; the next runs finish it, once."""

import pytest

from orderhub import clock, failpoints
from shipments import confirming
from shipments.jobs import follow_account_feeds, notify_account
from shipments.models import Feed
from stores.connecting import connector_for
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.end_to_end.killing import died_at, job, twice_at_once
from tests.factories import connect
from tests.orders.driving import (
    assert_amazon_knows_once,
    assert_nothing_is_stuck,
    import_now,
    ship_everything,
    time_passes,
)

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 12
HANDING_OVER = [name for name in failpoints.NAMES if name.startswith("feed.") and name != "feed.in_report"]


@pytest.fixture
def shipped(simulate):
    def start(*, strict: bool = False):
        world = simulate(scenarios.backlog(now=NOON, orders=MANY))
        world.strict_resend = strict
        account = connect(scenarios.NA, sources=("US",))
        import_now(account)
        return world, account, ship_everything()

    return start


@pytest.mark.sampled(3)
@pytest.mark.parametrize("strict", [False, True], ids=["edits", "strict"])
@pytest.mark.parametrize("name", HANDING_OVER)
def test_f01_a_submission_killed_anywhere_reaches_amazon_once(shipped, name, strict):
    world, account, orders = shipped(strict=strict)
    assert died_at(name, job(notify_account, account))
    time_passes(world, minutes=40)
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()
    assert len(world.feeds) == 1
    assert not Feed.objects.open().exists()


def test_f01_killed_while_results_are_given_out_they_are_given_out_again_whole(shipped):
    world, account, orders = shipped()
    job(notify_account, account)()
    world.clock.set(clock.advance(minutes=4))
    assert died_at("feed.in_report", job(follow_account_feeds, account))
    assert Feed.objects.get().state == Feed.State.SUBMITTED
    time_passes(world, minutes=12)
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()
    assert (Feed.objects.get().accepted, world.calls("getFeedDocument")) == (MANY, 2)


def test_f06_notices_whose_submission_kills_its_worker_again_and_again_go_one_by_one(shipped):
    world, account, orders = shipped()
    for _time in range(2):
        assert died_at("feed.after_claim", job(notify_account, account))
        time_passes_without_notices(world, account)
    time_passes(world, minutes=12)
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()
    assert (len(world.feeds), world.calls("confirmShipment")) == (0, MANY)


def time_passes_without_notices(world, account) -> None:
    world.clock.set(clock.advance(minutes=4))
    job(follow_account_feeds, account)()
    world.clock.set(clock.advance(minutes=4))


def test_f33_two_processes_that_submit_at_once_without_a_lease_tell_amazon_once(shipped):
    world, account, orders = shipped()

    def notify_without_lease() -> None:
        confirming.notify_due(account, connector_for(account), now=clock.now())

    assert twice_at_once(notify_without_lease) == [0, 0]
    time_passes(world, minutes=12)
    assert_amazon_knows_once(world, orders)
    assert_nothing_is_stuck()
    assert len(world.feeds) == 1
