"""Erasure on request (R110): asked for, decided, carried out by the same engine, with a marker of its own."""

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from orderhub import clock, failpoints, jobs
from orderhub.errors import RuleViolation
from orders import erasure_requests
from orders.models import Customer, Order, OrderEvent, OrderNote
from orders.models.person import ERASED
from privacy import erasure, ledger, markers, requests
from privacy.models import ErasureCertificate, PersonalDataRequest, SecurityEvent
from privacy.models.event import EventCode
from shipments.models import Label, Shipment
from tests.factories import make_order, make_shipment, make_user
from tests.orders.buyers import ELSEWHERE, attach, attached, by_hand, hand_store
from tests.privacy.rows import due_order, everything, file_of, person_of, shop, state_of, sweep, text_of

pytestmark = pytest.mark.django_db
RGPD = markers.RGPD
State = PersonalDataRequest.State


@pytest.fixture(autouse=True)
def book(settings, tmp_path):
    settings.ERASURE_LEDGER_FILE = tmp_path / "erasures.jsonl"
    return settings.ERASURE_LEDGER_FILE


@pytest.fixture
def officer(noon):
    return make_user("Privacy officer")


def asked_for(*orders: Order, reason: str = "buyer") -> PersonalDataRequest:
    rows = Order.objects.filter(pk__in=[order.pk for order in orders])
    return erasure_requests.ask(erasure_requests.scope_of(rows), reason, by=make_user("Support"), now=clock.now())


def carried_out(*orders: Order, officer, reason: str = "buyer") -> PersonalDataRequest:
    row = requests.approve(asked_for(*orders, reason=reason), by=officer, now=clock.now())
    jobs.run("privacy.request_jobs.carry_out_requests")
    row.refresh_from_db()
    return row


def test_r110_an_order_not_due_for_days_goes_at_once_with_the_marker_of_the_rgpd(noon, officer):
    order = due_order(due=noon + timedelta(days=14))
    row = carried_out(order, officer=officer)
    assert row.state == State.DONE and row.done_at == noon
    person = person_of(order)
    assert {getattr(person, name) for name in ERASED} == {RGPD} == {person.marker}
    order.refresh_from_db()
    assert (order.pii_state, order.redaction_reason, order.redaction_rule) == ("redacted", "rgpd", "request")
    certificate = ErasureCertificate.objects.get(kind="order", order_id=order.pk)
    assert (certificate.rule, certificate.marker, certificate.due_at, certificate.done_at) == (
        "request", RGPD, noon, noon,
    )  # fmt: skip


def test_r110_an_order_of_another_channel_has_no_date_and_goes_all_the_same(noon, officer):
    order = by_hand(shop().merchant)
    assert order.redaction_due_at is None
    carried_out(order, officer=officer)
    assert (state_of(order), person_of(order).recipient_name) == ("redacted", RGPD)
    assert Customer.objects.get(pk=order.customer_id).marker == RGPD


def test_r110_amazons_own_demand_gets_amazons_marker(noon, officer):
    order = due_order(due=noon + timedelta(days=14))
    carried_out(order, officer=officer, reason="amazon")
    order.refresh_from_db()
    assert (order.redaction_reason, order.redaction_rule) == ("amazon", "request")
    assert person_of(order).marker == markers.AMAZON


def test_only_the_named_orders_go(noon, officer):
    other = due_order(due=noon + timedelta(days=14))
    before = person_of(other).recipient_name
    carried_out(due_order(due=noon + timedelta(days=14)), officer=officer)
    assert (state_of(other), person_of(other).recipient_name) == ("present", before)


def test_r109_an_overdue_date_of_amazons_is_not_postponed_by_a_request(noon, officer):
    order = due_order(due=noon - timedelta(hours=3))
    carried_out(order, officer=officer)
    assert ErasureCertificate.objects.get(order_id=order.pk).due_at == noon - timedelta(hours=3)


# -- what belongs to the orders


def test_every_label_goes_too_whatever_its_own_clock_says(noon, officer):
    shipment = make_shipment(due_order(due=noon + timedelta(days=14)))
    label = shipment.labels.get()
    assert label.due_at > noon
    carried_out(shipment.order, officer=officer)
    label.refresh_from_db()
    assert label.redacted_at == noon
    text = text_of(label)
    assert RGPD in text and "1Z999AA10123456784" in text
    assert not {"Ada", "Austin", "78701"} & set(text.split())
    told = ErasureCertificate.objects.get(kind="label", subject_id=label.pk)
    assert (told.rule, told.marker, told.due_at) == ("request", RGPD, noon)


