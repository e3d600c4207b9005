"""What mails say, what becomes of them when the server or the worker fails, and what is left of them."""

import pickle
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.core.files.storage import storages
from django.db import transaction

from orderhub import clock
from orders.models import Order, OrderEvent, OrderPersonalData
from privacy import erasure
from privacy.models import AccessLog, ErasureCertificate
from privacy.scanner import Scanner
from shipments import mails
from shipments.mails import delivering
from shipments.mails.erasing import MAILS
from shipments.models import Label, OutgoingMail
from tests.end_to_end import canary
from tests.end_to_end.killing import died_at, twice_at_once
from tests.factories import make_user, rewrite
from tests.privacy.conftest import no_old_files  # noqa: F401
from tests.shipments.postoffice import (
    BUYER,
    RELAY,
    Kind,
    State,
    amazon_return,
    amazon_store,
    ask,
    manual_parcel,
    manual_store,
    post_office,
    send,
    told,
)

pytestmark = pytest.mark.django_db


def state(row) -> tuple[str, str]:
    row.refresh_from_db()
    return row.state, row.reason


# -- content


def test_f49_the_return_label_comes_from_the_brand_as_a_pdf_to_one_address(noon):
    store = amazon_store(brand_name="Lake & Co", brand_phone="+1 555 0199", brand_site="https://lake.example")
    shipment = amazon_return(store)
    ask(shipment)
    send()
    (sent,) = mail.outbox
    assert (sent.to, sent.cc, sent.bcc) == ([RELAY], [], [])
    assert (
        sent.from_email == '"Lake & Co" <service@orderhub.test>'
        or sent.from_email == "Lake & Co <service@orderhub.test>"
    )
    assert sent.subject == f"Your return label for order {shipment.order.order_number}"
    assert sent.body.startswith("Hello Ada Example,") and "Lake & Co, +1 555 0199, https://lake.example" in sent.body
    ((name, content, kind),) = sent.attachments
    assert (name, kind) == (f"return-label-{shipment.pk}.pdf", "application/pdf")
    assert content.startswith(b"%PDF")


def test_f50_the_mail_that_a_parcel_left_names_carrier_number_and_way_to_follow_it(noon):
    parcel = manual_parcel()
    rewrite(type(parcel).objects.filter(pk=parcel.pk), note_to_buyer="Thank you for the order.")
    ask(parcel, Kind.SHIPPED)
    ask(parcel, Kind.DELIVERED)
    send()
    left, arrived = mail.outbox
    assert left.subject == f"Your order {parcel.order.order_number} is on its way" and left.attachments == []
    for part in ("UPS", parcel.tracking_number, parcel.tracking_url, "Thank you for the order."):
        assert part in left.body
    assert arrived.subject == f"Your order {parcel.order.order_number} was delivered"


def test_the_marketplaces_language_is_used_not_the_readers(noon, settings):
    settings.LANGUAGE_CODE = "en"
    store = amazon_store(marketplace="FR")
    ask(amazon_return(store))
    send()
    assert mail.outbox[0].body.startswith("Bonjour Ada Example")


@pytest.mark.parametrize(
    "text", ["Eve\r\nBcc: all@evil.example", "Eve\nX-Evil: 1", "Eve\u2028Bcc: x@evil.example", "Eve\x01\x1b[2J", "{{ x }}%(number)s%s", "=?utf-8?q?Eve=0ABcc:_x@evil.example?="]
)  # fmt: skip
def test_b32_b33_nothing_typed_by_anybody_reaches_a_header_or_is_read_as_a_template(noon, text):
    store = amazon_store(brand_name=text[:120])
    shipment = amazon_return(store, buyer_name=text)
    Order.objects.filter(pk=shipment.order_id).update(order_number=text[:60])
    ask(shipment)
    send()
    (sent,) = mail.outbox
    raw = sent.message()
    assert sent.recipients() == [RELAY]
    assert {"Bcc", "X-Evil"} & set(raw.keys()) == set()
    for value in (sent.subject, sent.from_email, *raw.values()):
        assert "\n" not in str(value).replace("\n ", " ") and "\r" not in str(value)
    if "%" in text:
        assert f"Hello {text}," in sent.body


def test_mailing_a_return_label_counts_as_seeing_its_address(noon):
    user = make_user("Support")
    shipment = amazon_return(by=user)
    ask(shipment, by=user)
    assert list(AccessLog.objects.values_list("user", "order_id", "what")) == [
        (user.pk, shipment.order_id, "return label mail")
    ]


# -- R93: what is kept


