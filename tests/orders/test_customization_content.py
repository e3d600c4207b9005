"""SP §13: the tree first, the flat list as fallback; texts stay data."""

import json

import pytest

from orders.customization.content import MOST_VALUE, clean, entries_of
from tests.orders.wishes import image, text, tree


def _told(document) -> list[tuple[str, str, str, str]]:
    return [(e["label"], e["kind"], e["value"], e["image"]) for e in entries_of(document)]


FULL_TREE = {
    "customizationData": {
        "type": "PageContainerCustomization",
        "children": [
            {
                "type": "PreviewContainerCustomization", "label": "Front", "snapshot": {"imageName": "preview.jpg"},
                "baseImage": {"imageUrl": "https://m.media-amazon.com/x.jpg"},
                "children": [
                    {"type": "FlatContainerCustomization", "children": [
                        {"type": "FontCustomization", "label": "Font", "fontSelection": {"family": "Lora", "fontUrl": "x"}},
                        {"type": "ColorCustomization", "label": "Ink", "colorSelection": {"name": "Black", "value": "#000"}},
                        {"type": "PlacementContainerCustomization", "name": "Line 1", "children": [text("Ada", "Line 1")]},
                        {"type": "TextCustomization", "label": "Line 2", "inputValue": ""},
                        image("up.png", "Photo"),
                    ]},
                ],
            },
            {"type": "FlatRatePriceDeltaContainerCustomization", "children": [
                {"type": "OptionCustomization", "label": "Size", "displayValue": "Large",
                 "optionSelection": {"name": "l", "label": "L", "additionalCost": {"amount": 2}}},
                {"type": "OptionCustomization", "name": "Wood", "optionSelection": {"name": "Oak"}},
            ]},
        ],
    }
}  # fmt: skip


def test_every_leaf_of_the_tree_is_told_in_the_order_of_the_form():
    assert _told(FULL_TREE) == [
        ("Front", "image", "", "preview.jpg"),
        ("Font", "font", "Lora", ""),
        ("Ink", "colour", "Black (#000)", ""),
        ("Line 1", "text", "Ada", ""),
        ("Photo", "image", "me.png", "up.png"),
        ("Size", "option", "Large", ""),
        ("Wood", "option", "Oak", ""),
    ]


AREAS = [
    {"customizationType": "TextPrinting", "label": "Line 1", "text": "Ada", "fontFamily": "Lora", "colorName": "Black",
     "fill": "#000", "Dimensions": {}, "Position": {}},
    {"customizationType": "ImagePrinting", "label": "Line 2", "svgImage": "moved.svg"},
    {"customizationType": "Options", "label": "Size", "optionValue": "Large", "optionImage": "x.jpg"},
    {"customizationType": "Unheard of", "label": "x"},
]  # fmt: skip
FLAT = {"surfaces": [{"name": "Surface 1", "areas": AREAS}]}


@pytest.mark.parametrize(
    "document", [{"customizationInfo": {"version3.0": FLAT}}, {"version3.0": {"customizationInfo": FLAT}}]
)
def test_without_a_tree_the_flat_list_is_read_whichever_way_it_is_nested(document):
    expected = [
        ("Line 1", "text", "Ada", ""), ("Line 1", "font", "Lora", ""), ("Line 1", "colour", "Black (#000)", ""),
        ("Size", "option", "Large", ""),
    ]  # fmt: skip
    assert _told(document) == expected
    assert _told(document | {"customizationData": {"type": "PageContainerCustomization", "children": []}}) == expected


def test_a_text_that_only_one_of_the_two_still_has_is_told():
    flat_lost = tree(text("Ada", "Line 1"), text("Bob", "Line 2")) | {"customizationInfo": {"version3.0": FLAT}}
    assert [row[2] for row in _told(flat_lost)] == ["Ada", "Bob", "Large"]
    tree_lost = tree(text("Bob", "Line 2")) | {"customizationInfo": {"version3.0": FLAT}}
    assert [row[2] for row in _told(tree_lost)] == ["Bob", "Ada", "Large"]


def test_two_lines_with_the_same_text_are_two_lines():
    assert _told(tree(text("Ada", "Line"), text("Ada", "Line"))) == [("Line", "text", "Ada", "")] * 2


@pytest.mark.parametrize(
    "document",
    [
        {}, [], [1, 2], {"customizationData": None}, {"customizationData": "x"}, {"customizationData": {"children": {}}},
        {"customizationData": {"children": [None, 1, "x", []]}}, {"customizationInfo": {"version3.0": []}},
        {"customizationInfo": {"version3.0": {"surfaces": [1, {"areas": "x"}]}}},
        tree({"type": "TextCustomization", "inputValue": {"a": 1}}), tree({"type": ["TextCustomization"]}),
        tree({"type": "ImageCustomization", "image": "x"}), tree({"type": "ColorCustomization", "colorSelection": 5}),
        tree(text("\x00\x01")), tree({"type": "TextCustomization", "inputValue": True}),
    ],
)  # fmt: skip
def test_another_shape_is_nothing_and_no_error(document):
    assert entries_of(document) == []


HOSTILE_TEXTS = [
    "<script>alert(1)</script>", "{{ 7*7 }}", "{% load x %}", "%(name)s %s {0}", "=HYPERLINK(\"x\")", "' OR 1=1 --",
    "../../etc/passwd", "javascript:alert(1)", "&lt;b&gt;", "名入れ 🎂👩‍👩‍👧", "Zoë ‹Ünï›", "a\nb",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE_TEXTS)
def test_a_text_is_kept_as_it_was_written(value):
    assert _told(tree(text(value, value))) == [(value, "text", value, "")]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a\x00b\x1b[31m\x7f", "ab[31m"),
        ("a\tb\x0bc\x85d", "a b c d"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("\u2066a\u2069\u200e", "a"),
        ("\ud83d broken", "\ufffd broken"),
        ("x" * 9000, "x" * MOST_VALUE),
        (12, "12"),
        (None, ""),
    ],
)
def test_what_no_page_or_database_can_take_is_cleaned(sent, kept):
    assert clean(sent, MOST_VALUE) == kept
    json.dumps(clean(sent, MOST_VALUE), ensure_ascii=False).encode()


def test_a_document_of_thousands_of_texts_is_cut():
    assert len(entries_of(tree(*[text(f"t{number}") for number in range(5000)]))) == 200
