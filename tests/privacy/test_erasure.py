"""What is due goes, all of it, once; what is not due stays; one order in trouble holds up nobody."""

import json
from datetime import timedelta

import pytest

from orderhub import clock
from orderhub.models import JobRun
from orders.models import Order, OrderEvent
from orders.models.person import EMAIL, ERASED
from privacy import erasure, markers
from privacy.models import ErasureCertificate
from shipments import settling
from shipments.labelling import write_label
from shipments.models import Label, ShipmentNotification
from tests.factories import make_order, make_shipment, rewrite
from tests.privacy.rows import (
    FULL,
    PLACE,
    RELAY,
    due_label,
    due_order,
    everything,
    file_of,
    person_of,
    state_of,
    sweep,
    text_of,
)

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
MARKER = markers.AMAZON
STATE_COLUMNS = {"pii_state", "redacted_at", "redaction_reason"}


def in_trouble(label) -> None:
    """Make the storage fail for this label: a folder that is not empty stands where its file should be."""
    path = file_of(label)
    path.unlink()
    (path / "in the way").mkdir(parents=True)


def healed(label) -> None:
    path = file_of(label)
    (path / "in the way").rmdir()
    path.rmdir()


def test_nothing_goes_a_second_before_it_is_due(noon):
    order = due_order(due=noon + SECOND)
    before = everything()
    assert sweep() == "0 redacted, 0 documents, 0 failed"
    assert everything() == before
    assert person_of(order).recipient_name == "Ada Example"


def test_at_the_due_instant_every_field_of_the_person_goes(noon):
    order = due_order(due=noon)
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    person = person_of(order)
    assert {name: getattr(person, name) for name in (*ERASED, EMAIL)} == dict.fromkeys((*ERASED, EMAIL), MARKER)
    order.refresh_from_db()
    assert (order.pii_state, order.redacted_at, order.redaction_reason) == ("redacted", noon, "amazon")
    assert order.events.get(kind=OrderEvent.Kind.REDACTED).params == {"rule": "import"}


def test_the_marker_is_the_text_of_the_brief():
    assert (markers.AMAZON, markers.RGPD) == ("EXPURGÉ (Amazon)", "EXPURGÉ (RGPD)")


def test_place_of_delivery_stays(noon):
    order = due_order()
    sweep()
    person = person_of(order)
    assert {name: getattr(person, name) for name in PLACE} == PLACE


def test_an_empty_field_stays_empty(noon):
    order = due_order(person=dict.fromkeys(ERASED, "") | {"phone": "+1 555 0100", EMAIL: ""})
    sweep()
    person = person_of(order)
    assert [name for name in (*ERASED, EMAIL) if getattr(person, name)] == ["phone"]
    assert ErasureCertificate.objects.get().fields == ["phone"]


def test_nothing_but_the_person_and_the_state_changes(noon):
    order = due_order()
    before = Order.objects.filter(pk=order.pk).values().get()
    lines = list(order.items.values())
    sweep()
    after = Order.objects.filter(pk=order.pk).values().get()
    assert {name for name in before if before[name] != after[name]} == STATE_COLUMNS
    assert list(order.items.values()) == lines


@pytest.mark.parametrize(
    ("address", "stays"),
    [
        (RELAY, True),
        ("A1B2C3@Marketplace.Amazon.FR", True),
        ("x@marketplace.amazon.co.jp", True),
        ("x@marketplace.amazon.com.mx", True),
        ("x@marketplace.amazon.com.evil.example", False),
        ('"Jean" <x@marketplace.amazon.fr>', False),
        ("Jean x@marketplace.amazon.fr", False),
        ("jean@example.org,x@marketplace.amazon.fr", False),
        ("x@marketplace.amazon.fr\njean@example.org", False),
        ("x@evil-marketplace.amazon.fr", False),
        ("x@amazon.fr", False),
        ("x@marketplaceXamazon.fr", False),
        ("jean.dupont@example.org", False),
    ],
)
def test_only_an_address_amazon_already_masked_stays(noon, address, stays):
    order = due_order(person={EMAIL: address})
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    assert person_of(order).buyer_email == (address if stays else MARKER)
    assert (EMAIL in ErasureCertificate.objects.get().fields) is not stays


def test_a_second_sweep_changes_nothing_not_even_a_timestamp(noon):
    due_label()
    due_order()
    sweep()
    after = everything()
    clock.advance(days=3)
    assert sweep() == "0 redacted, 0 documents, 0 failed"
    assert everything() == after


