"""W7, R101, R107–R109: forecast and lag, the preview that changes nothing, the ledger, certificates to read and as a file."""

import csv
import io
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.urls import reverse

from orderhub import jobs
from orderhub.ledger import lag
from orders.models import Order
from privacy import access, markers
from privacy.models import ErasureCertificate, SecurityEvent
from shipments.models import Label
from tests.factories import make_order, make_shipment, make_store, make_user
from tests.privacy.rows import SWEEP, certificate, due_label, due_order, everything, shop, sweep
from tests.shipments.parcels import text_of

pytestmark = pytest.mark.django_db
LAG, PREVIEW, LEDGER, CSV = (
    reverse(f"admin:privacy_{name}") for name in ("lag", "preview", "ledger", "certificates_csv")
)  # fmt: skip
PEOPLE = ("Ada", "Lovelace", "Sample Street", "78701", "ZQ")
MAY_SEE_LAG = {access.SUPPORT, access.SUCCESS, access.PRIVACY, access.ADMINISTRATOR}


@pytest.fixture
def officer(client, noon):
    client.force_login(make_user(access.PRIVACY))
    return client


# -- who


def test_r109_only_the_privacy_officer_opens_ledger_preview_certificates_and_file(client, noon):
    sheet = reverse("admin:privacy_certificate", args=[certificate(noon).pk])
    users = {role: make_user(role) for role in access.ROLES} | {"superuser": make_user(is_superuser=True)}
    for role, user in users.items():
        client.force_login(user)
        expected = 200 if role == access.PRIVACY else 403
        assert {client.get(url).status_code for url in (LEDGER, PREVIEW, sheet)} == {expected}, role
        answer = client.post(CSV, {"first": "2026-11-01", "last": "2026-11-30"})
        assert answer.status_code == expected, role


def test_lag_is_for_those_who_may_see_it_and_shows_the_rest_to_the_officer_only(client, noon):
    for role in access.ROLES:
        client.force_login(make_user(role))
        answer = client.get(LAG)
        assert answer.status_code == (200 if role in MAY_SEE_LAG else 403), role
        if role in MAY_SEE_LAG:
            html = answer.content.decode()
            assert (LEDGER in html, PREVIEW in html) == (role == access.PRIVACY,) * 2, role
            assert LAG in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("url", [LAG, PREVIEW, LEDGER])
def test_pages_are_read_only(officer, url):
    assert [officer.post(url).status_code, officer.put(url).status_code] == [405, 405]


# -- in time?


def test_lag_counts_what_is_overdue_and_is_calm_after_a_sweep(officer, noon):
    due_order(due=noon - timedelta(hours=3))
    due_order(due=noon - timedelta(minutes=30))
    label = make_shipment(make_order(shop())).labels.get()
    Label.objects.filter(pk=label.pk).update(due_at=noon - timedelta(hours=2))
    found = lag.read(now=noon)
    assert (found.due, found.overdue, found.labels_overdue) == (2, 1, 1)
    text = text_of(officer.get(LAG))
    assert "Erasure is behind." in text and "should have gone 3 h ago" in text
    sweep()
    found = lag.read(now=noon)
    assert (found.due, found.overdue, found.labels_overdue, found.swept_at) == (0, 0, 0, noon)
    text = text_of(officer.get(LAG))
    assert "Erasure keeps up." in text and "2 redacted" in text


def test_two_hours_without_a_sweep_are_an_alarm(officer, noon, travel):
    sweep()
    travel(hours=2)
    assert "Erasure keeps up." in text_of(officer.get(LAG))
    travel(minutes=1)
    assert "No sweep has gone through for more than two hours." in text_of(officer.get(LAG))


def test_a_sweep_that_failed_does_not_count_as_one_that_went_through(noon, travel, monkeypatch):
    from orderhub import failpoints

    sweep()
    travel(hours=3)
    monkeypatch.setenv(failpoints.ENV, "redact.before_mark:raise")
    failpoints._visits.clear()
    with pytest.raises(jobs.JobFailed):
        jobs.run(SWEEP)
    assert lag.read(now=noon + timedelta(hours=3)).level(now=noon + timedelta(hours=3)) == "bad"


def test_the_forecast_is_a_picture_of_thirty_days_and_a_table(officer, noon):
    store = make_store()
    for days in (-2, 0.4, 0.6, 5, 29, 31):
        due_order(store=store, due=noon + timedelta(days=days))
    label = make_shipment(make_order(store, redaction_due_at=noon + timedelta(days=90))).labels.get()
    Label.objects.filter(pk=label.pk).update(due_at=noon + timedelta(days=5))
    Order.objects.filter(pk=label.shipment.order_id).update(redaction_due_at=noon + timedelta(days=90))
    html = officer.get(LAG).content.decode()
    picture = html[html.index('<svg class="oh-chart') : html.index("</svg>", html.index('<svg class="oh-chart')) + 6]
    assert len(ElementTree.fromstring(picture).findall("rect")) == 60  # noqa: S314  our own
    assert "style=" not in html


