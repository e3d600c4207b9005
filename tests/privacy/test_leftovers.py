"""What no row knows goes by its age: mails that are files, files without a row, temporary files; exports are not stored."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.views.debug import get_exception_reporter_class

from orderhub import clock, jobs, mailfiles, tempdir
from orders.models import ItemPersonalData, Product
from privacy import leftovers, registry
from privacy.scanning import shelving
from shipments.models import Label
from stores import logos
from stores.models import Store
from tests.factories import make_order, make_shipment, make_store, make_user
from tests.privacy.planted import Planted
from tests.privacy.rows import sweep

pytestmark = pytest.mark.django_db
TIDY = "privacy.tidy"


def put(alias: str, name: str, *, age: timedelta) -> str:
    """A file of that age by our clock."""
    saved = storages[alias].save(name, ContentFile(b"x"))
    grow_old(Path(storages[alias].path(saved)), age)
    return saved


def grow_old(path: Path, age: timedelta) -> None:
    instant = (clock.now() - age).timestamp()
    os.utime(path, (instant, instant))


@pytest.fixture(autouse=True)
def shelves(settings, tmp_path):
    """Storages of this test's own."""
    settings.STORAGES = {
        alias: told | {"OPTIONS": told.get("OPTIONS", {}) | {"location": str(tmp_path / alias)}} if alias not in {"default", "staticfiles"} else told
        for alias, told in settings.STORAGES.items()
    }  # fmt: skip


# -- files without a row


@pytest.mark.parametrize(("alias", "days"), [("brand", 1), ("photos", 1), ("labels", 44), ("customization", 44)])
def test_a_file_no_row_names_goes_once_it_is_old_enough(noon, alias, days):
    fresh = put(alias, "1/fresh.png", age=timedelta(days=days, minutes=-1))
    stray = put(alias, "1/stray.png", age=timedelta(days=days, minutes=1))
    assert f"1 of {alias}" in jobs.run(TIDY)
    assert (storages[alias].exists(fresh), storages[alias].exists(stray)) == (True, False)
    assert f"0 of {alias}" in jobs.run(TIDY)


def test_files_that_rows_name_stay_however_old(noon):
    store = make_store()
    logo, photo, wish = (
        put(alias, "1/a.png", age=timedelta(days=400)) for alias in ("brand", "photos", "customization")
    )
    Store.objects.filter(pk=store.pk).update(brand_logo=logo)
    Product.objects.create(store=store, key="k", photo=photo)
    order = make_order(store)
    ItemPersonalData.objects.create(item=order.items.get(), images=[wish], state="fetched")
    Label.objects.filter(shipment=make_shipment(order)).update(file=put("labels", "1/a.pdf", age=timedelta(days=400)))
    assert jobs.run(TIDY) == "0 of brand, 0 of customization, 0 of photos, 0 of labels, 0 mail files"
    assert storages["labels"].exists("1/a.pdf")


def test_a_logo_whose_store_got_another_and_whose_end_was_missed_goes(noon):
    store = make_store()
    logos.keep(store, b"one")
    first = store.brand_logo
    Store.objects.filter(pk=store.pk).update(brand_logo="")  # the process died before it could delete the file
    grow_old(Path(storages["brand"].path(str(first))), timedelta(days=2))
    assert "1 of brand" in jobs.run(TIDY)


def test_where_most_files_seem_strays_the_tables_are_wrong_and_nothing_goes(noon, caplog):
    """An empty database beside the files of another one."""
    names = [put("labels", f"1/{number}.pdf", age=timedelta(days=50)) for number in range(shelving.MANY + 1)]
    assert "labels" not in jobs.run(TIDY)
    assert all(storages["labels"].exists(name) for name in names)
    (line,) = [record for record in caplog.records if record.getMessage() == "strays_left"]
    assert (line.code, line.count) == ("labels", shelving.MANY + 1)


def test_every_storage_is_a_shelf_and_every_file_column_is_on_one(settings):
    from django.apps import apps
    from django.db.models import FileField

    assert {shelf.alias for shelf in registry.shelves()} == set(settings.STORAGES) - {"default", "staticfiles"}
    columns = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, FileField)
    }
    assert columns == {
        "stores.Store.brand_logo", "orders.Product.photo", "orders.CatalogueItem.image", "shipments.Label.file",
    }  # fmt: skip


def test_a_shelfs_names_are_asked_for_in_one_statement(noon, django_assert_max_num_queries):
    for number in range(30):
        put("labels", f"1/{number}.pdf", age=timedelta(hours=1))
    with django_assert_max_num_queries(6):
        shelving.sweep_strays(now=noon)


# -- mails that are files


@pytest.fixture
def mail_folder(settings, tmp_path) -> Path:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = mailfiles.FILE_BACKEND, str(tmp_path / "mail")
    return tmp_path / "mail"


