"""The canary run over every flow there is: labels bought, failed and voided, batches, returns, mails, a linked shop, parts
and combined parcels, rules, files, joined customers, sign-ins, error reports, a worker killed in the middle of an erasure.

It takes minutes; test_canary.py is its short form.
"""

import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.utils.log import AdminEmailHandler
from django.views.debug import get_exception_reporter_class

from orderhub import clock, jobs, mailfiles
from orderhub.errors import RuleViolation
from orders import customers_joining
from orders.csvfile import writing
from orders.models import AutomationRule, Customer, Order, OrderPersonalData
from privacy import scanning
from privacy.jobs import redact_due
from shipments import batchprices, combining, mails, manual_updates, parting, returning, voiding
from shipments.jobs import mirror_shop, notify_account
from shipments.mails.jobs import send_mails
from shipments.models import LabelPurchase, ManualUpdate, OutgoingMail, Shipment
from shipments.returning import ReturnWish
from stores import linking, senders
from stores.models import Store
from stores.simulator import scenarios
from tests.conftest import NOON
from tests.end_to_end import canary
from tests.end_to_end.killing import died_at
from tests.end_to_end.test_canary import (
    PERSONAL_TABLES,
    Run,
    after_erasure,
    raw_files_hold_nothing,
    through_the_queue,
)
from tests.orders.entries import an_entry, enter
from tests.privacy.conftest import no_old_files  # noqa: F401
from tests.shipments.batches import make_batch, make_bought_batch, make_labels, run_now
from tests.shipments.parcels import part_of, wish_for
from tests.shipments.postoffice import manual_parcel
from tests.shipments.shop import SENDER, buy_label, settle_now, track_now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
EXTRA = 18
HOLDING = PERSONAL_TABLES | {"shipments_shipment", "shipments_shipmentnotification"}