def test_r93_the_log_keeps_a_keyed_hash_the_kind_and_the_time_and_nothing_else(noon):
    shipment = amazon_return()
    row = ask(shipment)
    send()
    assert state(row) == (State.SENT, "") and row.sent_at == noon
    assert row.recipient_hash == delivering.hash_of(RELAY, shipment.order.store.merchant_id)
    assert len(row.recipient_hash) == 64 and row.recipient_hash != delivering.hash_of(RELAY, 0)
    held = pickle.dumps(list(OutgoingMail.objects.values()))
    assert RELAY.encode() not in held and b"Ada" not in held


def test_r93_the_erasure_forgets_to_whom_and_cancels_what_waits(noon):
    sent = ask(amazon_return())
    send()
    sent.refresh_from_db()
    waits = ask(amazon_return())
    ids = [sent.order_id, waits.order_id]
    Order.objects.filter(pk__in=ids).update(redaction_due_at=noon)
    report = erasure.redact_due(now=noon)
    assert (report.redacted, report.failed) == (2, [])
    assert state(sent) == (State.SENT, "") and sent.recipient_hash == ""
    assert state(waits) == (State.CANCELLED, "Erased") and told(waits.order)[-1] == "Erased"
    assert "mail.recipient_hash" in ErasureCertificate.objects.get(kind="order", order_id=sent.order_id).fields
    assert "mail.recipient_hash" not in ErasureCertificate.objects.get(kind="order", order_id=waits.order_id).fields
    mail.outbox.clear()
    assert send() == "0 sent, 0 refused, 0 failed, 0 later" and mail.outbox == []
    assert ask(waits.shipment).state == State.CANCELLED


def test_r93_other_orders_keep_theirs(noon):
    gone, kept = ask(amazon_return()), ask(amazon_return())
    send()
    Order.objects.filter(pk=gone.order_id).update(redaction_due_at=noon)
    erasure.redact_due(now=noon)
    kept.refresh_from_db()
    gone.refresh_from_db()
    assert (gone.recipient_hash, len(kept.recipient_hash)) == ("", 64)


@pytest.mark.parametrize("spoilt", [{"recipient_hash": "a" * 64}, {"state": "pending"}])
def test_r93_what_is_left_is_noticed(noon, spoilt):
    row = ask(amazon_return())
    OutgoingMail.objects.filter(pk=row.pk).update(**{"state": "refused", **spoilt})
    assert MAILS.leftovers([row.order_id], now=noon) == {row.order_id}
    MAILS.overwrite([row.order_id], marker="x", now=noon)
    assert MAILS.leftovers([row.order_id], now=noon) == set()


def test_r93_an_order_marked_for_erasure_while_a_mail_leaves_keeps_no_hash(noon):
    row = ask(amazon_return())
    claimed = delivering._claim(row.pk, now=noon)
    Order.objects.filter(pk=row.order_id).update(pii_state="redacting")
    assert delivering._settle(claimed, now=noon, state=State.SENT, reason="", sent_at=noon, recipient_hash="a" * 64)
    row.refresh_from_db()
    assert (row.state, row.recipient_hash) == (State.SENT, "")


def test_r93_canary_nothing_of_the_address_is_in_any_table_afterwards(noon, settings):
    settings.ENCRYPT_PERSONAL_DATA = False  # else nothing could be found in the first place
    needles = {"mail": "ZQMail7QZ@buyer.example", "name": "ZQName7QZ Example", "street": "7 ZQLina7QZ Street"}
    shipment = amazon_return(
        buyer_email=needles["mail"], buyer_name=needles["name"], recipient_name=needles["name"], street1=needles["street"]
    )  # fmt: skip
    ask(shipment)
    send()
    assert len(mail.outbox) == 1
    scanner = Scanner(needles)
    assert [hit for place, value in canary.cells() for hit in scanner.scan_value(value, place)] != []
    Order.objects.filter(pk=shipment.order_id).update(redaction_due_at=noon)
    Label.objects.filter(kind="shipping").update(due_at=noon)  # it has a clock of its own; that of the return has not
    erasure.redact_due(now=noon)
    assert [hit.place for place, value in canary.cells() for hit in scanner.scan_value(value, place)] == []
    assert scanner.scan_folder(storages["labels"].location) == []


# -- the mail server


def test_a_server_that_refuses_for_good_ends_it_with_a_reason(noon, settings):
    for rules in ({"RCPT": "550"}, {"MAIL": "553"}, {"DATA": "554"}):
        row = ask(manual_parcel(manual_store()), Kind.SHIPPED)
        with post_office(settings, **rules) as office:
            assert send() == "0 sent, 0 refused, 1 failed, 0 later"
        assert (state(row), office.letters) == ((State.FAILED, "ServerRefused"), [])
        assert row.recipient_hash == ""


