"""Requests made to do harm: too large, too many, twice at once, or typed by a scanner that somebody else fed."""

import runpy
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Order
from privacy import access, registry
from shipments.models import Label, Shipment, ShipmentNotification
from tests.end_to_end.killing import at_once
from tests.factories import make_order, make_shipment, make_store, make_user
from tests.screens.test_shipping_form import SHIP, _typed, _url

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
PART = b'--x\r\nContent-Disposition: form-data; name="f%d"; filename="f"\r\n\r\n.\r\n'
FLOODS = {
    "a million fields": (b"a&" * 1_000_000, FORM),
    "fields with values": (urlencode([(f"f{n}", "x") for n in range(5000)]).encode(), FORM),
    "more than any form holds": (b"a=" + b"x" * (4 * 1024 * 1024), FORM),
    "a thousand files": (b"".join(PART % n for n in range(1000)) + b"--x--\r\n", "multipart/form-data; boundary=x"),
    "no boundary": (b"--x\r\n\r\n", "multipart/form-data"),
    "endless boundary": (b"--x\r\n\r\n", "multipart/form-data; boundary=" + "x" * 5000),
    "boundary of nothing": (b"--\r\n\r\n", "multipart/form-data; boundary="),
    "a part's head without an end": (b"--x\r\nA: " + b"x" * 200_000, "multipart/form-data; boundary=x"),
    "base64 that is none": (
        b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n*\r\n--x--\r\n',
        "multipart/form-data; boundary=x",
    ),
    "an encoding nobody knows": (b"a=1", FORM + "; charset=no-such"),
    "another type": (b"\x00\xff" * 1000, "application/octet-stream"),
}


# -- B24


@pytest.mark.parametrize("name", FLOODS)
def test_b24_a_flood_is_refused_in_words_and_changes_nothing(noon, name):
    body, kind = FLOODS[name]
    order = make_order()
    known, stranger = (Client(raise_request_exception=False) for _each in range(2))
    known.force_login(make_user(access.SUPPORT))
    for client, address in (
        (stranger, reverse("admin:login")), (known, reverse("admin:orders_order_changelist")), (known, _url(order)),
        (known, reverse("admin:orders_people")),
    ):  # fmt: skip
        answer = client.generic("POST", address, body, content_type=kind)
        assert answer.status_code < 500, address
        assert answer.status_code >= 400 or name in {"base64 that is none", "another type"} or len(body) < 5000
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    order.refresh_from_db()
    assert (order.status, Shipment.objects.count()) == (Order.Status.AWAITING_SHIPMENT, 0)


# -- B25


GREEDY = [
    {"all": "", "p": "2"},
    {"p": str(10**6)},
    {"p": "9" * 400},
    {"o": ".".join(map(str, range(40)))},
    {"o": "-1.--2.x.99.1." + "1." * 3000},
    {"page_size": str(10**6), "limit": str(10**9), "list_max_show_all": "9999999"},
    {"q": "a " * 2000},
    {"q": "\x00%_\\"},
]