def test_the_start_page_shows_the_forecast_to_the_privacy_officer(client, noon):
    for role in access.ROLES:
        client.force_login(make_user(role))
        board = client.get(reverse("admin:index")).context["board"]
        assert bool(board.erasures) == (role == access.PRIVACY), role


# -- what would be erased


def preview_rows(noon):
    store = make_store()
    first, second = (
        due_order(store=store, due=noon + timedelta(days=1)),
        due_order(store=store, due=noon + timedelta(days=6)),
    )
    due_order(store=store, due=noon + timedelta(days=20))
    label = make_shipment(make_order(store)).labels.get()
    Label.objects.filter(pk=label.pk).update(due_at=noon + timedelta(days=2), due_rule="creation")
    return first, second, label


def test_r107_the_preview_lists_by_rule_and_order_and_changes_nothing(officer, noon):
    first, second, label = preview_rows(noon)
    before = everything()
    answer = officer.get(PREVIEW)
    text = text_of(answer)
    assert [row.pk for row in answer.context["found"]] == [first.pk, second.pk]
    assert [(count.rule, count.orders, count.labels) for count in answer.context["counts"]] == [
        ("import", 2, 0), ("creation", 0, 1),
    ]  # fmt: skip
    assert first.order_number in text and not [name for name in PEOPLE if name in text]
    labels = officer.get(PREVIEW, {"what": "labels"})
    assert [row.pk for row in labels.context["found"]] == [label.pk]
    assert len(officer.get(PREVIEW, {"until": "2026-11-21"}).context["found"]) == 1
    assert len(officer.get(PREVIEW, {"until": "2026-12-31"}).context["found"]) == 4
    assert everything() == before


@pytest.mark.parametrize("until", ["2027-01-20", "2026-11-19", "tomorrow", "2026-13-45", "a\0b"])
def test_a_day_beyond_sixty_or_past_is_refused_in_words(officer, until):
    assert "Choose a day from today to 19 Jan 2027." in text_of(officer.get(PREVIEW, {"until": until}))


def test_the_preview_is_paged_with_constant_queries(officer, noon, django_assert_max_num_queries):
    store, counts = make_store(), []
    for more in (5, 60):
        Order.objects.bulk_create(
            Order(
                store=store, order_number=f"{more}-{number}", status="awaiting_shipment", fulfilled_by="MFN", ordered_at=noon,
                redaction_due_at=noon + timedelta(days=1), redaction_rule="import", pii_state="present",
            )
            for number in range(more)
        )  # fmt: skip
        officer.get(PREVIEW)
        with django_assert_max_num_queries(14) as seen:
            answer = officer.get(PREVIEW)
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert len(answer.context["found"]) == 50
    assert len(officer.get(PREVIEW, {"p": "2"}).context["found"]) == 15


# -- the ledger


def test_the_ledger_says_in_words_how_late_what_was_erased_came(officer, noon):
    minutes = (1, 2, 3, 90)
    for number, late in enumerate(minutes):
        certificate(noon, number, due_at=noon - timedelta(minutes=late), rule="import" if number < 3 else "label")
    certificate(noon, 9, kind="label", due_at=noon - timedelta(days=1, minutes=2), done_at=noon - timedelta(days=1))
    certificate(noon, 10, due_at=noon + timedelta(days=3), marker=markers.RGPD)
    certificate(noon, 11, done_at=noon - timedelta(days=40), due_at=noon - timedelta(days=50))
    text = text_of(officer.get(LEDGER))
    assert "1 h after its date, the slowest" in text and "1 before their date, on request" in text
    assert "since the label was made" in text.lower() and markers.RGPD in text


def test_r108_the_ledger_shows_what_failed_what_hangs_and_labels_that_outlive_their_order(officer, noon):
    assert "Nothing failed, nothing is half done, and no label outlives its order." in text_of(officer.get(LEDGER))
    kept = due_label(due=noon + timedelta(days=9))
    sweep()
    failed, hangs = due_order(redaction_error="OSError"), due_order(pii_state="redacting")
    text = text_of(officer.get(LEDGER))
    for told in (
        "1 order whose erasure failed", "OSError", failed.order_number, "1 order whose erasure has begun and not ended",
        hangs.order_number, "1 label that outlives its erased order", kept.shipment.order.order_number,
        "29 Nov 2026, 12:00 UTC",
    ):  # fmt: skip
        assert told in text, told
    assert not [name for name in PEOPLE if name in text]