def test_r93_a_mail_kept_as_a_file_goes_after_a_day(noon, mail_folder):
    EmailMessage("s", "b", "a@example.org", ["ada@example.org"]).send()
    (path,) = mail_folder.iterdir()
    grow_old(path, timedelta(hours=23))
    assert jobs.run(TIDY).endswith("0 mail files") and path.exists()
    grow_old(path, leftovers.MAIL_FILES_FOR + timedelta(minutes=1))
    assert jobs.run(TIDY).endswith("1 mail files")
    assert list(mail_folder.iterdir()) == []


def test_r93_an_erasure_takes_the_mail_files_with_it(noon, mail_folder):
    planted = Planted()
    (path,) = mail_folder.iterdir()
    assert "abc123@marketplace.amazon.com" in path.read_text()
    planted.erase()
    assert list(mail_folder.iterdir()) == []


def test_the_erasure_of_an_order_without_mails_leaves_them(noon, mail_folder):
    EmailMessage("s", "b", "a@example.org", ["staff@example.org"]).send()
    make_order(redaction_due_at=noon, redaction_rule="import")
    assert sweep().startswith("1 redacted")
    assert len(list(mail_folder.iterdir())) == 1


def test_sent_mails_are_no_files(settings, tmp_path):
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "django.core.mail.backends.smtp.EmailBackend", str(tmp_path)
    (tmp_path / "a.log").write_text("x")
    assert (mailfiles.wipe(), mailfiles.folder()) == (0, None)


# -- exports, slips, temporary files


def test_r95_no_export_and_no_slip_is_stored(noon, settings, tmp_path):
    """What leaves is streamed: after every export, slip and picking list there is not a file more than before."""
    settings.VAR_DIR, settings.MEDIA_ROOT = tmp_path / "var", tmp_path / "media"
    order = make_shipment(make_order()).order
    before = files_below(tmp_path) | files_below(tempdir.base())
    client = Client()
    client.force_login(make_user("Support"))
    answers = [
        client.post(reverse("admin:orders_order_export")),
        client.get(reverse("admin:shipments_slip", args=[order.pk])),
        client.get(f"{reverse('admin:shipments_slips')}?ids={order.pk}"),
        client.get(reverse("admin:shipments_label", args=[Label.objects.get().pk])),
    ]
    sizes = [len(b"".join(answer.streaming_content) if answer.streaming else answer.content) for answer in answers]
    assert [answer.status_code for answer in answers] == [200] * 4 and min(sizes) > 100
    assert files_below(tmp_path) | files_below(tempdir.base()) == before


def files_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()} if folder.is_dir() else set()


def test_l33_a_process_begins_with_an_empty_folder_and_drops_those_of_the_dead(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    host = os.uname().nodename
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = {
        name: tmp_path / "tmp" / name for name in (f"{host}-{gone.pid}", f"{host}-{os.getppid()}", "other-1", "other-2")
    }
    for folder in left.values():
        folder.mkdir(parents=True)
        (folder / "upload").write_text("Ada")
    os.utime(left["other-2"], (0, 0))
    mine = tmp_path / "tmp" / f"{host}-{os.getpid()}"
    mine.mkdir()
    (mine / "of an earlier process").write_text("Ada")
    tempdir.sweep(beside=mine)
    assert sorted(path.name for path in (tmp_path / "tmp").iterdir()) == sorted(
        [mine.name, f"{host}-{os.getppid()}", "other-1"]
    )


@pytest.mark.long  # starts a process
def test_l33_a_started_process_uses_its_folder_leaves_it_and_dumps_no_core(tmp_path):
    told = (
        "import os, resource, tempfile, django; django.setup(); from django.conf import settings;"
        "print(tempfile.mkstemp()[1]); print(settings.FILE_UPLOAD_TEMP_DIR);"
        "print(oct(os.stat(tempfile.gettempdir()).st_mode)[-3:], resource.getrlimit(resource.RLIMIT_CORE)[0])"
    )
    environment = os.environ | {"VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "orderhub.settings"}
    done = subprocess.run([sys.executable, "-c", told], env=environment, capture_output=True, text=True, check=True)
    file, uploads, facts = done.stdout.split("\n")[:3]
    assert Path(file).parent == Path(uploads) and Path(uploads).parent == tmp_path / "tmp"
    assert facts == "700 0"
    assert list((tmp_path / "tmp").iterdir()) == []


# -- error reports


def test_l18_an_error_report_names_the_code_and_nobody(rf):
    request = rf.post("/admin/orders/order/?q=Ada+Lovelace", {"name": "Ada Lovelace"})
    try:
        name = "Ada Lovelace"
        raise ValueError(f"no such buyer: {name}")
    except ValueError:
        reporter = get_exception_reporter_class(request)(request, *sys.exc_info())
    for text in (reporter.get_traceback_text(), reporter.get_traceback_html()):
        assert "ValueError" in text and "test_leftovers.py" in text
        assert "Lovelace" not in text and "no such buyer" not in text


def test_l18_nobody_mails_error_reports():
    import logging

    from django.utils.log import AdminEmailHandler

    loggers = [logging.root, *map(logging.getLogger, sorted(logging.root.manager.loggerDict))]
    assert not [handler for logger in loggers for handler in logger.handlers if isinstance(handler, AdminEmailHandler)]
