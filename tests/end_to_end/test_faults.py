"""Five bad answers of every kind on every call; after healing nothing is lost, doubled, stuck or told to the logs."""

import io
import logging

import pytest

from orderhub import clock, jobs
from orderhub.logs import EventFormatter
from orderhub.models import JobRun
from orders.models import Order
from shipments.models import ShipmentNotification
from stores.connectors.amazon import signin
from stores.models import AmazonAccount
from stores.simulator import scenarios
from stores.simulator.orders import SimAddress
from tests.conftest import NOON
from tests.factories import connect
from tests.orders.driving import (
    all_told,
    assert_amazon_knows_once,
    assert_every_order_is_here_once,
    assert_nothing_is_stuck,
    impatient_clients,
    import_now,
    notify_now,
    ship_everything,
    time_passes,
    time_passes_until,
)

pytestmark = pytest.mark.django_db

TIMES = 5
NAME, STREET, PHONE = "Zebulon Quickfeather", "77 Larkspur Hollow", "+1 555 0177 ext. 30123"
KINDS = {
    "429": {},
    "500_before": {},
    "503": {},
    "500_after": {},
    "timeout_before": {},
    "timeout_after": {},
    "cut": {"bytes": 7, "head": True},
    "reset": {},
    "truncated_json": {},
    "html": {},
    "empty": {},
    "wrong_type": {},
    "garbled": {},
    "slow": {"rate": 20},  # never silent for long, never done: only the total time limit ends it
    "redirect": {},
    "date_wrong": {},
}
HARMLESS = {"wrong_type", "date_wrong"}  # to a sign-in, whose one call is then enough for an hour
OPERATIONS = ("searchOrders", "confirmShipment", "getOrder", "lwa")


