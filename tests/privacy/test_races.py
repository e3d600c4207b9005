"""Erasure beside imports and labels, on failing disks and databases, and on the days when clocks are odd."""

import errno
import io
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage, storages
from django.db import OperationalError, connection
from pypdf import PdfReader

from orderhub import clock, failpoints, jobs
from orders.models import Order, OrderPersonalData
from privacy import deadman, erasure, markers
from privacy.models import ErasureCertificate
from shipments.labelling import write_label
from shipments.models import Label, Shipment
from stores.models import Store
from tests.end_to_end.killing import REFUSED, at_once, died_at
from tests.factories import make_shipment
from tests.privacy.rows import SWEEP, due_label, due_order, file_of, person_of, state_of, sweep, text_of
from tests.privacy.test_latch import take_in

pytestmark = pytest.mark.django_db(transaction=True)
STREET = "1 ZQracestreet1QZ Road"
AT_HOME = {"street1": STREET, "romanised_street1": STREET}
POINTS = [name for name in failpoints.NAMES if name.startswith("redact.")]
ROUNDS = 3


def files() -> set[str]:
    root = Path(storages["labels"].location)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def found_in_files() -> list[str]:
    """Files that still say where somebody lives; a page draws in capitals and breaks lines."""
    word = STREET.split()[1].upper()
    return [name for name in sorted(files()) if word in _text(name).upper()]


def _text(name: str) -> str:
    """As the product reads it: the file itself is encrypted."""
    with storages["labels"].open(name) as file:
        return "".join(page.extract_text() for page in PdfReader(io.BytesIO(file.read())).pages)


def test_what_looks_for_an_address_in_files_finds_one(noon):
    due_label(due_order(person=AT_HOME))
    assert len(found_in_files()) == 1
    sweep()
    assert found_in_files() == [] and len(files()) == 1


# -- F01: death at every named place (test_kill_redact.py looks at more of each)


@pytest.mark.parametrize("failpoint", POINTS)
def test_f01_r1_to_r7_a_death_anywhere_leaves_nothing_unmasked_and_nothing_undone(noon, failpoint):
    label = due_label(due_order(person=AT_HOME))
    order = label.shipment.order
    assert died_at(failpoint, sweep)
    half_done = OrderPersonalData.objects.exclude(marker="").exists() or found_in_files() == []
    order.refresh_from_db()
    assert order.masked or not half_done
    clock.advance(minutes=2)
    assert sweep().endswith("0 failed")
    assert (state_of(order), found_in_files()) == ("redacted", [])
    assert ErasureCertificate.objects.filter(order_id=order.pk).count() == 2
    assert deadman.standing(clock.now()).well


# -- F26, F27: imports


def test_f27_import_and_erasure_of_one_order_at_once_end_erased(noon):
    for _round in range(ROUNDS):
        order = due_order(person=AT_HOME)

        def import_it(order=order) -> None:
            take_in(order, at=clock.now() + timedelta(seconds=1), recipient_name="Ada Again", street1=STREET)

        assert at_once(import_it, sweep) == [0, 0]
        if state_of(order) != "redacted":  # on SQLite the one who came second may have found the database taken
            clock.advance(minutes=2)
            sweep()
        person = person_of(order)
        assert (state_of(order), person.marker) == ("redacted", markers.AMAZON)
        assert {person.recipient_name, person.street1} == {markers.AMAZON}
        take_in(order, at=clock.now() + timedelta(seconds=9), recipient_name="Ada Again", street1=STREET)  # F26
        assert person_of(order).street1 == markers.AMAZON
        clock.advance(minutes=2)


def test_f04_two_sweeps_at_once_erase_each_order_once(noon):
    orders = [due_order() for _ in range(5)]
    assert at_once(sweep, sweep) == [0, 0]
    assert {state_of(order) for order in orders} == {"redacted"}
    assert ErasureCertificate.objects.filter(kind="order").count() == 5


# -- F28: labels


def test_f28_a_label_made_while_its_order_is_erased_is_refused_or_has_a_term_of_its_own(noon):
    """Never an erased order with a label that nobody will erase, never a file without a row."""
    for _round in range(ROUNDS):
        order = due_order(person=AT_HOME)
        ends = at_once(lambda order=order: make_shipment(order), sweep)
        assert ends in ([0, 0], [0, REFUSED])
        shipped = Shipment.objects.filter(order=order).exists()
        assert shipped is (ends == [0, 0])
        if not shipped:
            clock.advance(minutes=2)
            sweep()
            assert state_of(order) == "redacted"
        labels = Label.objects.filter(redacted_at__isnull=True)
        assert all(label.due_at > clock.now() for label in labels)
        assert files() <= set(Label.objects.values_list("file", flat=True))
        clock.advance(minutes=2)
    clock.advance(days=45)
    sweep()
    assert (found_in_files(), set(Order.objects.values_list("pii_state", flat=True))) == ([], {"redacted"})


