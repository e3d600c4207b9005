"""Every address of the site, from the resolver, with something behind it; and who is let in, as docs/access-matrix.csv says."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from orderhub import clock
from orderhub.models import JobLease, JobRun
from privacy import access, audit
from privacy.markers import AMAZON
from privacy.models import AccessReview, ErasureCertificate, PersonalDataRequest
from privacy.models.event import EventCode
from shipments.models import CarrierSetting, LabelPurchase
from stores.models import Store
from tests.factories import make_order, make_shipment, make_user
from tests.screens.test_doors import make_all
from tests.shipments.batches import make_batch
from tests.shipments.notices import make_feed
from tests.shipments.postoffice import SHIP_FROM, amazon_return, ask
from tests.signins import freshen

FILE = Path(settings.BASE_DIR) / "docs" / "access-matrix.csv"
SUPERUSER, ANONYMOUS = "Superuser", "Nobody signed in"
WHO = (*access.ROLES, SUPERUSER, ANONYMOUS)
METHODS = ("GET", "POST")
YES = "yes"
QUERY = {
    "shipments_ship": "?ids={order}", "orders_where": "?number=1", "shipments_slips": "?ids={order}",
    "orders_export_people": "?ids={order}",
}  # fmt: skip
FIXED = {  # arguments that no row of a model gives
    "orders_product_photo": ["0" * 32 + ".png"], "shipments_carriersetting_carrier": ["ups"], "app_list": ["orders"],
    "view_on_site": [1, 1],
}  # fmt: skip
DRAFT = "no-such-draft"  # a wizard's pages lead to its first one without a draft


@dataclass(frozen=True)
class Place:
    """One address: its name, and what to ask for."""

    name: str
    url: str


@dataclass
class World:
    """Rows behind every address, made once; `ids` by what they are."""

    ids: dict[str, list] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)

    def build(self) -> "World":
        now = clock.now()
        self.ids = make_all(now)
        Store.objects.update(ship_from=SHIP_FROM)
        store = Store.objects.get(pk=self.ids["store"][0])
        parcel, returned = make_shipment(make_order(store)), amazon_return(store)
        batch, feed, mail = make_batch([make_order(store)]), make_feed(store.account), ask(returned)
        JobRun.objects.create(job="x", ok=True, finished_at=now)
        JobLease.objects.create(job="x")
        CarrierSetting.objects.get_or_create(code="ups")
        signer = make_user(access.ADMINISTRATOR)
        AccessReview.objects.create(signed_by=signer, accounts=1, digest="0" * 64, signed_at=now)
        access.log_view(signer, parcel.order_id, what="order page")
        audit.record(EventCode.SIGNED_OUT, user=signer)
        certificate = ErasureCertificate.objects.create(
            order_id=1,
            order_number="1",
            subject_id=1,
            rule="import",
            due_at=now,
            done_at=now,
            fields=[],
            marker=AMAZON,
            version="1",
        )
        bought = LabelPurchase.objects.create(
            order=parcel.order, provider="amazon_shipping", state=LabelPurchase.State.FAILED, idempotency_key="k"
        )
        self.ids |= {
            "label": [parcel.labels.get().pk], "shipment": [parcel.pk], "returned": [returned.pk], "batch": [batch.pk],
            "feed": [feed.pk], "mail": [mail.pk], "purchase": [bought.pk], "user": [make_user().pk],
            "certificate": [certificate.pk],
        }  # fmt: skip
        PersonalDataRequest.objects.create(order_ids=[self.ids["order"][0]], reason="buyer", asked_by=signer)
        for who in WHO:
            self.clients[who] = _client(who)
        return self

    def answers(self, place: Place, method: str, who: str) -> int:
        """The status of the answer; 0 where it leads to the sign-in. Nothing of what it did stays."""
        client = self.clients[who]
        cookies = client.cookies.copy()
        client.cookies.pop("messages", None)
        with transaction.atomic():
            answer = client.get(place.url) if method == "GET" else client.post(place.url, {})
            transaction.set_rollback(True)
        client.cookies = cookies
        to_sign_in = answer.status_code == 302 and answer.url.startswith(reverse("admin:login"))
        return 0 if to_sign_in else answer.status_code


def _client(who: str) -> Client:
    client = Client(raise_request_exception=False)
    if who != ANONYMOUS:
        client.force_login(make_user(is_superuser=True) if who == SUPERUSER else make_user(who))
        freshen(client)
    return client


EMPTY = {  # here a 404 says to those who are let in that there is none; others read 403
    ("orders_order_customization", "GET"), ("orders_product_photo", "GET"), ("stores_store_logo", "GET"), ("second_factor_picture", "GET"),
    ("stores_store_bigcommerce", "POST"), ("orders_order_tag", "POST"), ("orders_order_untag", "POST"),
}  # fmt: skip


def let_in(route: str, method: str, status: int) -> bool:
    """Whether an answer counts as allowed: not led to the sign-in, refused, unknown, or a method nobody may use."""
    return status not in {0, 403, 405} and (status != 404 or (route, method) in EMPTY)


# -- addresses


def places(world: World) -> list[Place]:
    """Every named address; the unnamed ones only lead on."""
    found = [Place(pattern.name, _url(pattern, prefix, world)) for pattern, prefix in patterns()]
    return sorted(found, key=lambda place: (place.url.split("/")[:4], place.name))


def patterns() -> Iterator[tuple[URLPattern, str]]:
    waiting = [(pattern, "") for pattern in get_resolver("orderhub.urls").url_patterns]
    while waiting:
        pattern, prefix = waiting.pop()
        if hasattr(pattern, "url_patterns"):
            waiting += [(inner, prefix + str(pattern.pattern)) for inner in pattern.url_patterns]
        elif pattern.name and not prefix.startswith("api/"):  # keys and scopes: tests/api/test_scopes.py
            yield pattern, prefix


def _url(pattern: URLPattern, prefix: str, world: World) -> str:
    name = pattern.name
    space = "admin:" if prefix.startswith("admin/") else ""
    args = FIXED.get(name) if name in FIXED else _args(pattern, prefix, world)
    query = QUERY.get(name, "").format(order=world.ids["order"][0])
    return reverse(space + name, args=args) + query


def _args(pattern: URLPattern, prefix: str, world: World) -> list:
    wanted = list(pattern.pattern.converters) if hasattr(pattern.pattern, "converters") else []
    if not wanted:
        return []
    if subject := SUBJECTS.get(pattern.name):
        return world.ids[subject]
    if wanted == ["key"]:
        return [DRAFT]
    app, model = prefix.split("/")[1:3]
    found = apps.get_model(app, model).objects.order_by("pk").values_list("pk", flat=True).first()
    assert found is not None, f"nothing behind {pattern.name}: give the world a row of {app}.{model}"
    return [found]


SUBJECTS = {  # whose number stands in the address, where it is not its own model's or where one of several matters
    "orders_order_customization": "picture", "orders_order_correct": "typed", "orders_product_rekey": "store",
    "shipments_buy": "order", "shipments_return": "order", "shipments_slip": "order", "shipments_split": "part",
    "shipments_label": "label", "shipments_note": "shipment", "shipments_void": "shipment", "shipments_mail": "returned",
    "shipments_voidreturn": "returned", "shipments_purchase": "purchase", "shipments_purchase_ask": "purchase",
    "shipments_purchase_close": "purchase", "shipments_purchase_void": "purchase", "shipments_tellnow": "account",
    "privacy_certificate": "certificate",
    "orders_customer_join": "customer", "orders_order_reveal": "order", "auth_user_password_change": "user",
}  # fmt: skip


# -- the table


def table() -> dict[tuple[str, str], set[str]]:
    """(route, method) -> who is let in."""
    with FILE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["route"], row["method"]): {who for who in WHO if row[who] == YES} for row in rows}


def line(route: str, method: str, allowed: set[str]) -> str:
    """A row of the table, ready to be judged and put in."""
    return ",".join([route, method, *(YES if who in allowed else "" for who in WHO)])


HEAD = ",".join(["route", "method", *WHO])
