"""The drawn label: its words, its bars, its bytes, and what hostile text does to it (nothing)."""

import hashlib
import io
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from shipments.labels.content import Address, LabelContent, LabelData, redacted_label, shipping_label
from shipments.labels.pdf import draw

pypdf = pytest.importorskip("pypdf", reason="pypdf reads the drawn labels; it comes with requirements-dev.txt")
ROOT = Path(__file__).parents[2]
DOTS_PER_PT = 203 / 72  # a usual label printer
MARKER = "EXPURGÉ (Amazon)"
SENDER = Address(
    name="Atelier Lumière",
    street1="14 rue Neuve",
    city="Lyon",
    postal_code="69007",
    country="FR",
    phone="0472",
)
FRENCH = Address(
    name="Élodie Lefèvre",
    company="Boulangerie Œuf & Miel",
    street1="23 bis chemin du Moulin",
    city="Grenoble",
    postal_code="38000",
    country="FR",
    phone="06 00 00 00 00",
)
JAPANESE = Address(
    name="髙橋 花子",
    company="青空物流",
    street1="丸の内1-9-1",
    city="千代田区",
    state="東京都",
    postal_code="1000005",
    country="JP",
)
DATA = LabelData(
    order_number="902-1234567-1234567",
    shipment_id=48213,
    carrier="Colissimo",
    service="Domicile avec signature",
    tracking_number="6A12345678901",
    ship_date=date(2026, 11, 23),
    ship_to=FRENCH,
    ship_from=SENDER,
    weight_g=1250,
    references=("PO 7781",),
)
REDACTED = redacted_label(
    order_number=DATA.order_number,
    shipment_id=DATA.shipment_id,
    carrier=DATA.carrier,
    service=DATA.service,
    tracking_number=DATA.tracking_number,
    ship_date=DATA.ship_date,
    marker=MARKER,
)
# What is typed, and what of it must be readable on the label ("" where nothing can be).
HOSTILE = [
    ("^XA^FO50,50^FDowned^FS^XZ", "^XA^FO50,50^FDowned^FS^XZ"),
    ("~DGR:X.GRF,1,1,FF", "~DGR:X.GRF,1,1,FF"),
    ("~JR", "~JR"),
    ("\\& ^CC* _5E", "\\& ^CC* _5E"),
    ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ("<b>bold</b><br/>&amp;", "<b>bold</b><br/>&amp;"),
    ('<para><img src="http://x/y"/></para>', '<para><img src="http://x/y"/></para>'),
    (") Tj ET BT (owned", ") Tj ET BT (owned"),
    ("\\) Tj \\(", "\\) Tj \\("),
    ("(((((", "((((("),
    ("endstream endobj", "endstream endobj"),
    ("/JavaScript (app.alert(1))", "/JavaScript (app.alert(1))"),
    ("{{ 7*7 }}{% now %}", "{{ 7*7 }}{% now %}"),
    ("%s%n%x {0}", "%s%n%x {0}"),
    ("$(reboot) `reboot`", "$(reboot) `reboot`"),
    ("'; DROP TABLE labels;--", "'; DROP TABLE labels;--"),
    ("a\x00b\x01c\x1bd", "abcd"),
    ("\x1b[31mred\x07", "[31mred"),
    ("line\r\nTO: someone\velse", "line TO: someone else"),
    ("x\u202egnp.exe\u202c", "xgnp.exe"),
    ("zero\u200bwidth\ufeff", "zerowidth"),
    ("\ud800lone\udfff", "lone"),
    ("שלום עולם", "□□□□ □□□□"),
    ("مرحبا", "□□□□□"),
    ("😀👩\u200d👩\u200d👧", "□□□□"),
    ("𠮷野家", "□野家"),
    ("e\u0301le\u0301gant", "élégant"),
    ("Z̸̧͓a̵͔l̶͉go", "go"),
    ("W" * 5000, "WWWW"),
    ("wide words " * 500, "wide words"),
    ("\n\t \u00a0\u2003", ""),
    ("\x00" * 2000, ""),
]


def page_of(pdf: bytes):
    return pypdf.PdfReader(io.BytesIO(pdf)).pages[0]


def text_of(pdf: bytes) -> str:
    return page_of(pdf).extract_text()


def operations(pdf: bytes):
    return page_of(pdf).get_contents().operations


