"""A unique token in every personal field of every order, and the walks that look for them everywhere afterwards."""

import logging
from collections.abc import Iterator
from itertools import count
from multiprocessing import Queue, Value

from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import URLPattern, get_resolver
from django_q.brokers import get_broker
from django_q.monitor import monitor
from django_q.signing import SignedPackage
from django_q.worker import worker

from orderhub.logs import EventFormatter
from orders import roman
from orders.models import Order
from privacy.access import ROLES
from privacy.scanner import Hit, Scanner
from tests.shipments.numbers import ups

CODES = {  # field of the data set -> four letters, so that six characters tell the field
    "name": "Name", "line1": "Lina", "line2": "Linb", "line3": "Linc", "company": "Firm", "phone": "Fone",
    "gift_message": "Gift", "customized_url": "Link", "buyer_name": "Buyr", "buyer_email": "Mail",
    "buyer_company": "Bcom", "purchase_order_number": "Pono", "drop_off": "Drop", "delivery_instructions": "Deli",
    "cancel_reason": "Canc", "engraving": "Engr",
}  # fmt: skip
WRITTEN_FROM = {
    "recipient_name": "name", "recipient_company": "company", "street1": "line1", "street2": "line2", "street3": "line3",
}  # fmt: skip
IN_PERSON_ROW = set(CODES) - {"customized_url", "cancel_reason", "engraving"}
NOT_PAGES = {"logout", "jsi18n", "view_on_site", "autocomplete"}


class Tokens:
    """Hands out tokens and remembers them: `token(field, order number)`."""

    def __init__(self) -> None:
        self.needles: dict[str, str] = {}

    def __call__(self, field: str, order_id: str) -> str:
        token = f"ZQ{CODES[field]}{order_id.replace('-', '')}QZ"
        self.needles[f"{field}/{order_id}"] = token
        return token

    def scanner(self) -> Scanner:
        """Looks for all of them but the relay addresses, which may stay."""
        relay = {name: token for name, token in self.needles.items() if name.startswith("buyer_email/")}
        wanted = {name: token for name, token in self.needles.items() if name not in relay}
        return Scanner(wanted, survivors=relay.values())


def in_roman(tokens: Tokens, order: Order) -> dict[str, str]:
    """What support types for an order: the token of each field that Amazon filled in, and a plain town."""
    given = {column: tokens.needles.get(f"{field}/{order.order_number}", "") for column, field in WRITTEN_FROM.items()}
    typed = {roman.TWINS[column]: token for column, token in given.items() if getattr(order.person, column)}
    return typed | {"romanised_city": "Chiyoda-ku", "romanised_state": "Tokyo"}


class Lines(logging.Handler):
    """Every record of every logger, formatted as in production; the unformatted text is thrown away, as there."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(EventFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def attach(self) -> list[tuple[logging.Logger, int]]:
        """Listen to the root and to every logger that keeps to itself; returns what to undo."""
        named = [logging.getLogger(name) for name in sorted(logging.root.manager.loggerDict)]
        chosen = [logging.root, *(logger for logger in named if not logger.propagate)]
        before = [(logger, logger.level) for logger in (*chosen, logging.getLogger("django.db.backends"))]
        for logger in chosen:
            logger.addHandler(self)
            logger.setLevel(logging.DEBUG)
        logging.getLogger("django.db.backends").setLevel(logging.INFO)  # statements are logged in debug mode only
        return before

    def detach(self, before: list[tuple[logging.Logger, int]]) -> None:
        for logger, level in before:
            logger.removeHandler(self)
            logger.setLevel(level)


def cells() -> Iterator[tuple[str, object]]:
    """(table.column, value) of every cell of every table and view of the live database, with or without a model."""
    with connection.cursor() as cursor:
        quote = connection.ops.quote_name
        for table in connection.introspection.table_names(cursor, include_views=True):
            cursor.execute(f"SELECT * FROM {quote(table)}")
            columns = [found[0] for found in cursor.description]
            for row in cursor.fetchall():
                yield from zip((f"{table}.{column}" for column in columns), row, strict=True)


def statistics() -> Iterator[tuple[str, object]]:
    """What PostgreSQL's planner remembers of values."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute(
            "SELECT tablename || '.' || attname, most_common_vals::text, histogram_bounds::text FROM pg_stats"
            " WHERE schemaname = current_schema()"
        )
        for place, common, bounds in cursor.fetchall():
            yield f"pg_stats {place}", [common, bounds]
        cursor.execute("SELECT query FROM pg_stat_activity")
        yield "pg_stat_activity", [query for (query,) in cursor.fetchall()]


