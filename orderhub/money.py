"""Money as the marketplace sent it: an exact amount and an ISO 4217 code. Nothing here converts."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

ZERO_DECIMAL = frozenset({"JPY", "KRW", "CLP", "VND"})
LIMIT = Decimal("1e14") - 1  # fits a Decimal(18, 4) column, rounded up too


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        """Sum of one currency. ValueError where the currencies differ: no code path converts; or beyond any column."""
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        total = self.amount + other.amount
        if abs(total) >= LIMIT:
            raise ValueError("not an amount of money")
        return Money(total, self.currency)

    def __str__(self) -> str:
        return f"{display(self.amount, self.currency)} {self.currency}"


def parse(value: dict | None) -> Money | None:
    """`{"amount": "19.90", "currencyCode": "EUR"}` to Money; None stays None. ValueError where it is no money."""
    if value is None:
        return None
    try:
        amount = Decimal(str(value["amount"]))
        currency = str(value["currencyCode"])
    except (KeyError, TypeError, InvalidOperation) as error:
        raise ValueError("not an amount of money") from error
    if not amount.is_finite() or abs(amount) >= LIMIT or len(currency) != 3 or not currency.isalpha():
        raise ValueError("not an amount of money")
    return Money(amount, currency.upper())


def display(amount: Decimal, currency: str) -> str:
    """The amount with the decimals its currency uses: `1980` for yen, `19.90` for euros; more only if sent."""
    places = 0 if currency in ZERO_DECIMAL else 2
    rounded = amount.quantize(Decimal(1).scaleb(-places))
    if rounded == amount:
        return f"{rounded:f}"
    return f"{amount.normalize():f}"