def test_a_row_marked_for_another_reason_keeps_its_marker(noon):
    order = due_order()
    erasure.redact_due(now=noon, marker=markers.RGPD)
    Order.objects.filter(pk=order.pk).update(pii_state="redacting", redacted_at=None)  # as a killed worker leaves it
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    person = person_of(order)
    assert {getattr(person, name) for name in (*ERASED, "marker")} == {markers.RGPD}


def test_the_certificate_names_fields_and_holds_no_value(noon):
    order = due_order(due=noon - timedelta(minutes=4))
    sweep()
    row = ErasureCertificate.objects.get()
    assert (row.kind, row.order_id, row.subject_id, row.order_number) == ("order", order.pk, order.pk, str(order))
    assert (row.rule, row.due_at, row.done_at, row.marker) == ("import", noon - timedelta(minutes=4), noon, MARKER)
    assert row.fields == sorted((*ERASED, EMAIL))
    told = json.dumps(list(ErasureCertificate.objects.values()), default=str)
    assert [name for name in (*ERASED, EMAIL) if FULL[name] in told] == []


def test_the_strict_setting_takes_the_postal_code_too(noon, settings):
    settings.REDACT_POSTCODE = "full"
    order = due_order()
    sweep()
    person = person_of(order)
    assert (person.postal_code, person.city) == (MARKER, "Austin")
    assert "postal_code" in ErasureCertificate.objects.get().fields


def test_one_order_in_trouble_does_not_hold_up_three_hundred(noon, caplog):
    label = due_label()
    stuck = label.shipment.order
    others = [due_order() for _ in range(300)]
    in_trouble(label)
    outcome = sweep()
    assert outcome == "300 redacted, 0 documents, 1 failed"
    assert Order.objects.filter(pii_state="redacted").count() == len(others)
    stuck.refresh_from_db()
    assert (stuck.pii_state, stuck.masked, stuck.redacted_at) == ("redacting", True, None)
    assert stuck.redaction_error.endswith("Error")
    assert JobRun.objects.get(job="privacy.redact_due").outcome == outcome
    reports = [record for record in caplog.records if record.msg == "redaction_failed"]
    assert {record.order_id for record in reports} == {stuck.pk}

    healed(label)
    clock.advance(minutes=5)
    assert sweep() == "1 redacted, 1 documents, 0 failed"
    stuck.refresh_from_db()
    assert (stuck.pii_state, stuck.redaction_error) == ("redacted", "")
    assert ErasureCertificate.objects.filter(kind="order").count() == 301
    assert ErasureCertificate.objects.get(kind="label").subject_id == label.pk


def test_a_label_in_trouble_does_not_hold_up_labels_due_on_their_own_clock(noon):
    labels = [due_label(order_due=noon + timedelta(days=9)) for _ in range(3)]
    in_trouble(labels[0])
    assert sweep() == "0 redacted, 2 documents, 1 failed"
    assert [label.redacted_at for label in _fresh(labels)] == [None, noon, noon]
    healed(labels[0])
    assert sweep() == "0 redacted, 1 documents, 0 failed"


def test_many_labels_on_their_own_clock_all_go_in_one_sweep(noon):
    first = due_label(order_due=noon + timedelta(days=9))
    for _ in range(20):
        due_label_of(first, drawn=False)
    assert sweep() == "0 redacted, 21 documents, 0 failed"


def test_labels_stop_at_the_time_budget_too(noon):
    labels = [due_label(order_due=noon + timedelta(days=9)) for _ in range(3)]
    report = erasure.redact_due(now=noon, budget_s=-1)
    assert (report.documents, report.more) == (1, True)
    assert erasure.redact_due(now=noon).documents == len(labels) - 1


def test_drawing_an_erased_label_again_leaves_the_erased_page(noon):
    label = due_label()
    sweep()
    before = file_of(label).read_bytes()
    write_label(label)
    assert file_of(label).read_bytes() == before
    assert [path.name for path in file_of(label).parent.iterdir()] == [file_of(label).name]


def test_a_sweep_stops_at_its_time_budget_and_says_there_is_more(noon, monkeypatch):
    monkeypatch.setattr(erasure, "BATCH", 2)
    for _ in range(5):
        due_order()
    report = erasure.redact_due(now=noon, budget_s=0)
    assert (report.redacted, report.more) == (2, True)
    report = erasure.redact_due(now=noon, budget_s=60)
    assert (report.redacted, report.more) == (3, False)


def test_the_oldest_due_go_first(noon, monkeypatch):
    monkeypatch.setattr(erasure, "BATCH", 1)
    young, old = due_order(due=noon - timedelta(hours=1)), due_order(due=noon - timedelta(hours=2))
    erasure.redact_due(now=noon, budget_s=0)
    assert (state_of(old), state_of(young)) == ("redacted", "present")


