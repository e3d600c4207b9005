"""What a shipping label says, and what is left of it once it is redacted."""

from dataclasses import astuple, replace
from datetime import date

import pytest

from shipments.labels.barcodes import BarcodeRefused
from shipments.labels.content import Address, LabelData, redacted_label, shipping_label, weight_text

MARKER = "EXPURGÉ (Amazon)"
DATA = LabelData(
    order_number="902-1234567-1234567",
    shipment_id=48213,
    carrier="Colissimo",
    service="Domicile",
    tracking_number="6A 1234 5678 901",
    ship_date=date(2026, 11, 23),
    ship_to=Address(name="Taro Yamada", city="Osaka", state="Osaka", country="JP", phone="+81 6 0000"),
    ship_from=Address(name="Atelier", city="Lyon", postal_code="69007", country="FR", phone="04 72 00"),
    weight_g=1250,
    references=("PO 7781", "", "B"),
)


def redacted(**changes):
    kept = ("order_number", "shipment_id", "carrier", "service", "tracking_number", "ship_date")
    return redacted_label(**{name: getattr(DATA, name) for name in kept} | {"marker": MARKER} | changes)


def test_a_label_says_all_a_packer_and_a_carrier_need():
    content = shipping_label(DATA)
    assert content.title == "48213"
    assert (content.carrier, content.service) == ("Colissimo", "Domicile")
    assert (content.barcode, content.barcode_text) == ("6A12345678901", "6A12345678901")
    assert content.to_phone == "Tel. +81 6 0000"
    assert content.footers == (
        ("ORDER", "902-1234567-1234567"),
        ("DATE", "2026-11-23"),
        ("SHIPMENT", "48213"),
        ("WEIGHT", "1.25 kg"),
        ("REF", "PO 7781 · B"),
    )


def test_the_return_address_names_its_country_on_a_parcel_sent_abroad():
    assert "FRANCE" in shipping_label(DATA).from_lines
    at_home = replace(DATA, ship_to=replace(DATA.ship_to, country="FR"))
    assert "FRANCE" not in shipping_label(at_home).from_lines


def test_nothing_follows_the_country_in_the_recipients_lines():
    assert shipping_label(DATA).to_lines[-1] == "JAPON"


def test_an_untracked_parcel_carries_its_shipment_id_in_the_bars():
    content = shipping_label(replace(DATA, tracking_number=" \n"))
    assert (content.barcode, content.barcode_text) == ("48213", "Shipment 48213")


def test_long_numbers_are_printed_in_groups_of_four_and_scanned_without():
    content = shipping_label(replace(DATA, tracking_number="9400111899223100001234"))
    assert content.barcode_text == "9400 1118 9922 3100 0012 34"
    assert content.barcode == "9400111899223100001234"


def test_a_tracking_number_no_bar_code_can_hold_is_refused_before_drawing():
    with pytest.raises(BarcodeRefused, match="Character 3"):
        shipping_label(replace(DATA, tracking_number="12é4"))


@pytest.mark.parametrize(
    ("weight_g", "country", "text"),
    [
        (1250, "FR", "1.25 kg"),
        (1000, "FR", "1 kg"),
        (5, "GB", "0.005 kg"),
        (1250, "US", "2 lb 12.1 oz"),
        (100, "US", "3.5 oz"),
        (454, "us", "1 lb 0 oz"),
        (1, "US", "0.1 oz"),
        (None, "US", "—"),
        (0, "FR", "—"),
        (-3, "FR", "—"),
    ],
)
def test_weights_are_told_in_the_units_of_the_sending_bench(weight_g, country, text):
    assert weight_text(weight_g, country=country) == text


def test_a_redacted_label_holds_the_marker_where_the_addresses_were():
    content = redacted()
    assert (content.from_lines, content.to_lines, content.to_phone) == ((MARKER,), (MARKER,), "")
    assert dict(content.footers) == {
        "ORDER": "902-1234567-1234567",
        "DATE": "2026-11-23",
        "TRACKING": "6A 1234 5678 901",
    }
    assert (content.carrier, content.service, content.postable) == ("Colissimo", "Domicile", False)


def test_a_redacted_label_cannot_be_scanned_into_the_post():
    assert redacted().barcode == "48213"


@pytest.mark.parametrize("number", ["", "12é4", "A" * 5000, "\ud800\x00"])
def test_no_tracking_number_stops_a_redaction(number):
    assert redacted(tracking_number=number).barcode == "48213"


def test_neither_data_nor_content_show_a_person_in_their_repr():
    shown = repr(DATA) + repr(shipping_label(DATA)) + str(shipping_label(DATA))
    assert "Yamada" not in shown
    assert "Yamada" in str(astuple(shipping_label(DATA)))
