"""The table of carriers: whole, spelled as the marketplaces want it, and with what an installation says otherwise."""

import re

import pytest

from shipments import carriers, outbox, trackingnumbers
from shipments.models import CarrierSetting
from tests.factories import make_order, make_shipment

EARLIER = {  # codes that rows of earlier versions hold, and Amazon's spelling of each
    "usps": "USPS", "ups": "UPS", "fedex": "FedEx", "dhl_express": "DHL Express", "ontrac": "OnTrac",
    "canada_post": "Canada Post", "purolator": "PUROLATOR", "estafeta": "Estafeta", "royal_mail": "Royal Mail",
    "colissimo": "Colissimo", "la_poste": "La Poste", "chronopost": "Chronopost", "mondial_relay": "Mondial Relay",
    "dpd": "DPD", "gls": "GLS", "dhl_paket": "DHL-Paket", "hermes_de": "Hermes Logistik Gruppe", "correos": "Correos",
    "seur": "Seur", "poste_italiane": "Poste Italiane", "yamato": "YAMATO", "sagawa": "SAGAWA", "japan_post": "Japan Post",
}  # fmt: skip
NEVER_SCANNED = {
    "usps_letter", "usps_intl_letter", "canada_post_lettermail", "royal_mail_stamp", "lettre_verte", "timbre", "dp_brief",
    "dp_warensendung", "correos_carta", "posta1", "posta4", "piego_libri", "jp_letter",
}  # fmt: skip


def test_r44_codes_of_earlier_rows_keep_amazons_spelling():
    assert {code: carriers.in_table(code).amazon for code in EARLIER} == EARLIER
    assert [code for code in EARLIER if carriers.in_table(code).code != code] == []


def test_the_table_is_sound():
    codes = [carrier.code for carrier in carriers.ALL]
    titles = [carrier.title for carrier in carriers.ALL]
    assert len(codes) == len(set(codes)) == len(set(titles)) == 73
    assert not set(carriers.SAME) & set(codes) and set(carriers.SAME.values()) <= set(codes)
    for carrier in carriers.ALL:
        assert re.fullmatch(r"[a-z0-9_]{2,40}", carrier.code), carrier.code
        assert carrier.amazon and len(carrier.amazon) <= 60, carrier.code
        assert carrier.url == "" or (carrier.url.startswith("https://") and carrier.url.count("{n}") == 1), carrier.code
        assert not re.search(r"[{}]", carrier.url.replace("{n}", "")), carrier.code
        assert (carrier.auto, carrier.label) in {(a, b) for a in ("yes", "part", "no") for b in "ABCS"}, carrier.code
        assert {form.rule for form in carrier.formats} <= {"", *trackingnumbers.RULES}, carrier.code
        assert not (carrier.numberless and (carrier.formats or carrier.url)), carrier.code
        assert all(len(service) <= 80 for service in carrier.services), carrier.code


def test_bigcommerce_is_told_a_provider_or_a_slug_never_both():
    providers = {"", "auspost", "canadapost", "endicia", "usps", "fedex", "ups", "upsready", "shipperhq", "royalmail"}
    for carrier in carriers.ALL:
        assert carrier.bigcommerce.provider in providers, carrier.code
        assert not (carrier.bigcommerce.provider and carrier.bigcommerce.slug), carrier.code
    assert carriers.in_table("royal_mail").bigcommerce == ("royalmail", "")
    assert carriers.in_table("dhl_paket").bigcommerce == ("", "dhl-germany")
    assert carriers.in_table("Bob's Bikes").bigcommerce == ("", "")


def test_a_carrier_that_never_has_a_number_is_not_offered():
    offered = dict(carriers.CHOICES)
    assert "usps_letter" not in offered and "ups" in offered and offered["dpd_uk"] == "DPD (UK)"
    assert list(offered.values()) == sorted(offered.values(), key=str.casefold)


@pytest.mark.django_db
def test_r44_an_unknown_code_is_a_carrier_of_that_name():
    found = carriers.named("Bob's Bikes")
    assert (found.name, found.amazon, found.tracking_url("1"), found.services) == ("Bob's Bikes", "Other", "", ())


