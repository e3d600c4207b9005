"""Who may do what, and the log of who saw personal data.

Roles are Django groups; their rights are written here only and re-asserted after each migration. `is_superuser` opens
no feature that a role owns (stores/features.py).
"""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.utils.translation import gettext_lazy as _

SUPPORT = "Support"
SUCCESS = "Customer success"
WAREHOUSE = "Warehouse"
PRIVACY = "Privacy officer"
ADMINISTRATOR = "Administrator"

API_CLIENT = "API client"  # no group: what its key may do says orderhub.rest.scopes
API_CLIENT_WITH_NAMES = "API client that reads names"

LABELS = {
    SUPPORT: _("Support"),
    SUCCESS: _("Customer success"),
    WAREHOUSE: _("Warehouse"),
    PRIVACY: _("Privacy officer"),
    ADMINISTRATOR: _("Administrator"),
}

_ORDERS = (
    "orders.view_order",
    "orders.view_orderitem",
    "orders.view_skippedorder",
    "orders.view_quarantinedorder",
    "orders.view_product",
    "orders.export_order",
)
_DESK = (  # what support and customer success share: work on orders, products, customers and rules
    "orders.add_order",
    "orders.change_order",
    "orders.hold_order",
    "orders.fetch_order",
    "orders.view_ordernote",
    "orders.add_ordernote",
    "orders.view_tag",
    "orders.add_tag",
    "orders.change_tag",
    "orders.delete_tag",
    "orders.change_product",
    "orders.confirm_stock",
    "orders.view_customer",
    "orders.merge_customer",
    "orders.view_automationrule",
    "orders.add_automationrule",
    "orders.change_automationrule",
    "orders.delete_automationrule",
    "orders.view_historyread",
)
_SHIP = (
    "shipments.view_shipment",
    "shipments.add_shipment",
    "shipments.void_shipment",
    "shipments.view_label",
    "shipments.view_labelbatch",
    "shipments.add_labelbatch",
    "shipments.view_shipmentnotification",
)
_NOTICES = (  # what support, customer success and administrators share: the notices that need a hand
    "shipments.view_shipmentnotification",
    "shipments.retry_notification",
    "shipments.mark_notification",
    "shipments.view_feed",
)
_BY_HAND = ("shipments.view_manualupdate", "shipments.change_manualupdate", "shipments.view_outgoingmail")
_CARRIERS = ("shipments.view_carriersetting", "shipments.change_carriersetting")
_STORES = ("stores.view_amazonaccount", "stores.view_store", "stores.view_merchant")
_CONNECT = (
    "stores.add_amazonaccount",
    "stores.change_amazonaccount",
    "stores.change_store",
    "stores.add_store",
)
_PEOPLE = ("orders.search_person", "privacy.ask_erasure")  # who may look for a buyer, and ask for an erasure
_LOG = ("privacy.view_securityevent", "privacy.use_killswitch")
_LAG = ("privacy.view_sweepstate", "privacy.view_lag")
_KEYS = ("orderhub.view_apikey", "orderhub.add_apikey", "orderhub.change_apikey")
_JOBS = ("orderhub.view_jobrun", "orderhub.view_joblease")

ROLES: dict[str, tuple[str, ...]] = {
    SUPPORT: (
        *_ORDERS, *_DESK, "orders.view_personal_data",
        *_SHIP, *_NOTICES, *_BY_HAND, *_CARRIERS, "shipments.correct_tracking", "shipments.add_outgoingmail",
        *_STORES, *_CONNECT, "stores.map_custom_fields", *_PEOPLE, *_LAG,
    ),
    SUCCESS: (
        *_ORDERS, *_DESK, "shipments.view_shipment",
        *_NOTICES, *_BY_HAND, *_STORES, *_CONNECT,
        "stores.grant_features", "stores.view_featuregrant", "stores.map_custom_fields", "orders.reveal_person", *_PEOPLE, *_LAG,
    ),
    WAREHOUSE: (
        *_ORDERS, "orders.hold_order", "orders.view_personal_data_of_open_orders", "orders.view_ordernote",
        "orders.add_ordernote", "orders.change_product", "orders.confirm_stock", *_SHIP,
    ),
    PRIVACY: (
        *_ORDERS, "orders.view_customer", "privacy.view_erasurecertificate", "privacy.view_accesslog", *_JOBS,
        "orders.reveal_person", "orders.export_personal_data", *_PEOPLE, *_LAG, *_LOG, "privacy.carry_out_erasure",
        "privacy.view_personaldatarequest", "privacy.view_accessreview",
    ),
    ADMINISTRATOR: (
        *_ORDERS, *_STORES, *_CONNECT, *_JOBS, *_NOTICES, *_CARRIERS,
        "orders.fetch_order", "orders.view_historyread",
        "orderhub.view_user", "orderhub.add_user", "orderhub.change_user", *_KEYS, *_LAG, *_LOG,
        "privacy.view_accessreview", "privacy.add_accessreview", "webhooks.view_endpoint", "webhooks.change_endpoint",
    ),
}  # fmt: skip


def sync_roles(using: str = "default") -> None:
    """Make the five groups hold exactly the rights written above. Safe to repeat."""
    from django.contrib.auth.models import Group, Permission

    for config in apps.get_app_configs():
        create_permissions(config, verbosity=0, using=using)
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.using(using).select_related("content_type")
    }
    for role, codenames in ROLES.items():
        group, _created = Group.objects.using(using).get_or_create(name=role)
        group.permissions.set([known[codename] for codename in codenames])


def role_names(user) -> frozenset[str]:
    """The groups of this user, read once per user object, that is once a request, as Django does with rights."""
    if not hasattr(user, "_role_names"):
        user._role_names = frozenset(user.groups.values_list("name", flat=True))
    return user._role_names


def client_roles(*, reads_people: bool) -> frozenset[str]:
    """What stands in the place of groups for the account of an API key."""
    return frozenset({API_CLIENT_WITH_NAMES if reads_people else API_CLIENT})


def has_role(user, role: str) -> bool:
    """Membership of the group, nothing else: a superuser is not a member by being one."""
    return user.is_active and role in role_names(user)


def holds(user, right: str) -> bool:
    """Whether one of this user's roles has this right. Unlike has_perm(): being a superuser is no role."""
    return user.is_active and any(right in ROLES.get(role, ()) for role in role_names(user))


def may_see_person(user, *, order_open: bool) -> bool:
    """Whether this user sees an order's names and streets without giving a reason. Superusers get no exception."""
    return holds(user, "orders.view_personal_data") or (
        order_open and holds(user, "orders.view_personal_data_of_open_orders")
    )


def granted(user, right: str) -> bool:
    """As has_perm(), but a superuser needs a role that has the right. No query for anybody else once rights are read."""
    return user.has_perm(right) and (not user.is_superuser or holds(user, right))


def may_open_labels(user) -> bool:
    """Whether this user opens label files, which name the recipient."""
    return granted(user, "shipments.view_label")


def log_view(user, order_id: int, *, what: str, why: str = "") -> None:
    """Record that a user saw an order's personal data. `what` and `why` are codes, never texts of an order."""
    log_views(user, [order_id], what=what, why=why)


def log_views(user, order_ids: list[int], *, what: str, why: str = "") -> None:
    """Record a view of each of these orders, in one statement; two more look whether it was one too many an hour."""
    from privacy import quota
    from privacy.models import AccessLog

    if order_ids:
        AccessLog.objects.bulk_create(AccessLog(user=user, order_id=pk, what=what, why=why) for pk in order_ids)
        quota.watch(user)
