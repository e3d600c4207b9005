"""What goes into a bar code comes out of a scanner, or is refused."""

import string

import pytest
from reportlab.pdfgen.canvas import Canvas

from shipments.labels.barcodes import BarcodeRefused, code128, code128_payload, count_modules, module_mm

VISIBLE = string.ascii_letters + string.digits + string.punctuation


@pytest.mark.parametrize(
    ("typed", "payload"),
    [
        ("1Z 999 AA1 01 2345 6784", "1Z999AA10123456784"),
        ("\t902-1234567-1234567\r\n", "902-1234567-1234567"),
        ("１２３４－５６７８", "1234-5678"),  # full-width, as a Japanese keyboard types
        ("12\u200b34\ufeff", "1234"),
        ("a~!B", "a~!B"),
    ],
)
def test_spaces_go_and_wide_forms_are_folded(typed, payload):
    assert code128_payload(typed) == payload


@pytest.mark.parametrize("typed", ["12é4", "12\x0034", "番号", "😀", "\xf1123", "12\ud800", "12–34"])
def test_what_code_128_lacks_is_refused_instead_of_dropped(typed):
    with pytest.raises(BarcodeRefused, match="cannot stand in a bar code"):
        code128_payload(typed)


@pytest.mark.parametrize("typed", ["", "  ", "\u200b"])
def test_an_empty_number_is_refused(typed):
    with pytest.raises(BarcodeRefused, match="nothing"):
        code128_payload(typed)


@pytest.mark.parametrize("typed", ["A" * 33, "A1" * 50_000])
def test_a_number_too_long_for_the_label_is_refused(typed):
    with pytest.raises(BarcodeRefused, match="wider|too many"):
        code128_payload(typed)


def test_a_refusal_is_a_value_error_and_does_not_repeat_the_text():
    with pytest.raises(ValueError) as refusal:
        code128_payload("Jean-Dupont-é")
    assert "Dupont" not in str(refusal.value)


def test_bars_are_whole_dots_of_a_203_dpi_printer_and_as_wide_as_fits():
    assert module_mm("9400111899223100001234") == 0.5
    assert module_mm("902-1234567-1234567") == 0.375
    assert module_mm("A1B2C3D4E5F6G7H8I9J0K1L2") == 0.25


def test_ten_modules_on_either_side_stay_blank():
    bars = code128("XY123456789FR", height_mm=18)
    module = bars.barWidth
    assert bars.width == pytest.approx((count_modules("XY123456789FR") + 20) * module)


@pytest.mark.parametrize("start", range(0, len(VISIBLE), 16))
def test_every_visible_ascii_sign_is_encoded(start):
    chunk = VISIBLE[start : start + 16]
    assert code128_payload(chunk) == chunk
    bars = code128(chunk, height_mm=18)
    bars.drawOn(Canvas(None), 0, 0)
    assert bars.validated == chunk
