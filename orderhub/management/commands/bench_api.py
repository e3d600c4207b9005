"""How long a page of orders takes over the API, in a store that has many; on the database at hand."""

import base64
import gc
import logging
import statistics
import time

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, reset_queries
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orderhub import apikeys, clock
from orderhub.management.commands import bench
from orderhub.models import User
from orderhub.rest import scopes
from orders.models import Order

WITHOUT_NAMES = tuple(name for name in scopes.SCOPES if name != scopes.ORDERS_READ_PII)


class Command(BaseCommand):
    help = "Measure lists of orders over the API, 100 rows a page. Needs an empty database; `make bench` brings one."

    def add_arguments(self, parser):
        parser.add_argument("--orders", type=int, default=100_000)
        parser.add_argument("--pages", type=int, default=60, help="of each list")

    def handle(self, *, orders: int, pages: int, **options):
        if settings.PRODUCTION:
            raise CommandError("Not on a production installation.")
        call_command("migrate", verbosity=0)
        if Order.objects.exists():
            raise CommandError("This database has orders in it. Use `make bench`, which brings an empty one.")
        logging.getLogger("orderhub.requests").setLevel(logging.WARNING)  # a line for each would be all one sees
        fill(orders)
        settings.ALLOWED_HOSTS.append("testserver")
        store = Order.objects.values_list("store", flat=True)[0]
        self.stdout.write(f"{connection.vendor}, {Order.objects.count()} orders, pages of {bench.PAGE}")
        for told, names in (("names and addresses", tuple(scopes.SCOPES)), ("without names", WITHOUT_NAMES)):
            token = _token(store, told, names)
            for line in (
                measure(f"native, newest first, {told}", _native(token, "sort=-modified_at"), pages),
                measure(
                    f"native, awaiting shipment, {told}", _native(token, "sort=-id&status=awaiting_shipment"), pages
                ),
                measure(f"version 1, {told}", _version_1(token, "sortBy=ModifyDate&sortDir=DESC"), pages),
            ):
                self.stdout.write(line)


def fill(orders: int) -> None:
    """Orders as an import writes them, the tables analysed."""
    account = bench.make_account()
    bench.measure_import(account, bench.pages(orders))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    gc.collect()
    gc.freeze()  # what filling left behind is no part of a web process


def measure(told: str, get, pages: int) -> str:
    """p50 and p95 in ms over so many pages one after the other, and the statements of the last."""
    get(1)
    times = []
    for number in range(1, pages + 1):
        reset_queries()  # the query log of DEBUG
        started = time.perf_counter()
        get(number)
        times.append((time.perf_counter() - started) * 1000)
    with CaptureQueriesContext(connection) as captured:
        get(1)
    p95 = statistics.quantiles(times, n=20)[-1]
    return f"{told:<60} p50 {statistics.median(times):6.0f} ms   p95 {p95:6.0f} ms   {len(captured)} statements"


def _token(store: int, told: str, names: tuple[str, ...]) -> str:
    owner, _new = User.objects.get_or_create(username="bench", is_staff=True)
    return apikeys.create(
        name=told, owner=owner, scopes=names, store_ids=[store], days=1, now=clock.now(), rate_per_minute=6000
    )[1]


def _native(token: str, query: str):
    """Follows the cursor: page 1 begins anew."""
    client, headers, cursor = Client(), {"Authorization": f"Bearer {token}"}, {}

    def get(number: int) -> None:
        after = f"&cursor={cursor['next']}" if number > 1 and cursor.get("next") else ""
        answer = client.get(f"/api/v1/orders?page_size={bench.PAGE}&{query}{after}", headers=headers)
        body = answer.json()
        if len(body["results"]) != bench.PAGE:
            raise CommandError("A page was not full: the figures would mean nothing.")
        cursor["next"] = body["next_cursor"]

    return get


def _version_1(token: str, query: str):
    pair = base64.b64encode(":".join(apikeys.basic_pair(token)).encode()).decode()
    client, headers = Client(), {"Authorization": f"Basic {pair}"}

    def get(number: int) -> None:
        answer = client.get(f"/shipstation/orders?pageSize={bench.PAGE}&page={number}&{query}", headers=headers)
        if len(answer.json()["orders"]) != bench.PAGE:
            raise CommandError("A page was not full: the figures would mean nothing.")

    return get
