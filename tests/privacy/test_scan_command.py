"""The scan of a living installation: it finds what is planted in any place, says where and never what, and is remembered."""

import base64
import io
import json
import os
import pickle
import re
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection

from orderhub import clock, jobs, tempdir
from orderhub.models import JobRun
from orders.models import Customer, Order, OrderPersonalData, Tag
from privacy import markers, registry, scanning
from privacy.models import ErasureCertificate
from privacy.registry import Kind
from privacy.scanning import places, probing, structure
from shipments.models import Label, ShipmentNotification
from tests.factories import make_user, rewrite
from tests.privacy.planted import Planted, drop_every_check
from tests.privacy.rows import bytes_of, due_order, sweep
from tests.privacy.test_registry import checks_again  # noqa: F401

pytestmark = pytest.mark.django_db
NAME = "Ada Lovelace-Byron"
PERSON = {"recipient_name": NAME, "street1": "12 St James's Square", "phone": "+44 20 7946 0123"}


def soon(**person) -> Order:
    """An order that goes within a day, with a person who is nobody else's."""
    return due_order(due=clock.now() + timedelta(hours=5), person=PERSON | person)


def scan(**options) -> str:
    out = io.StringIO()
    call_command("privacy_scan", stdout=out, **options)
    return out.getvalue()


def findings(**options) -> tuple[str, str]:
    """(what it printed, what it ended with) of a scan that must find something."""
    out = io.StringIO()
    with pytest.raises(CommandError) as ended:
        call_command("privacy_scan", stdout=out, **options)
    return out.getvalue(), str(ended.value)


@pytest.fixture(autouse=True)
def folders(settings, tmp_path) -> Path:
    """Nothing of other tests lies in the folders that are searched."""
    settings.VAR_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    cache.clear()
    return tmp_path


# -- clean


def test_w7_an_installation_without_leaks_is_clean(noon):
    Planted().erase()
    soon()
    told = scan()
    assert re.fullmatch(
        r"0 findings; 2 erased orders, 4 labels, 4 files checked; \d+ values of 1 orders searched in \d+ places, "
        r"\d+ bytes, \d+ decodings; complete\n",
        told,
    )
    result = scanning.Result.read(told.strip(), at=noon)
    assert result.clean and result.complete
    assert result.values >= 20 and result.places > 300


def test_a_scan_changes_nothing(noon):
    from tests.privacy.rows import everything

    Planted().erase()
    soon()
    before = everything()
    scan()
    assert everything() == before


@pytest.mark.long  # thousands of chains: the same as test_scanner's, through the command
@pytest.mark.long
def test_g02_the_self_test_finds_every_way_of_hiding():
    told = scan(self_test=True)
    ways, pairs, found, of = map(int, re.findall(r"(\d+) ways.* (\d+) pairs.*: (\d+) of (\d+) found", told)[0])
    assert ways >= 40 and pairs > 1000 and found == of == ways + pairs


# -- the structure


@pytest.mark.parametrize("column", ["recipient_name", "phone", "custom_field_1"])
def test_a_column_of_an_erased_order_that_holds_something_is_told_by_place_and_order(noon, column):
    order = due_order()
    sweep()
    with connection.cursor() as cursor:
        drop_every_check(cursor)
    rewrite(OrderPersonalData.objects.filter(pk=order.pk), **{column: NAME})
    told, ended = findings()
    assert f"column    orders_orderpersonaldata.{column}  order id {order.pk}  plain" in told
    assert NAME not in told + ended
    assert ended.startswith("1 places hold personal data that should be gone.")


def test_every_personal_column_is_looked_at(noon):
    """Whatever table it is in: the registry names it, the scan reads it."""
    looked_at = {
        (table, name) for table in registry.purposes() for name in structure.personal_fields(table)
    }  # fmt: skip
    assert looked_at == set(registry.personal_columns())
    for purpose in registry.purposes().values():
        assert purpose.what and purpose.why and purpose.term and purpose.how


def test_words_of_amazon_and_a_customer_that_came_back_are_found(noon):
    planted = Planted()
    planted.erase()
    rewrite(ShipmentNotification.objects.filter(order=planted.order), error_text="no such street")
    with connection.cursor() as cursor:
        drop_every_check(cursor)
    rewrite(Customer.objects.filter(pk=planted.order.customer_id), phone="+44 20 7946 0123")
    told, _ended = findings()
    assert f"shipments_shipmentnotification.error_text  order id {planted.order.pk}" in told
    assert "orders_customer.phone  no order known" in told