def test_the_label_of_the_parcel_it_travels_in_goes_and_the_other_order_stays(noon, officer):
    lead = make_shipment(due_order(due=noon + timedelta(days=14)))
    rider = due_order(due=noon + timedelta(days=14))
    Shipment.objects.filter(pk=make_shipment(rider, with_label=False).pk).update(combined_with=lead)
    carried_out(rider, officer=officer)
    label = lead.labels.get()
    assert label.redacted_at == noon and RGPD in text_of(label)
    assert (state_of(rider), state_of(lead.order)) == ("redacted", "present")


def test_without_a_request_a_label_keeps_its_own_clock(noon):
    shipment = make_shipment(due_order(due=noon + timedelta(days=14)))
    Order.objects.filter(pk=shipment.order_id).update(redaction_due_at=noon)
    sweep()
    assert Label.objects.get(shipment=shipment).redacted_at is None


def test_a_customer_goes_with_the_last_of_all_its_orders_of_any_channel(noon, officer):
    store = shop()
    amazon, hand = attached(store, person={"buyer_email": "ada@example.org"}), by_hand(store.merchant)
    assert amazon.customer_id == hand.customer_id
    carried_out(amazon, officer=officer)
    assert Customer.objects.get().marker == ""  # R104: the other one stands
    carried_out(hand, officer=officer)
    assert Customer.objects.get().marker == RGPD
    fresh = make_order(hand_store(store.merchant), person={"buyer_email": "ada@example.org"}, **ELSEWHERE)
    attach(fresh)
    assert fresh.customer_id != hand.customer_id  # R106


def test_all_orders_of_a_customer_are_one_request(noon, officer):
    store = shop()
    first = attached(store, person={"buyer_email": "ada@example.org"})
    second = by_hand(store.merchant)
    scope = erasure_requests.of_customer(Customer.objects.get())
    assert {order.pk for order in scope.orders} == {first.pk, second.pk}
    row = erasure_requests.ask(scope, "buyer", by=make_user("Customer success"), now=noon)
    requests.approve(row, by=officer, now=noon)
    jobs.run("privacy.request_jobs.carry_out_requests")
    assert Customer.objects.get().marker == RGPD
    assert {state_of(first), state_of(second)} == {"redacted"}


def test_notes_that_name_the_buyer_go_and_the_others_stay(noon, officer):
    order = due_order(due=noon + timedelta(days=14))
    for text in ("Ada Example rang", "wrap it twice"):
        OrderNote.objects.create(order=order, text=text)
    carried_out(order, officer=officer)
    assert set(order.notes.values_list("text", flat=True)) == {RGPD, "wrap it twice"}


# -- asking


def test_asking_erases_nothing_and_is_on_the_timeline_and_in_the_log(noon):
    order = due_order(due=noon + timedelta(days=14))
    row = asked_for(order)
    assert (row.state, row.order_ids, state_of(order)) == (State.ASKED, [order.pk], "present")
    jobs.run("privacy.request_jobs.carry_out_requests")
    assert state_of(order) == "present"
    event = order.events.get(kind=OrderEvent.Kind.ERASURE_ASKED)
    assert (event.params, event.actor) == ({"request": f"#{row.pk}"}, row.asked_by)
    told = SecurityEvent.objects.get(code=EventCode.ERASURE_ASKED)
    assert (told.user, told.ids, told.reason) == (row.asked_by, [row.pk], "buyer")


def test_asking_twice_is_refused_until_the_first_is_at_its_end(noon, officer):
    order = due_order(due=noon + timedelta(days=14))
    first = asked_for(order)
    with pytest.raises(RuleViolation, match=f"#{first.pk} asks for this already"):
        asked_for(order)
    requests.refuse(first, by=officer, now=noon)
    assert asked_for(order).pk != first.pk


def test_nothing_left_to_erase_needs_no_request(noon):
    order = due_order()
    sweep()
    amazons = due_order(fulfilled_by="AFN", redaction_due_at=None)
    scope = erasure_requests.scope_of(Order.objects.filter(pk__in=[order.pk, amazons.pk]))
    assert (scope.orders, scope.erased, scope.by_amazon) == ([], 1, 1)
    with pytest.raises(RuleViolation, match="Nothing is left"):
        erasure_requests.ask(scope, "buyer", by=make_user("Support"), now=noon)
    assert not PersonalDataRequest.objects.exists()


