"""What a shop puts on its packing slips, the slip of one parcel, and hostile texts on paper. F10a, F37, F46, B05, B06."""

import io
from datetime import timedelta

import pypdf
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.urls import reverse
from PIL import Image

from orders.models import OrderItem, OrderPersonalData
from privacy import access, markers
from shipments import buyernotes
from shipments.models import Shipment
from stores import logos
from stores.models import Store
from stores.simulator import scenarios
from tests.factories import make_account, make_order, make_shipment, make_store, make_user, rewrite
from tests.privacy.rows import due_label, due_order, sweep
from tests.shipments.rendering import rendered
from tests.shipments.test_label_pdf import HOSTILE, scanned
from tests.shipments.test_label_zpl import FOR_PRINTERS

pytestmark = pytest.mark.django_db
FOR_PAPER = [
    (")>>/OpenAction<</S/JavaScript/JS(app.alert(1))>>", ")>>/OpenAction<</S/JavaScript/JS(app.alert(1))>>"),
    ("%%EOF\nxref\n0 1", "%%EOF"),
    ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
    ("@SUM(1+1)*cmd", "@SUM(1+1)*cmd"),
    ("<< /Type /Action /S /URI /URI (http://x) >>", "<< /Type /Action /S /URI /URI (http://x) >>"),
    ("stream\nBT /F1 99 Tf (x) Tj ET\nendstream", "stream"),
]
PAYLOADS = HOSTILE + FOR_PRINTERS + FOR_PAPER


@pytest.fixture
def store(noon):
    return make_store(brand_name="Example & Co", brand_phone="+1 555 0199", brand_site="https://shop.example")