def test_a_server_that_says_later_is_asked_again_for_a_day_then_a_person_is(noon, settings, travel):
    row = ask(manual_parcel(), Kind.SHIPPED)
    tries = 0
    with post_office(settings, RCPT="450") as office:
        while state(row)[0] == State.PENDING:
            row.refresh_from_db()
            assert row.next_attempt_at > clock.now() or tries == 0
            travel(seconds=max((row.next_attempt_at - clock.now()).total_seconds(), 0))
            send()
            tries += 1
            assert tries < 30
    assert state(row) == (State.FAILED, "GaveUp") and office.letters == []
    assert clock.now() - noon == timedelta(hours=24) and 8 <= tries <= 16
    assert told(row.order) == ["pending", "GaveUp"]


def test_a_server_that_is_away_stops_the_round_and_later_all_leaves(noon, settings, travel):
    rows = [ask(manual_parcel(manual_store()), Kind.SHIPPED) for _mail in range(3)]
    with post_office(settings) as office:
        host, port = office.server_address
    settings.EMAIL_PORT = port  # nobody listens there any more
    assert send() == "0 sent, 0 refused, 0 failed, 1 later"
    travel(minutes=5)
    with post_office(settings) as office:
        assert send() == "3 sent, 0 refused, 0 failed, 0 later"
    assert len(office.letters) == 3 and {state(row)[0] for row in rows} == {State.SENT}
    assert set(office.recipients) == {f"<{BUYER}>"}


def test_a_line_cut_after_the_text_is_never_sent_twice_by_itself(noon, settings, travel):
    row = ask(manual_parcel(), Kind.SHIPPED)
    with post_office(settings, DATA="X") as office:
        send()
        travel(minutes=30)
        send()
    assert len(office.letters) == 1
    assert state(row) == (State.FAILED, "Unknown")


def test_nothing_of_a_buyer_is_logged_or_kept_by_the_queue(noon, settings, caplog):
    ask(manual_parcel(), Kind.SHIPPED)
    with post_office(settings, RCPT="550"):
        outcome = send()
    assert "mail_failed" in caplog.text
    assert BUYER not in caplog.text + outcome + str([record.__dict__ for record in caplog.records])


# -- workers that die, and two at once


@pytest.fixture
def letters(settings, tmp_path):
    """Mails of any process, as files."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)

    def read() -> list[str]:
        return sorted(
            line
            for path in Path(tmp_path).iterdir()
            for line in path.read_text().splitlines()
            if line.startswith("To: ")
        )

    return read


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("place", "outcome", "count"),
    [
        ("mail.after_claim", ("failed", "Unknown"), 0), ("mail.after_send", ("failed", "Unknown"), 1),
        ("mail.after_record", ("sent", ""), 1),
    ],
)  # fmt: skip
def test_f01_a_worker_killed_anywhere_sends_no_mail_twice(noon, travel, letters, place, outcome, count):
    row = ask(manual_parcel(), Kind.SHIPPED)
    assert died_at(place, send)
    assert len(letters()) == count
    travel(minutes=6)  # past the job's lease and the row's
    send()
    travel(minutes=6)
    send()
    assert (state(row), len(letters())) == (outcome, count)
    assert row.lease_until is None
    assert told(row.order)[-1] == (outcome[1] or outcome[0])


@pytest.mark.django_db(transaction=True)
def test_f01_after_a_kill_a_person_may_send_it_again(noon, travel, letters):
    row = ask(manual_parcel(), Kind.SHIPPED)
    assert died_at("mail.after_claim", send)
    travel(minutes=6)
    send()
    row.refresh_from_db()
    mails.send_again(row, seen=row.fence, by=make_user("Support"), now=clock.now())
    send()
    assert (state(row), len(letters())) == ((State.SENT, ""), 1)


@pytest.mark.django_db(transaction=True)
def test_f33_two_processes_that_send_at_once_without_a_lease_send_each_mail_once(noon, letters):
    shop = manual_store()
    for number in range(12):
        ask(manual_parcel(shop, email=f"buyer{number:02d}@buyer.example"), Kind.SHIPPED)
    assert twice_at_once(lambda: delivering.send_due(now=clock.now(), budget_s=30)) == [0, 0]
    assert letters() == [f"To: buyer{number:02d}@buyer.example" for number in range(12)]
    assert set(OutgoingMail.objects.values_list("state", flat=True)) == {State.SENT}


@pytest.mark.django_db(transaction=True)
def test_f01_a_parcel_whose_transaction_is_undone_asks_for_no_mail(noon, letters):
    shop = manual_store(mail_shipped=True)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        manual_parcel(shop)
        raise ZeroDivisionError
    assert not OutgoingMail.objects.exists() and not OrderEvent.objects.exists()
    assert not OrderPersonalData.objects.exists()
    send()
    assert letters() == []
