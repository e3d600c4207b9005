"""Every guard of an erasure taken away in turn: each time the search must find something, or it proves nothing."""

import re
import types
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

import orders.personal_data
import shipments.personal_data
from orderhub import clock
from orders import page
from orders.models import Order, OrderPersonalData
from orders.models.person import LATCHED
from orders.strict_erasing import STRICT
from privacy import erasure, registry
from privacy.models import ErasureCertificate
from tests.privacy.planted import Planted, drop_every_check
from tests.privacy.rows import is_postgresql, sweep
from tests.privacy.test_latch import offered
from tests.privacy.test_registry import checks_again  # noqa: F401

HOLDERS = [(module, holder) for module in registry._modules() for holder in getattr(module, "HOLDERS", ())]


def name_of(holder) -> str:
    return f"{type(holder).__module__}.{type(holder).__name__}"


@pytest.fixture(autouse=True)
def without_encryption(request, settings) -> None:
    """So that each redactor is proven by what it overwrites, and not by the key that is destroyed beside it."""
    settings.ENCRYPT_PERSONAL_DATA = "postgresql" in request.node.name


@pytest.fixture
def planted(noon) -> Planted:
    world = Planted()
    assert {hit.needle_name for hit in world.look()} == set(world.needles)  # the search sees all there is
    return world


@pytest.mark.django_db
def test_g02_with_every_guard_in_place_nothing_is_found(planted):
    assert planted.erase() == "2 redacted, 6 documents, 0 failed"
    assert planted.found() == []


@pytest.mark.django_db
def test_g02_the_strict_profile_leaves_nothing_either(noon):
    planted = Planted(strict=True)
    assert "options/1" in {hit.needle_name for hit in planted.look()}
    planted.erase()
    assert planted.found() == []


@pytest.mark.django_db
@pytest.mark.sampled(3)
@pytest.mark.parametrize(("module", "holder"), HOLDERS, ids=[name_of(holder) for _module, holder in HOLDERS])
def test_g02_each_redactor_of_the_registry_is_missed(noon, monkeypatch, module, holder):
    planted = Planted(strict=holder is STRICT)
    monkeypatch.setattr(module, "HOLDERS", tuple(found for found in module.HOLDERS if found is not holder))
    assert len(registry.holders()) == len(HOLDERS) - 1
    planted.erase()
    assert planted.found() != []


@pytest.mark.django_db
def test_g02_a_certificate_that_quotes_a_value_is_found(planted, monkeypatch):
    honest = erasure._certificate

    def talkative(row, fields, documents, **given):
        certificate = honest(row, fields, documents, **given)
        certificate.fields = [*certificate.fields, planted.needles["recipient_name/1"]]
        return certificate

    monkeypatch.setattr(erasure, "_certificate", talkative)
    planted.erase()
    found = {hit.place.removeprefix("pg_stats ") for hit in planted.look()}
    assert found == {"privacy_erasurecertificate.fields"}
    assert ErasureCertificate.objects.count() >= 2


@pytest.mark.django_db
def test_g02_a_label_that_only_pretends_to_be_erased_is_found(planted, monkeypatch):
    monkeypatch.setattr(shipments.personal_data, "redacted_pdf", lambda label, **_: label.file.open().read())
    planted.erase()
    assert {hit.place.split(":")[0] for hit in planted.look()} == {"labels"}


@pytest.mark.django_db
def test_g02_names_taken_in_again_are_refused_by_the_database_and_found_without_it(planted):
    """The importer without its latch: the database says no; without that one too, the search finds what came."""
    planted.erase()
    unlatched = mutant(page, "latched = latch.is_shut(order, person)", "latched = False")
    order = Order.objects.select_related("store__account").get(pk=planted.order.pk)
    told = offered(order, at=clock.now(), recipient_name=planted.needles["recipient_name/1"])

    def take_in() -> None:
        with transaction.atomic():
            unlatched.PageWriter(order.store.account, now=clock.now()).write(told)

    with pytest.raises(IntegrityError):
        take_in()
    assert planted.found() == []
    with connection.cursor() as cursor:
        drop_every_check(cursor)
    take_in()
    assert {hit.place for hit in planted.look()} == {"orders_orderpersonaldata.recipient_name"}


