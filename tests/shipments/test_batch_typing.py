"""What is pasted for a batch: a column of numbers or lines of a spreadsheet; no line goes to the wrong order."""

import pytest

from shipments.batchtyping import Place, grams, read

A, B, C = (Place(number, f"111-000000{number}-0000000") for number in (1, 2, 3))
PLACES = [A, B, C]


def numbers(text: str, places=PLACES) -> dict[int, str]:
    return {pk: found.get("tracking_number", "") for pk, found in read(text, places).changes.items()}


def test_numbers_go_to_the_rows_in_their_order():
    assert numbers("1z 999-aa\n1Z.888\n1Z777\n") == {1: "1Z999AA", 2: "1Z888", 3: "1Z777"}


def test_an_empty_line_leaves_its_row_and_moves_no_other():
    assert numbers("1Z999\n\n1Z777") == {1: "1Z999", 3: "1Z777"}


def test_one_line_too_many_takes_nothing():
    typed = read("1Z1\n1Z2\n1Z3\n1Z4", PLACES)
    assert typed.changes == {} and typed.left == ["1Z1", "1Z2", "1Z3", "1Z4"]
    assert "4 lines for 3 orders: nothing was taken" in typed.problems[0]


@pytest.mark.parametrize("sign", ["\t", ";", ","])
def test_lines_of_a_spreadsheet_go_to_their_orders(sign):
    lines = [
        ["Order", "Number", "Service", "Weight"],
        [B.order_number, "1Z888"],
        [C.order_number, '"1Z 777"', "Ground", "350 g"],
    ]
    typed = read("\n".join(sign.join(line) for line in lines), PLACES)
    assert typed.problems == []
    assert typed.changes == {
        2: {"tracking_number": "1Z888"}, 3: {"tracking_number": "1Z777", "service": "Ground", "weight_g": 350},
    }  # fmt: skip


def test_an_empty_cell_keeps_what_is_there():
    assert read(f"{A.order_number},1Z999,,", PLACES).changes == {1: {"tracking_number": "1Z999"}}
    assert read(f"{A.order_number},,Ground,", PLACES).changes == {1: {"service": "Ground"}}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("999-0000000-0000000,1Z999", "no order number of this batch"),
        (f"{A.order_number},{'X' * 61}", "not that long"),
        (f"{A.order_number},1Z999,Ground,heavy", "whole grams"),
        (f"{A.order_number},1Z999,{'x' * 81}", "at most 80 characters"),
        (f"{A.order_number},1Z999,Ground,350,more", "more than order number"),
    ],
)
def test_a_line_that_is_not_understood_changes_nothing_and_is_named_by_its_number(line, why):
    typed = read(f"{B.order_number},1Z888\n{line}", PLACES)
    assert typed.changes == {2: {"tracking_number": "1Z888"}}
    assert typed.problems[0].startswith("Line 2: ") and why in typed.problems[0]
    assert typed.left == [line]


def test_the_words_of_a_line_are_never_repeated_in_a_sentence():
    typed = read("Ada Example,1 Sample Street 5", PLACES)
    assert typed.problems and not any("Ada" in problem or "Street" in problem for problem in typed.problems)


def test_an_order_stands_once_and_a_number_of_two_stores_is_nobodys():
    typed = read(f"{A.order_number},1Z1\n{A.order_number},1Z2", PLACES)
    assert typed.changes == {1: {"tracking_number": "1Z1"}} and "in line 1 already" in typed.problems[0]
    twice = read(f"{A.order_number},1Z1", [A, Place(9, A.order_number)])
    assert twice.changes == {} and "two stores" in twice.problems[0]


def test_a_column_of_order_numbers_is_no_column_of_tracking_numbers():
    typed = read(f"{A.order_number}\n1Z888", PLACES)
    assert typed.changes == {2: {"tracking_number": "1Z888"}} and "is an order number" in typed.problems[0]


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1e3", "٣", "9" * 30, "NaN"])
def test_a_weight_is_a_whole_number_of_grams(text):
    with pytest.raises(ValueError):
        grams(text)
    assert (grams(""), grams("350"), grams("350 G")) == (None, 350, 350)


def test_b35_control_characters_are_dropped():
    assert numbers("1Z\x00999\x1b[2J") == {1: "1Z999[2J"}
