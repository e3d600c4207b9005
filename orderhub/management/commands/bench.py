"""Speed as ratios measured in one run, on the database at hand. `make bench` brings a PostgreSQL along."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, reset_queries, transaction
from django.test.utils import CaptureQueriesContext

from orderhub import clock
from orderhub.http import Answer
from orders import mapping as columns
from orders.models import Order, OrderEvent, OrderItem, OrderPersonalData
from orders.page import ITEM_COLUMNS, PageWriter
from privacy import erasure
from privacy.models import ErasureCertificate
from stores.connectors.amazon import mapping
from stores.connectors.base import PERSON_FIELDS
from stores.marketplaces import BY_CODE
from stores.models import AmazonAccount, Merchant, Store
from stores.simulator import scenarios
from stores.simulator.amazon import AmazonApp

PAGE = 100


class Command(BaseCommand):
    help = "Measure import and erasure against the bare database work of the same rows. Needs an empty database."

    def add_arguments(self, parser):
        parser.add_argument("--orders", type=int, default=20_000)
        parser.add_argument("--loop", type=int, default=500, help="orders of the update_or_create loop")

    def handle(self, *, orders: int, loop: int, **options):
        if settings.PRODUCTION:
            raise CommandError("Not on a production installation.")
        call_command("migrate", verbosity=0)
        if Order.objects.exists():
            raise CommandError("This database has orders in it. Use `make bench`, which brings an empty one.")
        self.stdout.write(f"{connection.vendor}, {orders} orders, pages of {PAGE}")
        bodies = pages(orders)
        account = make_account()
        imported, statements = measure_import(account, bodies)
        bare = measure_bare()
        looped = measure_loop(loop) * orders / loop
        erased, update = measure_erasure()
        rows = [
            ("import, page JSON to rows", imported, ""),
            ("  bare bulk upsert of the same rows", bare, f"{bare / imported:.2f} x bare (goal >= 0.5)"),
            ("  update_or_create loop, extrapolated", looped, f"{looped / imported:.1f} x loop (goal >= 15)"),
            ("erase all of them, with certificates", erased, ""),
            ("  bare UPDATE of the same columns", update, f"{update / erased:.2f} x bare (goal >= 0.2)"),
        ]
        for name, seconds, ratio in rows:
            self.stdout.write(f"{name:<42}{seconds:8.2f} s {orders / seconds:9.0f} orders/s  {ratio}")
        self.stdout.write(f"statements for a page of {PAGE}: {statements}")


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

    def work() -> None:
        for body in bodies:
            with transaction.atomic():
                writer.write(mapping.page(_parsed(body)))

    return timed(work), statements


def _start_anew() -> None:
    """Empty tables and a fresh connection, so that each measurement starts alike.

    TRUNCATE, not DELETE: PostgreSQL would plan foreign key checks for a table it believes empty, and keep that plan.
    """
    tables = [model._meta.db_table for model in (OrderEvent, OrderItem, OrderPersonalData, Order)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        else:
            for table in tables:
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608  our own table names
    connection.close()


def measure_bare() -> float:
    """Seconds to upsert the very rows the import wrote, page by page, nothing decided."""
    orders = list(Order.objects.order_by("pk"))
    persons = OrderPersonalData.objects.in_bulk()
    items, events = {}, {}
    for model, found in ((OrderItem, items), (OrderEvent, events)):
        for row in model.objects.order_by("pk"):
            found.setdefault(row.order_id, []).append(row)
    _start_anew()

    def work() -> None:
        for start in range(0, len(orders), PAGE):
            page = orders[start : start + PAGE]
            with transaction.atomic():
                Order.objects.bulk_create(
                    page,
                    update_conflicts=True,
                    unique_fields=["store", "order_number"],
                    update_fields=columns.ORDER_COLUMNS,
                )
                OrderPersonalData.objects.bulk_create(
                    [persons[order.pk] for order in page], update_conflicts=True, unique_fields=["order"],
                    update_fields=list(PERSON_FIELDS),
                )  # fmt: skip
                OrderItem.objects.bulk_create(
                    [item for order in page for item in items.get(order.pk, [])], update_conflicts=True,
                    unique_fields=["order", "amazon_item_id"], update_fields=ITEM_COLUMNS,
                )  # fmt: skip
                OrderEvent.objects.bulk_create([event for order in page for event in events.get(order.pk, [])])

    return timed(work)


def measure_loop(count: int) -> float:
    """Seconds to write `count` of the orders one by one, the way most importers do."""
    orders = list(Order.objects.order_by("pk")[:count])
    persons = OrderPersonalData.objects.in_bulk([order.pk for order in orders])
    items = list(OrderItem.objects.filter(order__in=orders))

    def work() -> None:
        for order in orders:
            with transaction.atomic():
                Order.objects.update_or_create(
                    store_id=order.store_id,
                    order_number=order.order_number,
                    defaults=_values(order, columns.ORDER_COLUMNS),
                )
                OrderPersonalData.objects.update_or_create(
                    order=order, defaults=_values(persons[order.pk], PERSON_FIELDS)
                )
        for item in items:
            OrderItem.objects.update_or_create(
                order_id=item.order_id, amazon_item_id=item.amazon_item_id, defaults=_values(item, ITEM_COLUMNS)
            )

    return timed(work)


def _values(row, names) -> dict:
    return {name: getattr(row, name) for name in names}


def measure_erasure() -> tuple[float, float]:
    """Seconds to erase every order through the sweep, and for one bare UPDATE of the same columns."""
    update = timed(lambda: _bare_update("x"))
    due = clock.now() + timedelta(days=15)
    seconds = timed(lambda: erasure.redact_due(now=due, budget_s=3600))
    if Order.objects.exclude(pii_state="redacted").exists() or not ErasureCertificate.objects.exists():
        raise CommandError("The erasure did not finish: the figures would mean nothing.")
    return seconds, update


def _bare_update(text: str) -> None:
    from orders.models.person import ERASED

    OrderPersonalData.objects.update(**dict.fromkeys(ERASED, text))
