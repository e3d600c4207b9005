"""Whoever can write to the database alone gets no code of theirs run by the queue, and stops no job of ours."""

import base64
import os
import pickle
import queue
from datetime import timedelta
from multiprocessing import Event
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django_q import core_signing
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule, Task
from django_q.pusher import pusher
from django_q.scheduler import scheduler
from django_q.signing import PickleSerializer

from orderhub import clock, cluster, jobs, scheduling
from orderhub.housekeeping.jobs import heartbeat
from privacy import access
from tests.factories import make_user

pytestmark = pytest.mark.django_db
SCHEDULED = sum(bool(job.minutes) for job in jobs.declared().values())


class Trap:
    """Makes a folder where it is loaded from a pickle."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)

    def sprung(self) -> bool:
        """Whether it was; it is set again."""
        there = self.folder.exists()
        if there:
            self.folder.rmdir()
        return there


@pytest.fixture
def trap(tmp_path, noon) -> Trap:
    return Trap(tmp_path / "sprung")


@pytest.fixture
def hostile_record(trap) -> Task:
    """A row in the queue's table of results whose every pickle is a trap."""
    record = Task.objects.create(id="e" * 32, name="evil", func="x", started=clock.now(), stopped=clock.now())
    pickled = base64.b64encode(pickle.dumps(trap)).decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_q_task SET args = %s, kwargs = %s, result = %s", [pickled] * 3)
    return record


def test_b21_the_trap_works(trap, hostile_record):
    Task.objects.filter(pk=hostile_record.pk).values_list("args").get()
    assert trap.sprung()


def test_b21_a_hostile_pickle_in_the_table_of_results_is_loaded_by_no_job_and_no_worker(trap, hostile_record, capsys):
    jobs.enqueue(heartbeat)
    row = OrmQ.objects.get()
    ended = queue.Queue()
    for item in ({"ack_id": row.pk, "id": hostile_record.pk, "name": "evil", "success": False, "result": "x"}, "STOP"):
        ended.put(item)
    cluster.acknowledge(ended, get_broker())
    assert not OrmQ.objects.exists() and Task.objects.count() == 1
    jobs.run_due()
    call_command("privacy_scan")
    assert not trap.sprung()
    Task.objects.update(stopped=clock.now() - timedelta(days=90))
    jobs.run("orderhub.housekeeping.prune")
    assert not Task.objects.exists() and not trap.sprung()


def test_b21_no_page_loads_it(client, trap, hostile_record):
    client.force_login(make_user(access.ADMINISTRATOR, is_superuser=True))
    opened = [client.get(f"/admin/{page}").status_code for page in ("", "orderhub/jobrun/", "orderhub/joblease/")]
    opened += [
        client.get(f"/admin/django_q/{kind}/").status_code for kind in ("success", "failure", "ormq", "schedule")
    ]
    assert opened[0] == 200 and opened[-4:] == [404] * 4 and client.get("/healthz").status_code in {200, 503}
    assert not trap.sprung()


def test_b21_a_request_that_we_did_not_sign_never_reaches_a_worker(trap):
    task = {"id": "1", "name": "evil", "func": "os.mkdir", "args": (str(trap.folder),), "kwargs": {"x": trap}}
    bare = base64.urlsafe_b64encode(pickle.dumps(task)).decode().rstrip("=")
    ours = jobs.enqueue(heartbeat) or OrmQ.objects.get().payload
    forged = core_signing.dumps(task, key="another", salt="orderhub", serializer=PickleSerializer)
    swapped = ":".join([forged.split(":")[0], *ours.split(":")[1:]])  # our signature under another text
    OrmQ.objects.all().delete()
    payloads = ["", "x", bare, f"{bare}:sig", f".{bare}:1:sig", forged, swapped]
    OrmQ.objects.bulk_create(
        OrmQ(key="orderhub", payload=text, lock=clock.now() - timedelta(days=9999)) for text in payloads
    )
    waiting, end = queue.Queue(), Event()
    end.set()  # after one turn
    for _payload in payloads:
        pusher(waiting, end, get_broker())
    assert waiting.empty() and not OrmQ.objects.exists() and not trap.sprung()