class Lines(logging.Handler):
    """What the product's own log stream would hold, and what a careless handler would add."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(EventFormatter())
        self.text = io.StringIO()

    def emit(self, record: logging.LogRecord) -> None:
        self.text.write(self.format(record) + "\n" + record.getMessage() + "\n")


@pytest.fixture
def lines():
    handler, root = Lines(), logging.getLogger()
    root.addHandler(handler)
    yield lambda: handler.text.getvalue()
    root.removeHandler(handler)


@pytest.fixture
def served(simulate, monkeypatch):
    impatient_clients(monkeypatch)
    world = simulate(scenarios.empty(now=NOON))
    for number in range(TIMES):
        at = NOON.replace(hour=10, minute=number)
        address = SimAddress(name=NAME, line1=STREET, phone=PHONE, city="Austin", state="TX", postal_code="78701")
        world.add_order(scenarios.NA, marketplace="US", created=at, updated=at, buyer_name=NAME, address=address)
    return world, connect(scenarios.NA, sources=("US",))


def assert_no_secrets(world, text: str) -> None:
    assert text
    for secret in (NAME, STREET, PHONE, "Atzr|", "Atza|", scenarios.CLIENT_SECRET, "Traceback"):
        assert secret not in text
    outcomes = "\n".join(JobRun.objects.values_list("outcome", flat=True))
    for secret in (NAME, STREET, PHONE, "Atzr|", "Atza|"):
        assert secret not in outcomes


@pytest.mark.sampled(9)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_f08_to_f14_bad_answers_lose_nothing_and_double_nothing(served, lines, operation, kind):
    world, account = served
    if operation == "lwa":
        _forget_tokens()
    if operation in {"searchOrders", "lwa"}:
        fault = world.faults.arm(operation, kind, times=TIMES, **KINDS[kind])
    import_now(account)
    if operation in {"searchOrders", "lwa"}:
        time_passes_until(lambda: fault.times == 0 or kind in HARMLESS and Order.objects.exists(), world)
        world.faults.clear()
        time_passes(world, minutes=12, step=6)
    assert_every_order_is_here_once(world)
    shipped = ship_everything()
    if operation in {"confirmShipment", "getOrder"}:
        fault = world.faults.arm(operation, kind, times=TIMES, **KINDS[kind])
        if operation == "getOrder":
            world.faults.arm("confirmShipment", "500_after", times=TIMES)
        notify_now(account)
        if operation == "getOrder":  # without imports, which would see first what Amazon knows
            for _step in range(40 * (fault.times > 0)):
                world.clock.set(clock.advance(minutes=6))
                notify_now(account)
        time_passes_until(lambda: fault.times == 0, world)
    time_passes_until(all_told, world)
    time_passes(world, minutes=12, step=6)
    assert len(shipped) == TIMES
    assert_every_order_is_here_once(world)
    assert_amazon_knows_once(world, shipped)
    assert_nothing_is_stuck()
    assert_no_secrets(world, lines())
    account.refresh_from_db()
    assert account.status == AmazonAccount.Status.ACTIVE


def _forget_tokens() -> None:
    with signin._lock:
        signin._cache.clear()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", ["500_before", "429", "reset", "html"])
def test_f24_a_sign_in_that_fails_while_notices_wait_burns_no_attempt(served, kind):
    world, account = served
    import_now(account)
    shipped = ship_everything()
    _forget_tokens()
    world.faults.arm("lwa", kind, times=TIMES, **KINDS[kind])
    for _run in range(TIMES):
        notify_now(account)
        assert set(ShipmentNotification.objects.values_list("state", "attempts")) == {("pending", 0)}
    time_passes_until(all_told, world)
    assert_amazon_knows_once(world, shipped)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", ["500_after", "timeout_after", "cut", "reset", "html", "garbled", "wrong_type"])
def test_f10_an_answer_not_seen_is_read_back_and_not_sent_again(served, kind):
    world, account = served
    world.strict_resend = True
    import_now(account)
    shipped = ship_everything()
    world.faults.arm("confirmShipment", kind, times=TIMES, **KINDS[kind])
    notify_now(account)
    assert set(ShipmentNotification.objects.values_list("state", flat=True)) == {"unknown"}
    time_passes(world, minutes=6)
    assert world.calls("confirmShipment") == TIMES
    assert_amazon_knows_once(world, shipped)
    assert_nothing_is_stuck()


def test_f13_an_empty_200_is_not_a_yes(served):
    world, account = served
    import_now(account)
    shipped = ship_everything()
    world.faults.arm("confirmShipment", "empty", times=TIMES)
    notify_now(account)
    assert set(ShipmentNotification.objects.values_list("state", flat=True)) == {"unknown"}
    time_passes(world, minutes=6)
    assert_amazon_knows_once(world, shipped)


def test_f12_an_answer_cut_after_any_byte_is_never_half_believed(served):
    world, account = served
    import_now(account)
    ship_everything()
    row = ShipmentNotification.objects.order_by("pk").first()
    ShipmentNotification.objects.exclude(pk=row.pk).update(next_attempt_at=clock.now().replace(year=2030))
    for count in (0, 1, 7, 9, 12, 13, 17, 24, 40, 60, 90, 130, 170):
        world.clock.set(clock.advance(minutes=1))
        ShipmentNotification.objects.filter(pk=row.pk).update(state="pending", next_attempt_at=clock.now())
        world.faults.arm("confirmShipment", "cut", times=1, head=True, bytes=count)
        notify_now(account)
        row.refresh_from_db()
        assert row.state in {"unknown", "confirmed"}
        assert row.state == "unknown" or count >= 12  # the whole status line's number was there
    assert world.effective_confirmations() == {row.order.order_number: 1}


def test_f24_a_revoked_token_stops_the_account_with_a_reason_and_a_renewed_one_resumes_it(served):
    from stores import connecting, health

    world, account = served
    import_now(account)
    shipped = ship_everything()
    world.revoke(scenarios.NA)
    late = world.add_order(scenarios.NA, marketplace="US")
    before = len(world.requests)
    time_passes(world, minutes=60)
    assert len(world.requests) - before <= 3
    account.refresh_from_db()
    assert account.status == AmazonAccount.Status.REVOKED
    assert "paste the new token" in health.words(account)
    assert set(ShipmentNotification.objects.values_list("state", "attempts")) == {("pending", 0)}
    cursor = account.imported_until
    connecting.renew(account, world.renew(scenarios.NA), now=clock.now())
    account.refresh_from_db()
    assert account.imported_until == cursor
    time_passes(world, minutes=9)
    assert Order.objects.filter(order_number=late.order_id).exists()
    assert_every_order_is_here_once(world)
    assert_amazon_knows_once(world, shipped)
    assert_nothing_is_stuck()


def test_f24_a_wrong_client_secret_is_the_operators_to_mend(served, settings):
    from stores import health

    world, account = served
    _forget_tokens()
    settings.LWA_CLIENT_SECRET = "amzn1.oa2-cs.v1.rotated-away"
    assert "stopped" in import_now(account)
    account.refresh_from_db()
    assert account.status == AmazonAccount.Status.PAUSED
    assert "LWA_CLIENT_SECRET" in health.words(account)
    assert "rotated-away" not in health.words(account) + account.status_reason


def test_f05_a_lost_queue_changes_nothing(served):
    from django_q.models import OrmQ

    world, account = served
    jobs.run("orders.import_due_accounts")  # the tasks it asks for go to the queue
    assert OrmQ.objects.exists()
    OrmQ.objects.all().delete()
    time_passes(world, minutes=12)  # an account whose task waits is not asked for again before
    assert_every_order_is_here_once(world)


def test_f04_a_task_delivered_many_times_runs_once_at_a_time_and_changes_nothing(served):
    world, account = served
    for _delivery in range(5):
        import_now(account)
    shipped = ship_everything()
    for _delivery in range(5):
        notify_now(account)
    assert_every_order_is_here_once(world)
    assert_amazon_knows_once(world, shipped)
    assert world.calls("confirmShipment") == TIMES


def test_f35_an_answer_of_fifty_megabytes_is_refused(served):
    world, account = served
    world.faults.arm("searchOrders", "huge", times=1, bytes=21 * 1024 * 1024)
    assert "answer over" in import_now(account)
    time_passes(world, minutes=6)
    assert_every_order_is_here_once(world)