@pytest.mark.parametrize("reason", ["", "Ada Example asked", "other"])
def test_a_reason_is_one_of_three_codes_never_a_text(noon, reason):
    with pytest.raises(RuleViolation, match="who wants"):
        asked_for(due_order(due=noon + timedelta(days=14)), reason=reason)


def test_orders_still_to_be_sent_are_counted_for_whoever_decides(noon):
    order = due_order(due=noon + timedelta(days=14))
    make_shipment(sent := due_order(due=noon + timedelta(days=14)), with_label=False)
    assert erasure_requests.scope_of(Order.objects.filter(pk__in=[order.pk, sent.pk])).waiting == 1


# -- deciding


@pytest.mark.parametrize("role", ["Support", "Customer success", "Administrator", "Warehouse"])
@pytest.mark.parametrize("deed", [requests.approve, requests.refuse])
def test_r109_nobody_but_a_privacy_officer_decides_not_even_a_superuser(noon, role, deed):
    row = asked_for(due_order(due=noon + timedelta(days=14)))
    with pytest.raises(RuleViolation, match="Only a privacy officer"):
        deed(row, by=make_user(role, is_superuser=True), now=noon)
    row.refresh_from_db()
    assert row.state == State.ASKED


def test_a_refused_request_leaves_everything_and_its_dates(noon, officer):
    order = due_order(due=noon + timedelta(days=14))
    row = requests.refuse(asked_for(order), by=officer, now=noon)
    before = everything()["orders_order"]
    jobs.run("privacy.request_jobs.carry_out_requests")
    assert everything()["orders_order"] == before
    with pytest.raises(RuleViolation, match="decided already"):
        requests.approve(row, by=officer, now=noon)
    assert SecurityEvent.objects.get(code=EventCode.ERASURE_DECIDED).reason == "refused"


def test_more_than_fifty_orders_need_a_second_person_who_is_another(noon, officer, monkeypatch):
    monkeypatch.setattr(requests, "ONE_PERSON", 2)
    orders = [due_order(due=noon + timedelta(days=14)) for _ in range(3)]
    row = requests.approve(asked_for(*orders), by=officer, now=noon)
    assert row.state == State.SECOND
    jobs.run("privacy.request_jobs.carry_out_requests")
    assert {state_of(order) for order in orders} == {"present"}
    with pytest.raises(RuleViolation, match="second person"):
        requests.approve(row, by=officer, now=noon)
    second = make_user("Privacy officer")
    assert requests.approve(row, by=second, now=noon).state == State.APPROVED
    jobs.run("privacy.request_jobs.carry_out_requests")
    assert {state_of(order) for order in orders} == {"redacted"}
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonalDataRequest.objects.filter(pk=row.pk).update(second_by=officer)


def test_fifty_is_the_limit():
    assert requests.ONE_PERSON == 50


# -- killed, repeated, restored

POINTS = [
    "request.after_ledger", "redact.after_mark", "redact.between_files", "redact.after_files", "redact.after_columns",
    "redact.in_verify", "request.before_done",
]  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("healer", ["privacy.request_jobs.carry_out_requests", "privacy.redact_due"])
def test_f01_a_request_that_dies_anywhere_is_finished_with_its_own_marker(noon, officer, monkeypatch, point, healer):
    order = due_order(due=noon + timedelta(days=14))
    label = make_shipment(order).labels.get()
    row = requests.approve(asked_for(order), by=officer, now=noon)

    class Died(BaseException):
        """As a kill: no handler of ours stops it."""

    def reach(name):
        if name == point:
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr(failpoints, "reach", reach)
        with pytest.raises(Died):
            requests.carry_out_all(now=noon)
    assert state_of(order) in ({"present"} if point == "request.after_ledger" else {"redacting", "redacted"})
    jobs.run(healer)
    jobs.run("privacy.request_jobs.carry_out_requests")
    row.refresh_from_db()
    assert (row.state, state_of(order), person_of(order).marker) == (State.DONE, "redacted", RGPD)
    order.refresh_from_db()
    assert order.redaction_reason == "rgpd"
    assert RGPD in text_of(Label.objects.get(pk=label.pk))
    assert ErasureCertificate.objects.filter(order_id=order.pk).count() == 2  # one of the order, one of its label