def test_f28_a_label_drawn_again_while_it_is_erased_ends_without_its_address(noon):
    for _round in range(ROUNDS):
        label = due_label(due_order(person=AT_HOME))
        file_of(label).unlink()  # so printing draws it again
        ends = at_once(lambda label=label: write_label(Label.objects.get(pk=label.pk)), sweep)
        assert 0 in ends
        clock.advance(minutes=2)
        sweep()
        label.refresh_from_db()
        assert label.redacted_at is not None
        assert markers.AMAZON in text_of(label)
        assert found_in_files() == []


# -- F29: files that cannot be destroyed


@pytest.mark.parametrize(
    "error", [PermissionError(errno.EACCES, "no"), OSError(errno.EIO, "disk"), OSError(errno.EROFS, "ro")]
)
def test_f29_a_file_that_cannot_be_destroyed_keeps_its_order_masked_alarmed_and_tried_again(noon, monkeypatch, error):
    label, other = due_label(due_order(person=AT_HOME)), due_order()
    order = label.shipment.order

    def refuse(self, name):
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(FileSystemStorage, "delete", refuse)
        for _try in range(2):
            assert sweep().endswith("1 failed")
            order.refresh_from_db()
            assert (order.pii_state, order.masked, order.redaction_error) == ("redacting", True, type(error).__name__)
            clock.advance(minutes=40)
        assert state_of(other) == "redacted"
        assert deadman.standing(clock.now()).late
        assert person_of(order).street1 == STREET  # not half erased: the columns go with the files
    sweep()
    assert (state_of(order), found_in_files()) == ("redacted", [])
    assert deadman.standing(clock.now()).well


def test_f29_a_file_that_is_missing_fails_nothing(noon):
    label = due_label()
    file_of(label).unlink()
    assert sweep() == "1 redacted, 1 documents, 0 failed"


# -- F30: a database that fails


class FailsOnce:
    """Lets so many statements pass, fails one as a lost connection does, and lets all others pass."""

    def __init__(self, at: int):
        self.at, self.seen = at, 0

    def __call__(self, execute, sql, params, many, context):
        self.seen += 1
        if self.seen == self.at:
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)


def _survives(at: int) -> bool:
    """A sweep whose so-manieth statement fails, and the one after it; whether there was such a statement."""
    label = due_label(due_order(person=AT_HOME))
    order, failing = label.shipment.order, FailsOnce(at)
    with connection.execute_wrapper(failing):
        try:
            jobs.run(SWEEP)
        except (jobs.JobFailed, OperationalError):
            pass
    person, half = person_of(order), state_of(order)
    assert person.street1 in {STREET, markers.AMAZON}
    assert half in {"redacting", "redacted"} or person.street1 == STREET
    assert half != "redacted" or person.street1 == markers.AMAZON
    clock.advance(minutes=20)  # a pause after three deaths is over too
    outcome = sweep()
    assert (state_of(order), found_in_files()) == ("redacted", []), f"statement {at}: {outcome}"
    assert ErasureCertificate.objects.filter(order_id=order.pk).count() == 2
    return failing.seen >= at


@pytest.mark.parametrize("step", [13, pytest.param(1, marks=pytest.mark.long)])
def test_f30_whichever_statement_of_a_sweep_fails_the_next_one_finishes_it(noon, step):
    at, ends_at = 1, time.monotonic() + 500
    while _survives(at):
        at += step
        assert time.monotonic() < ends_at
    assert at > 25  # it went through the whole of it


# -- F40: odd days


@pytest.fixture(params=["UTC", "Europe/Paris", "America/Los_Angeles"])
def system_zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.delenv("TZ")
    time.tzset()


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "due",
    [
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),  # the hour that Paris has twice
        datetime(2027, 3, 28, 1, 0, tzinfo=UTC),  # the hour it has not
        datetime(2028, 2, 29, 0, 0, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
)
def test_f40_whatever_the_systems_zone_the_instant_decides(system_zone, due):
    with clock.at(due - timedelta(days=14)):
        store = Store.objects.first()
        order = due_order(**({"store": store} if store else {}), due=due)
        clock.advance(days=14, seconds=-1)
        assert erasure.redact_due(now=clock.now()).redacted == 0
        clock.advance(seconds=1)
        assert erasure.redact_due(now=clock.now()).redacted == 1
        assert state_of(order) == "redacted"
        assert ErasureCertificate.objects.get().due_at == due
        assert os.environ["TZ"] == system_zone