def test_the_ledger_takes_the_same_queries_whatever_is_in_it(officer, noon, django_assert_max_num_queries):
    counts = []
    for start, more in ((0, 5), (5, 40)):
        for number in range(start, start + more):
            certificate(noon, number, done_at=noon - timedelta(days=number % 20))
        due_order(redaction_error="OSError")
        officer.get(LEDGER)
        with django_assert_max_num_queries(24) as seen:
            officer.get(LEDGER)
        counts.append(len(seen))
    assert counts[0] == counts[1]


# -- certificates


def test_r101_a_certificate_says_in_words_what_when_and_how_its_date_came_about(officer, noon, travel):
    order = make_order(first_imported_at=noon)
    kept = due_label(make_order(order.store), due=noon + timedelta(days=60), order_due=noon + timedelta(days=29))
    travel(days=14, minutes=3)
    sweep()
    answer = officer.get(reverse("admin:privacy_certificate", args=[ErasureCertificate.objects.get().pk]))
    text = text_of(answer)
    for told in (
        order.order_number, "Since import, not shipped with OrderHub", "20 Nov 2026, 12:00 UTC as its beginning, import + 14 d",
        "4 Dec 2026, 12:00 UTC", "4 Dec 2026, 12:03 UTC (3 min after its date)", markers.AMAZON, "recipient", "street",
        "Documents destroyed 0",
    ):  # fmt: skip
        assert told in text, told
    assert not [name for name in (*PEOPLE, "buyer_name", "street1") if name in text]
    travel(days=16)
    sweep()
    row = ErasureCertificate.objects.get(kind="order", order_id=kept.shipment.order_id)
    text = text_of(officer.get(reverse("admin:privacy_certificate", args=[row.pk])))
    assert f"Label #{kept.pk}" in text and "address until 19 Jan 2027, 12:00 UTC" in text
    assert "as its beginning" not in text  # its date was moved by hand: the facts do not give it


def test_a_certificate_of_an_order_that_is_gone_and_of_one_asked_for_early_is_shown_all_the_same(officer, noon):
    row = certificate(noon, due_at=noon + timedelta(days=2), rule="unheard_of", marker=markers.RGPD)
    text = text_of(officer.get(reverse("admin:privacy_certificate", args=[row.pk])))
    assert "2 days before its date" in text and markers.RGPD in text and "unheard_of" in text.lower()
    assert officer.get(reverse("admin:privacy_certificate", args=[4711])).status_code == 404


def test_the_list_of_certificates_leads_to_the_printable_one(officer, noon):
    row = certificate(noon)
    html = officer.get(reverse("admin:privacy_erasurecertificate_changelist")).content.decode()
    assert reverse("admin:privacy_certificate", args=[row.pk]) in html


def download(client, first: str = "2026-11-01", last: str = "2026-11-30"):
    answer = client.post(CSV, {"first": first, "last": last})
    return answer, b"".join(answer).decode("utf-8-sig") if answer.streaming else ""


def test_certificates_of_a_period_leave_as_a_file_and_the_download_is_on_record(officer, noon):
    inside = certificate(noon, 1, fields=["buyer_name", "phone"])
    certificate(noon, 2, order_number="=HYPERLINK(1)")
    certificate(noon, 3, done_at=noon - timedelta(days=30))
    answer, text = download(officer)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["order_number"] for row in rows] == [inside.order_number, "'=HYPERLINK(1)"]
    assert rows[0] | {} == {
        "certificate": str(inside.pk), "kind": "order", "order_number": inside.order_number, "order_id": "1",
        "subject_id": "1", "rule": "import", "due_at": "2026-11-20T11:56:00Z", "done_at": "2026-11-20T12:00:00Z",
        "delay_s": "240", "fields": "buyer_name|phone", "documents": "0", "marker": markers.AMAZON, "version": "1",
    }  # fmt: skip
    assert answer["Content-Disposition"] == 'attachment; filename="certificates-2026-11-01-2026-11-30.csv"'
    event = SecurityEvent.objects.get(code="exported")
    assert (event.kind, event.reason) == ("certificate", "certificates 2")


def test_the_file_counts_the_last_day_whole_and_not_the_next(officer, noon):
    for number, hours in enumerate((0, 11, 12)):
        certificate(noon, number, done_at=noon + timedelta(hours=hours))
    _answer, text = download(officer, "2026-11-20", "2026-11-20")
    assert text.count("\r\n") == 3


@pytest.mark.parametrize(
    ("first", "last"),
    [("", ""), ("2026-11-30", "2026-11-01"), ("2024-01-01", "2026-11-01"), ("x", "9" * 30), ("a\0", "b")],
)
def test_a_period_that_makes_no_sense_is_refused_in_words(officer, first, last):
    answer, text = download(officer, first, last)
    assert (answer.status_code, text) == (302, "")
    assert "Choose a first and a last day, a year apart at most." in text_of(officer.get(answer["Location"]))
    assert not SecurityEvent.objects.filter(code="exported").exists()
    assert officer.get(CSV)["Location"] == LEDGER
