"""The only copy that may leave: of everybody's orders, and of nobody."""

import io
import json
from collections import defaultdict

import pytest
from django.apps import apps
from django.core import serializers
from django.core.management import CommandError, call_command

from orderhub.housekeeping import marking
from orderhub.housekeeping.jobs import heartbeat
from orders.models import Customer, ItemPersonalData, Order, OrderPersonalData
from orders.models.person import EMAIL, ERASED
from privacy import access, audit, markers, registry
from privacy.fields import CannotDecrypt
from privacy.models import SecurityEvent
from privacy.registry import Kind
from privacy.scanner import Scanner
from stores.simulator import scenarios
from tests.factories import make_user, rewrite
from tests.privacy.rows import due_label, due_order, sweep

pytestmark = pytest.mark.django_db
CANARY = "ZQcanary1QZ"


@pytest.fixture
def full(noon):
    """Every place that can hold somebody holds one."""
    person = {name: f"{CANARY} {name}"[:60] for name in (*ERASED, "city", "district", "state", "postal_code")}
    person["postal_code"] = CANARY[:10]
    label = due_label(due_order(person=person | {EMAIL: f"{CANARY}@mail.example"}))
    order = label.shipment.order
    user = make_user(
        access.SUPPORT, username=CANARY.lower(), first_name=CANARY, last_name=CANARY, email=f"{CANARY}@staff.example"
    )
    order.notes.create(text=f"call {CANARY}", at=noon, author=user)
    Customer.objects.create(
        merchant=order.store.merchant, name=CANARY, email=f"{CANARY}@x.example", phone=CANARY, match_key=CANARY
    )
    ItemPersonalData.objects.create(
        item=order.items.get(), customization=json.dumps([{"text": CANARY}]), customized_url=CANARY
    )
    Order.objects.filter(pk=order.pk).update(custom_field_1=CANARY)
    order.notifications.update(state="rejected", error_code="x")
    rewrite(order.notifications, error_text=f"{CANARY} is not valid")
    rewrite(order.shipments, note_to_buyer=CANARY)
    audit.record(SecurityEvent.Code.SIGNED_IN, user=user)
    return order


def dump(path) -> str:
    out = io.StringIO()
    call_command("dump_anonymised", str(path), stdout=out)
    return out.getvalue()


@pytest.fixture
def copy(full, tmp_path):
    path = tmp_path / "copy.jsonl"
    dump(path)
    return path


def by_model(path) -> dict[str, list[dict]]:
    found = defaultdict(list)
    for line in path.read_text().splitlines():
        row = json.loads(line)
        found[row["model"]].append({"pk": row["pk"]} | row["fields"])
    return found


def test_l42_nobody_is_in_the_copy(copy):
    text = copy.read_text()
    assert CANARY.lower() not in text.lower()
    assert Scanner({"canary": CANARY}).scan_folder(copy.parent) == []
    for secret in (scenarios.NA.refresh_token, "correct horse", "md5$", "1 Sample Street", "Ada Example"):
        assert secret not in text


def test_the_orders_are_in_it_as_they_are(copy, full):
    row = by_model(copy)["orders.order"][0]
    assert (row["order_number"], float(row["order_total"]), row["status"]) == (str(full), 19.9, "shipped")
    person = by_model(copy)["orders.orderpersonaldata"][0]
    assert person["recipient_name"] == person["buyer_email"] == markers.AMAZON
    assert (person["country"], person["city"]) == ("US", f"city {full.pk}")


def test_every_personal_and_secret_column_of_the_registry_is_replaced_or_left_out(copy, full):
    rows, looked_at = by_model(copy), 0
    for model in apps.get_models():
        kinds = registry.tables().get(model._meta.db_table)
        for row in rows.get(model._meta.label_lower, []):
            original = model._base_manager.get(pk=row["pk"])
            for field in model._meta.concrete_fields:
                if kinds.columns[field.column] in {Kind.PII, Kind.SECRET} and not field.primary_key:
                    value = getattr(original, field.attname)
                    assert value in (None, "", [], {}) or row[field.name] != value, f"{model} {field.name}"
                    looked_at += 1
    assert looked_at > 30


def test_tables_with_anything_opaque_are_left_out(copy):
    left_out = {"sessions.session", "django_q.ormq", "django_q.task", "privacy.datakey", "admin.logentry"}
    assert left_out & set(by_model(copy)) == set()


def test_what_is_erased_stays_erased(full, tmp_path):
    sweep()
    dump(tmp_path / "after.jsonl")
    person = by_model(tmp_path / "after.jsonl")["orders.orderpersonaldata"][0]
    assert person["recipient_name"] == person["marker"] == "EXPURGÉ (Amazon)"


def test_it_can_be_read_back(copy, full):
    rows = list(serializers.deserialize("jsonl", copy.read_text()))
    assert len(rows) > 20
    OrderPersonalData.objects.all().delete()
    for row in rows:
        if isinstance(row.object, OrderPersonalData):
            row.save()  # the constraints take it
    assert OrderPersonalData.objects.get().recipient_name == markers.AMAZON


def test_it_is_recorded_and_only_its_owner_reads_the_file(copy):
    event = SecurityEvent.objects.get(code="dumped")
    assert event.ids == [len(copy.read_text().splitlines())]
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_file_that_exists_is_not_touched(full, tmp_path):
    path = tmp_path / "there.jsonl"
    path.write_text("mine")
    with pytest.raises(CommandError, match="exists already"):
        dump(path)
    with pytest.raises(CommandError, match=r"ends in \.jsonl"):
        dump(tmp_path / "copy.sqlite3")
    with pytest.raises(CommandError, match="cannot be written"):
        dump(tmp_path / "nowhere" / "copy.jsonl")
    assert path.read_text() == "mine"
    assert not SecurityEvent.objects.filter(code="dumped").exists()


def test_half_a_copy_is_not_left_behind(full, tmp_path, settings):
    Order.objects.filter(pk=full.pk).update(order_number="x")
    settings.FIELD_ENCRYPTION_KEYS = ["other:" + "A" * 43 + "="]  # the tokens cannot be read any more
    with pytest.raises(CannotDecrypt):
        dump(tmp_path / "half.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_the_demonstration_leaves_a_database_alone_that_served_production(noon, settings):
    settings.ORDERHUB_ENV, settings.SPAPI_BASE_URL = "demo", "http://127.0.0.1:9"
    heartbeat()
    assert not marking.is_production()
    settings.PRODUCTION = True
    heartbeat()
    heartbeat()
    settings.PRODUCTION = False
    assert marking.is_production()
    with pytest.raises(CommandError, match="has served a production installation"):
        call_command("demo_story", "--started", "0")
