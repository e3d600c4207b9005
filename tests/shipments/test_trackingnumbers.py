"""Check digits against numbers the carriers published, and that a slip of the finger is seen where the rule promises it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipments import carriers
from shipments.trackingnumbers import ALPHABET, RULES, doubts, tidy
from tests.shipments.numbers import ups

GOOD = [
    ("usps", "9505 5110 6960 5048 6006 24"), ("usps", "9400 1112 0108 0805 4830 16"), ("usps", "92748931507708513018050063"),
    ("usps_intl", "RA123456785US"), ("ups", "1Z999AA10123456784"), ("ups", "1z 999 aa1 01 2345 6784"),
    ("fedex", "986578788855"), ("fedex", "477179081230"), ("fedex", "799531274483"), ("fedex", "0414 4176 0228 964"),
    ("fedex", "5682 8361 0012 734"), ("fedex", "9611020987654312345672"), ("dhl_express", "3318810025"),
    ("dhl_express", "73891051146"), ("dhl_express", "8487135506"), ("dhl_express", "JJD0099999999"),
    ("dhl_express", "JVGL0999999990"), ("dhl_ecommerce", "GM295117494011169042"), ("canada_post", "0073938000549297"),
    ("purolator", "320595463938"), ("purolator", "287809468872"), ("purolator", "331426749957"), ("purolator", "KYV009956937"),
    ("royal_mail", "AB123456785GB"), ("yamato", "4444-1375-8703"), ("japan_post", "4055-4842-4886"), ("sagawa", "512547514334"),
    ("dpd_de", "01505012345678"), ("dpd", "01505012345678N"), ("dhl_paket", "340434161094"), ("evri", "H00AAA0000000000"),
    ("mondial_relay", "12345678"), ("yunexpress", "YT2000000000000000"), ("amazon_shipping", "TBA123456789012"),
]  # fmt: skip
WRONG_DIGIT = [
    ("usps", "9505511069605048600625"), ("usps_intl", "RA123456786US"), ("ups", "1Z999AA10123456783"),
    ("fedex", "996578788855"), ("fedex", "568283610012732"), ("fedex", "9611020987654312345673"),
    ("dhl_express", "3318810034"), ("canada_post", "0073938000549292"), ("purolator", "320595463939"),
    ("purolator", "287809468875"), ("royal_mail", "AB123456786GB"), ("yamato", "444413758704"), ("sagawa", "512547514335"),
    ("japan_post", "405548424885"), ("dpd", "01505012345678M"), ("hermes_de", "12345678901232"),
]  # fmt: skip
OTHERS = [
    ("ups", "9405803699300124287899"), ("fedex", "1Z999AA10123456784"), ("usps", "AB123456785GB"), ("royal_mail", "1L1"),
    ("yamato", "1234567890"), ("mondial_relay", "1234567"), ("usps_intl", "RA123456785GB"), ("evri", "123"),
]  # fmt: skip
NO_RULE = [
    ("Bob's Bikes", "x"), ("seino", "1234567890"), ("colissimo", "6A12345678901"), ("gls", "nothing like it"),
    ("asendia", "12"), ("4px", "12"), ("colis_prive", "12"), ("other", "12"), ("ups", ""), ("ups", " - "),
]  # fmt: skip


@pytest.mark.parametrize(("code", "number"), GOOD)
def test_f44_a_number_as_its_carrier_makes_them_raises_no_doubt(code, number):
    assert doubts(code, number) == ""


@pytest.mark.parametrize(("code", "number"), WRONG_DIGIT)
def test_f44_a_wrong_check_digit_is_told(code, number):
    assert f"This {carriers.in_table(code).name} number has a wrong check digit" in doubts(code, number)


@pytest.mark.parametrize(("code", "number"), OTHERS)
def test_f44_a_number_of_another_shape_is_told_with_an_example(code, number):
    carrier = carriers.in_table(code)
    assert f"tracking number of {carrier.name}, such as {carrier.example}." in doubts(code, number)


@pytest.mark.parametrize(("code", "number"), NO_RULE)
def test_f44_where_nothing_is_known_for_sure_nothing_is_said(code, number):
    assert doubts(code, number) == ""


def test_every_carrier_that_may_warn_has_an_example_that_raises_no_doubt():
    assert [one.code for one in carriers.ALL if one.complete and not one.example] == []
    assert [one.code for one in carriers.ALL if one.example and doubts(one.code, one.example)] == []


@pytest.mark.parametrize(
    ("scanned", "kept"),
    [
        ("420221539101026837331000039521", "9101026837331000039521"),
        ("4201002334249200190132607600833457", "9200190132607600833457"),
        ("4201028200009261290113185417468510", "9261290113185417468510"),
        ("420 10282 92748931507708513018050063", "92748931507708513018050063"),
        ("420221539101026837331000039522", "9101026837331000039522"),  # the ZIP code goes even from a wrong number
        ("9505511069605048600624", "9505511069605048600624"),
        ("42022153", "42022153"),
    ],
)
def test_the_buyers_zip_code_that_a_scanner_reads_is_no_part_of_the_number(scanned, kept):
    assert tidy("usps", scanned) == kept
    assert tidy("ups", scanned) == scanned.replace(" ", "")


def test_iso_7064_agrees_with_published_dpd_bar_codes():
    assert RULES["g"]("008182709980000020033350276") == "C"
    assert RULES["g"]("008182709980000020045327276") == "N"


# ---- one changed sign

digits = st.text("0123456789", min_size=8, max_size=24)


def _changed(body: str, place: int, sign: str) -> str:
    place %= len(body)
    return body[:place] + sign + body[place + 1 :]


@pytest.mark.parametrize("rule", ["a", "f"])
@settings(max_examples=200, deadline=None)
@given(body=digits, place=st.integers(0, 23), sign=st.sampled_from("0123456789"))
def test_one_changed_digit_always_changes_the_check_digit(rule, body, place, sign):
    other = _changed(body, place, sign)
    assert (RULES[rule](other) == RULES[rule](body)) == (other == body)


@settings(max_examples=300, deadline=None)
@given(body=st.text("0123456789", min_size=8, max_size=8), place=st.integers(0, 7), sign=st.sampled_from("0123456789"))
def test_s10_sees_one_changed_digit(body, place, sign):
    """The remainders 10 and 11 are written as 0 and 5, which two other remainders use too: there alone it is blind."""
    other = _changed(body, place, sign)
    if other != body and RULES["c"](other) == RULES["c"](body):
        assert RULES["c"](body) in {"0", "5"}


@settings(max_examples=200, deadline=None)
@given(body=st.text(ALPHABET, min_size=14, max_size=14), place=st.integers(0, 13), sign=st.sampled_from(ALPHABET))
def test_dpd_sees_one_changed_sign(body, place, sign):
    other = _changed(body, place, sign)
    assert (RULES["g"](other) == RULES["g"](body)) == (other == body)


@settings(max_examples=200, deadline=None)
@given(serial=st.integers(0, 999_999_999), place=st.integers(8, 16), sign=st.sampled_from("0123456789"))
def test_ups_sees_a_changed_digit_at_odd_places_and_all_but_fives_at_even_ones(serial, place, sign):
    number = ups(serial)
    assert doubts("ups", number) == ""
    other = number[:place] + sign + number[place + 1 :]
    slip = abs(int(sign) - int(number[place]))
    assert bool(doubts("ups", other)) == (slip not in ((0, 5) if place % 2 else (0,)))


@settings(max_examples=200, deadline=None)
@given(
    body=st.text("0123456789", min_size=11, max_size=11), place=st.integers(0, 10), sign=st.sampled_from("0123456789")
)
def test_seven_sees_every_changed_digit_but_one_that_differs_by_seven(body, place, sign):
    slip = abs(int(sign) - int(body[place]))
    other = _changed(body, place, sign)
    assert (RULES["d"](other) == RULES["d"](body)) == (slip in {0, 7})


@settings(max_examples=300, deadline=None)
@given(code=st.sampled_from([one.code for one in carriers.ALL]), number=st.text(max_size=45))
def test_whatever_is_typed_gets_an_answer(code, number):
    assert isinstance(doubts(code, number), str)
