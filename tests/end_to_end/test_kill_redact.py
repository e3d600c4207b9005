"""An erasure killed at any named place is finished by the next sweep: once, completely, and nothing else."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages

from orderhub import clock, failpoints, jobs
from orders.models import Order, OrderPersonalData
from orders.models.person import LATCHED
from privacy import markers
from privacy.models import ErasureCertificate
from privacy.scanner import Scanner
from shipments.models import Label
from tests.end_to_end.killing import died_at
from tests.privacy.conftest import no_old_files  # noqa: F401
from tests.privacy.rows import SWEEP, due_label, due_order, file_of, sweep, text_of

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = [(name, 1) for name in failpoints.NAMES if name.startswith("redact.")]
POINTS += [("redact.between_files", 3), ("redact.before_mark", 2)]
STREET = "1 ZQduestreet1QZ Road"


class World:
    """Four orders due, three of them with labels; an order and a label that are not."""

    def __init__(self, now):
        later = now + timedelta(days=5)
        self.due = [self._order() for _ in range(4)]
        self.labels = [due_label(order) for order in self.due[:3]]
        self.own_clock = due_label(self._order(), order_due=later)
        self.kept = due_label(due_order(), due=later, order_due=later)
        self.before = self.untouched()

    @staticmethod
    def _order() -> Order:
        return due_order(person={"street1": STREET, "romanised_street1": STREET, "recipient_name": "ZQduename1QZ"})

    def untouched(self):
        """What must not change: the order and label that are not due, and the order whose label alone is."""
        orders = [self.kept.shipment.order_id, self.own_clock.shipment.order_id]
        return (
            list(Order.objects.filter(pk__in=orders).order_by("pk").values()),
            list(OrderPersonalData.objects.filter(pk__in=orders).order_by("pk").values()),
            Label.objects.filter(pk=self.kept.pk).values().get(),
            file_of(self.kept).read_bytes(),
        )

    def subjects(self) -> list[tuple[str, int]]:
        labels = [("label", label.pk) for label in (*self.labels, self.own_clock)]
        return sorted([*labels, *(("order", order.pk) for order in self.due)])


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("failpoint", "visit"), POINTS)
def test_f01_r1_to_r7_a_killed_erasure_is_finished_by_the_next_sweep(noon, failpoint, visit):
    world = World(noon)
    assert died_at(failpoint, sweep, visit=visit)
    assert_no_half_erased_order_is_shown(world)
    assert sweep() == "already running"  # the dead worker's lease holds until it ends
    clock.advance(minutes=2)
    outcome = sweep()
    assert outcome.endswith("0 failed")
    assert_erased(world)
    assert_files_hold_no_address(world)
    assert world.untouched() == world.before
    assert certificates() == world.subjects()
    documents = (
        ErasureCertificate.objects.filter(kind="order").order_by("subject_id").values_list("documents", flat=True)
    )
    assert list(documents) == [1, 1, 1, 0]
    after = list(ErasureCertificate.objects.order_by("pk").values())
    clock.advance(minutes=5)
    assert sweep() == "0 redacted, 0 documents, 0 failed"
    assert list(ErasureCertificate.objects.order_by("pk").values()) == after


def test_f01_an_erasure_killed_twice_is_still_finished(noon):
    world = World(noon)
    assert died_at("redact.between_files", sweep, visit=2)
    clock.advance(minutes=2)
    assert died_at("redact.after_columns", sweep)
    clock.advance(minutes=2)
    sweep()
    assert_erased(world)
    assert certificates() == world.subjects()
    assert world.untouched() == world.before


def test_f01_r1_to_r7_every_place_an_erasure_can_die_at_is_reached(noon):
    visited = {name for name, _visit in POINTS}
    assert visited == {name for name in failpoints.NAMES if name.startswith("redact.")}
    assert len(visited) == 7


def assert_no_half_erased_order_is_shown(world: World):
    begun = set(OrderPersonalData.objects.exclude(marker="").values_list("order", flat=True))
    begun |= {label.shipment.order_id for label in world.labels if text_is_gone(label)}
    assert all(order.masked for order in Order.objects.filter(pk__in=begun))


def text_is_gone(label: Label) -> bool:
    return not file_of(label).exists() or "DUESTREET" not in text_of(label).upper()


def assert_erased(world: World):
    for order in world.due:
        order.refresh_from_db()
        assert order.pii_state == "redacted"
        person = OrderPersonalData.objects.get(pk=order.pk)
        assert {getattr(person, name) for name in LATCHED} <= {"", markers.AMAZON, person.buyer_email}
        assert person.buyer_email == markers.AMAZON
        assert order.events.filter(kind="redacted").count() == 1
    for label in (*world.labels, world.own_clock):
        label.refresh_from_db()
        assert label.redacted_at is not None
        assert markers.AMAZON in text_of(label)


def assert_files_hold_no_address(world: World):
    scanner = Scanner({"street": STREET, "name": "ZQduename1QZ"})
    assert scanner.scan_folder(Path(storages["labels"].location)) == []
    assert len(list(Path(storages["labels"].location).rglob("*.pdf"))) == len(world.labels) + 2


def certificates() -> list[tuple[str, int]]:
    return sorted(ErasureCertificate.objects.values_list("kind", "subject_id"))


def test_the_job_is_the_one_the_queue_calls():
    assert SWEEP in jobs.declared()
