"""Instants as clients of version 1 write and read them; values as they send them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from orderhub.models import ApiKey
from orderhub.shipstation import instants, measures, values
from orderhub.shipstation.calls import Call, Wrong

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def call() -> Call:
    return Call(SimpleNamespace(), ApiKey(naive_zone="America/Los_Angeles"), NOON, {}, {})


def test_instants_go_out_in_the_zone_of_the_key_with_seven_digits():
    key = ApiKey(naive_zone="America/Los_Angeles")
    assert instants.written(datetime(2026, 11, 20, 16, 46, 27, 120, tzinfo=UTC), key) == "2026-11-20T08:46:27.0001200"
    assert instants.written(datetime(2026, 7, 1, 0, 0, tzinfo=UTC), key) == "2026-06-30T17:00:00.0000000"
    assert instants.written(None, key) is None


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("text", "at", "way"),
    [
        ("2026-11-20 08:46:27", datetime(2026, 11, 20, 16, 46, 27, tzinfo=UTC), "naive"),
        ("2026-11-20T08:46:27.1234567", datetime(2026, 11, 20, 16, 46, 27, 123456, tzinfo=UTC), "naive"),
        ("2026-11-20+08:46:27", datetime(2026, 11, 20, 16, 46, 27, tzinfo=UTC), "naive"),
        ("2026-11-20", datetime(2026, 11, 20, 8, tzinfo=UTC), "date_only"),
        ("2026-11-20T08:46:27Z", datetime(2026, 11, 20, 8, 46, 27, tzinfo=UTC), "zulu"),
        ("2026-11-20T08:46:27-05:00", datetime(2026, 11, 20, 13, 46, 27, tzinfo=UTC), "offset"),
        ("2026-11-20T08:46:27 01:00", datetime(2026, 11, 20, 7, 46, 27, tzinfo=UTC), "offset"),
        ("2026-03-08 02:30:00", datetime(2026, 3, 8, 10, 30, tzinfo=UTC), "naive"),  # the clock skips it
        ("2026-11-01 01:30:00", datetime(2026, 11, 1, 8, 30, tzinfo=UTC), "naive"),  # it comes twice
    ],
)
def test_instants_come_in_as_clients_write_them(call, text, at, way):
    assert instants.read(call, "createDateEnd", text) == at
    assert call.noted == [("time_zone", way)]


def test_a_day_at_the_end_is_meant_with_all_of_it_and_nothing_is_nothing(call):
    assert instants.read(call, "x", "2026-11-20", end=True) == datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert [instants.read(call, "x", told) for told in (None, "", "None", "null")] == [None] * 4
    assert instants.day("shipDate", "2026-11-20T23:30:00Z") == date(2026, 11, 20)


def test_a_start_ahead_of_its_zone_but_not_of_utc_is_counted(call):
    instants.read(call, "modifyDateStart", "2026-11-20 11:00:00")
    assert ("time_zone", "naive_utc_guess") in call.noted


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "20/11/2026", "2026-11-20 25:00:00", "99999-01-01", "२०२६-११-२०"]
)
def test_what_is_no_date_is_named_and_not_repeated(call, text):
    with pytest.raises(Wrong) as told:
        instants.read(call, "shipDate", text)
    assert set(told.value.errors) == {"shipDate"} and text not in str(told.value.errors)


def test_values_come_in_as_text_too():
    assert [values.integer(told) for told in ("2", 2, "2.0", 2.5, "x", None, True)] == [2, 2, 2, None, None, None, None]
    assert values.number("9.99") == Decimal("9.99") and values.number("NaN") is None and values.number("1e400") is None
    assert [values.boolean(told) for told in ("True", True, 1, "0", None, "None")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert [values.absent(told) for told in (None, "", "None", 0, False, "no")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert values.field({"ORDERid": 3}, "orderId") == 3 and values.field([], "orderId") is None
    assert values.text("None") == "None" and values.word("None") == ""


def test_weights_and_sizes_are_read_in_any_unit():
    assert measures.grams({"units": "ounces", "value": "3"}) == 85
    assert measures.grams({"units": "pounds", "value": 1}) == 454
    assert [measures.grams(told) for told in (None, {"units": "stones", "value": 1}, {"value": None})] == [None] * 3
    assert measures.millimetres({"units": "centimeters", "length": "20", "width": 15}) == (200, 150, None)
    assert (
        measures.weight(340) == {"value": 11.99, "units": "ounces", "WeightUnits": 1} and measures.weight(None) is None
    )


def test_unknown_fields_are_counted_by_their_place(call):
    known: values.Known = {"a": None, "items": {"sku": None}, "advancedOptions": {"storeId": None}}
    body = {"A": 1, "items": [{"SKU": 1, "colour": 2}], "advancedOptions": {"foo": 1}, "bar": {"a": 1}}
    values.note_unknown(call, body, known)
    assert [name for _kind, name in call.noted] == ["items[].colour", "advancedOptions.foo", "bar"]
