"""What happened in the demo shop: the product's own functions, run at past instants, then the main job now.

Nothing here writes an order, a notice or an erasure itself. Amazon's side is the simulator, told the same time.
"""

import json
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models import Count, Q

from orderhub import clock
from orderhub.demo import desk, parcels, roman, rules, shelves
from orderhub.http import HttpClient
from orderhub.jobs import inline, run
from orderhub.models import User
from orders.jobs import import_account
from orders.models import Order, SkippedOrder
from privacy import access, erasure
from shipments.dispatching import ParcelWish, ship
from shipments.jobs import notify_account
from shipments.models import Label, ShipmentNotification
from stores import connecting, features
from stores.models import AmazonAccount, FeatureGrant, Merchant, Store
from stores.simulator import scenarios

DAYS, STEP = 42, 3
LEFT_IN_KANJI = 2  # orders of Amazon.co.jp that nobody has prepared yet: they show what a packer is told then
PARCELS_A_VISIT = 6  # per account; below Amazon's burst, so that the past needs no waiting
USERS = {
    "support": access.SUPPORT,
    "success": access.SUCCESS,
    "warehouse": access.WAREHOUSE,
    "privacy": access.PRIVACY,
    "operator": access.ADMINISTRATOR,
}
SHIP_FROM = {
    "NA": {"name": "Atelier du Lac", "street1": "500 Sample Road", "city": "Burlington", "state": "VT", "postal_code": "05401", "country": "US"},
    "EU": {"name": "Atelier du Lac", "street1": "8 rue de l'Exemple", "city": "Annecy", "postal_code": "74000", "country": "FR"},
    "FE": {"name": "Atelier du Lac KK", "street1": "1-2-3 Rei", "city": "Chiyoda-ku", "state": "Tokyo", "postal_code": "100-0001", "country": "JP"},
}  # fmt: skip
CARRIERS = {
    "US": "ups",
    "CA": "canada_post",
    "MX": "estafeta",
    "FR": "colissimo",
    "DE": "dhl_paket",
    "ES": "correos",
    "JP": "yamato",
}


@dataclass
class Amazon:
    """The simulator's control endpoint."""

    base_url: str
    _http: HttpClient = field(init=False)

    def __post_init__(self) -> None:
        self._http = HttpClient(self.base_url, allowed_hosts=frozenset({"127.0.0.1"}))

    def set_clock(self, instant: datetime, *, scale: float) -> None:
        self._http.send("POST", "/__sim__/clock", json_body={"set": instant.isoformat(), "scale": scale})

    def ledger(self) -> list[dict]:
        """Every confirmation that had an effect."""
        return self._http.send("GET", "/__sim__/ledger").json()


def make_users() -> dict[str, str]:
    """One user a role, each with a random password; name to password."""
    passwords = {}
    for name, role in USERS.items():
        passwords[name] = secrets.token_urlsafe(12)
        user = User.objects.create_user(name, password=passwords[name], is_staff=True, first_name=name.capitalize())
        user.groups.add(Group.objects.get(name=role))
    return passwords


def tell(amazon: Amazon) -> None:
    """Live through the last weeks: connect, import, ship some, tell Amazon, erase what falls due."""
    present = clock.now()
    for days in range(DAYS, 0, -STEP):
        instant = present - timedelta(days=days)
        amazon.set_clock(instant, scale=0)
        with clock.at(instant):
            if days == DAYS:
                connect_accounts()
            visit(parcels=PARCELS_A_VISIT if days > STEP else 2)
    amazon.set_clock(clock.now(), scale=1)
    visit(parcels=2)
    shelves.fill(by=User.objects.get(username="warehouse"), now=clock.now())
    support = User.objects.get(username="support")
    desk.work(by=support, now=clock.now())
    parcels.pack(by=User.objects.get(username="warehouse"), support=support, now=clock.now())
    tell_amazon()


def connect_accounts() -> None:
    """Three sellers; one store takes Amazon-fulfilled orders too; customer success opens Amazon.co.jp."""
    success = User.objects.get(username="success")
    merchant = Merchant.objects.create(name="Atelier du Lac")
    for seller in (scenarios.NA, scenarios.EU, scenarios.JP):
        verified = connecting.verify(seller.region, seller.seller_id, seller.refresh_token)
        account = connecting.connect(
            verified,
            seller.refresh_token,
            merchant=merchant,
            sources=list(seller.marketplaces),
            now=clock.now(),
            by=success,
        )
        account.stores.update(ship_from=SHIP_FROM[seller.region], brand_name="Atelier du Lac")
    Store.objects.filter(marketplace__in=["US", "FR"]).update(import_afn=True)
    Store.objects.filter(marketplace="US").update(import_customization=True)  # where most customised products are sold
    japan = Store.objects.get(marketplace="JP")
    features.grant(japan, FeatureGrant.Feature.JAPAN, by=success, reason="Demonstration")
    desk.open_custom_fields(support=User.objects.get(username="support"), success=success)
    rules.make(by=success, now=clock.now())


