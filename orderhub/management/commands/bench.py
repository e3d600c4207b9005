"""Speed as ratios measured in one run, on the database at hand. `make bench` brings a PostgreSQL along."""

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, reset_queries, transaction
from django.test.utils import CaptureQueriesContext, override_settings

from orderhub import clock
from orderhub.http import Answer
from orderhub.management.commands import bench_confirming
from orders import mapping as columns
from orders.customers import COLUMNS
from orders.models import AutomationRule, Customer, Order, OrderEvent, OrderItem, OrderPersonalData, RuleFiring
from orders.models.person import ERASED
from orders.page import PageWriter
from orders.pagesaving import PERSON_COLUMNS
from privacy import erasure, markers
from privacy.models import ErasureCertificate
from stores.connectors.amazon import mapping
from stores.marketplaces import BY_CODE
from stores.models import AmazonAccount, Merchant, Store
from stores.simulator import scenarios
from stores.simulator.amazon import AmazonApp

PAGE = 100


class Command(BaseCommand):
    help = "Measure import and erasure against the bare database work of the same rows. Needs an empty database."

    def add_arguments(self, parser):
        parser.add_argument("--orders", type=int, default=20_000)
        parser.add_argument("--parcels", type=int, default=1000, help="told to Amazon in one submission")
        parser.add_argument("--loop", type=int, default=500, help="orders of the update_or_create loop")

    def handle(self, *, orders: int, loop: int, parcels: int, **options):
        if settings.PRODUCTION:
            raise CommandError("Not on a production installation.")
        call_command("migrate", verbosity=0)
        if Order.objects.exists():
            raise CommandError("This database has orders in it. Use `make bench`, which brings an empty one.")
        self.stdout.write(f"{connection.vendor}, {orders} orders, pages of {PAGE}")
        bodies = pages(orders)
        account = make_account()
        make_rules()
        imported, statements = measure_import(account, bodies)
        if AutomationRule.objects.exclude(broken_at=None).exists() or not RuleFiring.objects.exists():
            raise CommandError("The rules did not run: the figures would mean nothing.")
        erased, update = measure_erasure()
        with override_settings(ENCRYPT_PERSONAL_DATA=False):  # what the work is compared with encrypts nothing
            _start_anew()
            plain, _statements = measure_import(account, bodies)
            rows = written()
            looped = measure_loop(rows, loop) * orders / loop
            bare = measure_bare(rows)
        table = [
            ("import, page JSON to rows", imported, ""),
            ("  the same without encryption", plain, f"encryption costs {imported / plain - 1:+.0%}"),
            ("  bare bulk upsert of the same rows", bare, f"{bare / imported:.2f} x bare (goal >= 0.5)"),
            (
                "  update_or_create loop of the same rows, extrapolated",
                looped,
                f"{looped / imported:.1f} x loop (goal >= 15)",
            ),
            ("erase all of them, with certificates", erased, ""),
            ("  bare UPDATE of the same columns", update, f"{update / erased:.2f} x bare (goal >= 0.2)"),
        ]
        for name, seconds, ratio in table:
            self.stdout.write(f"{name:<54}{seconds:8.2f} s {orders / seconds:9.0f} orders/s  {ratio}")
        self.stdout.write(f"statements for a page of {PAGE}: {statements}")
        AutomationRule.objects.all().delete()  # none of the next orders is held
        _start_anew()
        for line in bench_confirming.lines(*bench_confirming.measure(parcels)):
            self.stdout.write(line)


def pages(orders: int) -> list[bytes]:
    """searchOrders answers of the simulator for a backlog, as bytes."""
    world = scenarios.backlog(now=datetime.now(UTC), orders=orders)
    world.throttling = False
    app, bodies, token = AmazonApp(world), [], ""
    access = _post(app, "/auth/o2/token", {
        "grant_type": "refresh_token", "refresh_token": scenarios.NA.refresh_token,
        "client_id": scenarios.CLIENT_ID, "client_secret": scenarios.CLIENT_SECRET,
    })["access_token"]  # fmt: skip
    query = {
        "lastUpdatedAfter": (datetime.now(UTC) - timedelta(days=365)).isoformat().replace("+00:00", "Z"),
        "includedData": "BUYER,RECIPIENT,PAYMENT,FULFILLMENT,PROCEEDS,PROMOTION,CANCELLATION,PACKAGES",
        "maxResultsPerPage": str(PAGE),
    }
    while True:
        body = _get(app, "/orders/2026-01-01/orders", query | ({"paginationToken": token} if token else {}), access)
        bodies.append(body)
        token = mapping.page(_parsed(body)).next_token
        if not token:
            return bodies


def _parsed(body: bytes) -> dict:
    return Answer(200, {}, body, "searchOrders").json()


def _get(app, path: str, query: dict, access: str) -> bytes:
    environ = {"PATH_INFO": path, "QUERY_STRING": urlencode(query), "HTTP_X_AMZ_ACCESS_TOKEN": access}
    setup_testing_defaults(environ)
    return b"".join(app(environ, lambda status, headers, exc_info=None: None))


def _post(app, path: str, form: dict) -> dict:
    import io

    data = urlencode(form).encode()
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(data)), "wsgi.input": io.BytesIO(data),
    }  # fmt: skip
    setup_testing_defaults(environ)
    return _parsed(b"".join(app(environ, lambda status, headers, exc_info=None: None)))