@pytest.mark.django_db
def test_no_public_link_holds_a_postcode_and_the_number_is_escaped():
    assert carriers.named("mondial_relay").tracking_url("12345678") == (
        "https://www.mondialrelay.fr/suivi-de-colis/?numeroExpedition=12345678"
    )
    assert carriers.named("ups").tracking_url("1Z&x= /").endswith("tracknum=1Z%26x%3D%20%2F")


# ---- who scans


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "service", "package", "tracked"),
    [
        ("usps", "Ground Advantage", "", True),
        ("usps", "usps_ground_advantage", "package", True),
        ("usps", " ground advantage ", "flat_rate_envelope", True),
        ("usps", "usps_ground_advantage", "large_envelope_or_flat", False),
        ("usps", "usps_ground_advantage", "Letter", False),
        ("usps", "usps_first_class_mail", "package", False),
        ("usps_letter", "usps_first_class_mail", "letter", False),
        ("usps_intl", "usps_first_class_package_international_service", "", False),
        ("ups", "By pigeon", "", False),
        ("ups", "", "", False),
        ("royal_mail", "Tracked 24", "", True),
        ("royal_mail_tracked", "Tracked 24", "", True),
        ("royal_mail", "Signed For", "", False),
        ("royal_mail_24_48", "1st Class", "", False),
        ("Bob's Bikes", "Ground", "", False),
    ],
)
def test_r79_only_a_known_service_scanned_to_the_end_counts_as_tracked(code, service, package, tracked):
    assert carriers.auto_tracked(code, service, package) is tracked


@pytest.mark.django_db
def test_r79_letters_and_stamps_are_never_tracked():
    assert {carrier.code for carrier in carriers.ALL if carrier.auto == carriers.NO} == NEVER_SCANNED
    for code in NEVER_SCANNED:
        assert not any(carriers.auto_tracked(code, name) for name in carriers.in_table(code).services), code
    assert carriers.auto_tracked("japan_post", "Yu-Packet", number="RR123456785JP")
    assert not carriers.auto_tracked("japan_post", "Yu-Packet", number="UM123456785JP")


# ---- what an installation says otherwise


@pytest.mark.django_db
def test_r44_amazon_is_told_this_installations_spelling(noon):
    CarrierSetting.objects.create(code="canpar", amazon="Canpar Express")
    shipment = make_shipment(make_order(), carrier="canpar", tracking_number="D123456789012345678901")
    assert outbox.carrier_for_amazon(shipment) == ("Canpar Express", "")
    CarrierSetting.objects.update(amazon="")
    carriers.forget()
    assert outbox.carrier_for_amazon(shipment) == ("Other", "Canpar")


@pytest.mark.django_db
def test_the_tracking_page_of_this_installation_is_used(noon):
    CarrierSetting.objects.create(code="la_poste", tracking_url="https://suivi.example/{n}")
    assert carriers.named("lettre_suivie").tracking_url("1L1") == "https://suivi.example/1L1"
    assert carriers.named("la_poste").name == "La Poste"
    assert carriers.named("colissimo").tracking_url("1").startswith("https://www.laposte.fr/")


@pytest.mark.django_db
def test_a_hidden_carrier_is_offered_only_where_a_row_is_preset_with_it(noon):
    CarrierSetting.objects.create(code="gls", hidden=True)
    assert "gls" not in dict(carriers.choices())
    assert "gls" in dict(carriers.choices(also="gls")) and "gls" not in dict(carriers.choices(also="ups"))
    assert carriers.named("gls").name == "GLS"


@pytest.mark.django_db
def test_a_thousand_questions_cost_one_query_and_others_see_a_change_in_a_minute(
    noon, django_assert_num_queries, monkeypatch
):
    now = [1000.0]
    monkeypatch.setattr(carriers.time, "monotonic", lambda: now[0])
    with django_assert_num_queries(1):
        for _each in range(1000):
            carriers.named("ups"), carriers.choices()
    CarrierSetting.objects.create(code="ups", amazon="UPS!")  # by another process, which tells this one nothing
    assert carriers.named("ups").amazon == "UPS"
    now[0] += carriers.CACHED_S
    assert carriers.named("ups").amazon == "UPS!"
