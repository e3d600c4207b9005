"""The emergency stop: nothing leaves, jobs rest, erasure goes on, in every process within seconds."""

import multiprocessing
import time

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, connections

from orderhub import jobs, killswitch
from orderhub.errors import Throttled
from orderhub.http import HttpClient
from orderhub.jobs import JobFailed
from orders.models import Order
from privacy.models import SecurityEvent
from privacy.models.event import EventCode
from tests.factories import connect
from tests.privacy import rows

POLL_S = 1


@pytest.fixture(autouse=True)
def asked(settings):
    settings.KILLSWITCH_POLL_S = 0
    killswitch.forget()
    yield
    killswitch.forget()


def pull(*options: str) -> str:
    import io

    out = io.StringIO()
    call_command("killswitch", *options, stdout=out)
    return out.getvalue().strip()


@pytest.mark.django_db
def test_the_command_stops_says_so_and_lifts(noon):
    Session.objects.create(session_key="a" * 32, session_data="x", expire_date=noon)
    assert pull("--state") == "off"
    assert pull().startswith("stopped: 1 sessions ended")
    assert pull("--state") == "on" and Session.objects.count() == 0
    assert pull().startswith("stopped: 0 sessions ended")  # again: those begun since end too
    assert pull("--release") == "lifted: everything goes on"
    assert pull("--release") == "the emergency stop was not on"
    told = SecurityEvent.objects.filter(code=EventCode.KILLSWITCH).order_by("pk")
    assert [(event.reason, event.actor) for event in told] == [
        (reason, "manage.py killswitch") for reason in ("on", "on", "off")
    ]


@pytest.mark.django_db
def test_nothing_is_sent_and_the_refusal_has_a_name(world, settings):
    client = HttpClient(settings.SPAPI_BASE_URL, frozenset({"127.0.0.1"}))
    killswitch.put(holder="test")
    seen = len(world.journal) if hasattr(world, "journal") else 0
    for method in ("GET", "POST"):
        with pytest.raises(killswitch.EmergencyStop, match="emergency stop") as refused:
            client.send(method, "/sellers/v1/marketplaceParticipations")
        assert isinstance(refused.value, Throttled)  # so no attempt is counted and nothing is given up
    assert (len(world.journal) if hasattr(world, "journal") else 0) == seen
    killswitch.lift()
    assert client.send("GET", "/sellers/v1/marketplaceParticipations").status in {200, 401, 403}


@pytest.mark.django_db
def test_jobs_rest_and_go_on_where_they_stopped(world):
    connect()
    killswitch.put(holder="test")
    assert jobs.run("orders.import_due_accounts").startswith("resting")
    assert not Order.objects.exists()
    killswitch.lift()
    assert not jobs.run("orders.import_due_accounts").startswith("resting")


@pytest.mark.django_db
def test_erasure_heartbeat_and_the_log_do_not_rest(noon):
    order = rows.due_order()
    killswitch.put(holder="test")
    rows.sweep()
    assert rows.state_of(order) == "redacted"
    assert jobs.run("orderhub.housekeeping.heartbeat") == "alive"
    assert jobs.run("privacy.seal_security_log").endswith("chained")


@pytest.mark.django_db
def test_a_job_that_nobody_declared_is_still_a_mistake():
    killswitch.put(holder="test")
    with pytest.raises((KeyError, JobFailed)):
        jobs.run("nothing.at_all")


@pytest.mark.django_db
def test_a_process_asks_once_in_its_time(settings, django_assert_num_queries):
    settings.KILLSWITCH_POLL_S = 60
    with django_assert_num_queries(1):
        assert [killswitch.is_set() for _time in range(50)] == [False] * 50


def _watch(found) -> None:
    """A worker: asks again and again, as every call does."""
    connections.close_all()
    killswitch.forget()
    found.put("ready")
    deadline = time.monotonic() + 20
    while not killswitch.is_set() and time.monotonic() < deadline:
        time.sleep(0.05)
    found.put(time.monotonic() if killswitch.is_set() else None)
    connections.close_all()


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_g24_three_processes_obey_within_five_seconds(settings):
    settings.KILLSWITCH_POLL_S = 2  # as in production
    connection.close()
    context = multiprocessing.get_context("fork")
    found = context.Queue()
    workers = [context.Process(target=_watch, args=(found,)) for _number in range(3)]
    for worker in workers:
        worker.start()
    for _worker in workers:
        assert found.get(timeout=20) == "ready"
    pulled_at = time.monotonic()
    pull()
    stopped = [found.get(timeout=30) for _worker in workers]
    for worker in workers:
        worker.join(10)
    assert all(at is not None and at - pulled_at < 5 for at in stopped)