def make_account() -> AmazonAccount:
    now, market = clock.now(), BY_CODE["US"]
    account = AmazonAccount(
        merchant=Merchant.objects.create(name="Bench"), region="NA", selling_partner_id="BENCH", status="active",
        verified_at=now, imported_until=now - timedelta(days=365),
        participations=[{"marketplace": market.id, "store_name": "Bench", "active": True}],
    )  # fmt: skip
    account.authorise("bench", now=now)
    account.save()
    Store.objects.create(
        merchant=account.merchant, account=account, marketplace="US", name="Bench", time_zone=market.time_zone
    )
    return account


def make_rules() -> None:
    """Five rules as a shop has them: two that match some orders, three that match few or none."""
    large = {"amount": "500", "currency": "USD"}
    rows = (
        ("Large orders", "", ("order_total", "at_least", large), ("hold", "check")),
        ("Several units", "", ("units", "at_least", 3), ("alert", "Use the large box")),
        ("To Canada", "", ("country", "is", "CA"), ("carrier", "canada_post")),
        ("Kettles", "any", ("sku", "is", "ML-0103"), ("alert", "Fragile")),
        ("Fast", "", ("service_level", "one_of", ["NEXT_DAY"]), ("carrier", "ups")),
    )
    for position, (name, lines, (fact, test, value), (do, what)) in enumerate(rows):
        criteria = [{"lines": lines, "criteria": [{"fact": fact, "test": test, "value": value}]}]
        AutomationRule.objects.create(
            name=name, position=position, active=True, criteria=criteria, actions=[{"do": do, "value": what}]
        )


def timed(work: Callable[[], None]) -> float:
    """Seconds; the query log of DEBUG is not part of it."""
    reset_queries()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure_import(account: AmazonAccount, bodies: list[bytes]) -> tuple[float, int]:
    """Seconds for all pages, and the statements of one page."""
    writer = PageWriter(account, now=clock.now())
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        writer.write(mapping.page(_parsed(bodies[0])))
    statements = len(captured)
    _start_anew()
    writer = PageWriter(account, now=clock.now())

    def work() -> None:
        for body in bodies:
            with transaction.atomic():
                writer.write(mapping.page(_parsed(body)))

    return timed(work), statements


# What an import writes, in the order of writing: model, what makes a row the same, what of it is overwritten
WRITTEN = (
    (Customer, ["id"], COLUMNS),
    (Order, ["store", "order_number"], columns.ORDER_COLUMNS),
    (OrderPersonalData, ["order"], PERSON_COLUMNS),
    (OrderItem, ["order", "amazon_item_id"], columns.ITEM_COLUMNS),
    (OrderEvent, ["id"], ["params"]),
    (RuleFiring, ["order"], ["trace"]),
)


def _start_anew() -> None:
    """Empty tables and a fresh connection, so that each measurement starts alike.

    TRUNCATE, not DELETE: PostgreSQL would plan foreign key checks for a table it believes empty, and keep that plan.
    """
    tables = [model._meta.db_table for model, _same, _columns in reversed(WRITTEN)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        else:
            for table in tables:
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608  our own table names
    connection.close()


def written() -> dict[type, dict[int, list]]:
    """Every row the import wrote, by model and order (customers: by the first of their orders)."""
    found = {}
    for model, _same, _columns in WRITTEN[1:]:
        owner = "pk" if model is Order else "order_id"
        found[model] = defaultdict(list)
        for row in model.objects.order_by("pk"):
            found[model][getattr(row, owner)].append(row)
    found[Customer], customers = defaultdict(list), Customer.objects.in_bulk()
    for order_id, (order,) in sorted(found[Order].items()):
        if order.customer_id in customers:
            found[Customer][order_id].append(customers.pop(order.customer_id))
    return found


def measure_bare(rows: dict[type, dict[int, list]]) -> float:
    """Seconds to upsert the very rows the import wrote, page by page, nothing decided."""
    numbers = sorted(rows[Order])
    _start_anew()

    def work() -> None:
        for start in range(0, len(numbers), PAGE):
            page = numbers[start : start + PAGE]
            with transaction.atomic():
                for model, same, overwritten in WRITTEN:
                    found = [row for number in page for row in rows[model].get(number, [])]
                    model.objects.bulk_create(
                        found, update_conflicts=True, unique_fields=same, update_fields=overwritten
                    )

    return timed(work)


def measure_loop(rows: dict[type, dict[int, list]], count: int) -> float:
    """Seconds to write the rows of `count` orders one by one, the way most importers do, into empty tables too."""
    numbers = sorted(rows[Order])[:count]
    _start_anew()

    def work() -> None:
        for number in numbers:
            with transaction.atomic():
                for model, same, _columns in WRITTEN:
                    for row in rows[model].get(number, []):
                        known = {name: getattr(row, name) for name in same}
                        model.objects.update_or_create(**known, defaults=_values(row))

    return timed(work)


def _values(row) -> dict:
    return {found.attname: getattr(row, found.attname) for found in row._meta.concrete_fields}


def measure_erasure() -> tuple[float, float]:
    """Seconds to erase every order through the sweep, and for one bare UPDATE of the same columns."""
    update = timed(_bare_update)
    due = clock.now() + timedelta(days=15)
    seconds = timed(lambda: erasure.redact_due(now=due, budget_s=3600))
    if Order.objects.exclude(pii_state="redacted").exists() or not ErasureCertificate.objects.exists():
        raise CommandError("The erasure did not finish: the figures would mean nothing.")
    return seconds, update


def _bare_update() -> None:
    """The work is done and undone: the rows stay as they were imported."""
    with transaction.atomic():
        OrderPersonalData.objects.update(**dict.fromkeys(ERASED, markers.AMAZON))
        transaction.set_rollback(True)
