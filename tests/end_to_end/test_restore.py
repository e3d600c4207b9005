"""An old backup put back: closed until it is erased up to now, and Amazon is told of nothing a second time."""

import contextlib
import io
import shutil
import sqlite3
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from orderhub import clock, jobs
from orderhub.housekeeping import restoring
from orders.models import Order, OrderPersonalData
from privacy import access, audit, deadman, markers, restored
from privacy.models import ErasureCertificate, SecurityEvent
from shipments.models import OutgoingMail, ShipmentNotification
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.factories import connect, make_user
from tests.orders.driving import import_now, notify_now, ship_everything, time_passes, time_passes_until
from tests.privacy.conftest import no_old_files  # noqa: F401
from tests.privacy.rows import due_label, due_order, state_of, sweep
from tests.privacy.test_erasure import in_trouble

pytestmark = pytest.mark.django_db(transaction=True)
START, HEALTH = reverse("admin:index"), reverse("healthz")
BEAT = "orderhub.housekeeping.heartbeat"
CLOSED = "OrderHub is being put in order"
REFUSED = "waits: a backup was restored and is being swept"


class Backup:
    """A copy of the database, made as operators make one, and put back in its place."""

    def __init__(self, folder: Path):
        self.name = str(connection.settings_dict["NAME"])
        self.copy = str(folder / "backup.sqlite3") if connection.vendor == "sqlite" else f"{self.name}_backup"

    def make(self) -> None:
        if connection.vendor == "sqlite":
            connection.ensure_connection()
            with contextlib.closing(sqlite3.connect(self.copy)) as copy:
                connection.connection.backup(copy)
        else:
            self._clone(self.name, self.copy)

    def put_back(self) -> None:
        if connection.vendor == "sqlite":
            connection.close()
            for left in ("-wal", "-shm"):
                Path(self.name + left).unlink(missing_ok=True)
            shutil.copyfile(self.copy, self.name)
        else:
            self._clone(self.copy, self.name)

    def drop(self) -> None:
        if connection.vendor != "sqlite":
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{self.copy}"')

    @staticmethod
    def _clone(source: str, target: str) -> None:
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')


@pytest.fixture
def backup(tmp_path) -> Iterator[Backup]:
    made = Backup(tmp_path)
    yield made
    made.drop()


@pytest.fixture(autouse=True)
def doubting(settings, tmp_path):
    """The gates are on, and this installation has files of its own."""
    settings.REAL_TIME, settings.VAR_DIR = True, tmp_path
    forget()
    yield
    restored.remember(False)


def forget() -> None:
    """A minute goes by in every process."""
    restored.forget()
    deadman.forget()


def look_after() -> str:
    forget()
    return jobs.run("orderhub.housekeeping.look_after_restore")