def text_boxes(pdf: bytes):
    """(left, right, baseline, size) of every piece of text, by the widths the PDF itself holds."""
    fonts = page_of(pdf)["/Resources"]["/Font"]
    x = y = size = 0.0
    widths, first = [], 0
    for operands, operator in operations(pdf):
        if operator == b"Tm":
            x, y = float(operands[4]), float(operands[5])
        elif operator == b"Tf":
            font, size = fonts[operands[0]].get_object(), float(operands[1])
            widths, first = font.get("/Widths", []), font.get("/FirstChar", 0)
        elif operator == b"Tj":
            advance = sum(widths[code - first] for code in operands[0].original_bytes) * size / 1000
            yield x, x + advance, y, size
            x += advance


def rectangles(pdf: bytes):
    """(left, bottom, width, height, grey) of every filled rectangle, in the order of drawing."""
    shift, stack, pending, grey = (0.0, 0.0), [], None, 0.0
    for operands, operator in operations(pdf):
        match operator:
            case b"q":
                stack.append((shift, grey))
            case b"Q":
                shift, grey = stack.pop()
            case b"cm":
                shift = (shift[0] + float(operands[4]), shift[1] + float(operands[5]))
            case b"g":
                grey = float(operands[0])
            case b"re":
                x, y, width, height = map(float, operands)
                pending = (x + shift[0], y + shift[1], width, height)
            case b"f" | b"f*" | b"B" | b"B*" if pending:
                yield *pending, grey
                pending = None


def printed(pdf: bytes):
    """The filled areas as a 203 dpi printer burns them: whole dots, black or white."""
    image_module = pytest.importorskip("PIL.Image", reason="Pillow comes with reportlab")
    draw_module = pytest.importorskip("PIL.ImageDraw", reason="Pillow comes with reportlab")
    width, height = (round(float(side) * DOTS_PER_PT) for side in page_of(pdf).mediabox[2:])
    image = image_module.new("L", (width, height), 255)
    pen = draw_module.Draw(image)
    for x, y, wide, tall, grey in rectangles(pdf):
        left, right = round(x * DOTS_PER_PT), round((x + wide) * DOTS_PER_PT)
        top, bottom = height - round((y + tall) * DOTS_PER_PT), height - round(y * DOTS_PER_PT)
        pen.rectangle((left, top, right - 1, bottom - 1), fill=255 if grey else 0)
    return image


def scanned(image) -> list[str]:
    zxingcpp = pytest.importorskip("zxingcpp", reason="zxing-cpp scans the bars; it is in requirements-dev.txt")
    return [found.text for found in zxingcpp.read_barcodes(image)]


def hostile_label(text: str) -> LabelContent:
    address = Address(*[text] * 9, country="FR", phone=text)
    return shipping_label(
        replace(DATA, ship_to=address, ship_from=address, carrier=text, service=text, order_number=text)
    )


def test_a_label_is_one_page_of_4_by_6_inches():
    reader = pypdf.PdfReader(io.BytesIO(draw(shipping_label(DATA))))
    width, height = (float(side) / 72 * 25.4 for side in reader.pages[0].mediabox[2:])
    assert len(reader.pages) == 1
    assert (width, height) == (pytest.approx(101.6, abs=0.01), pytest.approx(152.4, abs=0.01))


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match="4x6"):
        draw(REDACTED, size="A4")


def test_the_words_of_a_label_can_be_read_back():
    text = text_of(draw(shipping_label(DATA)))
    for words in (
        *(
            "Colissimo",
            "Domicile avec signature",
            "Atelier Lumière",
            "Élodie Lefèvre",
            "Boulangerie Œuf & Miel",
        ),
        *(
            "38000 GRENOBLE",
            "Tel. 06 00 00 00 00",
            "6A12345678901",
            "902-1234567-1234567",
            "2026-11-23",
            "1.25 kg",
        ),
        "PO 7781",
    ):
        assert words in text


def test_a_japanese_label_is_drawn_in_kanji_from_the_postcode_to_the_person():
    text = text_of(draw(shipping_label(replace(DATA, ship_to=JAPANESE, ship_from=JAPANESE))))
    positions = [text.rindex(line) for line in ("〒100-0005", "東京都", "千代田区丸の内1-9-1", "青空物流", "髙橋 花子")]
    assert positions == sorted(positions)
    assert "□" not in text


def test_a_redacted_label_holds_the_marker_and_no_address():
    pdf = draw(REDACTED)
    text = text_of(pdf)
    for words in (
        MARKER,
        "NOT VALID FOR SHIPPING",
        "Colissimo",
        "Domicile",
        "6A12345678901",
        DATA.order_number,
    ):
        assert words in text
    for field in (*vars(FRENCH).values(), *vars(SENDER).values()):
        assert not field or field == "FR" or field.casefold() not in text.casefold()


