"""Money as the marketplace sent it."""

from decimal import Decimal

import pytest

from orderhub.money import Money, display, parse
from orders.models import Order
from tests.factories import make_order


def sent(amount, currency="EUR") -> dict:
    return {"amount": amount, "currencyCode": currency}


@pytest.mark.parametrize("amount", ["19.90", "0", "-3.5", "1980", "0.0001", 19, 19.9, "1e3"])
def test_an_amount_is_kept_exactly(amount):
    assert parse(sent(amount)) == Money(Decimal(str(amount)), "EUR")


def test_nothing_stays_nothing():
    assert parse(None) is None


@pytest.mark.parametrize(
    "value",
    [
        {}, sent("nineteen"), sent(""), sent(None), sent("NaN"), sent("Infinity"), sent("-Infinity"), sent("1e14"),
        sent("1", ""), sent("1", "EURO"), sent("1", "E1R"), sent("1", None), {"amount": "1"}, "19.90", [], sent(True),
        sent("1e400"), sent({"a": 1}),
    ],
)  # fmt: skip
def test_what_is_no_money_is_refused_without_repeating_it(value):
    with pytest.raises(ValueError, match="not an amount of money") as refusal:
        parse(value)
    assert "nineteen" not in str(refusal.value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "amount", ["99999999999998", "99999999999999.9999", "99999999999999.99999", "0.00001", "1e-30"]
)
def test_what_is_taken_fits_the_column(noon, amount):
    order = make_order()
    try:
        total = parse(sent(amount)).amount
    except ValueError:
        return  # refused is fine too
    Order.objects.filter(pk=order.pk).update(order_total=total)
    order.refresh_from_db()
    assert abs(order.order_total - total) < 1


def test_a_sum_that_fits_no_column_is_refused():
    most = parse(sent("9e13"))
    with pytest.raises(ValueError, match="not an amount"):
        most + most


def test_sums_are_exact_and_of_one_currency_only():
    assert Money(Decimal("0.10"), "EUR") + Money(Decimal("0.20"), "EUR") == Money(Decimal("0.30"), "EUR")
    with pytest.raises(ValueError, match="do not add up"):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "USD")


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("19.9", "EUR", "19.90"), ("1980", "JPY", "1980"), ("1980.0000", "JPY", "1980"), ("0", "USD", "0.00"),
        ("0.125", "EUR", "0.125"), ("19.5", "JPY", "19.5"), ("-3", "CAD", "-3.00"), ("1000000", "EUR", "1000000.00"),
    ],
)  # fmt: skip
def test_an_amount_shows_the_decimals_of_its_currency_and_more_only_if_sent(amount, currency, shown):
    assert display(Decimal(amount), currency) == shown
    assert str(Money(Decimal(amount), currency)) == f"{shown} {currency}"
