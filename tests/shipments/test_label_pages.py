"""Pages made of pages: A4 at true size, VOID across, pictures, and documents of others."""

import io

import pytest
from PIL import Image, ImageChops
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import DictionaryObject, Fit, NameObject, RectangleObject, TextStringObject
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from shipments.labels import pages
from shipments.labels.content import shipping_label
from shipments.labels.pdf import draw
from tests.shipments.rendering import rendered
from tests.shipments.test_label_pdf import DATA, REDACTED, scanned

LABEL = draw(shipping_label(DATA))
A4 = (pytest.approx(595.28, abs=0.1), pytest.approx(841.89, abs=0.1))


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def sizes(pdf: bytes) -> list[tuple[float, float]]:
    return [tuple(map(float, page.mediabox[2:])) for page in PdfReader(io.BytesIO(pdf)).pages]


def other(width=288.0, height=432.0, text="Bought") -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(width, height))
    canvas.drawString(20, 20, text)
    canvas.save()
    return buffer.getvalue()


def test_a_label_on_a4_stands_at_the_top_left_in_its_true_size_with_cut_marks():
    page = rendered(pages.rebound(LABEL, title="1", paper="a4"), dpi=254)  # ten dots a millimetre
    black = page.point(lambda grey: 255 if grey < 128 else 0)
    assert scanned(page) == [DATA.tracking_number]
    kept = black.crop((101, 101, 100 + 1015, 100 + 1523))  # 10 mm from the corner, 101.6 × 152.4 mm
    left, top, right, bottom = kept.getbbox()
    assert (left, top) == (pytest.approx(40, abs=3), pytest.approx(40, abs=3))  # the label's own margin of 4 mm
    assert right == pytest.approx(1016 - 41, abs=4)
    marks = Image.new("L", black.size)
    marks.paste(black)
    marks.paste(0, (101, 101, 100 + 1015, 100 + 1523))
    assert marks.getbbox() == tuple(pytest.approx(edge, abs=3) for edge in (36, 36, 1180, 1688))  # all that is outside


def test_a_label_on_a4_holds_the_same_words():
    assert sorted(text_of(pages.rebound(LABEL, title="1", paper="a4")).split()) == sorted(text_of(LABEL).split())
    assert sizes(pages.rebound(LABEL, title="1", paper="a4")) == [A4]


def test_void_lies_across_each_page_and_what_is_below_stays():
    binder = pages.Binder(title="labels")
    binder.add(LABEL, void=True)
    binder.add(LABEL)
    binder.add(other(), void=True)
    first, second, third = (page.extract_text() for page in PdfReader(io.BytesIO(binder.done())).pages)
    assert "VOID" in first and "Grenoble".upper() in first
    assert "VOID" not in second
    assert "VOID" in third and "Bought" in third
    dark = sum(grey < 128 for grey in rendered(pages.rebound(LABEL, title="1", void=True)).get_flattened_data())
    assert dark > 1.05 * sum(grey < 128 for grey in rendered(LABEL).get_flattened_data())


@pytest.mark.parametrize("paper", pages.PAPERS)
def test_pages_of_any_size_stay_whole(paper):
    for width, height in ((288, 432), (595, 842), (842, 595), (2000, 3000), (100, 100)):
        made = pages.rebound(other(width, height), title="1", paper=paper)
        assert "Bought" in text_of(made)
        assert sizes(made) == [A4 if paper == "a4" else (pytest.approx(width, abs=0.1), pytest.approx(height, abs=0.1))]
        assert rendered(made).point(lambda grey: 255 if grey < 128 else 0).getbbox()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_page_that_is_turned_comes_as_it_is_seen(degrees):
    writer = PdfWriter(clone_from=io.BytesIO(LABEL))
    writer.pages[0].rotate(degrees)
    buffer = io.BytesIO()
    writer.write(buffer)
    made = pages.rebound(buffer.getvalue(), title="1")
    seen, wanted = rendered(made, dpi=72), rendered(buffer.getvalue(), dpi=72)
    assert seen.size == wanted.size
    assert max(ImageChops.difference(seen, wanted).resize((29, 29)).get_flattened_data()) < 60  # the same picture
    assert scanned(rendered(made)) == [DATA.tracking_number]


def test_a_box_that_does_not_begin_at_nought_is_moved_there():
    writer = PdfWriter(clone_from=io.BytesIO(other()))
    writer.pages[0].cropbox = RectangleObject((10, 10, 200, 200))
    buffer = io.BytesIO()
    writer.write(buffer)
    made = pages.rebound(buffer.getvalue(), title="1")
    assert sizes(made) == [(pytest.approx(190, abs=0.1), pytest.approx(190, abs=0.1))]
    assert rendered(made).point(lambda grey: 255 if grey < 128 else 0).getbbox()


def test_nothing_of_a_document_of_others_comes_along_but_what_is_drawn():
    writer = PdfWriter(clone_from=io.BytesIO(other()))
    script = DictionaryObject()
    script[NameObject("/S")], script[NameObject("/JS")] = NameObject("/JavaScript"), TextStringObject("owned()")
    writer.root_object[NameObject("/OpenAction")] = script
    writer.add_attachment("evil.exe", b"MZ")
    writer.add_annotation(0, Link(rect=(0, 0, 50, 50), url="https://evil.example/"))
    writer.add_annotation(0, Link(rect=(0, 0, 50, 50), target_page_index=0, fit=Fit.fit()))
    writer.add_metadata({"/Author": "Ada Example"})
    buffer = io.BytesIO()
    writer.write(buffer)
    assert b"/JavaScript" in buffer.getvalue()
    made = pages.rebound(buffer.getvalue(), title="48213")
    for word in (b"/JavaScript", b"/JS", b"/OpenAction", b"/Annots", b"/URI", b"/EmbeddedFile", b"evil", b"Ada"):
        assert word not in made
    assert PdfReader(io.BytesIO(made)).metadata.title == "48213" and "Bought" in text_of(made)


@pytest.mark.parametrize("broken", [b"", b"%PDF-1.4\n", b"not a PDF", LABEL[:400], b"\x89PNG\r\n", LABEL[:-600]])
def test_what_cannot_be_read_is_refused_without_a_word_of_it(broken):
    binder = pages.Binder(title="labels")
    binder.add(LABEL)
    try:
        binder.add(broken)
    except pages.PageRefused as error:
        assert not str(error)
        assert len(sizes(binder.done())) == 1
    else:  # pypdf mends some
        assert "GRENOBLE" in text_of(binder.done())


def test_paper_nobody_has_is_refused():
    with pytest.raises(ValueError, match="4x6, a4"):
        pages.Binder(paper="letter", title="labels")


def test_a_picture_fills_a_label_as_far_as_its_shape_allows():
    buffer = io.BytesIO()
    Image.new("L", (812, 1218), 0).save(buffer, "PNG")
    made = pages.of_picture(buffer.getvalue(), title="1")
    assert sizes(made) == [(pytest.approx(101.6 * mm, abs=0.1), pytest.approx(152.4 * mm, abs=0.1))]
    assert max(rendered(made, dpi=72).get_flattened_data()) < 30
    with pytest.raises(pages.PageRefused):
        pages.of_picture(b"\x89PNG\r\n no picture", title="1")


def test_a_thousand_labels_share_one_void_and_stay_small():
    binder = pages.Binder(title="labels")
    for _ in range(50):
        binder.add(draw(REDACTED), void=True)
    made = binder.done()
    assert len(sizes(made)) == 50
    assert len(made) < 50 * 25_000
