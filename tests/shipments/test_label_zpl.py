"""Labels for label printers: their words, their bars, and what hostile text does to a printer (nothing). B34."""

from dataclasses import astuple, replace

import pytest

from shipments.labels import zpl
from shipments.labels.addresses import clean
from shipments.labels.content import Address, shipping_label
from shipments.labels.drawing import drawable
from shipments.labels.zpl import SIZES, draw, struck
from tests.shipments import zplreader
from tests.shipments.test_label_pdf import DATA, FRENCH, HOSTILE, JAPANESE, REDACTED, SENDER, hostile_label, scanned

LABEL = shipping_label(DATA)
# What is typed, and what of it must be readable on the label; on top of those of the PDF.
FOR_PRINTERS = [
    ("^XZ^XA^PQ99^FDagain^FS^XZ", "^XZ^XA^PQ99^FDagain^FS^XZ"),
    ("Ada^FS^FO0,0^GFA,8,8,1,FF", "Ada^FS^FO0,0^GFA,8,8,1,FF"),
    ("~JA", "~JA"),
    ("~DYR:X,P,P,9,,FF", "~DYR:X,P,P,9,,FF"),
    ("^IDR:*.*^FS", "^IDR:*.*^FS"),
    ("^FH_^FD_5EXZ", "^FH_^FD_5EXZ"),
    ("_5EXA_7EJR", "_5EXA_7EJR"),
    ("_", "_"),
    ("\\&\\\\&", "\\&\\\\&"),
    (">8>:>;>9>0", ">8>:>;>9>0"),
    ("^CC+^CT+^CD;", "^CC+^CT+^CD;"),
    ("\x02\x03^XA\x10\x1b%-12345X", "^XA%-12345X"),
    ("a\r\n^XZ\r\nb", "a ^XZ b"),
    ("a\u2028^XZ\u0085b", "a ^XZ b"),
    ("\u00ad\u200e\u202e^XA", "^XA"),
    ("～ＪＲ ＾ＸＡ", ""),  # full-width twins: drawn by us, as they are
    ("ç_C3^é~", "ç_C3^é~"),
    ("^FN1^FS^DFR:A.ZPL", "^FN1^FS^DFR:A.ZPL"),
    ("$%&/()=?`´", "$%&/()=?`´"),
    ("^SN001,1,Y", "^SN001,1,Y"),
    ("^HH~HI~HS", "^HH~HI~HS"),
    ("~" * 400, "~~~~"),
]


def words(label: bytes) -> list[str]:
    return [field.value for field in zplreader.fields_of(label) if field.kind == "text"]


def kinds(label: bytes) -> list[str]:
    """What stands on the label in its order, rows of text as one; a bitmap is a text in our own font."""
    told = ["text" if field.kind == "bitmap" else field.kind for field in zplreader.fields_of(label)]
    return [kind for number, kind in enumerate(told) if number == 0 or kind != told[number - 1] or kind != "text"]


def test_the_words_of_a_label_for_printers_are_those_of_its_pdf():
    text = "\n".join(words(draw(LABEL)))
    for word in ("Colissimo", "Domicile avec signature", "Atelier Lumière", "Élodie Lefèvre", "38000 GRENOBLE",
                 "Tel. 06 00 00 00 00", "6A12345678901", "902-1234567-1234567", "2026-11-23", "1.25 kg", "PO 7781"):  # fmt: skip
        assert word in text


@pytest.mark.parametrize("dpi", SIZES)
def test_the_label_is_of_the_printers_size_and_its_bars_are_read_back(dpi):
    label = draw(LABEL, dpi=dpi)
    assert zplreader.size_of(label) == {203: (812, 1218), 300: (1200, 1800)}[dpi]
    assert scanned(zplreader.printed(label)) == [DATA.tracking_number]


@pytest.mark.parametrize("number", ["9400111899223100001234", "1Z999AA10123456784", "A1B2C3D4E5F6G7H8I9J0K1L2"])
@pytest.mark.parametrize("dpi", SIZES)
def test_bars_with_their_quiet_zones_stay_on_the_label(number, dpi):
    label = draw(shipping_label(replace(DATA, tracking_number=number)), dpi=dpi)
    (bars,) = [field for field in zplreader.fields_of(label) if field.kind == "bars"]
    module, _high, payload = bars.value
    wide = sum(zplreader._runs(payload)) * module
    quiet = 10 * module
    assert payload == number and bars.x >= quiet and bars.x + wide + quiet <= zplreader.size_of(label)[0]
    assert module / dpi * 25.4 >= 0.24  # thinner bars do not print cleanly
    assert scanned(zplreader.printed(label)) == [number]


def test_a_resolution_nobody_has_is_refused():
    with pytest.raises(ValueError, match="203, 300"):
        draw(LABEL, dpi=600)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("dpi", SIZES)
