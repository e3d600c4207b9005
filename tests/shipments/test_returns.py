"""Return labels: from the buyer to the shop, erased with the order, and nothing else moves."""

import io
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from pypdf import PdfReader

from orderhub import clock
from orderhub.errors import RuleViolation
from orders.models import Order, OrderEvent, OrderItem, OrderPersonalData
from privacy import erasure, markers
from privacy.models import ErasureCertificate
from shipments import labelling, opening, returning, voiding
from shipments.models import Label, OutgoingMail, Shipment, ShipmentNotification
from shipments.returning import ReturnWish
from stores.models import Store
from tests.factories import make_order, make_shipment, make_user, rewrite
from tests.privacy.conftest import no_old_files  # noqa: F401
from tests.shipments.postoffice import NUMBER, SHIP_FROM, amazon_return, amazon_store, manual_parcel

pytestmark = pytest.mark.django_db


def make(order, *, number: str = NUMBER, carrier: str = "ups") -> Shipment:
    return returning.make(order, ReturnWish(carrier, number), by=make_user("Support"), now=clock.now())


def sent_order(**given) -> Order:
    return make_shipment(make_order(amazon_store(), **given)).order


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def opened(label: Label) -> str:
    return text_of(opening.open_label(label, by=make_user("Support"), now=clock.now()))


def test_f49_the_label_goes_from_the_buyer_to_the_shop(noon):
    shipment = make(sent_order())
    label = shipment.labels.get()
    assert (shipment.is_return, shipment.tracked, label.kind) == (True, False, Label.Kind.RETURN)
    data = labelling.label_data(shipment)
    assert (data.ship_from.name, data.ship_from.street1) == ("Ada Example", "1 Sample Street")
    assert (data.ship_to.name, data.ship_to.street1) == ("Lake", "7 Harbour Road")
    text = opened(label).upper()
    assert text.index("1 SAMPLE STREET") < text.index("7 HARBOUR ROAD")
    assert NUMBER in text.replace(" ", "")


def test_the_label_of_a_parcel_still_goes_to_the_buyer(noon):
    order = sent_order()
    make(order)
    data = labelling.label_data(order.shipments.get(is_return=False))
    assert (data.ship_to.name, data.ship_from.name) == ("Ada Example", "Lake")


def test_no_unit_moves_nobody_is_told_and_the_timeline_says_so(noon):
    order = sent_order(lines=2)
    before = list(OrderItem.objects.values_list("pk", "quantity_shipped"))
    notice = ShipmentNotification.objects.values().get()
    shipment = make(order)
    assert list(OrderItem.objects.values_list("pk", "quantity_shipped")) == before
    assert ShipmentNotification.objects.values().get() == notice
    assert (shipment.items.count(), OutgoingMail.objects.count()) == (0, 0)
    event = order.events.get(kind=OrderEvent.Kind.RETURN_LABEL)
    assert event.params == {"carrier": "UPS", "tracking": NUMBER, "shipment": shipment.pk}
    order.refresh_from_db()
    assert order.status == "shipped"


def test_r85_it_is_due_with_the_order_or_before_and_goes_with_it(noon):
    order = sent_order()
    label = make(order).labels.get()
    order.refresh_from_db()
    assert label.due_at <= order.redaction_due_at
    assert order.redaction_due_at == noon + timedelta(days=30)


def test_r85_a_due_date_that_moves_forward_takes_the_label_along(noon):
    order = sent_order()
    label = make(order).labels.get()
    Order.objects.filter(pk=order.pk).update(redaction_due_at=noon + timedelta(days=3), redaction_rule="import")
    order.refresh_from_db()
    labelling.follow_order(order)
    label.refresh_from_db()
    assert (label.due_at, label.due_rule) == (noon + timedelta(days=3), "import")
    shipping = Label.objects.get(kind="shipping")
    assert shipping.due_at == noon + timedelta(days=30)  # it has its own clock


def test_r85_it_is_erased_with_an_order_that_is_erased_earlier(noon):
    order = sent_order()
    label = make(order).labels.get()
    assert "1 SAMPLE STREET" in opened(label).upper()
    Order.objects.filter(pk=order.pk).update(redaction_due_at=noon)  # the label's own date is weeks away
    label = Label.objects.get(pk=label.pk)
    assert "SAMPLE STREET" not in opened(label).upper()  # from the due instant on, before the sweep comes by
    erasure.redact_due(now=noon)
    label.refresh_from_db()
    assert label.redacted_at == noon
    with storages["labels"].open(label.file.name) as file:
        text = text_of(file.read()).upper()
    assert "SAMPLE" not in text and markers.AMAZON.upper() in text
    assert ErasureCertificate.objects.filter(kind="label", subject_id=label.pk).count() == 1


