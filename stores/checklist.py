"""What is left to do before a store works as it should (R11): computed, never ticked by hand."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from stores import marketplaces
from stores.models import AmazonAccount, BigCommerceCredentials, Store
from stores.words import EXPIRY_WARNING_DAYS

SHIP_FROM_NEEDED = ("street1", "city", "country")


@dataclass(frozen=True)
class Item:
    """One thing to do. `link`: where it is done; a section of the store's page or another page.

    `known` is false where only time can tell: nobody has anything to do about it yet.
    """

    text: str
    done: bool
    link: str
    known: bool = True

    @property
    def open(self) -> bool:
        """Whether somebody has to do it."""
        return self.known and not self.done


def items(store: Store, *, now: datetime) -> list[Item]:
    """The list for this store, in the order in which it is best worked through; one query."""
    found = [
        Item(_("Ship-from address"), _has_address(store), "#ship-from"),
        Item(_("Name and logo for packing slips and mails"), bool(store.brand_name and store.brand_logo), "#brand"),
    ]
    if store.platform == Store.Platform.AMAZON:
        found += _of_amazon(store, now)
    return found


def _has_address(store: Store) -> bool:
    kept = store.ship_from or {}
    return all(kept.get(part) for part in SHIP_FROM_NEEDED) and bool(kept.get("name") or kept.get("company"))


def _of_amazon(store: Store, now: datetime) -> list[Item]:
    account = store.account
    page = reverse("admin:stores_amazonaccount_change", args=[account.pk])
    orders = f"{reverse('admin:orders_order_changelist')}?store={store.pk}"
    works = account.status == AmazonAccount.Status.ACTIVE and account.days_left(now) > EXPIRY_WARNING_DAYS
    has_orders = store.orders.exists()
    found = [
        Item(_("Sender approved in Seller Central"), store.sender_approved, "#sender"),
        Item(_("The account works and is authorised for more than 30 days"), works, page),
        _names_come(account, page, known=has_orders),
        Item(_("The first orders have come"), has_orders, orders),
    ]
    if store.marketplace == marketplaces.JAPAN:
        found.append(Item(_("Amazon.co.jp enabled by customer success"), store.japan_enabled, "#features"))
    if store.custom_fields_enabled:
        found.append(Item(_("Custom fields mapped"), any(store.mapping), "#custom-fields"))
    if store.linked_store is not None:
        found.append(Item(_("The BigCommerce link works"), _link_works(store), "#bigcommerce"))
    return found


def _names_come(account: AmazonAccount, page: str, *, known: bool) -> Item:
    """Only an order shows whether Amazon sends what its role allows."""
    if not known:
        return Item(
            _("Amazon sends names and addresses: known once the first order has come"), False, page, known=False
        )
    if account.has_pii_role:
        return Item(_("Amazon sends names and addresses"), True, page)
    text = _("Amazon sends no names and addresses: ask Amazon for the role Direct-to-Consumer Delivery (Restricted)")
    return Item(text, False, page)


def _link_works(store: Store) -> bool:
    credentials = getattr(store.linked_store, "bigcommerce", None)
    return credentials is not None and credentials.status == BigCommerceCredentials.Status.ACTIVE