@pytest.mark.parametrize(("typed", "readable"), HOSTILE + FOR_PRINTERS, ids=range(len(HOSTILE) + len(FOR_PRINTERS)))
def test_b34_hostile_text_is_one_label_of_texts_and_no_command(typed, readable, dpi):
    """fields_of() refuses whatever is not one of our commands in our order, so parsing it is the proof."""
    label = draw(hostile_label(typed), dpi=dpi)
    fields = zplreader.fields_of(label)
    plain = [kind for kind in kinds(label) if kind != "text"]
    assert plain == ["box", "box", "box", "bars", "box"]  # header, rules, bars: as on any label
    wide, high = zplreader.size_of(label)
    assert all(field.x < wide and field.y < high for field in fields)
    assert len(label) < 900_000 and len(fields) < 60
    if all(sign in zpl.PLAIN for sign in drawable(clean(typed))):  # else it is a picture
        assert readable.replace(" ", "") in "".join(words(label)).replace(" ", "")
    assert scanned(zplreader.printed(label)) == [DATA.tracking_number]


def test_b34_what_no_caller_sends_is_left_out_all_the_same():
    """The last line of defence, without the cleaning that comes before it."""
    told = zpl._data("".join(map(chr, range(0x3000))) + "^XA~JR\\_" + "x" * 999)
    assert not set(told) & set("^~\\\r\n\0\x1b")
    assert zplreader.decoded(told).startswith(" !\"#$%&'()*+,-./0123456789")
    assert zpl._data("^ ~ _ \\ é") == "_5E _7E _5F _5C _C3_A9"


def test_bar_code_data_escapes_the_sign_that_starts_functions():
    label = draw(replace(LABEL, barcode="A>8>:_1^~"))
    assert b">08>0:_5F1_5E_7E^FS" in label
    (bars,) = [field for field in zplreader.fields_of(label) if field.kind == "bars"]
    assert bars.value[2] == "A>8>:_1^~"


def test_kanji_are_sent_as_a_picture_because_printers_have_none():
    label = draw(shipping_label(replace(DATA, ship_to=JAPANESE, ship_from=SENDER)))
    pictures = [field for field in zplreader.fields_of(label) if field.kind == "bitmap"]
    assert len(pictures) == 5  # the address; JAPON stays text
    assert all(any(field.value[1]) for field in pictures)
    assert label.isascii() and "橋".encode() not in label
    assert scanned(zplreader.printed(label)) == [DATA.tracking_number]


def test_one_sign_beyond_latin_1_makes_its_line_a_picture_and_no_other():
    address = replace(FRENCH, company="Œuf")
    label = draw(shipping_label(replace(DATA, ship_to=address)))
    assert "Élodie Lefèvre" in words(label) and not [text for text in words(label) if "uf" in text]
    assert [field.kind for field in zplreader.fields_of(label)].count("bitmap") == 1


def test_the_stand_in_has_no_black_header_no_address_and_only_the_shipments_bars():
    label = draw(REDACTED)
    text = "\n".join(words(label))
    for word in ("EXPURGÉ (Amazon)", "NOT VALID FOR SHIPPING", "Colissimo", "6A12345678901"):
        assert word in text
    assert not [
        part for part in (*astuple(FRENCH), *astuple(SENDER)) if len(part) > 2 and part.casefold() in text.casefold()
    ]
    header = next(field for field in zplreader.fields_of(label) if field.kind == "box")
    assert int(header.value[2]) < 10  # a frame
    assert scanned(zplreader.printed(label)) == ["48213"]


def test_a_void_label_says_so_across():
    assert "VOID" not in words(draw(LABEL))
    fields = zplreader.fields_of(draw(LABEL, void=True))
    assert fields[-1].value == "VOID" and fields[-1].size > 200


def test_void_is_written_into_a_label_others_drew():
    bought = b"^XA^FO10,10^FDx^FS^XZ^XA^FO20,20^FDy^FS^XZ\n"
    told = struck(bought)
    assert told.count(b"VOID") == 1 and told.startswith(b"^XA^FO10,10^FDx^FS^XZ^XA^FO20,20^FDy^FS^FO")
    assert told.endswith(b"^FDVOID^FS^XZ\n")
    with pytest.raises(ValueError, match="no end"):
        struck(b"no label")


def test_the_same_content_gives_the_same_bytes():
    assert draw(LABEL) == draw(shipping_label(DATA))


def test_a_long_address_is_shortened_and_keeps_its_last_line():
    address = Address(*["word " * 40] * 8, country="JP", phone="1" * 300)
    label = draw(shipping_label(replace(DATA, ship_to=address)))
    assert "JAPON" in words(label)
    right = zplreader.size_of(label)[0]
    assert all(field.x + zplreader._face(field.size).getlength(field.value) <= right + 2
               for field in zplreader.fields_of(label) if field.kind == "text")  # fmt: skip
