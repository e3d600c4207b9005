"""The one way a screen reads a customer: rights first, then the view is logged, then the values."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _

from orders.models import Customer, Order
from privacy import access, markers, masks

AMAZON = Q(origin_marketplace="amazon")


@dataclass(frozen=True, repr=False)  # no repr: values would reach tracebacks
class Card:
    """A customer ready to be shown. `hidden`: this user may not see who it is. `erased`: nobody may any more.

    `masked`: hidden until a reason is given; what holds something shows the mask.

    `relay`: the address is one of Amazon's. `orders`: how many; `newest`: id of the last one imported, None for none.
    """

    customer: Customer
    orders: int = 0
    newest: int | None = None
    hidden: bool = False
    masked: bool = False
    erased: bool = False
    name: str = ""
    email: str = ""
    relay: bool = False
    phone: str = ""
    user_name: str = ""

    @property
    def title(self) -> str:
        return _("Customer #%(pk)d") % {"pk": self.customer.pk}


def may_find(user) -> bool:
    """Whether this user may look for a customer by address; a superuser may not by being one."""
    return access.holds(user, "orders.search_person")


def cards(user, rows: Iterable[Customer], *, what: str, reason: str = "") -> dict[int, Card]:
    """The cards of these customers by id. Logs one view for each whose values are shown, under its newest order.

    Customers are not bound to open orders, so an open order's right is not enough. `reason`: the code with which a
    reader whose role masks them asked to see them. The same few statements whatever their number.
    """
    found = cards_unlogged(user, list(rows), revealed=bool(reason))
    shown = [card.newest for card in found.values() if card.newest and shows_anything(card)]
    if shown:
        access.log_views(user, shown, what=what, why=reason)
    return found


def cards_unlogged(user, rows: list[Customer], *, revealed: bool) -> dict[int, Card]:
    """The cards, for somebody who decides with them and shows none."""
    view, facts = masks.view_of(user, order_open=False, revealed=revealed), _facts([row.pk for row in rows])
    return {row.pk: _card(row, facts.get(row.pk, {}), view) for row in rows}


def link_of(user, order: Order) -> dict | None:
    """For the order's page: the customer's id and how many orders it has; None where there is none, or no right."""
    if not order.customer_id or not user.has_perm("orders.view_customer"):
        return None
    return {"pk": order.customer_id, "orders": Order.objects.filter(customer=order.customer_id).count()}


def _facts(customer_ids: list[int]) -> dict[int, dict]:
    """By customer: its orders, the newest, those whose personal data nobody may see any more taken apart."""
    if not customer_ids:
        return {}
    masked = Q(pii_state__in=Order.PiiState.MASKED)
    rows = (
        Order.objects.filter(customer__in=customer_ids)
        .order_by()
        .values("customer")
        .annotate(
            orders=Count("pk"), newest=Max("pk"), elsewhere=Count("pk", filter=~AMAZON),
            standing=Count("pk", filter=AMAZON & ~masked),
        )
    )  # fmt: skip
    return {row["customer"]: row for row in rows}


def _card(row: Customer, facts: dict, view: masks.View) -> Card:
    """Masked as soon as the last Amazon order is being erased, whatever the row still holds for some moments."""
    count, newest = facts.get("orders", 0), facts.get("newest")
    standing, elsewhere = facts.get("standing", 0), facts.get("elsewhere", 0)
    if row.marker or not (standing or elsewhere):
        return _erased(row, count, newest, seeing=view.sees_person)
    email = row.email if standing or not row.email_from_amazon else ""
    phone = row.phone if standing or not row.phone_from_amazon else ""
    told = {"name": row.name, "email": email, "phone": phone, "user_name": row.user_name}
    shown = {column: view.shown(column, value) for column, value in told.items()}
    if not view.sees_person:
        return Card(row, count, newest, hidden=True, masked=any(shown.values()), **shown)
    return Card(row, count, newest, relay=markers.is_relay(shown["email"]), **shown)


def _erased(row: Customer, count: int, newest: int | None, *, seeing: bool) -> Card:
    """A relay address outlives the erasure, for those who see addresses at all; what held something shows the marker."""
    marker = f"« {row.marker or markers.AMAZON} »"
    relay = markers.is_relay(row.email)
    email = (row.email if seeing else "") if relay else (row.email and marker)
    return Card(
        row, count, newest, erased=True, name=row.name and marker, email=email, relay=relay and seeing,
        phone=row.phone and marker, user_name=row.user_name and marker,
    )  # fmt: skip


def shows_anything(card: Card) -> bool:
    """Whether a view of this card is one of personal data."""
    return not card.hidden and not card.erased and any([card.name, card.email, card.phone, card.user_name])
