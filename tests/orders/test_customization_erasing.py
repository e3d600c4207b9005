"""F60: what buyers wrote and drew goes with their order: files first, then columns, and nothing readable is left."""

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from orderhub import clock
from orders.customization import content, panel
from orders.customization.erasing import CUSTOMIZATIONS
from orders.models import ItemPersonalData, Order
from privacy import erasure, markers, registry
from privacy.fields import sealed_values
from privacy.models import ErasureCertificate
from tests.factories import make_order, make_store
from tests.orders.wishes import picture

pytestmark = pytest.mark.django_db
State = ItemPersonalData.State
TEXT, TOKEN = "ZQengravingQZ", "https://zme-caps.amazon.com/t/ZQtokenQZ"


@pytest.fixture(autouse=True)
def files(settings, tmp_path) -> Path:
    there = settings.STORAGES["customization"]
    options = there["OPTIONS"] | {"location": str(tmp_path / "wishes")}
    settings.STORAGES = settings.STORAGES | {"customization": there | {"OPTIONS": options}}
    return tmp_path / "wishes"


def fetched(order: Order, *, pictures: int = 2, url: str = "") -> ItemPersonalData:
    """A line with a text and so many pictures, as a fetch leaves it; `url`: as before one."""
    storage = storages["customization"]
    names = [storage.save(f"{order.pk:031d}{number}.png", ContentFile(picture())) for number in range(pictures)]
    entries = [{"label": "Name", "kind": "text", "value": TEXT, "image": ""}]
    entries += [{"label": "Photo", "kind": "image", "value": "me.png", "image": name} for name in names]
    return ItemPersonalData.objects.create(
        item=order.items.first(), customization=content.written(entries), images=names, customized_url=url,
        state=State.WAITING if url else State.FETCHED,
    )  # fmt: skip


def due(**given) -> Order:
    return make_order(
        Order.objects.first().store if Order.objects.exists() else make_store(),
        redaction_due_at=clock.now(),
        redaction_rule="import",
        **given,
    )


def left(files: Path) -> list[Path]:
    return [path for path in files.rglob("*") if path.is_file()]


def test_f60_nothing_readable_is_left_of_an_erased_order(noon, files):
    order = due()
    row = fetched(order, url=TOKEN)
    assert len(left(files)) == 2
    report = erasure.redact_due(now=clock.now())
    assert (report.redacted, report.documents, report.failed) == (1, 2, [])
    row.refresh_from_db()
    assert (row.marker, row.customization, row.customized_url, row.images) == (
        markers.AMAZON, markers.AMAZON, markers.AMAZON, [],
    )  # fmt: skip
    assert left(files) == []
    certificate = ErasureCertificate.objects.get()
    assert {"customization", "customized_url", "images"} <= set(certificate.fields)
    assert certificate.documents == 2
    with connection.cursor() as cursor:
        for table, columns in registry.tables().items():
            if not table.startswith("orders_"):
                continue
            cursor.execute(f"SELECT * FROM {table}")
            assert "ZQ" not in str(cursor.fetchall()), (table, columns)
    assert panel.for_slip(order) == {}


def test_f60_an_empty_field_stays_empty_and_the_row_is_closed(noon):
    row = ItemPersonalData.objects.create(item=due().items.first())
    erasure.redact_due(now=clock.now())
    row.refresh_from_db()
    assert (row.marker, row.customization, row.customized_url) == (markers.AMAZON, "", "")
    assert ErasureCertificate.objects.get().documents == 0


@pytest.mark.parametrize("changed", [{"customization": "Ada"}, {"customized_url": TOKEN}, {"images": ["a.png"]}])
def test_f60_the_database_lets_nothing_back_in(noon, changed):
    row = fetched(due())
    erasure.redact_due(now=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        ItemPersonalData.objects.filter(pk=row.pk).update(**sealed_values(row, **changed))


def test_f60_other_orders_keep_theirs(noon, files):
    fetched(due())
    kept = fetched(make_order(Order.objects.first().store))
    erasure.redact_due(now=clock.now())
    kept.refresh_from_db()
    assert TEXT in kept.customization and len(left(files)) == len(kept.images) == 2


def test_f60_an_erasure_that_died_after_the_files_counts_them_once_more(noon, files, monkeypatch):
    order = due()
    fetched(order)
    monkeypatch.setenv("ORDERHUB_FAILPOINT", "redact.after_files:raise")
    erasure.failpoints._visits.clear()
    assert erasure.redact_due(now=clock.now()).failed == [order.pk]
    monkeypatch.delenv("ORDERHUB_FAILPOINT")
    assert left(files) == []
    assert erasure.redact_due(now=clock.now()).documents == 2
    assert ErasureCertificate.objects.get().documents == 2


@pytest.mark.parametrize("spoilt", [{"marker": ""}, {"images": ["a.png"], "marker": ""}])
def test_f60_what_is_left_is_noticed(noon, spoilt):
    order = due()
    row = fetched(order)
    assert CUSTOMIZATIONS.leftovers([order.pk], now=clock.now()) == {order.pk}
    CUSTOMIZATIONS.overwrite([order.pk], marker=markers.AMAZON, now=clock.now())
    assert CUSTOMIZATIONS.leftovers([order.pk], now=clock.now()) == set()
    ItemPersonalData.objects.filter(pk=row.pk).update(**spoilt)
    assert CUSTOMIZATIONS.leftovers([order.pk], now=clock.now()) == {order.pk}


def test_f60_the_cost_in_statements_does_not_depend_on_the_orders(noon):
    def cost(count: int) -> int:
        ids = [fetched(due(), pictures=1).item.order_id for _number in range(count)]
        with CaptureQueriesContext(connection) as seen:
            CUSTOMIZATIONS.destroy_files(ids, now=clock.now())
            CUSTOMIZATIONS.overwrite(ids, marker=markers.AMAZON, now=clock.now())
            assert CUSTOMIZATIONS.leftovers(ids, now=clock.now()) == set()
        return len(seen)

    assert cost(1) == cost(5) <= 7  # of them three for the keys of files and of rows


def test_f60_every_row_is_closed_with_the_marker_of_a_request_too(noon):
    order = due()
    row = fetched(order)
    erasure.redact_due(now=clock.now(), marker=markers.RGPD)
    row.refresh_from_db()
    assert row.customization == markers.RGPD