class WholeRun(Run):
    """The short run's flows, and all the others before it ships what is left."""

    def __init__(self, simulate, log):
        super().__init__(simulate, log)
        before = set(self.world.orders)
        for number in range(EXTRA):
            created = NOON - timedelta(hours=5, minutes=number)
            dress = scenarios.CANARY_VARIANTS["ascii"]
            scenarios._canary_order(self.world, scenarios.NA, "US", created, self.tokens, dress, {})
        self.extra = sorted(set(self.world.orders) - before)
        lead, rider = (self.world.orders[number] for number in self.extra[:2])
        rider.address = lead.address
        self.scanner = self.tokens.scanner()
        self.done: Counter[str] = Counter()

    # -- what happens

    def map_custom_fields(self) -> None:
        super().map_custom_fields()
        Store.objects.filter(marketplace="US").update(ship_from=SENDER)
        AutomationRule.objects.create(
            name="All",
            active=True,
            criteria=[],
            actions=[{"do": "alert", "value": "Look twice."}],
            changed_at=clock.now(),
        )
        self.link_a_shop()

    def link_a_shop(self) -> None:
        shop, account = self.world.shops[scenarios.SHOP_HASH], self.accounts[0]
        shop.channel_status_mail[shop.channel_id] = False
        for number in self.extra[-3:]:
            shop.mirror(self.world.orders[number])
        given = {"name": "", "store_hash": scenarios.SHOP_HASH, "token": scenarios.SHOP_TOKEN, "now": clock.now()}
        self.shop = linking.connect_shop(account.merchant, **given)
        us = account.stores.get(marketplace="US")
        linking.link(us, self.shop, mails_off=True, told_by="orderhub", now=clock.now())
        fresh = Store.objects.get(pk=us.pk)
        senders.confirm_sender(fresh, fresh.sender, by=self.people[0], now=clock.now())

    def ship_and_tell(self) -> None:
        self.orders = [Order.objects.get(order_number=number) for number in self.extra]
        self.combine(*self.orders[:2])
        self.part(self.orders[2])
        self.buy(*self.orders[3:7])
        self.make_batches(self.orders[7:9], self.orders[9:11])
        self.join_customers()
        self.type_orders()
        super().ship_and_tell()
        self.return_and_mail()
        self.tell_the_shop()
        self.void_a_label()
        self.export()
        self.sign_everybody_in()
        self.report_errors()

    def combine(self, *orders: Order) -> None:
        ids, wish, now = [order.pk for order in orders], wish_for("1Z999AA10123456711"), clock.now()
        seal = combining.plan(ids, wish, now=now).seal
        combining.combine(ids, wish, as_seen=seal, by=self.people[0], now=now)
        update = ManualUpdate.objects.get()
        manual_updates.remind(clock.now())
        self.done["manual updates"] += manual_updates.tick_off([update.pk], by=self.people[0], now=clock.now())
        self.done["combined"] += 1

    def part(self, order: Order) -> None:
        order.items.update(quantity=2)
        wish, now = part_of(order, 1, "1Z999AA10123456712"), clock.now()
        seal = parting.plan(order, wish, now=now).seal
        parting.send(order, wish, as_seen=seal, by=self.people[0], now=now)
        self.done["parts"] += 1

    def buy(self, *orders: Order) -> None:
        """One as it should be, one voided, one whose purchase fails, one whose document is late."""
        kinds = ("", "", "500_before", "500_after")
        for order, kind in zip(orders, kinds, strict=True):
            if kind:
                self.world.faults.arm("purchaseShipment", kind)
            with suppress(RuleViolation):
                self.done["bought"] += bool(buy_label(order, by=self.people[0]))
        self.world.clock.set(clock.advance(minutes=10))
        settle_now(self.accounts[0])
        track_now(self.accounts[0])
        bought = Shipment.objects.filter(provider="amazon_shipping", voided_at=None).order_by("pk").last()
        voiding.void(bought, by=self.people[0], now=clock.now())
        self.done["bought and voided"] += 1
        assert LabelPurchase.objects.count() >= 3

    def make_batches(self, own: list[Order], bought: list[Order]) -> None:
        made = [make_batch(own, by=self.people[0]), make_bought_batch(bought, by=self.people[0])]
        batchprices.ask(made[1], now=clock.now())
        run_now(made[1])
        for batch in made:
            self.done["labels of batches"] += make_labels(batch).rows.filter(state="done").count()

    def join_customers(self) -> None:
        account = Order.objects.get(order_number=self.extra[0]).store.account
        kept, other = Customer.objects.filter(account=account).order_by("pk")[:2]
        self.done["joined"] += customers_joining.join(kept, other, by=self.people[0], now=clock.now())

    def type_orders(self) -> None:
        """Orders that are not Amazon's, typed and with mails; nothing of theirs is a token."""
        enter(None, an_entry("A-1"), by=self.people[0])
        parcel = manual_parcel()
        mails.request(parcel, OutgoingMail.Kind.SHIPPED, by=self.people[0], now=clock.now())

    def return_and_mail(self) -> None:
        sent = Order.objects.filter(order_number__in=self.extra[11:14], status="shipped").order_by("pk")
        for number, order in enumerate(sent):
            wish = ReturnWish("ups", f"1Z999AA1012345672{number}")
            parcel = returning.make(order, wish, by=self.people[0], now=clock.now())
            mails.request(parcel, OutgoingMail.Kind.RETURN_LABEL, by=self.people[0], now=clock.now())
            self.done["returns"] += 1
        jobs.run(send_mails.job_name)
        self.done["mails"] += OutgoingMail.objects.filter(state="sent").count()

    def tell_the_shop(self) -> None:
        """Once Amazon knows, which it is told in one submission where there are many."""
        for _step in range(6):
            self.world.clock.set(clock.advance(minutes=5))
            with jobs.inline():
                jobs.run(notify_account.job_name, self.accounts[0].pk)
                jobs.run("shipments.follow_feeds")
                jobs.run(mirror_shop.job_name, self.shop.pk)
        told = self.world.shops[scenarios.SHOP_HASH].ledger
        self.done["told to the shop"] += sum(entry["effect"] == "shipment_created" for entry in told)

    def void_a_label(self) -> None:
        parcel = Shipment.objects.filter(order__order_number=self.extra[14], voided_at=None).first()
        voiding.void(parcel, by=self.people[0], now=clock.now())
        self.done["voided"] += 1

    def export(self) -> None:
        for person in self.people:
            for piece in writing.export(Order.objects.all(), user=person):
                self.look(piece, f"export of {person.username}")
                self.done["pieces of exports"] += 1

    def sign_everybody_in(self) -> None:
        for person in self.people:
            typed = {"username": person.username, "password": "correct horse battery", "next": "/admin/"}
            answer = Client().post("/admin/login/", typed, follow=True)
            self.look(answer.content, f"sign-in of {person.username}")
            self.done["sign-ins"] += answer.status_code == 200

    def report_errors(self) -> None:
        """An error report in both its forms, of a failure among names, and as Django would mail it."""
        person = OrderPersonalData.objects.filter(pk=self.orders[0].pk).get()
        request = RequestFactory().post(
            "/admin/orders/order/", {"q": person.recipient_name}, QUERY_STRING="q=" + person.street1
        )
        try:
            name, street = person.recipient_name, {"line": person.street1}
            raise ValueError(f"{name} {street}")
        except ValueError:
            kind, error, trace = sys.exc_info()
            reporter = get_exception_reporter_class(request)(request, kind, error, trace)
            for text in (reporter.get_traceback_html(), reporter.get_traceback_text()):
                assert "ValueError" in text and "report_errors" in text
                self.look(text, "error report")
                self.done["error reports"] += 1
        assert not any(isinstance(handler, AdminEmailHandler) for handler in _handlers())

    def erase(self) -> None:
        """A worker is killed in the middle; the next sweep takes it up where it was."""
        self.world.clock.set(clock.advance(days=46))
        assert died_at("redact.between_files", lambda: jobs.run(redact_due.job_name), visit=4)
        assert Order.objects.filter(pii_state="redacting").exists()
        self.world.clock.set(clock.advance(minutes=5))
        through_the_queue(redact_due.job_name)
        assert not Order.objects.filter(pii_state__in=["present", "redacting"], origin_marketplace="amazon").exists()