def mutant(module: types.ModuleType, old: str, new: str) -> types.ModuleType:
    """A copy of the module in which one line reads differently."""
    source = Path(module.__file__).read_text()
    assert source.count(old) == 1
    changed = types.ModuleType(module.__name__)
    exec(compile(source.replace(old, new), module.__file__, "exec"), changed.__dict__)  # noqa: S102
    return changed


@pytest.mark.django_db
@pytest.mark.sampled(3)
@pytest.mark.parametrize("column", ["buyer_name", "phone", "custom_field_2"])
def test_g02_a_column_the_erasure_forgets_is_found_once_nothing_else_looks(planted, monkeypatch, column):
    """Without the overwrite, the database's latch and the verification."""
    with connection.cursor() as cursor:
        drop_every_check(cursor)
    kept = tuple(name for name in orders.personal_data.ERASED if name != column)
    monkeypatch.setattr(orders.personal_data, "erasable", lambda: kept)
    assert planted.erase() == "2 redacted, 6 documents, 0 failed"
    assert {hit.place for hit in planted.look()} == {f"orders_orderpersonaldata.{column}"}


# -- the bytes on disk


def left_on_disk(tokens) -> dict[str, int]:
    """How often a token stands in SQLite's file and in its write-ahead log, free pages and all."""
    path = Path(connection.settings_dict["NAME"])
    wanted = re.compile(b"|".join(re.escape(token.encode()) for token in tokens))
    files = (path, path.with_name(f"{path.name}-wal"))
    return {file.suffix: len(wanted.findall(file.read_bytes())) if file.exists() else 0 for file in files}


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(is_postgresql(), reason="SQLite's file")
@pytest.mark.sampled(3)
@pytest.mark.parametrize("guard", ["all", "checkpoint", "secure_delete"])
def test_g30_sqlites_file_and_log_hold_nothing_after_the_sweep(noon, monkeypatch, guard):
    """L24, L25: with both guards no byte is left; each one taken away leaves some."""
    planted = Planted()
    tokens = set(planted.needles.values())
    assert sum(left_on_disk(tokens).values()) >= len(tokens)
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA secure_delete").fetchone() == (1,)
        if guard == "secure_delete":
            cursor.execute("PRAGMA secure_delete = OFF")
    if guard == "checkpoint":
        monkeypatch.setattr(erasure, "scrub_storage", lambda: None)
    try:
        planted.erase()
        left = left_on_disk(tokens)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")
    assert planted.look() == []
    assert (sum(left.values()) == 0) is (guard == "all"), left


@pytest.mark.django_db(transaction=True)
def test_g30_postgresqls_files_hold_nothing_readable(noon):
    """L22, L23: dead rows, index pages and the write-ahead log keep bytes until they are used again, so only encrypted
    columns make this true."""
    if not is_postgresql():
        pytest.skip("PostgreSQL's files")
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        folder = Path(cursor.fetchone()[0])
    if not (folder / "PG_VERSION").exists():
        pytest.skip("the server's files are not on this machine, or not ours to read")
    planted = Planted(first=7)  # other tests left theirs in these files, unencrypted
    assert OrderPersonalData.objects.get(pk=planted.order.pk).recipient_name == planted.needles["recipient_name/7"]
    planted.erase()
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    tokens = re.compile(b"|".join(re.escape(token.encode()) for token in planted.needles.values()))
    read, left = 0, []
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            read += len(data)
            left += [str(path.relative_to(folder)).split("/")[0]] * bool(tokens.search(data))
    assert read > 1_000_000
    assert left == []


@pytest.mark.django_db
def test_the_planted_world_fills_every_personal_column(planted):
    """What is not planted is not proven."""
    person = OrderPersonalData.objects.get(pk=planted.order.pk)
    assert [name for name in LATCHED if not getattr(person, name)] == []
    assert sweep() == "0 redacted, 0 documents, 0 failed"  # nothing of it is due by itself
