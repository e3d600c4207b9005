"""The order of address lines, country by country."""

import pytest

from shipments.labels.content import Address, lines_for

NATIVE = Address(
    name="山田 太郎",
    company="みどり商店",
    street1="梅田3丁目1-3",
    street2="北門ビル10階",
    district="北区",
    city="大阪市",
    state="大阪府",
    postal_code="5300001",
    country="JP",
)
ROMANISED = Address(
    name="Taro Yamada",
    company="Midori K.K.",
    street1="3-1-3 Umeda",
    street2="Northgate Bldg 10F",
    district="Kita-ku",
    city="Osaka-shi",
    state="Osaka",
    postal_code="530-0001",
    country="JP",
)
AT_HOME = {
    "US": ("Santa Fe", "NM", "87501", ["Ann Poe", "Acme", "1 Main St", "SANTA FE, NM 87501"]),
    "CA": ("Ottawa", "ON", "K1A 0B1", ["ANN POE", "ACME", "1 MAIN ST", "OTTAWA ON K1A 0B1"]),
    "MX": ("Puebla", "PUE", "72000", ["Ann Poe", "Acme", "1 Main St", "72000 PUEBLA, PUE"]),
    "GB": ("Leeds", "Yorkshire", "LS1 4DY", ["Ann Poe", "Acme", "1 Main St", "LEEDS", "LS1 4DY"]),
    "FR": ("Lyon Cedex 07", "Rhône", "69007", ["Acme", "Ann Poe", "1 Main St", "69007 LYON CEDEX 07"]),
    "DE": ("Berlin", "Berlin", "10115", ["Ann Poe", "Acme", "1 Main St", "10115 BERLIN"]),
    "ES": ("Madrid", "Madrid", "28013", ["Ann Poe", "Acme", "1 Main St", "28013 MADRID MADRID"]),
    "IT": ("Milano", "MI", "20121", ["Ann Poe", "Acme", "1 Main St", "20121 MILANO MI"]),
    "AU": ("Perth", "WA", "6000", ["Ann Poe", "Acme", "1 Main St", "PERTH WA 6000"]),
    "PE": ("Lima", "Callao", "15001", ["Ann Poe", "Acme", "1 Main St", "15001 LIMA", "CALLAO"]),
}


@pytest.mark.parametrize("country", AT_HOME)
def test_each_country_has_its_own_order_and_no_country_line_at_home(country):
    city, state, postal_code, expected = AT_HOME[country]
    address = Address("Ann Poe", "Acme", "1 Main St", "", "", "", city, state, postal_code, country)
    assert lines_for(address, sending_country=country) == expected


def test_a_japanese_address_in_kanji_goes_from_the_largest_to_the_person():
    assert lines_for(NATIVE, sending_country="JP") == [
        "〒530-0001",
        "大阪府",
        "大阪市北区梅田3丁目1-3",
        "北門ビル10階",
        "みどり商店",
        "山田 太郎",
    ]


def test_a_japanese_address_in_roman_letters_goes_from_the_person_to_the_postcode():
    assert lines_for(ROMANISED, sending_country="US") == [
        "Taro Yamada",
        "Midori K.K.",
        "Northgate Bldg 10F, 3-1-3 Umeda",
        "Kita-ku, Osaka-shi, OSAKA",
        "530-0001",
        "JAPAN",
    ]


def test_a_name_in_kanji_does_not_turn_a_romanised_address_around():
    address = Address(name="山田 太郎", street1="3-1-3 Umeda", city="Osaka", postal_code="5300001", country="JP")
    assert lines_for(address, sending_country="JP")[0] == "山田 太郎"


@pytest.mark.parametrize(
    ("sending", "country", "last"),
    [
        ("FR", "JP", "JAPON"),
        ("US", "JP", "JAPAN"),
        ("DE", "FR", "FRANCE"),
        ("FR", "DE", "ALLEMAGNE"),
        ("us", "uk", "UNITED KINGDOM"),
        ("FR", "ZZ", "ZZ"),
    ],
)
def test_abroad_the_last_line_is_the_country_alone_in_capitals(sending, country, last):
    address = Address(name="Ann Poe", street1="1 Main St", city="Town", postal_code="12345", country=country)
    assert lines_for(address, sending_country=sending)[-1] == last


def test_an_address_without_country_is_one_of_the_sending_country():
    address = Address(name="Ann Poe", city="Santa Fe", state="NM", postal_code="87501")
    assert lines_for(address, sending_country="US") == ["Ann Poe", "SANTA FE, NM 87501"]


@pytest.mark.parametrize(
    ("missing", "last"),
    [("city", "NM 87501"), ("state", "SANTA FE 87501"), ("postal_code", "SANTA FE, NM")],
)
def test_an_empty_field_leaves_no_comma_behind(missing, last):
    fields = {"city": "Santa Fe", "state": "NM", "postal_code": "87501"} | {missing: ""}
    assert lines_for(Address(name="Ann Poe", **fields), sending_country="US")[-1] == last


def test_a_region_stands_in_for_a_missing_town():
    address = Address(name="Ann Poe", state="Bayern", postal_code="81539", country="DE")
    assert lines_for(address, sending_country="DE")[-1] == "81539 BAYERN"


def test_a_company_named_like_the_person_is_written_once():
    address = Address(name="Ann Poe", company="ANN POE", city="Lyon", postal_code="69007", country="FR")
    assert lines_for(address, sending_country="FR") == ["Ann Poe", "69007 LYON"]


def test_braces_and_format_signs_in_a_field_stay_text():
    address = Address(name="{city}", street1="{0.__class__} %s", city="{state}", state="NM", country="US")
    assert lines_for(address, sending_country="US") == ["{city}", "{0.__class__} %s", "{STATE}, NM"]


def test_an_address_never_shows_a_person_in_its_repr():
    assert "山田" not in repr(NATIVE) + str(NATIVE) + f"{NATIVE}"
