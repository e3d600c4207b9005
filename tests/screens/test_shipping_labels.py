"""Opening labels: who may, what they hold before and after erasure, and that every opening is logged."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.urls import reverse

from orderhub import clock
from orders.models import Order
from privacy import access
from privacy.models import AccessLog
from shipments.models import Label
from tests.factories import make_shipment, make_user

pypdf = pytest.importorskip("pypdf", reason="pypdf reads PDFs in tests")
pytestmark = pytest.mark.django_db
MAY_OPEN = {access.SUPPORT, access.WAREHOUSE}


@pytest.fixture
def label(noon) -> Label:
    return make_shipment().labels.get()


def _open(client, label):
    return client.get(reverse("admin:shipments_label", args=[label.pk]))


def _text(answer) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(answer.content)).pages)


@pytest.mark.parametrize("role", list(access.ROLES))
def test_only_support_and_warehouse_open_labels_and_each_opening_is_logged(client, label, role):
    user = make_user(role)
    client.force_login(user)
    answer = _open(client, label)
    logged = list(AccessLog.objects.values_list("user", "order_id", "what"))
    if role in MAY_OPEN:
        assert answer.status_code == 200 and "Sample Street" in _text(answer)
        assert logged == [(user.pk, label.shipment.order_id, "label")]
    else:
        assert (answer.status_code, logged) == (403, [])


def test_the_answer_is_a_pdf_nobody_keeps(client, label):
    client.force_login(make_user(access.WAREHOUSE))
    answer = _open(client, label)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == f'inline; filename="label-{label.pk}.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_label_that_is_due_has_no_address_even_before_the_sweep(client, label):
    clock.advance(days=45)
    client.force_login(make_user(access.WAREHOUSE))
    text = _text(_open(client, label))
    assert "Sample Street" not in text and "EXPURG" in text


def test_an_erased_label_has_no_address(client, label):
    from privacy import erasure

    erasure.redact_due(now=clock.now() + timedelta(days=45))
    client.force_login(make_user(access.WAREHOUSE))
    assert "Sample Street" not in _text(_open(client, label))


def test_a_missing_file_is_drawn_again(client, label):
    label.file.storage.delete(label.file.name)
    client.force_login(make_user(access.WAREHOUSE))
    assert "Sample Street" in _text(_open(client, label))
    assert label.file.storage.exists(label.file.name)


def test_a_missing_file_of_an_erased_order_is_not_drawn_from_the_columns(client, label):
    label.file.storage.delete(label.file.name)
    Order.objects.update(pii_state=Order.PiiState.REDACTING)
    client.force_login(make_user(access.WAREHOUSE))
    assert "Sample Street" not in _text(_open(client, label))
    assert not label.file.storage.exists(label.file.name)


def test_unknown_labels_are_not_found_and_labels_are_never_posted_to(client, label):
    client.force_login(make_user(access.WAREHOUSE))
    assert client.get(reverse("admin:shipments_label", args=[label.pk + 1])).status_code == 404
    assert client.post(reverse("admin:shipments_label", args=[label.pk])).status_code == 405