def test_r75_a_second_run_changes_nothing(noon, officer):
    order = due_order(due=noon + timedelta(days=14))
    carried_out(order, officer=officer)
    before = {name: rows for name, rows in everything().items() if name.startswith("orders")}
    clock.advance(hours=1)
    report = erasure.redact_orders([order.pk], now=clock.now(), marker=RGPD)
    assert report.redacted == 0
    assert {name: rows for name, rows in everything().items() if name.startswith("orders")} == before


def test_one_that_fails_keeps_the_request_open_and_holds_up_nobody(noon, officer):
    bad, good = (due_order(due=noon + timedelta(days=14)) for _ in range(2))
    path = file_of(make_shipment(bad).labels.get())
    path.unlink()
    (path / "in the way").mkdir(parents=True)  # the storage cannot delete it
    row = carried_out(bad, good, officer=officer)
    (path / "in the way").rmdir()
    path.rmdir()
    assert (row.state, state_of(good), state_of(bad)) == (State.APPROVED, "redacted", "redacting")
    jobs.run("privacy.request_jobs.carry_out_requests")
    row.refresh_from_db()
    assert (row.state, state_of(bad)) == (State.DONE, "redacted")


def test_an_order_erased_on_schedule_meanwhile_counts_as_done_with_amazons_marker(noon, officer):
    order = due_order()
    row = asked_for(order)
    sweep()
    requests.approve(row, by=officer, now=noon)
    jobs.run("privacy.request_jobs.carry_out_requests")
    row.refresh_from_db()
    assert (row.state, person_of(order).marker) == (State.DONE, markers.AMAZON)


def test_the_ledger_outside_the_database_names_orders_and_no_person(noon, officer, book):
    order = due_order(due=noon + timedelta(days=14))
    carried_out(order, officer=officer)
    assert [json.loads(line) for line in book.read_text().splitlines()] == [
        {"order": order.pk, "store": order.store_id, "number": order.order_number, "reason": "buyer", "at": noon.isoformat()}
    ]  # fmt: skip
    assert book.stat().st_mode & 0o077 == 0


def test_f39_what_a_restored_backup_brings_back_is_erased_again(noon, officer, book):
    order = due_order(due=noon + timedelta(days=14))
    undo = transaction.savepoint()
    carried_out(order, officer=officer)
    transaction.savepoint_rollback(undo)  # as an old backup has it: no request, no certificate, the person is back
    assert (state_of(order), PersonalDataRequest.objects.count()) == ("present", 0)
    assert requests.replay(book, now=noon).redacted == 1
    assert (state_of(order), person_of(order).marker) == ("redacted", RGPD)
    assert requests.replay(book, now=noon).redacted == 0


def test_f39_an_order_imported_again_under_another_id_is_known_by_its_number(noon, book):
    order = due_order(due=noon + timedelta(days=14))
    ledger.append([(order.pk + 77, order.store_id, order.order_number)], reason="authority", now=noon)
    jobs.run("privacy.request_jobs.replay_ledger")
    assert person_of(order).marker == RGPD


def test_a_line_cut_short_costs_no_other_line(noon, book):
    first, second = (due_order(due=noon + timedelta(days=14)) for _ in range(2))
    ledger.append([(first.pk, first.store_id, first.order_number)], reason="buyer", now=noon)
    with book.open("a") as file:
        file.write('{"order": 12, "sto')
    ledger.append([(second.pk, second.store_id, second.order_number)], reason="buyer", now=noon)
    assert [line.order_id for line in ledger.lines(book)] == [first.pk, second.pk]


def test_nothing_is_erased_that_the_ledger_could_not_take(noon, officer, settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.ERASURE_LEDGER_FILE = tmp_path / "file" / "erasures.jsonl"
    order = due_order(due=noon + timedelta(days=14))
    row = requests.approve(asked_for(order), by=officer, now=noon)
    with pytest.raises(jobs.JobFailed):
        jobs.run("privacy.request_jobs.carry_out_requests")
    row.refresh_from_db()
    assert (state_of(order), row.state) == ("present", State.APPROVED)


def test_no_file_yet_is_nothing_to_repeat(noon, book):
    assert requests.replay(book, now=noon).redacted == 0