def restore_check(*arguments: str) -> str:
    out = io.StringIO()
    call_command("restore_check", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def trade(simulate):
    """Three orders shipped at Amazon's, of which Amazon does not know yet."""
    world = simulate(scenarios.empty(now=NOON))
    for number in range(3):
        at = NOON.replace(hour=10, minute=number)
        world.add_order(scenarios.NA, marketplace="US", created=at, updated=at)
    account = connect(scenarios.NA, sources=("US",))
    import_now(account)
    sweep()
    ship_everything()
    return world, account


def test_f39_b38_a_backup_of_twenty_days_ago_is_swept_before_it_is_served(trade, backup, client):
    world, account = trade
    staff = make_user(access.SUPPORT)
    overdue = [due_order(due=NOON + timedelta(days=day)) for day in range(1, 8)]
    label, kept = due_label(due=NOON + timedelta(days=9)), due_order(due=NOON + timedelta(days=60))
    jobs.run(BEAT)
    client.force_login(staff)
    backup.make()

    time_passes_until(lambda: len(world.effective_confirmations()) == 3, world)
    time_passes(world, minutes=12, step=6)
    told = dict(world.effective_confirmations())
    sent = world.calls("confirmShipment")
    assert set(told.values()) == {1} and len(told) == 3
    for _days in range(10):
        world.clock.set(clock.advance(days=2))
        sweep()
        import_now(account)
        jobs.run(BEAT)
    assert {state_of(order) for order in overdue} == {"redacted"}
    forget()
    assert client.get(START).status_code == 200  # and what was seen is kept

    backup.put_back()
    forget()
    answer = client.get(START)
    assert (answer.status_code, CLOSED in answer.content.decode()) == (503, True)
    assert client.get(reverse("admin:login")).status_code == 503
    assert client.get(HEALTH).json() == {"workers": "late", "erasure": "late"}
    assert {state_of(order) for order in overdue} == {"present"}
    for name in ("shipments.notify_marketplaces", "orders.import_due_accounts", "shipments.send_mails"):
        if name in jobs.declared():
            assert jobs.run(name) == REFUSED
    assert notify_now(account) == import_now(account) == REFUSED
    assert jobs.run(BEAT) == "alive"

    outcome = look_after()
    assert "0 left" in outcome
    assert {state_of(order) for order in overdue} == {"redacted"}
    label.refresh_from_db()
    assert label.redacted_at is not None and state_of(kept) == "present"
    assert set(ShipmentNotification.objects.values_list("state", flat=True)) <= {"unknown"}
    assert not Session.objects.exists()
    forget()
    assert client.get(reverse("admin:login")).status_code == 200

    import_now(account)
    time_passes(world, minutes=24, step=6)
    assert world.calls("confirmShipment") == sent  # G25: not one was sent again
    assert world.effective_confirmations() == told
    theirs = ShipmentNotification.objects.filter(order__order_number__in=told)
    assert set(theirs.values_list("state", flat=True)) <= {"confirmed", "confirmed_external"}
    events = SecurityEvent.objects.filter(code="restored").order_by("pk").values_list("outcome", "reason")
    assert list(events) == [("refused", "found"), ("ok", "swept")]


def test_the_command_does_the_same_and_prints_figures(trade, backup, client):
    world, account = trade
    overdue = [due_order(due=NOON + timedelta(days=1)) for _ in range(3)]
    client.get(reverse("admin:login"))
    backup.make()
    world.clock.set(clock.advance(days=2))
    for _beat in range(3):
        jobs.run(BEAT)
    forget()
    client.get(reverse("admin:login"))
    backup.put_back()
    forget()
    assert client.get(reverse("admin:login")).status_code == 503
    told = restore_check()
    assert told.startswith("3 erased, 0 documents") and "0 left" in told and "may be served" in told
    assert {state_of(order) for order in overdue} == {"redacted"}
    forget()
    assert client.get(reverse("admin:login")).status_code == 200
    assert account.pk and SecurityEvent.objects.filter(code="restored", outcome="ok").exists()


def test_an_order_that_cannot_be_erased_but_is_masked_keeps_nothing_closed(trade, client):
    world, _account = trade
    in_trouble(due_label())
    sweep()
    audit.record(SecurityEvent.Code.RESTORED, outcome=SecurityEvent.Outcome.REFUSED, reason="found")
    forget()
    assert client.get(reverse("admin:login")).status_code == 503
    assert "1 masked and tried again, 0 left" in look_after()
    forget()
    assert client.get(reverse("admin:login")).status_code == 200


def test_with_nothing_noted_a_silent_day_and_something_overdue_close_it(noon, client):
    jobs.run(BEAT)
    order = due_order(due=NOON + timedelta(hours=1))
    assert not restored.note().exists()
    clock.advance(hours=24, seconds=1)
    forget()
    assert client.get(reverse("admin:login")).status_code == 503
    clock.advance(minutes=10)
    assert "0 left" in look_after()
    forget()
    assert (client.get(reverse("admin:login")).status_code, state_of(order)) == (200, "redacted")


def test_a_machine_that_was_off_for_a_weekend_serves_at_once(noon, client):
    jobs.run(BEAT)
    assert not restored.closed()
    due_order(due=NOON + timedelta(hours=1))
    clock.advance(hours=47)
    forget()
    assert client.get(reverse("admin:login")).status_code == 200  # its own note says that nothing was put back


def test_another_database_is_not_taken_for_an_old_one(noon, client):
    for _beat in range(3):
        jobs.run(BEAT)
    forget()
    client.get(reverse("admin:login"))
    restored.note().rename(restored.note().with_name("seen-20200101000000000000.json"))
    forget()
    assert client.get(reverse("admin:login")).status_code == 200


def test_a_host_that_did_not_recover_it_itself_sees_that_it_was(noon, client):
    """Its own note is of before the backup was put back."""
    for _beat in range(3):
        jobs.run(BEAT)
    note = restored.note()
    note.write_text('{"run": 999999, "position": 999999, "recovered": ""}')
    forget()
    assert client.get(reverse("admin:login")).status_code == 503
    look_after()
    note.write_text('{"run": 999999, "position": 999999, "recovered": ""}')
    forget()
    assert client.get(reverse("admin:login")).status_code == 200


def test_mails_under_way_are_not_sent_again_and_the_command_refuses_a_ledger_that_is_not_there(noon):
    order = due_label(due=NOON + timedelta(days=9), order_due=NOON + timedelta(days=9)).shipment.order
    mail = OutgoingMail.objects.create(order=order, shipment=order.shipments.get(), kind="return_label")
    with pytest.raises(CommandError, match="There is no file"):
        restore_check("--ledger", "/nowhere/ledger.jsonl")
    assert "1 mails given up" in restore_check()
    mail.refresh_from_db()
    assert mail.state == "failed"


def test_a_clock_that_cannot_be_trusted_keeps_it_closed(noon, client):
    order = due_order(due=NOON + timedelta(days=20))
    sweep()
    clock.advance(days=40)
    audit.record(SecurityEvent.Code.RESTORED, outcome=SecurityEvent.Outcome.REFUSED, reason="found")
    with pytest.raises(CommandError, match="clock cannot be trusted"):
        restore_check()
    forget()
    assert (client.get(reverse("admin:login")).status_code, state_of(order)) == (503, "present")


@pytest.mark.long
def test_g25_ten_thousand_overdue_orders_are_swept_in_two_minutes(noon, capsys):
    first = due_order()
    rows = list(Order.objects.filter(pk=first.pk).values())[0]
    person = list(OrderPersonalData.objects.filter(pk=first.pk).values())[0]
    Order.objects.bulk_create(
        [Order(**(rows | {"id": first.pk + n, "order_number": f"222-{n:07d}-0000000"})) for n in range(1, 10_000)], 500
    )
    OrderPersonalData.objects.bulk_create(
        [OrderPersonalData(**(person | {"order_id": first.pk + n})) for n in range(1, 10_000)], 500
    )
    began = time.monotonic()
    figures = restoring.recover(budget_s=300)
    took = time.monotonic() - began
    with capsys.disabled():
        print(f"\n10,000 overdue orders swept in {took:.1f} s on {connection.vendor}")
    assert (figures.erased, figures.left, ErasureCertificate.objects.count()) == (10_000, 0, 10_000)
    assert not OrderPersonalData.objects.exclude(marker=markers.AMAZON).exists()
    assert took <= 120
