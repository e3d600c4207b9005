"""Many labels and many slips in one PDF: what is on each page, what is logged, and how many queries it takes."""

import io
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.urls import reverse
from pypdf import PdfReader

from orders.models import Order
from privacy import access, markers
from privacy.models import AccessLog
from shipments import merging
from shipments.models import Label, Shipment
from tests.factories import make_order, make_shipment, make_store, make_user
from tests.privacy.conftest import no_old_files  # noqa: F401
from tests.shipments.test_opening import BOUGHT_ZPL, bought, picture

pytestmark = pytest.mark.django_db
LIST = "admin:shipments_shipment_changelist"


@pytest.fixture
def user(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return user


def make_labels(count: int) -> list[Label]:
    store = make_store()
    names = [f"Buyer {chr(65 + number)}" for number in range(count)]
    return [make_shipment(make_order(store, person={"recipient_name": name})).labels.get() for name in names]


def pages_of(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


@pytest.mark.parametrize(("paper", "width"), [("4x6", 288), ("a4", 595)])
def test_f43_labels_come_in_the_order_asked_for_and_each_order_is_logged(user, noon, paper, width):
    labels = make_labels(3)[::-1]
    made = merging.labels_pdf(labels, by=user, now=noon, paper=paper)
    assert [f"Buyer {letter}" in page for letter, page in zip("CBA", pages_of(made), strict=True)] == [True] * 3
    assert {round(float(page.mediabox.width)) for page in PdfReader(io.BytesIO(made)).pages} == {width}
    assert sorted(AccessLog.objects.values_list("user", "order_id", "what")) == sorted(
        (user.pk, label.shipment.order_id, "label") for label in labels
    )
    assert PdfReader(io.BytesIO(made)).metadata.title == "labels"


def test_a_label_asked_for_twice_is_there_once(user, noon):
    (label,) = make_labels(1)
    assert len(pages_of(merging.labels_pdf([label, label], by=user, now=noon))) == 1


def test_one_label_of_each_kind_and_none_sinks_the_others(user, noon):
    ours, due, void, zpl, png, broken, lost = make_labels(7)
    Label.objects.filter(pk=due.pk).update(due_at=noon)
    Shipment.objects.filter(pk=void.shipment_id).update(voided_at=noon)
    bought(zpl, "zpl", BOUGHT_ZPL)
    bought(png, "png", picture())
    bought(broken, "pdf", b"%PDF-1.7 no more")
    storages["labels"].delete(bought(lost, "pdf", b"%PDF").file.name)
    found = pages_of(merging.labels_pdf([ours, due, void, zpl, png, broken, lost], by=user, now=noon))
    assert len(found) == 7
    assert "Buyer A" in found[0]
    assert markers.AMAZON in found[1] and "Buyer B" not in found[1]
    assert "VOID" in found[2] and "Buyer C" in found[2]
    assert f"The label of order {zpl.shipment.order.order_number} is not here" in " ".join(found[3].split())
    assert "for label printers (ZPL)" in " ".join(found[3].split()) and "Sample" not in found[3]
    assert not found[4]
    assert "cannot be read" in " ".join(found[5].split())
    assert "Amazon does not give this label" in " ".join(found[6].split())


def test_a_missing_file_of_ours_is_drawn_again(user, noon):
    (label,) = make_labels(1)
    storages["labels"].delete(label.file.name)
    assert "Buyer A" in pages_of(merging.labels_pdf([label], by=user, now=noon))[0]


def test_r72_what_was_merged_is_kept_nowhere_and_holds_no_address_once_due(user, noon):
    labels = make_labels(2)
    before = storages["labels"].listdir("0")
    merging.labels_pdf(labels, by=user, now=noon)
    assert storages["labels"].listdir("0") == before
    later = pages_of(merging.labels_pdf(labels, by=user, now=noon + timedelta(days=45)))
    assert not [page for page in later if "Buyer" in page or "Sample Street" in page]


def test_labels_and_slips_take_the_same_queries_for_3_and_12(user, noon, django_assert_num_queries):
    labels = make_labels(12)
    orders = [label.shipment.order for label in labels]
    for few, many in ((labels[:3], labels),):
        # the rows, the keys of their files, the access log and its hourly count, the event and the reader's roles
        with django_assert_num_queries(6):
            merging.labels_pdf(few, by=user, now=noon)
        with django_assert_num_queries(6):
            merging.labels_pdf(many, by=user, now=noon)
    counts = [_queries(merging.slips_pdf, some, user, noon) for some in (orders[:3], orders)]
    assert counts[0] == counts[1] <= 10


def _queries(deed, rows, user, noon) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    user = type(user).objects.get(pk=user.pk)  # no rights remembered
    with CaptureQueriesContext(
        connection,
    ) as seen:
        deed(rows, by=user, now=noon)
    return len(seen)


def test_nothing_to_merge_is_a_page_that_says_so(user, noon):
    assert "There is no label here." in pages_of(merging.labels_pdf([], by=user, now=noon))[0]
    assert "There is no order here." in pages_of(merging.slips_pdf([], by=user, now=noon))[0]


# -- the doors


@pytest.mark.parametrize(("action", "width"), [("labels_as_pdf", 288), ("labels_on_a4", 595)])
def test_the_list_of_shipments_gives_its_labels_as_one_pdf(client, user, action, width):
    labels = make_labels(3)
    chosen = [labels[0].shipment_id, labels[2].shipment_id]
    answer = client.post(reverse(LIST), {"action": action, "_selected_action": chosen})
    assert answer["Content-Type"] == "application/pdf" and "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"] == 'inline; filename="labels.pdf"'
    found = pages_of(answer.content)
    assert ["Buyer C" in found[0], "Buyer A" in found[1], len(found)] == [True, True, 2]  # as the list stands
    assert round(float(PdfReader(io.BytesIO(answer.content)).pages[0].mediabox.width)) == width


def test_shipments_without_labels_are_a_sentence(client, user):
    shipment = make_shipment(with_label=False)
    answer = client.post(reverse(LIST), {"action": "labels_as_pdf", "_selected_action": [shipment.pk]}, follow=True)
    assert "None of these shipments has a label." in answer.content.decode()


@pytest.mark.parametrize("role", list(access.ROLES))
def test_who_may_merge_labels_and_print_slips(client, noon, role):
    (label,) = make_labels(1)
    order = make_order(label.shipment.order.store)
    client.force_login(make_user(role))
    may = role in {access.SUPPORT, access.WAREHOUSE}
    answer = client.post(reverse(LIST), {"action": "labels_as_pdf", "_selected_action": [label.shipment_id]})
    assert (answer.get("Content-Type") == "application/pdf") is may
    slips = client.get(reverse("admin:shipments_slips"), {"ids": str(order.pk)})
    assert slips.status_code == (200 if may else 403)
    assert AccessLog.objects.count() == (2 if may else 0)
    listed = client.get(reverse("admin:orders_order_changelist")).content.decode()
    assert ('value="slips"' in listed) is (may or role == access.SUCCESS)


def test_the_list_of_orders_gives_packing_slips_in_the_order_chosen(client, user, noon):
    store = make_store()
    first, afn, erased = make_order(store), make_order(store, fulfilled_by="AFN"), make_order(store)
    Order.objects.filter(pk=erased.pk).update(pii_state="redacted", redacted_at=noon)
    chosen = {"action": "slips", "_selected_action": [erased.pk, afn.pk, first.pk]}
    answer = client.post(reverse("admin:orders_order_changelist"), chosen)
    made = client.get(answer.url)
    found = pages_of(made.content)
    by_number = {page.split("\n")[0]: page for page in found}
    assert len(found) == 3 and len(by_number) == 3
    text = "\n".join(" ".join(page.split()) for page in found)
    assert f"Amazon ships order {afn.order_number} and packs it" in text
    assert f"The personal data of order {erased.order_number} was erased on schedule" in text
    assert text.count("Sample Street") == 1
    assert list(AccessLog.objects.values_list("order_id", "what")) == [(first.pk, "packing slip")]
    assert made["Content-Disposition"] == 'inline; filename="packing-slips.pdf"'


def test_the_warehouse_prints_no_slip_of_a_closed_order_among_others(client, noon):
    client.force_login(make_user(access.WAREHOUSE))
    closed = make_shipment().order
    ready = make_order(closed.store)
    found = pages_of(client.get(reverse("admin:shipments_slips"), {"ids": f"{closed.pk},{ready.pk}"}).content)
    assert "Your role does not include the packing slip of this order." in " ".join(found[0].split())
    assert "Sample Street" not in found[0] and "Sample Street" in found[1]


def test_too_many_at_once_are_refused(client, user):
    ids = ",".join(map(str, range(1, 202)))
    answer = client.get(reverse("admin:shipments_slips"), {"ids": ids})
    assert answer.url == reverse("admin:orders_order_changelist")
    assert client.post(reverse("admin:shipments_slips")).status_code == 405
