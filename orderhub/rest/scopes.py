"""What a key may be allowed to do. No scope gives out scopes, switches features on, or touches users or retention."""

from django.utils.translation import gettext_lazy as _

ORDERS_READ = "orders:read"
ORDERS_READ_PII = "orders:read_pii"
ORDERS_WRITE = "orders:write"
PRODUCTS_READ = "products:read"
PRODUCTS_WRITE = "products:write"
CUSTOMERS_READ = "customers:read"
STORES_READ = "stores:read"
STORES_WRITE = "stores:write"
SHIPMENTS_READ = "shipments:read"
SHIPMENTS_WRITE = "shipments:write"
LABELS_READ = "labels:read"
NOTIFICATIONS_READ = "notifications:read"
NOTIFICATIONS_RETRY = "notifications:retry"
PRIVACY_REPORT = "privacy:report"
PRIVACY_REQUEST = "privacy:request"
WEBHOOKS = "webhooks:manage"

SCOPES = {
    ORDERS_READ: _("read orders, without names and addresses"),
    ORDERS_READ_PII: _("read names and addresses as well; every order that is shown is logged"),
    ORDERS_WRITE: _("create orders in manual and Handmade stores; hold, tag, note, assign and adjust any order"),
    PRODUCTS_READ: _("read products and stock"),
    PRODUCTS_WRITE: _("change what is kept of products, and counted stock"),
    CUSTOMERS_READ: _("read customers; their names need the right to read names as well"),
    STORES_READ: _("read accounts and stores"),
    STORES_WRITE: _("rename stores, change what buyers see of them, and switch them on and off"),
    SHIPMENTS_READ: _("read shipments and batches"),
    SHIPMENTS_WRITE: _("ship orders, make labels and batches, void"),
    LABELS_READ: _("open label files, which name the recipient; every opening is logged"),
    NOTIFICATIONS_READ: _("read what marketplaces were told"),
    NOTIFICATIONS_RETRY: _("send a notice again"),
    PRIVACY_REPORT: _("read privacy clocks and certificates of erasure"),
    PRIVACY_REQUEST: _("ask for the erasure of an order's personal data"),
    WEBHOOKS: _("receive webhooks"),
}