def test_r85_voiding_the_parcel_brings_the_return_forward_too(noon, travel):
    order = sent_order()
    label = make(order).labels.get()
    voiding.void(order.shipments.get(is_return=False), by=make_user(), now=noon)
    order.refresh_from_db()
    label.refresh_from_db()
    assert order.redaction_due_at == noon + timedelta(days=14) == label.due_at


def test_a_return_is_voided_without_touching_the_order(noon):
    order = sent_order()
    shipment = make(order)
    notice = ShipmentNotification.objects.values().get()
    voiding.void(shipment, by=make_user(), now=noon)
    order.refresh_from_db()
    assert order.status == "shipped" and ShipmentNotification.objects.values().get() == notice
    assert OrderItem.objects.get().quantity_shipped == 1
    assert make(order).pk != shipment.pk  # the number is free again


# -- refusals


def refused(order, match: str, **given) -> None:
    with pytest.raises(RuleViolation, match=match) as caught:
        make(order, **given)
    assert not Shipment.objects.filter(is_return=True).exists() and not Label.objects.filter(kind="return").exists()
    assert "Ada" not in str(caught.value) and "Sample" not in str(caught.value)


def test_an_order_that_amazon_fulfils_is_refused(noon):
    refused(make_order(amazon_store(), fulfilled_by="AFN"), "Amazon handles its returns")


def test_an_order_of_which_nothing_was_sent_is_refused(noon):
    refused(make_order(amazon_store()), "nothing to send back")
    order = sent_order()
    voiding.void(order.shipments.get(), by=make_user(), now=noon)
    order.refresh_from_db()
    refused(order, "nothing to send back")


def test_an_order_shipped_elsewhere_may_be_sent_back(noon):
    assert make(make_order(amazon_store(), status="shipped")).is_return


@pytest.mark.parametrize("changed", [{"pii_state": "redacting"}, {"redaction_due_at": "now"}])
def test_an_erased_order_is_refused_with_another_way(noon, changed):
    order = sent_order()
    Order.objects.filter(pk=order.pk).update(
        **{key: noon if value == "now" else value for key, value in changed.items()}
    )
    refused(order, "erased. Make the return label in Seller Central")


@pytest.mark.parametrize("missing", [*returning.SHIP_FROM_NEEDED, None])
def test_a_store_without_a_whole_ship_from_address_is_refused(noon, missing):
    order = sent_order()
    Store.objects.update(ship_from={key: text for key, text in SHIP_FROM.items() if missing and key != missing})
    refused(order, "ship-from address of .* is incomplete")


def test_r17_addresses_in_other_characters_are_refused_at_both_ends(noon):
    order = sent_order()
    rewrite(OrderPersonalData.objects.filter(pk=order.pk), recipient_name="山田")
    refused(order, "not in Roman characters")
    rewrite(OrderPersonalData.objects.filter(pk=order.pk), recipient_name="Ada")
    Store.objects.update(ship_from=SHIP_FROM | {"street1": "東京"})
    refused(order, "Write the ship-from address .* in Roman characters")


def test_an_order_without_an_address_is_refused(noon):
    order = sent_order()
    OrderPersonalData.objects.filter(pk=order.pk).update(street1="")
    refused(order, "no address for order .* Seller Central")
    other = manual_parcel().order
    OrderPersonalData.objects.filter(pk=other.pk).update(street1="")
    refused(other, "a label that your carrier made")


@pytest.mark.parametrize(("number", "match"), [("", "Type the tracking number of the return"), ("x" * 41, "4 to 40"), ("1!", "4 to 40")])  # fmt: skip
def test_a_number_that_is_none_is_refused(noon, number, match):
    refused(sent_order(), match, number=number)


def test_a_return_without_carrier_is_refused(noon):
    refused(sent_order(), "Choose the carrier", carrier=" ")


def test_pressing_twice_makes_one(noon):
    first = amazon_return()
    with pytest.raises(RuleViolation, match="already: open that one"):
        make(first.order)
    assert Shipment.objects.filter(is_return=True).count() == 1
