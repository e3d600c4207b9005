"""Customers: found again by e-mail address, never across merchants, and never by themselves across Amazon accounts.

Rows are locked in the order orders, persons, customers, here as in the import and in the erasure.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.crypto import salted_hmac

from orders.models import Customer, Order, OrderPersonalData
from privacy import markers
from privacy.fields import give_keys
from stores.models import AmazonAccount, Store

PURPOSE = "orders.customer.match_key"
AMAZON = "amazon"  # Order.origin_marketplace
LEARNT = (("name", "buyer_name"), ("phone", "phone"), ("user_name", "buyer_username"))
COLUMNS = ["name", "phone", "user_name", "phone_from_amazon", "last_order_at", "account"]


@dataclass(repr=False)  # no repr: it would carry a person into tracebacks
class _Buyer:
    """An order, its person, and under which key its customer is looked for."""

    order: Order
    person: OrderPersonalData
    merchant_id: int
    key: str
    own_key: str  # where the customer of `key` turns out to be another account's

    @property
    def place(self) -> tuple[int, str]:
        return self.merchant_id, self.key


def attach(pairs: list[tuple[Order, OrderPersonalData]], account: AmazonAccount | None, *, now: datetime) -> None:
    """Give orders their customers and customers what the orders say. Call inside the transaction that writes the orders.

    Sets `order.customer` in memory, for the caller to write. The newest order's values win, blank never overwrites. An
    order without e-mail, of Amazon's own fulfilment, or erased gets none. At most three statements, three more for the data keys; two again where a
    real address is another account's customer already, or was erased meanwhile. `account`: None for orders entered here.
    """
    buyers = sorted(
        (_buyer(order, person, account) for order, person in pairs if _may_be_kept(order, person)),
        key=lambda buyer: buyer.order.ordered_at,
    )
    if not buyers:
        return
    rows = _open(buyers, account, now=now)
    changed, left = _settle(buyers, rows, account)
    if left:
        rows = _open(left, account, now=now)
        changed |= _settle(left, rows, account)[0]
    if changed:
        give_keys(changed.values())
        Customer.objects.bulk_create(
            [changed[pk] for pk in sorted(changed)],
            update_conflicts=True, unique_fields=["id"], update_fields=COLUMNS,
        )  # fmt: skip


def forget_unused(customer_id: int) -> None:
    """Remove a customer without any order: no erasure would ever come to it. Call inside a transaction.

    Locked first: an order that comes in meanwhile has it, or makes a new one.
    """
    row = Customer.objects.select_for_update().filter(pk=customer_id, marker="").first()
    if row is not None and not row.orders.exists():
        row.delete()


def keys_for(email: str) -> list[tuple[int, str]]:
    """Every (merchant, key) under which a customer with this address may stand: for the search by address."""
    found = {(store.merchant_id, _key(email, store.merchant_id, "")) for store in Store.objects.only("merchant")}
    for pk, merchant_id in AmazonAccount.objects.values_list("pk", "merchant_id"):
        found.add((merchant_id, _key(email, merchant_id, f"account {pk}")))
    if markers.is_relay(email):
        for pk, merchant_id in Store.objects.filter(account=None).values_list("pk", "merchant_id"):
            found.add((merchant_id, _key(email, merchant_id, f"store {pk}")))
    return sorted(found)


def with_address(email: str):
    """The customers with exactly this address, in any case."""
    keys = keys_for(email.strip())
    return Customer.objects.filter(
        merchant__in={merchant for merchant, _found in keys}, match_key__in=[found for _merchant, found in keys]
    )


def _may_be_kept(order: Order, person: OrderPersonalData) -> bool:
    return not (order.masked or person.marker or order.by_amazon) and bool(person.buyer_email or order.customer_id)


def _buyer(order: Order, person: OrderPersonalData, account: AmazonAccount | None) -> _Buyer:
    """A relay address means something at one account only; a real one is the same buyer all over the merchant."""
    merchant_id = account.merchant_id if account else order.store.merchant_id
    scope = f"account {account.pk}" if account else f"store {order.store_id}"
    email = person.buyer_email
    own = _key(email, merchant_id, scope)
    return _Buyer(
        order, person, merchant_id, own if markers.is_relay(email) else _key(email, merchant_id, ""), own_key=own
    )


def _key(email: str, merchant_id: int, scope: str) -> str:
    """A keyed hash, so that nobody with the table alone can try addresses. '' for no address."""
    if not email:
        return ""
    told = "|".join([str(merchant_id), scope, email.strip().casefold()])
    return salted_hmac(PURPOSE, told, algorithm="sha256").hexdigest()


def _open(buyers: list[_Buyer], account: AmazonAccount | None, *, now: datetime) -> list[Customer]:
    """The customers of these buyers, locked; those who have none yet are made first.

    Two writers of one address: the second waits for the first, makes nothing and reads what the first made.
    """
    fresh: dict[tuple[int, str], Customer] = {}
    for buyer in buyers:
        if buyer.order.customer_id is None and buyer.key:
            row = fresh.setdefault(buyer.place, _blank(buyer, account, now=now))
            _learn(row, buyer)
    if fresh:
        give_keys(fresh.values(), fresh=True)
        Customer.objects.bulk_create([fresh[place] for place in sorted(fresh)], ignore_conflicts=True)
    known = {buyer.order.customer_id for buyer in buyers} - {None}
    wanted = Q(pk__in=known)
    if fresh:
        merchants, keys = {merchant for merchant, _key in fresh}, [key for _merchant, key in fresh]
        wanted |= Q(merchant__in=merchants, match_key__in=keys)
    return list(Customer.objects.select_for_update().filter(wanted, marker="").order_by("pk"))


def _blank(buyer: _Buyer, account: AmazonAccount | None, *, now: datetime) -> Customer:
    email = buyer.person.buyer_email
    return Customer(
        merchant_id=buyer.merchant_id, account=account, match_key=buyer.key, email=email,
        email_from_amazon=markers.is_relay(email), created_at=now,
    )  # fmt: skip


def _settle(
    buyers: list[_Buyer], rows: list[Customer], account: AmazonAccount | None
) -> tuple[dict[int, Customer], list[_Buyer]]:
    """Every buyer to its customer: the customers changed by that, and the buyers without one, with the key to try next."""
    by_pk, by_place = {row.pk: row for row in rows}, {(row.merchant_id, row.match_key): row for row in rows}
    changed: dict[int, Customer] = {}
    left: list[_Buyer] = []
    for buyer in buyers:
        assigned = buyer.order.customer_id
        row = by_pk.get(assigned) if assigned else by_place.get(buyer.place)
        theirs = bool(row and not assigned and account and row.account_id not in {None, account.pk})
        if row is None or theirs:
            if not assigned:
                buyer.key = buyer.own_key if theirs else buyer.key
                left.append(buyer)
            continue
        buyer.order.customer = row
        learnt = _learn(row, buyer)
        if account and row.account_id is None:
            row.account, learnt = account, True
        if learnt:
            changed[row.pk] = row
    return changed, left


def _learn(row: Customer, buyer: _Buyer) -> bool:
    """Take what this order knows: all of it where the order is the newest, else only what was blank. Not saved here."""
    order, learnt = buyer.order, False
    newest = row.last_order_at is None or order.ordered_at >= row.last_order_at
    for column, source in LEARNT:
        value, held = getattr(buyer.person, source), getattr(row, column)
        if not value or value == held or (held and not newest):
            continue
        setattr(row, column, value)
        if column == "phone":
            row.phone_from_amazon = order.origin_marketplace == AMAZON
        learnt = True
    if newest and row.last_order_at != order.ordered_at:
        row.last_order_at, learnt = order.ordered_at, True
    return learnt
