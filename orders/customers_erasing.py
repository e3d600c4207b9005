"""Erasing customers with their orders: those of whom no order stands any more go whole, also where some came from
elsewhere and were erased on request; those with an order from elsewhere that stands lose what came from Amazon."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import Case, Count, Q, TextField, Value, When

from orders.models import Customer, Order
from orders.models.customer import CUSTOMER_ERASED
from privacy import datakeys, markers
from privacy.fields import as_stored, filled, named

AMAZON = Q(origin_marketplace="amazon")
TEXTS = tuple(name for name in CUSTOMER_ERASED if name != "match_key")  # the key is emptied, never overwritten
# Amazon's parcels never had a person; a person is marked in the transaction that erases it, its order only afterwards
_NOT_ERASED = ~Q(pii_state=Order.PiiState.REDACTED) & (Q(person__isnull=True) | Q(person__marker=""))
STANDING = AMAZON & Q(fulfilled_by=Order.FulfilledBy.MERCHANT) & _NOT_ERASED
ELSEWHERE = ~AMAZON & _NOT_ERASED


class _Holder:
    """Customers; see privacy.registry.Holder. Stands after the persons, whose markers tell what is erased by now.

    A customer goes with the last of its Amazon orders (R103), unless one from elsewhere stands (R104): then only relay
    address and phone of Amazon's go (R105). One from elsewhere goes on request only (R110), and the customer with the
    last of them. An erased one is left alone by everything else (R106).
    """

    def destroy_files(self, order_ids: list[int], *, now: datetime) -> dict[int, int]:
        return {}

    def redact_due_files(self, *, now: datetime, marker: str) -> Iterator[tuple[int, str]]:
        return iter(())

    def overwrite(self, order_ids: list[int], *, marker: str, now: datetime) -> dict[int, list[str]]:
        """The rows are locked before their orders are counted: an order that comes in meanwhile waits, or counts.

        Five statements whatever the batch holds. A second run changes nothing.
        """
        rows = _read(_of(order_ids).select_for_update())
        if not rows:
            return {}
        whole, mixed = _due(list(rows), order_ids)
        held = {pk: rows[pk].whole_fields for pk in whole} | {pk: rows[pk].amazon_fields for pk in mixed}
        _erase({pk: rows[pk] for pk in whole}, marker=marker, now=now)
        _strip(mixed)
        links = Order.objects.filter(pk__among=order_ids, customer__among=[pk for pk, names in held.items() if names])
        return {order_id: held[pk] for order_id, pk in links.values_list("pk", "customer")}

    def leftovers(self, order_ids: list[int], *, now: datetime) -> set[int]:
        """Orders whose customer should have gone with them, or keeps what came from Amazon."""
        rows = _read(_of(order_ids))
        whole, mixed = _due(list(rows), order_ids)
        bad = [*whole, *(pk for pk in mixed if rows[pk].amazon_fields)]
        if not bad:
            return set()
        return set(Order.objects.filter(pk__among=order_ids, customer__among=bad).values_list("pk", flat=True))


def _of(order_ids: list[int]):
    """The customers of these orders that are not erased yet."""
    return Customer.objects.filter(pk__in=Order.objects.filter(pk__among=order_ids).values("customer"), marker="")


def _due(customer_ids: list[int], order_ids: list[int]) -> tuple[list[int], list[int]]:
    """Which of them go whole, and which lose what came from Amazon; those with an Amazon order outside the batch that
    still stands do neither."""
    if not customer_ids:
        return [], []
    counts = (
        Order.objects.filter(customer__among=customer_ids)
        .order_by()
        .values("customer")
        .annotate(
            elsewhere=Count("pk", filter=ELSEWHERE & ~Q(pk__among=order_ids)),
            standing=Count("pk", filter=STANDING & ~Q(pk__among=order_ids)),
        )
    )
    gone = [row for row in counts if not row["standing"]]
    whole = [row["customer"] for row in gone if not row["elsewhere"]]
    return whole, [row["customer"] for row in gone if row["elsewhere"]]


class _Row(NamedTuple):
    """A customer as far as its erasure must know it: nobody's data leaves the database for it."""

    key_name: str
    filled: int  # which of CUSTOMER_ERASED hold something, as bits
    address: str  # as it is stored: a relay's as it is, a real one encrypted
    email_from_amazon: bool
    phone_from_amazon: bool

    @property
    def names(self) -> tuple[str, ...]:
        return named(CUSTOMER_ERASED, self.filled)

    @property
    def whole_fields(self) -> list[str]:
        found = [f"customer.{name}" for name in self.names]
        return found + ["customer.email"] * bool(self.address and not markers.is_relay(self.address))

    @property
    def amazon_fields(self) -> list[str]:
        found = ["customer.email", "customer.match_key"] if self.email_from_amazon and self.address else []
        return found + ["customer.phone"] * bool(self.phone_from_amazon and "phone" in self.names)


def _read(customers) -> dict[int, _Row]:
    rows = customers.order_by("pk").values_list(
        "pk", "key_name", filled(CUSTOMER_ERASED), as_stored("email"), "email_from_amazon", "phone_from_amazon"
    )
    return {pk: _Row(*row) for pk, *row in rows}


def _erase(rows: dict[int, _Row], *, marker: str, now: datetime) -> None:
    """An empty field stays empty, a relay address stays as it is."""
    if not rows:
        return
    datakeys.destroy(f"customer:{row.key_name}" for row in rows.values())
    relayed = [pk for pk, row in rows.items() if markers.is_relay(row.address)]
    changes = {name: Case(When(**{name: ""}, then=Value("")), default=Value(marker)) for name in TEXTS}
    changes["email"] = Case(
        When(Q(pk__among=relayed) | Q(email=""), then="email"), default=Value(marker), output_field=TextField()
    )
    Customer.objects.filter(pk__among=list(rows), marker="").update(
        marker=marker, redacted_at=now, match_key="", **changes
    )


def _strip(customer_ids: list[int]) -> None:
    """Relay address and phone of Amazon's go; the key goes with the address it was made of."""
    of_amazon = {"email": "email_from_amazon", "match_key": "email_from_amazon", "phone": "phone_from_amazon"}
    if not customer_ids:
        return
    Customer.objects.filter(pk__among=customer_ids, marker="").update(
        **{
            name: Case(When(**{flag: True}, then=Value("")), default=name, output_field=TextField())
            for name, flag in of_amazon.items()
        }
    )


CUSTOMERS = _Holder()
