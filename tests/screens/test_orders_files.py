"""Orders from a file and into a file, through the browser (P23, B06, B07)."""

import base64
import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from orders.admin_files import AROUND
from orders.csvfile import columns, reading
from orders.models import Order
from privacy import access
from tests.factories import make_order, make_store, make_user
from tests.orders.entries import an_entry, enter, make_manual_store

pytestmark = pytest.mark.django_db
UPLOAD, CONFIRM = reverse("admin:orders_order_csv"), reverse("admin:orders_order_csv_confirm")
EXPORT, LIST = reverse("admin:orders_order_export"), reverse("admin:orders_order_changelist")
MAY_ADD = {access.SUPPORT, access.SUCCESS}
TEXT = "Order number;Quantity;Currency;SKU;Recipient;City\nA-1;2;EUR;MUG-1;Zoé Martin;Lyon\nB-1;1;EUR;X;;\n"


@pytest.fixture
def support(client, noon):
    client.force_login(make_user(access.SUPPORT))
    return client


def upload(client, store, content: str | bytes = TEXT):
    file = SimpleUploadedFile("orders.csv", content if isinstance(content, bytes) else content.encode())
    return client.post(UPLOAD, {"store": store.pk if store else "", "file": file})


def confirmation(answer) -> dict:
    html = answer.content.decode()
    return {name: re.search(rf'name="{name}" value="([^"]+)"', html)[1] for name in ("store", "content")}


@pytest.mark.parametrize("role", list(access.ROLES))
def test_who_may_enter_orders_may_import_them(client, noon, role):
    store = make_manual_store()
    client.force_login(make_user(role))
    wish = {"store": store.pk, "content": base64.urlsafe_b64encode(TEXT.encode()).decode()}
    codes = client.get(UPLOAD).status_code, upload(client, store).status_code, client.post(CONFIRM, wish).status_code
    assert codes == ((200, 200, 302) if role in MAY_ADD else (403, 403, 403))
    assert Order.objects.count() == (2 if role in MAY_ADD else 0)


def test_a_preview_stores_nothing_and_its_confirmation_imports_all(support):
    store = make_manual_store()
    seen = upload(support, store)
    html = seen.content.decode()
    assert not Order.objects.exists()
    assert "Import these 2 orders" in html and "semicolon" in html and "UTF-8" in html
    assert "1 order: fill in its address" in html
    assert "Zoé" not in html  # only in the file that travels along
    assert seen.headers["Cache-Control"] == "no-store, private"
    answer = support.post(CONFIRM, confirmation(seen), follow=True)
    assert "2 orders imported" in answer.content.decode()
    assert Order.objects.get(order_number="A-1").person.recipient_name == "Zoé Martin"
    again = support.post(CONFIRM, confirmation(seen), follow=True).content.decode()
    assert "Nothing was imported" in again and Order.objects.count() == 2


@pytest.mark.long
def test_a_file_of_two_megabytes_travels_through_the_preview(support):
    store = make_manual_store()
    row = "A-{};1;EUR;X;{};Lyon\n"
    text = TEXT.splitlines(keepends=True)[0] + "".join(row.format(n, "é" * 110) for n in range(2000))
    padding = reading.MOST_BYTES - len(text.encode()) - 1
    text += "\n" * padding
    assert len(text.encode()) <= reading.MOST_BYTES
    seen = upload(support, store, text)
    assert "Import these 2000 orders" in seen.content.decode()
    support.post(CONFIRM, confirmation(seen))
    assert Order.objects.count() == 2000


def test_mistakes_are_listed_and_nothing_can_be_confirmed(support):
    store = make_manual_store()
    html = upload(support, store, TEXT + "C-1;many;EUR;X;;\n;1;EUR;X;;\n").content.decode()
    assert "2 mistakes: nothing can be imported yet." in html and 'name="content"' not in html
    assert "Enter a whole number." in html and "Type the order number" in html


def test_what_cannot_be_read_leads_back_to_the_form_with_the_store_chosen(support):
    store = make_manual_store()
    html = upload(support, store, b"PK\x03\x04\0\0").content.decode()
    assert "Save it as “CSV UTF-8”" in html
    assert f'<option value="{store.pk}" selected>' in html


@pytest.mark.parametrize("length", [str(2**30), "99999999999999999999", "-1", "x"])
def test_b07_a_gigabyte_is_refused_before_it_is_read(support, length):
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size=-1):
            Endless.taken += size
            return b"x" * size

    answer = support.generic(
        "POST", UPLOAD, b"", content_type="multipart/form-data; boundary=x",
        **{"CONTENT_LENGTH": length, "wsgi.input": Endless()},
    )  # fmt: skip
    assert answer.status_code == 302 and answer.url == UPLOAD
    assert 0 <= Endless.taken <= 17 * 1024 * 1024
    assert "larger than 2 MB" in support.get(UPLOAD).content.decode()


