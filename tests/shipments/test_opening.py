"""Opening labels in each format: the same rule for all, bought ones as they are, void ones marked, all of it logged."""

import io
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.urls import reverse
from PIL import Image
from pypdf import PdfReader

from orderhub import clock
from privacy import access, markers
from privacy.models import AccessLog, ErasureCertificate
from privacy.scanner import Scanner
from shipments import voiding
from shipments.models import Label, Shipment
from tests.factories import make_order, make_shipment, make_store, make_user
from tests.privacy.conftest import no_old_files  # noqa: F401
from tests.privacy.rows import due_label, sweep
from tests.shipments import zplreader
from tests.shipments.rendering import rendered
from tests.shipments.test_label_pdf import scanned

pytestmark = pytest.mark.django_db
STREET = "1 Sample Street"
WISHES = ["", "?paper=a4", "?format=zpl", "?format=zpl&dpi=300"]
BOUGHT_ZPL = b"^XA^FO10,10^A0N,30,30^FD1 Sample Street^FS^XZ"


@pytest.fixture
def label(noon) -> Label:
    return make_shipment().labels.get()


@pytest.fixture
def packer(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return user


def opened(client, label: Label, query: str = ""):
    return client.get(reverse("admin:shipments_label", args=[label.pk]) + query)


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.get("Location")
    if answer.content.startswith(b"%PDF"):
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    return "\n".join(field.value for field in zplreader.fields_of(answer.content) if field.kind == "text")


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (812, 1218), 255).save(buffer, "PNG")
    return buffer.getvalue()


def bought(label: Label, format: str, content: bytes) -> Label:
    """The same label as if a provider had sold it."""
    storages["labels"].delete(label.file.name)
    Shipment.objects.filter(pk=label.shipment_id).update(provider="amazon_shipping", provider_ref=f"R{label.pk}")
    name = storages["labels"].save(f"0/{label.pk}.{format}", ContentFile(content))
    Label.objects.filter(pk=label.pk).update(format=format, file=name)
    return Label.objects.select_related("shipment__order__store__merchant").get(pk=label.pk)