@pytest.mark.parametrize(
    ("value", "bare"),
    [
        ("", True), (None, True), ([], True), ({}, True), (markers.AMAZON, True), (markers.RGPD, True),
        ("abc123@marketplace.amazon.fr", True), ("Ada", False), (f"{markers.AMAZON} Ada", False), (["a.png"], False),
        (42, False), ("ada@example.org", False),
    ],
)  # fmt: skip
def test_what_a_personal_column_may_hold_after_an_erasure(value, bare):
    assert structure.is_bare(value) is bare


def test_r72_a_label_of_an_erased_parcel_that_is_not_the_stand_in_is_found(noon):
    planted = Planted()
    label = planted.order.shipments.get(is_return=False).labels.get()
    before = bytes_of(label)
    planted.erase()
    label.refresh_from_db()
    label.file.storage.delete(label.file.name)
    label.file.storage.save(label.file.name, ContentFile(before))
    told, _ended = findings()
    assert f"document  labels:{label.file.name}  order id {planted.order.pk}  not the stand-in" in told


def test_a_stand_in_of_a_parcel_that_was_corrected_since_is_one(noon):
    planted = Planted()
    planted.erase()
    planted.order.shipments.update(tracking_number="1Z999AA10123456784", ship_date=noon.date() - timedelta(days=3))
    assert scan().startswith("0 findings")


def test_a_file_without_a_row_is_found_once_it_had_time_to_get_one(noon):
    name = storages["labels"].save("0/77.pdf", ContentFile(b"%PDF"))
    path = Path(storages["labels"].path(name))
    os.utime(path, (noon.timestamp() - 60,) * 2)
    assert scan().startswith("0 findings")
    os.utime(path, (noon.timestamp() - 7200,) * 2)
    told, _ended = findings()
    assert "stray     labels:0/77.pdf  no order known  plain" in told


# -- the probe


def raw(table: str, column: str, value) -> None:
    """Put a value into the column of every row, behind the models' back."""
    with connection.cursor() as cursor:
        cursor.execute(f'UPDATE "{table}" SET "{column}" = %s', [value])


def test_the_probe_takes_values_that_tell_and_are_one_orders_own(noon):
    first = soon(street2="Parcel locker 12", recipient_company="Amazon", gift_message=markers.AMAZON)
    soon(street2="parcel LOCKER 12", recipient_name="Grace Hopper-Murray")
    due_order(due=noon + timedelta(hours=25), person={"recipient_name": "Alan Mathison Turing"})
    probe = probing.Probe(now=noon)
    mine = {
        name.partition("#")[0].partition(".")[2]: value
        for name, value in probe.needles.items()
        if name.endswith(f"#{first.pk}")
    }
    assert mine["recipient_name"] == NAME
    assert {"street2", "recipient_company", "gift_message", "country"} & set(mine) == set()
    assert "Alan Mathison Turing" not in probe.needles.values()


HIDDEN = {
    "plain": lambda text: text,
    "shouted": lambda text: f"about {text.upper()}!",
    "base64 of a pickle": lambda text: base64.b64encode(pickle.dumps(({"to": text},))).decode(),
    "json": lambda text: json.dumps({"name": text}),
    "compressed": lambda text: base64.urlsafe_b64encode(zlib.compress(text.encode())).decode(),
}


@pytest.mark.parametrize("way", HIDDEN)
def test_a_value_hidden_in_a_record_of_the_queue_is_told_by_place_order_and_way(noon, way):
    from django_q.models import Task

    order = soon()
    Task.objects.create(id="1", name="x", func="y", started=noon, stopped=noon, result=HIDDEN[way](NAME), success=False)
    told, ended = findings()
    assert re.search(rf"^probe     django_q_task\.result  order id {order.pk}  \S", told, re.M)
    assert NAME.casefold() not in (told + ended).casefold()


def test_g01_a_value_planted_in_any_column_that_no_erasure_reaches_is_found(noon):
    """Beside what each text column holds here; what is unreadable by right or about staff apart."""
    Planted().erase()
    Tag.objects.create(name="x")
    jobs.run("orderhub.housekeeping.heartbeat")
    order = soon()
    probe, told = probing.Probe(now=noon), dict(places.cells())
    wanted = {place for place in _text_columns() if place in told}
    hits = [hit for place in wanted for hit in probe.look(place, f"{told[place]} {NAME}")]
    assert {hit.place for hit in hits if hit.order_id == order.pk} == wanted
    assert len(wanted) >= 52