def _handlers() -> list:
    import logging

    loggers = [logging.root, *map(logging.getLogger, sorted(logging.root.manager.loggerDict))]
    return [handler for logger in loggers for handler in logger.handlers]


@pytest.fixture
def run(simulate, log, settings, tmp_path):
    """Mails are files, as in development: they must go as well."""
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = mailfiles.FILE_BACKEND, str(tmp_path)
    return WholeRun(simulate, log)


def test_g01_the_whole_life_of_every_flow(run, capsys):
    started = time.monotonic()
    run.live()
    assert run.scanner.scan_folder(mailfiles.folder()) != []
    held = run.look_at_tables()
    assert canary.tables_of(held) <= HOLDING
    run.look(run.log.lines, "logs")
    scanning_finds_nothing(run, "before")
    run.erase()
    raw_files_hold_nothing(run)
    run.change_everything_at_amazon(minutes=5)
    run.import_all()
    after_erasure(run)
    assert list(mailfiles.folder().iterdir()) == []
    scanning_finds_nothing(run, "after")
    told = {
        "places": run.scanner.counts.places, "bytes": run.scanner.counts.bytes, "pages": run.pages,
        "decodings": run.scanner.counts.decodings, "lines": len(run.log.lines), "needles": len(run.tokens.needles),
        "columns": len({hit.place for hit in held}), "seconds": round(time.monotonic() - started),
    }  # fmt: skip
    with capsys.disabled():
        print(f"\ncanary run over every flow on {connection.vendor}: {told}; {dict(run.done)}")
    flows = {
        "combined", "manual updates", "parts", "bought", "bought and voided", "labels of batches", "joined", "returns",
        "mails", "told to the shop", "voided", "pieces of exports", "sign-ins", "error reports",
    }  # fmt: skip
    assert [flow for flow in sorted(flows) if not run.done[flow]] == []
    assert run.scanner.counts.capped == 0


def scanning_finds_nothing(run: WholeRun, when: str) -> None:
    result = scanning.run(now=clock.now())
    assert (result.findings, result.complete) == ([], True), when
    run.done[f"erased orders {when}"] = result.erased_orders
