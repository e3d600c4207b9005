"""One seller goes, all of it and for good; the other keeps everything; the proof stays."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection

from orders.models import Customer, Order, OrderPersonalData, Product, SkippedOrder
from privacy import audit
from privacy.models import ErasureCertificate, SecurityChain, SecurityEvent
from privacy.scanner import Scanner
from shipments.models import Label, Shipment, ShipmentNotification
from stores.connectors.amazon import signin
from stores.models import AmazonAccount
from stores.simulator import scenarios
from tests.factories import make_account, make_order, make_shipment, make_store
from tests.orders.driving import import_now
from tests.privacy.rows import due_label, due_order, file_of

pytestmark = pytest.mark.django_db
NAMES = {"gone": "ZQgoneseller1QZ Secret", "kept": "ZQkeptseller1QZ Secret"}


def shop_of(seller, name: str, noon):
    account = make_account(seller)
    store = make_store("US" if seller.region == "NA" else "FR", account=account)
    person = {"recipient_name": name, "buyer_name": name, "street1": f"{name} Street"}
    far = noon + timedelta(days=10)
    labels = [due_label(due_order(store=store, person=person), due=far, order_due=far) for _ in range(3)]
    for number in range(2):
        order = make_order(store, person=person)
        order.notes.create(text=f"call {name}", at=noon)
        Order.objects.filter(pk=order.pk).update(
            customer=Customer.objects.create(
                merchant=account.merchant, account=account, name=name, match_key=f"{name}{number}"
            )
        )
    Product.objects.create(store=store, key="SKU-1", sku="SKU-1")
    SkippedOrder.objects.create(store=store, order_number="111-9999999-0000000", reason="digital", seen_at=noon)
    return account, labels


@pytest.fixture
def two(noon):
    signin._cache.clear()
    return shop_of(scenarios.NA, NAMES["gone"], noon), shop_of(scenarios.EU, NAMES["kept"], noon)


def purge(*arguments: str) -> str:
    out = io.StringIO()
    call_command("purge_store", scenarios.NA.seller_id, "--region", "NA", *arguments, stdout=out)
    return out.getvalue()


def held(account) -> dict:
    """All that hangs on one account, to see whether anything of it moved."""
    orders = Order.objects.filter(store__account=account)
    return {
        "orders": list(orders.order_by("pk").values()),
        "persons": list(OrderPersonalData.objects.filter(order__in=orders).order_by("pk").values()),
        "shipments": list(Shipment.objects.filter(order__in=orders).order_by("pk").values()),
        "notices": list(ShipmentNotification.objects.filter(order__in=orders).order_by("pk").values()),
        "customers": list(Customer.objects.filter(account=account).order_by("pk").values()),
        "products": list(Product.objects.filter(store__account=account).order_by("pk").values()),
        "account": AmazonAccount.objects.filter(pk=account.pk).values().get(),
    }


def test_d1_7a_one_seller_is_removed_and_the_other_is_untouched(two):
    (account, labels), (other, others) = two
    before, files = held(other), [file_of(label).read_bytes() for label in others]
    told = purge("--yes")
    after = held(account)
    assert {name: rows for name, rows in after.items() if rows and name != "account"} == {}
    assert not SkippedOrder.objects.filter(store__account=account).exists()
    assert [file_of(label).exists() for label in labels] == [False] * 3
    assert held(other) == before
    assert [file_of(label).read_bytes() for label in others] == files
    assert "  orders                                   5" in told and "orders erased just before: 5" in told
    assert NAMES["gone"] not in told


def test_d1_7a_nothing_of_its_buyers_is_left_anywhere(two):
    purge("--yes")
    scanner = Scanner({"name": "ZQgoneseller1QZ"})
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert "ZQgoneseller1QZ" not in repr(cursor.fetchall()), table
    assert scanner.scan_folder(Path(storages["labels"].location)) == []


def test_the_proof_stays_and_the_certificate_names_the_logs_head(two):
    (account, _labels), _other = two
    told = purge("--yes")
    certificates = ErasureCertificate.objects.filter(kind="order")
    assert certificates.count() == 5
    assert SecurityEvent.objects.get(code="store_purged").ids == [account.pk]
    head = SecurityChain.objects.get()
    assert f"event {head.position}, {head.digest}" in told


def test_the_account_is_stopped_and_its_token_forgotten(two):
    (account, _labels), _other = two
    purge("--yes")
    account.refresh_from_db()
    assert (account.status, account.refresh_token, account.participations) == ("pending", "", [])
    assert not account.stores.filter(active=True).exists()
    assert import_now(account) == f"account {account.pk}: pending"


def test_a_dry_run_counts_and_removes_nothing(two):
    (account, _labels), _other = two
    before = held(account)
    for arguments in (["--dry-run"], ["--dry-run", "--yes"], []):
        told = purge(*arguments)
        assert "Nothing was removed" in told and "  labels                                   3" in told
    assert held(account) == before
    assert not SecurityEvent.objects.filter(code="store_purged").exists()


def test_an_unknown_seller_is_refused(two):
    with pytest.raises(CommandError, match="no account A0NOBODY"):
        call_command("purge_store", "A0NOBODY", "--region", "NA", "--yes")


def test_one_that_was_stopped_goes_on_when_it_is_run_again(two, monkeypatch):
    (account, labels), (other, _others) = two
    before = held(other)
    monkeypatch.setattr("orderhub.management.purging.BATCH", 2)
    path = file_of(labels[2])
    path.unlink()
    (path / "in the way").mkdir(parents=True)  # its erasure fails, so nothing is removed yet
    with pytest.raises(CommandError, match="run this again"):
        purge("--yes")
    assert Order.objects.filter(store__account=account).count() == 5
    assert Order.objects.filter(store__account=account, pii_state="redacted").count() == 4
    (path / "in the way").rmdir()
    path.rmdir()
    purge("--yes")
    assert not Order.objects.filter(store__account=account).exists()
    assert held(other) == before
    purge("--yes")  # and once more, with nothing left
    assert not Label.objects.filter(shipment__order__store__account=account).exists()


def test_an_order_that_travels_in_another_sellers_parcel_leaves_that_parcel_alone(two):
    (account, labels), (_other, others) = two
    mine, theirs = labels[0].shipment, others[0].shipment
    Shipment.objects.filter(pk=theirs.pk).update(combined_with=mine)
    make_shipment(make_order(make_store("CA", account=account)), with_label=False)
    purge("--yes")
    theirs.refresh_from_db()
    assert theirs.combined_with_id is None
    audit.seal()