def addresses(*, most: int | None = None) -> list[str]:
    """The address of every page of the admin, whoever wrote it: each pattern with each row it can be about."""
    found = [path for pattern, prefix in _patterns() for path in _filled(pattern, prefix, most)]
    return list(dict.fromkeys(found))


def _patterns() -> Iterator[tuple[URLPattern, str]]:
    waiting = [(pattern, "") for pattern in get_resolver().url_patterns]
    while waiting:
        pattern, prefix = waiting.pop()
        if hasattr(pattern, "url_patterns"):
            waiting += [(inner, prefix + str(pattern.pattern)) for inner in pattern.url_patterns]
        elif prefix.startswith("api/"):
            continue  # the canary's clients ask there
        elif pattern.name and pattern.name not in NOT_PAGES and "?P" not in str(pattern.pattern):
            yield pattern, prefix


def _filled(pattern: URLPattern, prefix: str, most: int | None) -> list[str]:
    route = f"/{prefix}{pattern.pattern}"
    if "<" not in route:
        chosen = {"shipments_ship": "?ids=" + ",".join(map(str, _ids("orders", "order", most)))}
        more = "?q=1" if pattern.name.endswith("_changelist") else chosen.get(pattern.name, "")
        return [route, route + more] if more else [route]
    start, rest = route.split("<", 1)
    end = rest.split(">", 1)[1]
    if "<" in end:
        return []
    return [f"{start}{pk}{end}" for pk in _ids(*_subject(pattern.name, start), most)]


def _subject(name: str, start: str) -> tuple[str, str]:
    """Which model a page is about: the label page says so by its name, the others by their address."""
    app, model = start.removeprefix("/admin/").split("/")[:2]
    return (app, "label") if name.endswith("_label") else (app, model)


def _ids(app: str, model: str, most: int | None) -> list[int]:
    try:
        rows = apps.get_model(app, model)
    except LookupError:
        return [1]
    return list(rows.objects.order_by("pk").values_list("pk", flat=True)[:most])


def registered() -> set[str]:
    """The change lists that must be among the addresses."""
    return {f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry}


def work_off_queue() -> int:
    """What a worker of the queue does, in this process: take from the database, run, record; returns how many."""
    broker, done = get_broker(), 0
    while broker.queue_size():
        for ack_id, payload in broker.dequeue():
            waiting, finished = Queue(), Queue()
            waiting.put(SignedPackage.loads(payload) | {"ack_id": ack_id, "cluster": "orderhub"})
            waiting.put("STOP")
            worker(waiting, finished, Value("f", -1))
            finished.put("STOP")
            monitor(finished, broker)
            done += 1
    return done


class Visitor:
    """Somebody signed in who opens pages; keeps the bodies and heads of what was answered, by place."""

    def __init__(self, user) -> None:
        self.user, self.client = user, Client(raise_request_exception=False)
        self.client.force_login(user)
        self.statuses: dict[int, list[str]] = {}

    def open(self, address: str) -> tuple[bytes, str]:
        answer = self.client.get(address)
        self.statuses.setdefault(answer.status_code, []).append(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        heads = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        return body, heads + str(self.client.cookies)


def role_names() -> list[str]:
    return list(ROLES)


def tables_of(hits: list[Hit]) -> set[str]:
    return {hit.place.split(".")[0] for hit in hits}


def tracking_numbers() -> Iterator[str]:
    return (ups(number) for number in count(1))