def test_the_certificate_counts_documents_destroyed_before_a_failure_too(noon):
    first = due_label()
    order = first.shipment.order
    second = due_label_of(first)
    in_trouble(second)
    assert sweep() == "0 redacted, 0 documents, 1 failed"
    healed(second)
    sweep()
    assert ErasureCertificate.objects.get(kind="order", order_id=order.pk).documents == 2


def due_label_of(first, *, drawn: bool = True):
    """Another label of the same shipment, due too."""
    label = Label.objects.create(shipment=first.shipment, due_at=clock.now(), due_rule="creation")
    label.file.name = f"0/{label.pk}.pdf"
    label.save(update_fields=["file"])
    if drawn:
        write_label(label)
    return label


def test_a_label_shows_the_marker_and_no_address_once_erased(noon):
    label = due_label()
    before = file_of(label).read_bytes()
    assert "1 Sample Street" in text_of(label).title()
    sweep()
    text = text_of(label)
    assert file_of(label).read_bytes() != before
    assert MARKER in text
    assert label.shipment.tracking_number in text
    wanted = ("sample street", "austin", "78701", "ada example", "tx", FULL["phone"].lower())
    assert [word for word in wanted if word in text.lower()] == []
    assert sorted(path.name for path in file_of(label).parent.iterdir()) == [file_of(label).name]


def test_a_label_not_yet_due_outlives_its_order_and_goes_on_its_own_clock(noon):
    label = due_label(due=noon + timedelta(days=6))
    order = label.shipment.order
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    assert state_of(order) == "redacted"
    assert "1 SAMPLE STREET" in text_of(label).upper()
    clock.advance(days=6, seconds=-1)
    assert sweep() == "0 redacted, 0 documents, 0 failed"
    clock.advance(seconds=1)
    assert sweep() == "0 redacted, 1 documents, 0 failed"
    assert "SAMPLE STREET" not in text_of(label).upper()
    proofs = ErasureCertificate.objects.filter(order_id=order.pk).values_list("kind", "subject_id", "done_at")
    assert set(proofs) == {("order", order.pk, noon), ("label", label.pk, noon + timedelta(days=6))}


def test_a_label_due_before_its_order_goes_first(noon):
    label = due_label(order_due=noon + timedelta(days=6))
    assert sweep() == "0 redacted, 1 documents, 0 failed"
    assert state_of(label.shipment.order) == "present"
    assert MARKER in text_of(label)


def test_a_label_whose_file_was_never_written_is_erased_all_the_same(noon):
    label = due_label()
    file_of(label).unlink()
    assert sweep() == "1 redacted, 1 documents, 0 failed"
    assert MARKER in text_of(label)


def test_an_order_by_amazon_is_never_swept(noon):
    order = make_order(fulfilled_by="AFN", first_imported_at=noon - timedelta(days=400))
    clock.advance(days=400)
    assert sweep() == "0 redacted, 0 documents, 0 failed"
    assert state_of(order) == "none"
    assert not ErasureCertificate.objects.exists()


def test_what_is_overdue_by_more_than_an_hour_is_an_alarm(noon):
    due_order(due=noon - timedelta(minutes=59))
    assert erasure.overdue(now=noon) == 0
    due_order(due=noon - timedelta(minutes=61))
    Order.objects.filter(pk=due_order(due=noon - timedelta(days=2)).pk).update(pii_state="redacting")
    assert erasure.overdue(now=noon) == 2
    sweep()
    assert erasure.overdue(now=noon) == 0


def _fresh(labels):
    for label in labels:
        label.refresh_from_db()
    return labels


def test_amazons_words_on_a_refusal_go_with_the_order_and_do_not_come_back(noon):
    order = make_order(redaction_due_at=noon)
    make_shipment(order, with_label=False)
    notice = order.notifications.get()
    ShipmentNotification.objects.filter(pk=notice.pk).update(state="rejected", error_code="InvalidInput")
    rewrite(order.notifications, error_text="Address of Ada Example, 1 Sample Street is not valid")
    Order.objects.filter(pk=order.pk).update(redaction_due_at=noon)

    erasure.redact_due(now=noon)

    notice.refresh_from_db()
    assert (notice.error_code, notice.error_text) == ("InvalidInput", markers.AMAZON)
    certificate = ErasureCertificate.objects.get(kind="order", order_id=order.pk)
    assert "error_text" in certificate.fields

    settling.settle(notice, "needs_attention", now=noon, error_text="Ada Example again")
    notice.refresh_from_db()
    assert notice.error_text == ""