@pytest.fixture
def packer(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return user


def slip(client, order, query=""):
    answer = client.get(reverse("admin:shipments_slip", args=[order.pk]) + query)
    assert answer.status_code == 200
    return answer.content


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def test_f10a_logo_name_phone_site_and_text_of_the_shop_are_on_it(client, packer, store):
    order = make_order(store)
    plain = slip(client, order)
    drawn = io.BytesIO()
    Image.new("RGB", (300, 100), "navy").save(drawn, "PNG")
    logos.keep(store, drawn.getvalue())
    Store.objects.update(slip_message="Thank you!\nReturns within 30 days: https://shop.example/returns")
    pdf = slip(client, order)
    text = text_of(pdf)
    for words in ("Example & Co", "+1 555 0199", "https://shop.example", "Thank you!", "Returns within 30 days"):
        assert words in text
    assert text.index("Sample product 1") < text.index("Thank you!")
    assert [len(pypdf.PdfReader(io.BytesIO(found)).pages[0].images) for found in (plain, pdf)] == [0, 1]
    storages["brand"].delete(Store.objects.get().brand_logo.name)
    assert "Example & Co" in text_of(slip(client, order))  # a logo that is lost stops no parcel


def test_skus_stand_on_it_unless_the_shop_wants_none(client, packer, store):
    order = make_order(store, lines=2)
    OrderItem.objects.filter(order=order, sku="SKU-2").update(title="")
    assert "SKU-1" in text_of(slip(client, order))
    Store.objects.update(slip_shows_sku=False)
    text = text_of(slip(client, order))
    assert "SKU-1" not in text and "Sample product 1" in text
    assert "SKU-2" in text  # nothing else tells what it is


def test_the_orders_number_is_read_back_from_its_bars(client, packer, store):
    order = make_order(store)
    assert scanned(rendered(slip(client, order))) == [order.order_number]


def test_a_number_that_cannot_be_bars_stops_no_slip(client, packer, store):
    order = make_order(store, order_number="Bestellung № 7 für Öl")
    pdf = slip(client, order)
    assert "Bestellung № 7 für Öl" in text_of(pdf) and scanned(rendered(pdf)) == []


def test_units_in_one_parcel_of_a_split_stand_as_one_of_three(client, packer, store):
    order = make_order(store, lines=2)
    OrderItem.objects.filter(order=order).update(quantity=3)
    first, second = order.items.order_by("pk")
    part = make_shipment(order, items={first.pk: 1})
    text = text_of(slip(client, order, f"?shipment={part.pk}"))
    assert "1 of 3" in text and "Sample product 1" in text and "Sample product 2" not in text
    order.refresh_from_db()
    rest = make_shipment(order, tracking_number="1Z999AA10123456785")
    text = text_of(slip(client, order, f"?shipment={rest.pk}"))
    assert "2 of 3" in text and "3 ×" in text and "Sample product 2" in text
    assert text_of(slip(client, order)).count("3 ×") == 2
    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert f"?shipment={part.pk}" in page and f"?shipment={rest.pk}" in page


def test_a_french_slip_says_it_in_french_and_takes_the_shops_logo(client, packer, noon):
    order = make_order(make_store("FR", account=make_account(scenarios.EU)))
    OrderItem.objects.filter(order=order).update(quantity=2)
    part = make_shipment(order, items={order.items.get().pk: 1})
    assert "20 nov. 2026" in text_of(slip(client, order, f"?shipment={part.pk}"))


def test_parcels_of_other_orders_and_void_ones_have_no_slip_here(client, packer, store, noon):
    one, two = make_shipment(make_order(store)), make_shipment(make_order(store))
    url = reverse("admin:shipments_slip", args=[one.order_id])
    assert client.get(f"{url}?shipment={two.pk}").status_code == 404
    assert client.get(f"{url}?shipment=x").status_code == 404
    Shipment.objects.update(voided_at=noon)
    assert client.get(f"{url}?shipment={one.pk}").status_code == 404


@pytest.mark.sampled(2)
@pytest.mark.parametrize("start", range(0, len(PAYLOADS), 12))
def test_b05_b34_hostile_texts_are_texts_on_paper(client, packer, store, start):
    """Each payload in every field of its own order; all of them on one document, so that none reaches another."""
    payloads = [(typed.replace("\0", "").replace("\ud800", "").replace("\udfff", ""), read) for typed, read in PAYLOADS[start : start + 12]]  # fmt: skip
    orders = []
    for typed, _readable in payloads:
        names = ("recipient_name", "recipient_company", "street1", "street2", "street3", "city", "state", "phone")
        person = dict.fromkeys(names, typed[:200]) | {"gift_message": typed, "postal_code": "1", "country": "FR"}
        order = make_order(store, is_gift=True, person=person)
        options = [{"name": typed, "value": typed}]
        OrderItem.objects.filter(order=order).update(title=typed[:500], sku=typed[:40], options=options)
        rewrite(Shipment.objects.filter(pk=make_shipment(order, with_label=False).pk), note_to_buyer=typed[:500])
        orders.append(order)
    Store.objects.update(slip_message=payloads[0][0][:300], brand_name=payloads[0][0][:120])
    ids = ",".join(str(order.pk) for order in orders)
    pdf = client.get(reverse("admin:shipments_slips"), {"ids": ids}).content
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    assert not {"/OpenAction", "/AA", "/Names", "/AcroForm"} & set(reader.trailer["/Root"])
    pages = [page for page in reader.pages if "/Annots" not in page and "/AA" not in page]
    assert len(pages) == len(reader.pages) >= len(orders)
    texts = [page.extract_text() for page in pages]
    for order, (_typed, readable) in zip(orders, payloads, strict=True):
        text = "".join("".join(page.split()) for page in texts if order.order_number in page)
        assert "".join(readable.split())[:60] in text
        assert text.count("1Samplestreet") == 0
    assert not [sign for text in texts for sign in text if sign != "\n" and not sign.isprintable()]


# -- the note to the buyer


def test_f46_a_note_typed_when_shipping_is_on_the_slip(client, packer, store):
    order = make_order(store)
    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert f'name="o{order.pk}-note_to_buyer"' in page
    typed = {"carrier": "ups", "service": "", "tracking_number": "1Z999AA10123456784", "ship_date": "2026-11-20",
             "note_to_buyer": " Dear Ada,\r\nenjoy!\x07 "}  # fmt: skip
    answer = client.post(
        f"{reverse('admin:shipments_ship')}?ids={order.pk}", {f"o{order.pk}-{name}": value for name, value in typed.items()}
    )  # fmt: skip
    shipment = Shipment.objects.get()
    assert answer.status_code == 302 and shipment.note_to_buyer == "Dear Ada,\nenjoy!"
    assert "Dear Ada," in text_of(slip(client, order)) and "enjoy!" in text_of(slip(client, order))


def test_the_form_of_many_orders_has_no_note_and_a_long_one_is_a_sentence(client, packer, store):
    one, two = make_order(store), make_order(store)
    url = reverse("admin:shipments_ship")
    assert "note_to_buyer" not in client.get(f"{url}?ids={one.pk},{two.pk}").content.decode()
    typed = {f"o{one.pk}-carrier": "ups", f"o{one.pk}-tracking_number": "1Z999AA10123456784",
             f"o{one.pk}-ship_date": "2026-11-20", f"o{one.pk}-note_to_buyer": "x" * 501}  # fmt: skip
    html = client.post(f"{url}?ids={one.pk}", typed).content.decode()
    assert "at most 500 characters" in html and "x" * 501 in html and not Shipment.objects.exists()


def test_a_note_is_changed_and_taken_off_on_the_orders_page(client, packer, store):
    shipment = make_shipment(make_order(store))
    url = reverse("admin:shipments_note", args=[shipment.pk])
    page = client.post(url, {"note": "Thank you,\r\nAda"}, follow=True).content.decode()
    assert "The note is saved" in page and "Thank you,<br>Ada" in page
    client.post(url, {"note": "  "})
    shipment.refresh_from_db()
    assert shipment.note_to_buyer == ""
    assert client.get(url).status_code == 302


@pytest.mark.parametrize("role", list(access.ROLES))
@pytest.mark.parametrize("shipped", [True, False])
def test_who_reads_and_writes_notes(client, noon, role, shipped):
    order = make_order()
    OrderItem.objects.filter(order=order).update(quantity=2)
    order.refresh_from_db()
    shipment = make_shipment(order, items=None if shipped else {order.items.get().pk: 1})
    rewrite(Shipment.objects, note_to_buyer="Dear Ada ZQnote1QZ")
    client.force_login(make_user(role))
    may = role == access.SUPPORT or (role == access.WAREHOUSE and not shipped)
    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert ("ZQnote1QZ" in page) is may
    url = reverse("admin:shipments_note", args=[shipment.pk])
    assert (url in page) is may
    assert client.post(url, {"note": "changed"}).status_code == (302 if may else 403)
    shipment.refresh_from_db()
    assert (shipment.note_to_buyer == "changed") is may


def test_r70_a_note_to_the_buyer_is_erased_with_the_order_and_takes_no_other(client, packer, noon):
    label = due_label()
    rewrite(Shipment.objects, note_to_buyer="Dear Ada ZQnote1QZ")
    assert "note_to_buyer" in _sweep_and_certificate(label.shipment.order)
    shipment = Shipment.objects.get()
    assert shipment.note_to_buyer == markers.AMAZON
    client.post(reverse("admin:shipments_note", args=[shipment.pk]), {"note": "Dear Ada again"})
    page = client.get(reverse("admin:orders_order_change", args=[shipment.order_id])).content.decode()
    assert "it takes no note any more" in page and "ZQnote1QZ" not in page
    shipment.refresh_from_db()
    assert shipment.note_to_buyer == markers.AMAZON


def test_an_empty_note_stays_empty_and_a_second_sweep_changes_nothing(noon):
    label = due_label()
    assert "note_to_buyer" not in _sweep_and_certificate(label.shipment.order)
    assert Shipment.objects.get().note_to_buyer == ""


def test_verification_sees_a_note_that_was_left(noon):
    from shipments.personal_data import PAPERS

    order = due_order()
    shipment = make_shipment(order)
    assert PAPERS.leftovers([order.pk], now=noon) == set()
    rewrite(Shipment.objects.filter(pk=shipment.pk), note_to_buyer="Ada")
    assert PAPERS.leftovers([order.pk], now=noon) == {order.pk}


def test_no_note_is_written_to_an_order_that_is_due_or_void_or_as_a_marker(noon):
    from orderhub.errors import RuleViolation

    shipment = make_shipment()
    with pytest.raises(RuleViolation, match="stands for erased data"):
        buyernotes.write(shipment, f" {markers.AMAZON} ", now=noon)
    with pytest.raises(RuleViolation, match="at most 500"):
        buyernotes.write(shipment, "x" * 501, now=noon)
    type(shipment.order).objects.update(redaction_due_at=noon)
    with pytest.raises(RuleViolation, match="was erased on schedule"):
        buyernotes.write(shipment, "hello", now=noon)
    type(shipment.order).objects.update(redaction_due_at=noon + timedelta(days=9))
    shipment.voided_at = noon
    with pytest.raises(RuleViolation, match="is void"):
        buyernotes.write(shipment, "hello", now=noon)
    assert Shipment.objects.get().note_to_buyer == ""


def _sweep_and_certificate(order) -> list[str]:
    from privacy.models import ErasureCertificate

    assert sweep().startswith("1 redacted")
    assert OrderPersonalData.objects.get(pk=order.pk).marker == markers.AMAZON
    return ErasureCertificate.objects.get(kind="order", subject_id=order.pk).fields


# -- the store's settings


def test_f10a_the_stores_page_keeps_text_and_skus_and_its_preview_follows(client, noon):
    from tests.screens.storepages import page_of_store, saved, shown, sign_in

    store = make_store()
    sign_in(client, access.SUPPORT)
    assert 'name="slip_message"' in shown(client, store) and 'name="slip_shows_sku"' in shown(client, store)
    preview = client.get(f"{page_of_store(store)}preview/").content.decode()
    assert "SAMPLE-1" in preview
    store = saved(client, store, slip_message="Thank you! \r\n<b>Come again</b>\r\n", slip_shows_sku=None)
    assert (store.slip_message, store.slip_shows_sku) == ("Thank you!\n<b>Come again</b>", False)
    preview = client.get(f"{page_of_store(store)}preview/").content.decode()
    assert "Thank you!<br>&lt;b&gt;Come again&lt;/b&gt;" in preview and "SAMPLE-1" not in preview
    history = client.get(f"{page_of_store(store)}history/").content.decode()
    assert "Brand: text on packing slips" in history


def test_the_logo_of_a_slip_is_only_ever_what_we_drew(client, packer, store):
    name = storages["brand"].save("broken.png", ContentFile(b"no picture"))
    Store.objects.update(brand_logo=name)
    assert "Example & Co" in text_of(slip(client, make_order(store)))
    storages["brand"].delete(name)