def test_a_redacted_label_has_no_black_header_to_be_taken_for_postage():
    def tallest_black_area(content):
        return max(wide for _, _, wide, _, grey in rectangles(draw(content)) if grey == 0)

    assert tallest_black_area(shipping_label(DATA)) > 200
    assert tallest_black_area(REDACTED) < 20


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("typed", "readable"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_drawn_as_text_and_stays_on_the_label(typed, readable):
    pdf = draw(hostile_label(typed))
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    assert len(reader.pages) == 1
    assert "/Annots" not in reader.pages[0]
    assert not {"/OpenAction", "/AA", "/Names"} & set(reader.trailer["/Root"])
    assert all(x > 0 and right < 288 and 0 < y < 432 for x, right, y, _ in text_boxes(pdf))
    text = reader.pages[0].extract_text()
    assert not [sign for sign in text if sign != "\n" and not sign.isprintable()]
    assert readable in " ".join(text.split())
    assert scanned(printed(pdf)) == [DATA.tracking_number]


def test_the_last_lines_of_an_absurdly_long_address_are_still_there():
    address = replace(FRENCH, **dict.fromkeys(("name", "company", "street1", "street2", "street3"), "Ⅷ瓶 word " * 90))
    pdf = draw(shipping_label(replace(DATA, ship_to=replace(address, country="JP", city="Osaka"))))
    assert "JAPON" in text_of(pdf)
    assert all(size > 5 for *_, size in text_boxes(pdf))


def test_recipients_are_printed_larger_than_senders():
    sizes = {round(y): size for _, _, y, size in text_boxes(draw(shipping_label(DATA)))}
    below_header = [size for y, size in sorted(sizes.items(), reverse=True) if 200 < y < 360]
    assert max(below_header) >= 14


def test_the_same_content_gives_the_same_bytes_in_any_process_and_without_django():
    script = (
        "import hashlib, sys; from tests.shipments.test_label_pdf import *;"
        "print('django' in sys.modules, hashlib.sha256(draw(shipping_label(DATA))).hexdigest())"
    )
    expected = f"False {hashlib.sha256(draw(shipping_label(DATA))).hexdigest()}"
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert run.stdout.strip() == expected, run.stderr


def test_threads_drawing_at_once_do_not_mix_their_glyphs():
    contents = [shipping_label(replace(DATA, ship_to=who)) for who in (FRENCH, JAPANESE, SENDER)] * 4
    alone = [draw(content) for content in contents]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # change threads between almost any two steps
    try:
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(draw, contents))
    finally:
        sys.setswitchinterval(usual)
    assert together == alone


def test_the_metadata_name_the_shipment_and_no_person():
    metadata = pypdf.PdfReader(io.BytesIO(draw(shipping_label(DATA)))).metadata
    assert metadata.title == "48213"
    assert not metadata.author and not metadata.creator and not metadata.subject
    assert "Lefèvre" not in str(metadata)


def test_the_font_is_embedded_as_a_subset():
    fonts = page_of(draw(shipping_label(DATA)))["/Resources"]["/Font"]
    used = [font.get_object() for font in fonts.values()]
    embedded = [font for font in used if "/FontFile2" in font.get("/FontDescriptor", {})]
    assert embedded and all("+BIZUDPGothic" in font["/BaseFont"] for font in embedded)
    assert len(draw(shipping_label(DATA))) < 60_000


@pytest.mark.parametrize(
    "number",
    ["9400111899223100001234", "1Z999AA10123456784", "902-1234567-1234567", "A1B2C3D4E5F6G7H8I9J0K1L2"],
)
def test_a_scanner_reads_the_tracking_number_from_a_203_dpi_print(number):
    assert scanned(printed(draw(shipping_label(replace(DATA, tracking_number=number))))) == [number]


def test_a_scanner_reads_only_the_shipment_id_from_a_redacted_print():
    assert scanned(printed(draw(REDACTED))) == ["48213"]


@pytest.mark.parametrize("content", [shipping_label(DATA), REDACTED], ids=["shipping", "redacted"])
def test_a_scanner_reads_the_page_as_a_viewer_renders_it(content, tmp_path):
    if not shutil.which("pdftoppm"):
        pytest.skip("pdftoppm (Debian: poppler-utils) is not installed; the 203 dpi tests cover the bars")
    image_module = pytest.importorskip("PIL.Image", reason="Pillow comes with reportlab")
    (tmp_path / "48213.pdf").write_bytes(draw(content))
    command = ["pdftoppm", "-r", "203", "-png", "-singlefile", "48213.pdf", "48213"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=30)
    assert scanned(image_module.open(tmp_path / "48213.png").convert("L")) == [content.barcode]