def _text_columns() -> set[str]:
    kinds, found = registry.tables(), set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            for told in connection.introspection.get_table_description(cursor, table):
                field = connection.introspection.get_field_type(told.type_code, told)
                kind = kinds[table].columns.get(told.name)
                if field in {"CharField", "TextField", "JSONField"} and kind not in places.ELSEWHERE:
                    found.add(f"{table}.{told.name}")
    return found


@pytest.mark.parametrize("place", ["mail", "tmp/host-1", "media/spool", "worker.log"])
def test_a_value_in_a_file_outside_the_label_storage_is_found(noon, folders, place):
    order = soon()
    path = folders / place if "." in place else folders / place / "letter.eml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"To: {NAME}")
    told, _ended = findings()
    assert len(re.findall(rf"^probe .*order id {order.pk}  plain$", told, re.M)) == 1
    assert NAME not in told


def test_a_file_among_the_media_named_after_a_person_is_found_and_not_named(noon, folders):
    soon()
    (folders / "media").mkdir()
    (folders / "media" / f"{NAME}.txt").write_text("x")
    told, _ended = findings()
    assert re.search(r"^probe     media ", told, re.M) and "Lovelace" not in told


def test_a_value_in_a_cache_is_found(noon):
    order = soon()
    cache.set("who", {"name": NAME})
    told, _ended = findings()
    assert re.search(rf"^probe     cache 0  order id {order.pk}", told, re.M)


def test_the_temporary_folder_of_this_process_is_searched(folders):
    assert tempdir.base() == folders / "tmp"


def test_staffs_own_names_and_the_personal_columns_are_no_leak(noon):
    soon()
    make_user(first_name="Ada", last_name="Lovelace-Byron", email="ada@example.org", username=NAME)
    assert scan().startswith("0 findings")
    assert not {place for place, _value in places.cells()} & {
        f"{table}.{column}"
        for table, found in registry.tables().items()
        for column, kind in found.columns.items()
        if kind in (Kind.PII, Kind.STAFF, Kind.SECRET)
    }


# -- every night


def test_the_nightly_job_says_what_it_found_and_is_read_back(noon, caplog):
    order = due_order()
    sweep()
    assert scanning.last_result() is None
    assert jobs.run("privacy.scan").startswith("0 findings; 1 erased orders")
    first = scanning.last_result()
    assert (first.clean, first.erased_orders, first.at) == (True, 1, noon)
    with connection.cursor() as cursor:
        drop_every_check(cursor)
    rewrite(OrderPersonalData.objects.filter(pk=order.pk), recipient_name=NAME)
    clock.advance(days=1)
    caplog.clear()
    jobs.run("privacy.scan")
    assert (scanning.last_result().found, scanning.last_result().clean) == (1, False)
    (line,) = [record for record in caplog.records if record.getMessage() == "leak_found"]
    assert (line.order_id, line.code) == (order.pk, "column orders_orderpersonaldata.recipient_name")
    assert NAME not in JobRun.objects.order_by("-pk").first().outcome


def test_a_scan_that_runs_out_of_time_says_that_it_saw_a_part(noon):
    for _number in range(3):
        due_order()
    sweep()
    soon()
    result = scanning.run(now=noon, budget_s=0)
    assert not result.complete and result.sentence().endswith("; in part")
    assert scanning.Result.read(result.sentence(), at=noon).complete is False
    assert scanning.Result.read("alive", at=noon) is None


def test_the_columns_of_many_orders_take_the_same_statements(noon, django_assert_num_queries):
    due_order()
    sweep()
    (_one, _none), *_others = list(structure.batches())
    count = 1 + sum(1 for _purpose in registry.purposes())
    with django_assert_num_queries(count):
        list(structure.batches())
    for _number in range(12):
        due_order()
    sweep()
    assert ErasureCertificate.objects.count() == 13
    with django_assert_num_queries(count):
        list(structure.batches())


def test_labels_are_read_in_one_statement_and_each_of_their_keys_in_one(noon, django_assert_num_queries):
    from privacy.scanning import shelving

    Planted().erase()
    assert Label.objects.exclude(redacted_at=None).count() == 4
    with django_assert_num_queries(1 + 4):
        assert list(shelving.documents()) == [None] * 4