HOSTILE = [
    {"func": "os.mkdir"},
    {"func": "os.mkdir", "kwargs": "{'q_options': {'sync': True}}"},
    {"func": jobs.ENTRY, "hook": "os.mkdir"},
    {"func": "os.mkdir", "name": heartbeat.job_name},
]


@pytest.mark.parametrize("row", HOSTILE)
def test_b21_q7_a_function_named_by_a_schedule_row_is_never_called(trap, row):
    jobs.sync_schedules()
    hour_ago = clock.now() - timedelta(hours=1)
    Schedule.objects.filter(name=row.get("name")).delete()
    Schedule.objects.create(**{"name": "evil", "args": f"({str(trap.folder)!r},)", "next_run": hour_ago} | row)
    assert scheduling.ask_due() == SCHEDULED
    assert {asked.task["func"] for asked in OrmQ.objects.all()} == {jobs.ENTRY}
    assert {asked.task["args"][0] for asked in OrmQ.objects.all()} == set(
        Schedule.objects.values_list("name", flat=True)
    )
    assert {key for asked in OrmQ.objects.all() for key in asked.task} == {
        "id", "name", "func", "args", "kwargs", "started", "ack_failure",
    }  # fmt: skip
    assert not Schedule.objects.filter(name="evil").exists() and not trap.sprung()


@pytest.mark.django_db(transaction=True)
def test_b21_q7_the_queues_own_scheduler_would_have_called_it(trap):
    given = {"args": f"({str(trap.folder)!r},)", "kwargs": "{'q_options': {'sync': True}}"}
    Schedule.objects.create(name="evil", func="os.mkdir", next_run=clock.now() - timedelta(days=9999), **given)
    scheduler()
    assert trap.sprung()


def test_q5_f07_a_schedule_row_nobody_can_read_stops_no_job(noon):
    jobs.sync_schedules()
    Schedule.objects.create(name="bad", func=jobs.ENTRY, args="((((", kwargs="}", next_run=noon - timedelta(hours=2))
    Schedule.objects.filter(name=heartbeat.job_name).update(args="((((", kwargs="}", repeats=0, cluster="elsewhere")
    assert scheduling.ask_due() == SCHEDULED == OrmQ.objects.count()


@pytest.mark.parametrize("moved", [{"next_run": None}, {"days": 9000}, {"days": -9000}])
def test_f07_no_time_in_a_row_keeps_a_job_from_running(noon, moved):
    jobs.sync_schedules()
    scheduling.ask_due()
    OrmQ.objects.all().delete()
    when = noon + timedelta(**moved) if "days" in moved else None
    Schedule.objects.filter(name="privacy.redact_due").update(next_run=when)
    assert scheduling.ask_due() == 1
    assert OrmQ.objects.get().task["args"] == ("privacy.redact_due",)
    assert noon < Schedule.objects.get(name="privacy.redact_due").next_run <= noon + timedelta(minutes=10)


def test_a_job_is_asked_for_at_its_cadence_and_what_was_missed_once(noon):
    jobs.sync_schedules()
    assert scheduling.ask_due() == SCHEDULED
    assert scheduling.ask_due() == 0
    clock.advance(seconds=60)
    each_minute = sum(job.minutes == 1 for job in jobs.declared().values())
    assert scheduling.ask_due() == each_minute > 0
    clock.advance(minutes=60 * 24 * 3)
    assert scheduling.ask_due() == SCHEDULED


def test_q9_of_two_clusters_at_once_one_asks(noon):
    jobs.sync_schedules()
    job = jobs.declared()[heartbeat.job_name]
    seen = Schedule.objects.get(name=job.name).next_run
    assert [scheduling._ask(job, seen), scheduling._ask(job, seen)] == [True, False]


def test_an_emptied_table_is_written_anew(noon):
    assert scheduling.ask_due() == SCHEDULED == Schedule.objects.count()


def test_with_nothing_to_do_it_is_one_statement(noon, django_assert_num_queries):
    scheduling.ask_due()
    with django_assert_num_queries(1):
        assert scheduling.ask_due() == 0