def visit(*, parcels: int) -> None:
    """One pass of the main job: import, ship a few orders an account, tell Amazon, erase what is due."""
    now = clock.now()
    accounts = list(AmazonAccount.objects.order_by("pk"))
    with inline():
        for account in accounts:
            run(import_account.job_name, account.pk)
    rules.look_after(by=User.objects.get(username="support"), now=now)
    for account in accounts:
        send(account, parcels)
    tell_amazon()
    erasure.redact_due(now=now)


def tell_amazon() -> None:
    with inline():
        for account in AmazonAccount.objects.order_by("pk"):
            run(notify_account.job_name, account.pk)


def send(account: AmazonAccount, parcels: int) -> None:
    """Ship the orders that are most urgent, as a packer would; every fifth without a printed label.

    Before a label, support writes an address in kanji in Roman characters.
    """
    ready = Order.objects.shippable().filter(store__account=account, cancel_requested_at__isnull=True)
    packer, support = User.objects.get(username="warehouse"), User.objects.get(username="support")
    left = LEFT_IN_KANJI if account.region == "FE" else 0
    most = max(0, min(parcels, ready.count() - left))
    for number, order in enumerate(ready.select_related("store__merchant").order_by("ship_by", "pk")[:most]):
        wish = ParcelWish(
            carrier=CARRIERS.get(order.store.marketplace, "ups"),
            service="Standard",
            tracking_number=f"DEMO{order.pk:010d}",
            ship_date=clock.now().astimezone(order.store.zone).date(),
            with_label=number % 5 != 4,
        )
        if wish.with_label:
            roman.fill_in(order, by=support, now=clock.now())
        ship(order, wish, now=clock.now(), by=packer)


def catch_up(*, seconds: float) -> None:
    """Send what Amazon's own pace has put off, until nothing waits or the time is over."""
    deadline = time.monotonic() + seconds
    waiting = ShipmentNotification.objects.filter(state__in=["pending", "retry_at", "unknown", "in_flight"])
    while waiting.exists() and time.monotonic() < deadline:
        for account_id in set(waiting.values_list("order__store__account", flat=True)):
            run(notify_account.job_name, account_id)
        time.sleep(0.3)


def figures(amazon: Amazon, *, started: float) -> dict:
    """What is in the database, and what the simulator's own ledger says."""
    now = clock.now()
    created = Counter(entry["order_id"] for entry in amazon.ledger() if entry["effect"] == "created")
    shipped_here = Q(shipments__voided_at__isnull=True, shipments__is_return=False, shipments__isnull=False)
    owes = Order.objects.filter(shipped_here, fulfilled_by="MFN", store__platform="amazon").distinct()
    return {
        "orders_imported": Order.objects.count(),
        "orders_by_store": _counts(Order.objects.all(), "store__name"),
        "orders_by_status": _counts(Order.objects.all(), "status"),
        "skipped": SkippedOrder.objects.count(),
        "labels": Label.objects.count(),
        "owe_a_notice": owes.count(),
        "owe_no_notice": Order.objects.exclude(pk__in=owes).count(),
        "confirmed_at_amazon": len(set(created) & set(owes.values_list("order_number", flat=True))),
        "duplicate_confirmations": sum(count - 1 for count in created.values()),
        "redacted": Order.objects.filter(pii_state="redacted").count(),
        "overdue": Order.objects.exclude(pii_state="redacted").filter(redaction_due_at__lte=now).count(),
        "seconds": round(time.time() - started, 1),
    }


def _counts(orders, column: str) -> dict[str, int]:
    return dict(orders.order_by(column).values_list(column).annotate(count=Count("pk")))


def sound(told: dict) -> bool:
    """Whether the demo kept every promise it makes."""
    return (
        told["orders_imported"] > 0
        and told["confirmed_at_amazon"] == told["owe_a_notice"]
        and told["duplicate_confirmations"] == 0
        and told["overdue"] == 0
    )


def keep_figures(told: dict) -> None:
    Path(settings.VAR_DIR, "figures.json").write_text(json.dumps(told))