def lists() -> list[str]:
    models = [model._meta for model in admin.site._registry]
    return [reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist") for meta in models]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("asked", GREEDY)
def test_b25_no_list_shows_or_costs_more_than_a_page(client, noon, asked):
    make_shipment(make_order(lines=2))
    client.force_login(make_user(*access.ROLES))
    opened = 0
    for address in lists():
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(address, asked)
        assert answer.status_code in {200, 302, 400, 403, 404}, (address, answer.status_code)
        assert len(seen) <= 45, address
        found = getattr(answer, "context_data", None) or {}
        if answer.status_code == 200 and "cl" in found:
            opened += 1
            assert len(found["cl"].result_list) <= 100 and found["cl"].list_max_show_all <= 200
    assert opened > 10 or "p" in asked


def test_b25_no_list_is_sorted_by_what_is_known_of_a_person():
    sorted_by = 0
    for model, found in admin.site._registry.items():
        for path in filter(None, [*(_ordering(found, name) for name in found.list_display), *(found.ordering or ())]):
            column = _column(model, path)
            sorted_by += column is not None
            assert column not in PERSONAL, (model, path)
    assert sorted_by > 30


PERSONAL = set(registry.personal_columns())


def _ordering(found: admin.ModelAdmin, name: str):
    """By what a click on this column sorts; as the change list decides it."""
    shown = getattr(found, name, None) or getattr(found.model, name, None)
    return getattr(shown, "admin_order_field", None) if callable(shown) else name


def _column(model, path) -> tuple[str, str] | None:
    """Table and column at the end of a path; None where it is computed from nothing of a person."""
    path = getattr(getattr(path, "expression", path), "name", path)
    field = None
    for step in str(path).lstrip("-").split("__"):
        try:
            field = model._meta.pk if step == "pk" else model._meta.get_field(step)
        except FieldDoesNotExist:
            return None
        model = field.related_model or model
    return (field.model._meta.db_table, field.column) if hasattr(field, "column") else None


def test_b25_the_way_of_looking_at_columns_would_see_one():
    assert _column(Order, "person__street1") in PERSONAL and _column(Order, F("person__street1").desc()) in PERSONAL


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such limit")
def test_b25_a_statement_of_the_web_server_ends_after_five_seconds(monkeypatch):
    for given in gunicorn_settings()["raw_env"]:
        monkeypatch.setenv(*given.split("=", 1))
    asked = connection.get_connection_params()
    where = {name: asked[name] for name in ("host", "port", "user", "password", "dbname") if asked.get(name)}
    with psycopg.connect(**where) as web:
        assert web.execute("SHOW statement_timeout").fetchone() == ("5s",)


def gunicorn_settings() -> dict:
    return runpy.run_path(str(Path(__file__).resolve().parents[2] / "gunicorn.conf.py"))


# -- B29


@pytest.mark.django_db(transaction=True)
def test_b29_two_people_at_once_ship_an_order_once(noon):
    order = make_order()
    people = [Client(), Client()]
    for number, person in enumerate(people):
        person.force_login(make_user(access.WAREHOUSE, username=f"packer{number}"))
    data = _typed(order)
    assert at_once(*(lambda person=person: person.post(_url(order), data) for person in people)) == [0, 0]
    assert (Shipment.objects.count(), ShipmentNotification.objects.count(), Label.objects.count()) == (1, 1, 1)
    order.refresh_from_db()
    assert order.status == Order.Status.SHIPPED


# -- B35


SCANNED = [
    "1Z999\rADMIN", "1Z999\x1b[2J", "\x1d01095040", "1Z999\x00", "%0d%0aSet-Cookie:a", "../../etc/passwd", "<script>alert(1)</script>",
    "$(id)", "`id`", "^XA^FDx^XZ", "~DG1Z999", "'; DROP TABLE orders_order;--", "=cmd|' /C calc'!A0", "javascript:alert(1)",
    "https://elsewhere.example/", "WIFI:S:x;P:y;;", "1Z" + "9" * 5000, "１Ｚ９９９Ａ" * 9, "\u202e1Z999", "{{7*7}}",
]  # fmt: skip


@pytest.mark.parametrize("code", SCANNED)
def test_b35_what_is_no_tracking_number_ships_nothing_and_is_only_shown(client, noon, code):
    order = make_order(make_store())
    client.force_login(make_user(access.WAREHOUSE))
    answer = client.post(_url(order), _typed(order, tracking_number=code))
    html = answer.content.decode()
    assert answer.status_code == 200 and not Shipment.objects.exists()
    assert order.order_number in html and "<script>alert" not in html and "Set-Cookie" not in answer.headers
    for address, field in (
        (SHIP, "ids"),
        (reverse("admin:shipments_pick"), "ids"),
        (reverse("admin:orders_where"), "number"),
    ):
        seen = client.get(address, {field: code})
        assert seen.status_code in {200, 302, 403} and "<script>alert" not in seen.content.decode()
    order.refresh_from_db()
    assert order.status == Order.Status.AWAITING_SHIPMENT