def test_the_limit_looks_at_the_whole_request(support):
    answer = upload(support, make_manual_store(), b"x" * (reading.MOST_BYTES + AROUND))
    assert answer.status_code == 302
    just_above = upload(support, make_manual_store(name="2"), b"x" * (reading.MOST_BYTES + 1))
    assert "larger than 2 MB" in just_above.content.decode()


@pytest.mark.parametrize("address", [UPLOAD, CONFIRM, EXPORT])
def test_b15_a_form_without_its_token_does_nothing(noon, address):
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(access.SUPPORT))
    store = make_manual_store()
    wish = {"store": store.pk, "content": base64.urlsafe_b64encode(TEXT.encode()).decode()}
    assert client.post(address, wish).status_code == 403
    assert upload(client, store).status_code == 403
    assert not Order.objects.exists()


def test_b15_a_form_with_its_token_is_taken(noon):
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(access.SUPPORT))
    store = make_manual_store()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get(UPLOAD).content.decode())[1]
    file = SimpleUploadedFile("orders.csv", TEXT.encode())
    answer = client.post(UPLOAD, {"store": store.pk, "file": file, "csrfmiddlewaretoken": token})
    assert "Import these 2 orders" in answer.content.decode()


@pytest.mark.parametrize(
    "wish",
    [
        {}, {"store": "x"}, {"store": "9" * 40}, {"content": "%%%"}, {"content": ""}, {"content": "é"},
        {"content": base64.urlsafe_b64encode(b"\0" * 9).decode()},
    ],
)  # fmt: skip
def test_a_forged_confirmation_imports_nothing(support, wish):
    store = make_manual_store()
    answer = support.post(CONFIRM, {"store": store.pk, "content": "AAAA"} | wish, follow=True)
    assert answer.status_code == 200 and not Order.objects.exists()


def test_orders_cannot_be_imported_into_a_store_of_amazon(support):
    store = make_store()
    assert "Select a valid choice" in upload(support, store).content.decode()
    wish = {"store": store.pk, "content": base64.urlsafe_b64encode(TEXT.encode()).decode()}
    assert "takes no orders any more" in support.post(CONFIRM, wish, follow=True).content.decode()
    assert not Order.objects.exists()


def test_get_confirms_and_exports_nothing(support):
    assert support.get(CONFIRM).url == UPLOAD
    assert support.get(f"{EXPORT}?tab=hold").url == f"{LIST}?tab=hold"


def test_the_upload_page_lists_every_column_it_reads(support):
    html = support.get(UPLOAD).content.decode()
    assert html.count('<th scope="row" lang="en">') == sum(column.is_read for column in columns.ALL)
    for header in ("N° de commande", "Prix unitaire", "Storage location"):
        assert header in html


# -- export


def exported(answer) -> list[dict]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("role", list(access.ROLES))
def test_who_may_export_gets_the_list_as_it_is_filtered(client, noon, role):
    store = make_store()
    make_order(store, order_number="111-1")
    make_order(store, order_number="111-2", status="on_hold")
    client.force_login(make_user(role))
    answer = client.post(f"{EXPORT}?tab=hold&store={store.pk}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="orders-2026-11-20.csv"'
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert [row["Order number"] for row in exported(answer)] == ["111-2"]
    listed = client.get(f"{LIST}?tab=hold").content.decode()
    assert f'action="{EXPORT}?tab=hold"' in listed


def test_who_has_no_role_exports_nothing(client, noon):
    make_order()
    client.force_login(make_user())
    assert client.post(EXPORT).status_code == 403


def test_a_search_is_exported_as_it_was_searched(support):
    store = make_manual_store()
    enter(store, an_entry("FIND-1"), an_entry("OTHER"))
    assert [row["Order number"] for row in exported(support.post(f"{EXPORT}?q=FIND"))] == ["FIND-1"]


def test_a_french_reader_gets_a_french_file(client, noon):
    enter()
    client.force_login(make_user(access.SUPPORT, language="fr"))
    text = b"".join(client.post(EXPORT).streaming_content).decode("utf-8-sig")
    assert text.startswith('"N° de commande";"Boutique"') and '"9,95"' in text


def test_too_many_orders_are_refused_with_a_sentence_on_the_list(support, monkeypatch):
    monkeypatch.setattr("orders.csvfile.writing.MOST_ORDERS", 1)
    store = make_store()
    make_order(store), make_order(store)
    answer = support.post(f"{EXPORT}?store={store.pk}", follow=True)
    assert "more than 1 orders" in answer.content.decode()
    assert answer.redirect_chain[-1][0] == f"{LIST}?store={store.pk}"