@pytest.mark.parametrize("query", WISHES)
def test_f43_our_label_opens_in_each_format_and_each_opening_is_logged(client, label, packer, query):
    answer = opened(client, label, query)
    assert STREET in text_of(answer) and "AUSTIN, TX 78701" in text_of(answer)
    assert list(AccessLog.objects.values_list("user", "order_id", "what")) == [
        (packer.pk, label.shipment.order_id, "label")
    ]
    assert answer["X-Content-Type-Options"] == "nosniff" and "no-store" in answer["Cache-Control"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_zpl_is_saved_and_never_shown_by_a_browser(client, label, packer):
    answer = opened(client, label, "?format=zpl")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == f'attachment; filename="label-{label.pk}.zpl"'
    assert scanned(zplreader.printed(answer.content)) == ["1Z999AA10123456784"]


def test_only_the_pdf_is_stored_whatever_was_opened(client, label, packer):
    before = storages["labels"].listdir("0")
    for query in WISHES:
        opened(client, label, query)
    assert storages["labels"].listdir("0") == before
    assert before[1].count(f"{label.pk}.pdf") == 1


@pytest.mark.parametrize("query", ["?format=exe", "?paper=letter", "?dpi=600", "?format=zpl&dpi=0", "?dpi=203%00"])
def test_unknown_wishes_are_no_request(client, label, packer, query):
    assert opened(client, label, query).status_code == 400
    assert not AccessLog.objects.exists()


@pytest.mark.parametrize("query", WISHES)
def test_r69_from_the_due_instant_on_no_format_has_the_address_even_before_the_sweep(client, packer, noon, query):
    label = make_shipment().labels.get()
    Label.objects.filter(pk=label.pk).update(due_at=noon + timedelta(seconds=1))
    assert STREET in text_of(opened(client, label, query))
    clock.advance(seconds=1)
    text = text_of(opened(client, label, query))
    assert markers.AMAZON in text
    assert not [
        word for word in (STREET, "AUSTIN", "78701", "Ada Example", "555 0100") if word.casefold() in text.casefold()
    ]


@pytest.mark.parametrize("query", WISHES)
def test_an_erased_label_has_its_stand_in_in_each_format(client, packer, noon, query):
    label = due_label()
    sweep()
    text = text_of(opened(client, label, query))
    assert (
        markers.AMAZON in text and STREET.casefold() not in text.casefold() and label.shipment.tracking_number in text
    )


def test_an_erased_order_whose_label_is_not_due_keeps_its_pdf_and_has_no_zpl(client, packer, noon):
    label = due_label(due=noon + timedelta(days=9))
    sweep()
    for query in ("", "?paper=a4"):
        assert STREET.casefold() in text_of(opened(client, label, query)).casefold()
    answer = opened(client, label, "?format=zpl")
    page = client.get(answer.url).content.decode()
    assert "its label exists only as it was drawn. Open it as PDF." in page
    assert "format=zpl" not in page and f"{reverse('admin:shipments_label', args=[label.pk])}?paper=a4" in page


def test_bought_labels_exist_only_as_they_were_bought(client, label, packer):
    row = bought(label, "zpl", BOUGHT_ZPL)
    assert opened(client, row).content == BOUGHT_ZPL
    for query in ("?format=pdf", "?format=png", "?paper=a4"):
        answer = opened(client, row, query)
        assert "was bought as ZPL and exists in no other format" in client.get(answer.url).content.decode()
    row = bought(row, "png", picture())
    answer = opened(client, row)
    assert answer["Content-Type"] == "image/png" and answer.content == picture()
    assert opened(client, row, "?format=zpl").status_code == 302


def test_a_bought_pdf_opens_on_a4_too(client, label, packer):
    from tests.shipments.test_label_pages import other

    row = bought(label, "pdf", other(text="From the provider"))
    assert "From the provider" in text_of(opened(client, row))
    assert "From the provider" in text_of(opened(client, row, "?paper=a4"))
    assert opened(client, row, "?format=zpl").status_code == 302


def test_a_bought_file_that_is_missing_is_never_drawn_by_us(client, label, packer):
    row = bought(label, "zpl", BOUGHT_ZPL)
    storages["labels"].delete(row.file.name)
    answer = opened(client, row)
    assert "Amazon does not give this label" in client.get(answer.url).content.decode()
    assert not storages["labels"].exists(row.file.name)


def test_a_damaged_file_is_a_sentence(client, label, packer):
    row = bought(label, "pdf", b"%PDF-1.7 nothing more")
    answer = opened(client, row, "?paper=a4")
    assert "The file of this label is damaged" in client.get(answer.url).content.decode()


@pytest.mark.parametrize("query", WISHES)
def test_a_void_label_still_opens_and_says_so_across_and_on_screen(client, label, packer, query):
    voiding.void(label.shipment, by=packer, now=clock.now())
    text = text_of(opened(client, label, query))
    assert "VOID" in text and STREET in text
    page = client.get(reverse("admin:orders_order_change", args=[label.shipment.order_id])).content.decode()
    assert "This shipment is void: do not use its label." in page
    listed = client.get(reverse("admin:shipments_shipment_changelist")).content.decode()
    assert ">void<" in listed


def test_void_is_across_bought_labels_too(client, label, packer, noon):
    row = bought(label, "zpl", BOUGHT_ZPL)
    Shipment.objects.update(voided_at=noon)
    assert opened(client, row).content.count(b"^FDVOID^FS^XZ") == 1
    row = bought(row, "png", picture())
    answer = opened(client, row)
    assert answer["Content-Type"] == "application/pdf" and "VOID" in text_of(answer)
    assert min(rendered(answer.content, dpi=72).get_flattened_data()) < 50


def test_r85_a_return_label_goes_with_its_order(client, packer, noon):
    label = due_label()
    Shipment.objects.update(is_return=True)
    Label.objects.update(kind="return")
    sweep()
    assert STREET.casefold() not in text_of(opened(client, label, "?format=zpl")).casefold()


# -- erasing labels of other formats (R70, R72)


@pytest.mark.parametrize(("format", "content"), [("zpl", BOUGHT_ZPL), ("png", b"\x89PNG 1 Sample Street")])
def test_r72_an_erased_bought_label_is_our_pdf_in_name_and_format_and_the_original_is_gone(client, packer, noon, format, content):  # fmt: skip
    row = bought(due_label(), format, content)
    old = row.file.name
    assert sweep() == "1 redacted, 1 documents, 0 failed"
    row.refresh_from_db()
    assert (row.format, row.file.name, row.redacted_at) == ("pdf", f"0/{row.pk}.pdf", noon)
    assert not storages["labels"].exists(old)
    assert storages["labels"].listdir("0")[1] == [f"{row.pk}.pdf"]
    assert Scanner({"street": STREET}).scan_folder(storages["labels"].location) == []
    assert ErasureCertificate.objects.filter(kind="label", subject_id=row.pk).count() == 1
    assert markers.AMAZON in text_of(opened(client, row))
    assert markers.AMAZON in text_of(opened(client, row, "?format=png"))


class Dying(Exception):
    """What a storage raises that fails at one of its steps, before or after the step took effect."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize(("format", "content"), [("zpl", BOUGHT_ZPL), ("pdf", b"%PDF 1 Sample Street")])
def test_an_erasure_that_dies_at_any_step_of_the_storage_is_finished_by_the_next(client, packer, noon, monkeypatch, step, after, format, content):  # fmt: skip
    row = bought(due_label(), format, content)
    storage, steps = storages["labels"], iter(range(1, 100))

    def failing(real):
        def call(*args, **kwargs):
            number = next(steps)
            if number > step or (number == step and not after):
                raise Dying  # it stays broken for the whole sweep
            result = real(*args, **kwargs)
            if number == step:
                raise Dying
            return result

        return call

    with monkeypatch.context() as patched:
        patched.setattr(type(storage), "delete", failing(type(storage).delete))
        patched.setattr(type(storage), "_save", failing(type(storage)._save))
        assert sweep() == "0 redacted, 0 documents, 1 failed"
    row.refresh_from_db()
    assert row.redacted_at is None and row.format == format
    assert STREET.casefold() not in text_of(opened(client, row)).casefold()  # whatever the file holds meanwhile
    assert sweep() == "1 redacted, 1 documents, 0 failed"
    row.refresh_from_db()
    assert (row.format, row.file.name) == ("pdf", f"0/{row.pk}.pdf")
    assert storages["labels"].listdir("0")[1] == [f"{row.pk}.pdf"]
    assert Scanner({"street": STREET}).scan_folder(storage.location) == []


def test_labels_still_open_in_a_constant_number_of_queries(client, packer, noon, django_assert_max_num_queries):
    store = make_store()
    labels = [make_shipment(make_order(store)).labels.get() for _ in range(2)]
    for query in WISHES:
        opened(client, labels[0], query)
        with django_assert_max_num_queries(13):  # of which the event, the reader's roles and the hourly count
            opened(client, labels[1], query)
