"""The canary run: a token in every personal field, every flow, then the clock, the sweep, and a search of everything.

Nothing may be found but what may stay: city, district, state, postal code and country, and Amazon's relay addresses.
"""

import io
import pickle
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import caches
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import connection
from django_q.models import OrmQ, Task
from django_q.tasks import async_task
from pypdf import PdfReader

from orderhub import clock, jobs
from orderhub.rest.scopes import SCOPES
from orders import roman
from orders.jobs import import_account
from orders.models import Order, OrderEvent, OrderNote, OrderPersonalData
from orders.models.person import EMAIL, ERASED, KEPT
from privacy import markers
from privacy.jobs import redact_due
from privacy.models import ErasureCertificate
from privacy.scanner import Scanner
from shipments.jobs import notify_account
from shipments.models import Label, ShipmentNotification
from stores import customfields, features
from stores.models import AmazonAccount, FeatureGrant, Store
from stores.simulator import scenarios
from stores.simulator.marketplaces import MARKETPLACES
from tests.api import surface
from tests.api.client import ApiClient
from tests.conftest import NOON
from tests.end_to_end import canary
from tests.factories import connect, make_shipment, make_user
from tests.privacy.conftest import no_old_files  # noqa: F401
from tests.shipstation.caller import Caller

pytestmark = pytest.mark.django_db(transaction=True)
PERSONAL_TABLES = {"orders_orderpersonaldata", "orders_itempersonaldata", "orders_customer", "orders_ordernote"}


class Run:
    """One canary run: the world, the needles, the people who look, and what was logged."""

    def __init__(self, simulate, log):
        self.tokens = canary.Tokens()
        self.world = simulate(scenarios.canary(now=NOON, token=self.tokens))
        self.world.leaky_afn = True
        self.log = log
        self.scanner = self.tokens.scanner()
        self.failed_pages: list[str] = []
        self.pages = 0
        self.secrets: list[str] = []
        self.known_secrets: dict[str, str] = {}

    # -- what happens

    def live(self) -> None:
        """Import, look, ship, tell Amazon, fail at it, fail in a job, import again."""
        self.accounts = [connect(seller) for seller in (scenarios.NA, scenarios.EU, scenarios.JP)]
        Store.objects.update(import_afn=True, import_customization=True)
        self.people = [make_user(role, username=f"role{number}") for number, role in enumerate(canary.role_names())]
        self.people.append(make_user(username="super", is_superuser=True))
        self.map_custom_fields()
        self.ask_to_cancel()
        self.import_all()
        self.change_everything_at_amazon(minutes=5)
        self.import_all()
        self.write_notes()
        self.ship_and_tell()
        self.use_the_api()
        self.fail_in_a_job()
        self.search_for_a_name()

    def use_the_api(self) -> None:
        """A client that reads names keeps whole records; one that reads none is shown none."""
        stores = list(Store.objects.all())
        self.caller, blind = Caller(*stores), Caller(*stores, scopes=set(SCOPES) - {"orders:read_pii"})
        self.records = self.caller.get("/orders", pageSize=500)["orders"]
        assert len(self.look(self.records, "records of a client", allowed=True)) > 100
        for place, content in api_answers(blind):
            self.look(content, f"{place} without names")
        token = next(iter(self.tokens.needles.values()))
        self.caller.get("/orders", customerName=token)
        self.caller.send("POST", "/orders/createorder", {"orderNumber": token, token: token})
        ApiClient(self.caller.token).post(
            "orders", {"store_id": stores[0].pk, token: token, "person": {"street1": token}}
        )

    def write_back(self) -> None:
        """The client sends records that it kept, whole."""
        for record in self.records[:12]:
            answer = self.caller.send("POST", "/orders/createorder", record)
            assert answer.status_code == 200, answer.content
            self.look(answer.content, "answer to a record sent back")
        assert OrderEvent.objects.filter(kind=OrderEvent.Kind.BLOCKED_WRITE).exists()

    def map_custom_fields(self) -> None:
        """Every store keeps the purchase order number in a field of its own."""
        support, success = self.people[0], self.people[1]
        for store in Store.objects.all():
            features.grant(store, FeatureGrant.Feature.CUSTOM_FIELDS, by=success, reason="test")
            customfields.map_fields(store, ["order_number", "purchase_order_number"], by=support)

    def write_notes(self) -> None:
        """Support names buyers in notes, although the form asks it not to."""
        client = canary.Visitor(self.people[0]).client
        named = OrderPersonalData.objects.exclude(recipient_name="").order_by("pk")
        for person in named:
            text = f"Rang {person.recipient_name}\nabout the parcel to {person.street1}."
            answer = client.post(f"/admin/orders/order/{person.pk}/note/", {"text": text}, follow=True)
            self.look(answer.content, "page after the note", allowed=True)
        assert OrderNote.objects.count() == len(named) >= 20

    def ask_to_cancel(self) -> None:
        number = next(number for number, order in self.world.orders.items() if order.status == "UNSHIPPED")
        self.world.request_cancellation(number, self.tokens("cancel_reason", number))
        self.scanner = self.tokens.scanner()

    def import_all(self) -> None:
        for account in self.accounts:
            with jobs.inline():
                jobs.run(import_account.job_name, account.pk)

    def change_everything_at_amazon(self, **later: float) -> None:
        self.world.clock.set(clock.advance(**later))
        for number in list(self.world.orders):
            self.world.update(number)
        self.world.clock.set(clock.advance(minutes=15))

    def ship_and_tell(self) -> None:
        numbers = canary.tracking_numbers()
        waiting = list(Order.objects.shippable().filter(cancel_requested_at__isnull=True).order_by("pk"))
        assert len(waiting) >= 12
        assert self.write_in_roman(waiting) >= 4
        self.ship_on_the_screen(waiting[0], next(numbers))
        for order in waiting[1:]:
            make_shipment(order, tracking_number=next(numbers))
        for kind in ("500_after", "html", "garbled", "429"):
            self.world.faults.arm("confirmShipment", kind)
        for _ in range(6):
            self.world.clock.set(clock.advance(minutes=10))
            for account in self.accounts:
                with jobs.inline():
                    jobs.run(notify_account.job_name, account.pk)

    def write_in_roman(self, orders: list[Order]) -> int:
        """Support writes each address that carriers cannot read, on its page; the twins hold the same tokens."""
        client, unreadable = canary.Visitor(self.people[0]).client, roman.unreadable([order.pk for order in orders])
        for order in orders:
            if order.pk not in unreadable:
                continue
            typed = canary.in_roman(self.tokens, order)
            answer = client.post(f"/admin/orders/order/{order.pk}/romanise/", typed, follow=True)
            self.look(answer.content, "page after writing", allowed=True)
        assert roman.unreadable(list(unreadable)) == set()
        return len(unreadable)

    def ship_on_the_screen(self, order: Order, tracking: str) -> None:
        client = canary.Visitor(self.people[0]).client
        page = client.get("/admin/shipments/shipment/ship/", {"ids": order.pk})
        form = page.context["rows"][0].form
        typed = {form.add_prefix(name): value for name, value in form.initial.items() if value is not None}
        typed |= {form.add_prefix("carrier"): "ups", form.add_prefix("tracking_number"): tracking}
        answer = client.post(f"/admin/shipments/shipment/ship/?ids={order.pk}", typed, follow=True)
        assert answer.status_code == 200
        assert order.shipments.count() == 1
        self.look(answer.content, "page after shipping", "/admin/shipments/shipment/ship/", allowed=True)

    def fail_in_a_job(self) -> None:
        """A job whose exception carries a whole person, run by the queue's own worker."""
        person = OrderPersonalData.objects.exclude(street1="").first()
        name = "tests.end_to_end.test_canary.exploding"
        jobs._jobs[name] = jobs.Job(name, exploding, None)
        try:
            through_the_queue(name, person.pk)
        finally:
            del jobs._jobs[name]
        failed = Task.objects.get(name=name)
        assert not failed.success and "error" in str(failed.result)
        async_task(jobs.ENTRY, "orderhub.housekeeping.heartbeat", task_name="waits")  # a row that waits in the queue

    def search_for_a_name(self) -> None:
        """People type names into the search box although it does not look for them."""
        token = next(iter(self.tokens.needles.values()))
        for person in self.people:
            canary.Visitor(person).client.get("/admin/orders/order/", {"q": token})

    def erase(self) -> None:
        """Past every term, through the queue's own worker, until nothing is due."""
        self.world.clock.set(clock.advance(days=46))
        through_the_queue(redact_due.job_name)
        assert not Order.objects.filter(pii_state__in=["present", "redacting"]).exists()

    # -- looking

    def look(self, content, place: str, address: str = "", *, allowed: bool = False) -> list:
        scan = self.scanner.scan_bytes if isinstance(content, bytes) else self.scanner.scan_value
        hits = scan(content, place)
        assert allowed or hits == [], f"{place} {address}"
        return hits

    def look_at_tables(self) -> list:
        hits = []
        for place, value in canary.cells():
            hits += self.scanner.scan_value(value, place)
        for place, value in canary.statistics():
            hits += self.scanner.scan_value(value, place)
        return hits

    def look_at_pages(self, people, *, most: int | None = None) -> list:
        hits = []
        for person in people:
            visitor = canary.Visitor(person)
            for address in canary.addresses(most=most):
                body, heads = visitor.open(address)
                self.pages += 1
                hits += self.scanner.scan_bytes(body, f"{person.username} {address}")
                hits += self.scanner.scan_text(heads, f"heads of {address}")
                self.look_for_secrets(body + heads.encode(), address)
            self.failed_pages += visitor.statuses.get(500, [])
            assert len(visitor.statuses.get(200, [])) >= 3
        return hits

    def look_for_secrets(self, content, place: str) -> None:
        self.secrets += [hit.place for hit in self.secret_scanner().scan_value(content, place)]

    def secret_scanner(self) -> Scanner:
        values = self.secret_values()
        if values != self.known_secrets:  # Amazon hands out access tokens as time goes by
            self.known_secrets, self.scanner_of_secrets = values, Scanner(values, part=0, max_depth=1)
        return self.scanner_of_secrets

    def secret_values(self) -> dict[str, str]:
        sellers = (scenarios.NA, scenarios.EU, scenarios.JP)
        values = {f"refresh token {seller.region}": seller.refresh_token for seller in sellers}
        values |= {f"access token {index}": token for index, token in enumerate(self.world.tokens.access)}
        return values | {"client secret": scenarios.CLIENT_SECRET, "field key": settings.FIELD_ENCRYPTION_KEYS[0][6:]}


def api_answers(caller: Caller) -> Iterator[tuple[str, bytes]]:
    """Every list of both APIs, and what hangs on some orders."""
    client = ApiClient(caller.token)
    some = [
        f"orders/{pk}/{what}" for pk in Order.objects.values_list("pk", flat=True)[:6] for what in ("notes", "timeline")
    ]
    lists = [
        operation.path for operation in surface.native() if operation.method == "GET" and "{" not in operation.path
    ]
    for path in (*lists, *some):
        yield path, client.get(f"{path}?page_size=100" if path in lists else path).content
    for operation in surface.version_1():
        if operation.method == "GET" and "{" not in operation.path:
            path = operation.path.removeprefix("/shipstation")
            yield operation.path, caller.send("GET", path, pageSize=500, includeShipmentItems="true").content


def exploding(order_id: int) -> str:
    person = OrderPersonalData.objects.get(pk=order_id)
    raise ValueError(f"cannot send to {person.recipient_name}, {person.street1}")


def through_the_queue(name: str, *ids: int) -> None:
    """Ask the queue, and let its own worker do it here and now: its records are written as in production."""
    async_task(jobs.ENTRY, name, *ids, task_name=name)
    assert canary.work_off_queue() >= 1


@pytest.fixture
def run(simulate, log):
    return Run(simulate, log)


def test_canary(run, record_property, capsys):
    started = time.monotonic()
    run.live()
    before_erasure(run)
    run.erase()
    raw_files_hold_nothing(run)
    run.change_everything_at_amazon(minutes=5)  # Amazon goes on sending names
    run.import_all()
    after_erasure(run)
    what_may_stay_is_there(run)
    told = {
        "places": run.scanner.counts.places, "bytes": run.scanner.counts.bytes, "pages": run.pages,
        "decodings": run.scanner.counts.decodings, "lines": len(run.log.lines), "needles": len(run.tokens.needles),
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip
    for name, value in told.items():
        record_property(name, value)
    with capsys.disabled():
        print(f"\ncanary run on {connection.vendor}: {told}")
    assert run.scanner.counts.capped == 0


def before_erasure(run: Run) -> None:
    """The scanner sees what there is, and there is nothing outside the one table and the labels."""
    merchants = Order.objects.filter(fulfilled_by="MFN")
    assert (merchants.count(), Order.objects.filter(fulfilled_by="AFN").count()) == (40, 8)
    hits = run.look_at_tables()
    assert canary.tables_of(hits) == PERSONAL_TABLES
    seen = {hit.needle_name.split("/")[0] for hit in hits}
    assert seen == canary.IN_PERSON_ROW - {"buyer_email"} | {"engraving"}
    present = merchants.filter(pii_state="present").values_list("order_number", flat=True)
    assert {hit.needle_name.split("/")[1] for hit in hits} == set(present)
    run.with_person = set(present)
    people = OrderPersonalData.objects.select_related("order")
    run.places = {person.order.order_number: {name: getattr(person, name) for name in KEPT} for person in people}
    assert len(present) == 24  # of unpaid and cancelled orders Amazon says no name
    assert run.scanner.scan_folder(storages["labels"].location) != []
    assert len(list(Path(storages["customization"].location).rglob("*.*"))) >= 20
    run.look(run.log.lines, "logs")
    asked = [
        entry for entry in run.world.requests if entry["operation"] != "customization"
    ]  # whose address is personal
    assert len(asked) < len(run.world.requests)
    run.look(asked, "what Amazon was asked")
    run.look(canary.addresses(), "addresses of pages")
    run.look([session.get_decoded() for session in Session.objects.all()], "sessions")
    support, success, *_others = run.people
    order = merchants.filter(person__marker="", status="shipped").first()
    page = f"/admin/orders/order/{order.pk}/change/"
    told, _heads = canary.Visitor(support).open(page)
    assert len(run.look(told, "support", allowed=True)) >= 8
    for person in run.people[1:]:
        if person.groups.filter(name="Warehouse").exists():
            continue  # sees open orders
        run.look(canary.Visitor(person).open(page)[0], f"{person.username} {page}")
    run.look_at_pages([support], most=1)
    assert Task.objects.filter(success=False).exists() and OrmQ.objects.exists()
    assert ShipmentNotification.objects.filter(state="confirmed").count() >= 8


def raw_files_hold_nothing(run: Run) -> None:
    """After the sweep, the bytes on disk: label files, and SQLite's file with its write-ahead log, free pages and all.

    Cells are decoded elsewhere; here a plain search is enough, of what the engine may have left behind.
    """
    if connection.vendor == "sqlite":
        name = Path(connection.settings_dict["NAME"])
        for path in (name, name.with_name(f"{name.name}-wal")):
            if path.exists():
                data = path.read_bytes().lower()
                left = [needle for needle, token in erased_tokens(run) if token.lower().encode() in data]
                assert left == [], path.suffix
                run.scanner.counts.bytes += len(data)
    assert run.scanner.scan_folder(settings.MEDIA_ROOT) == []


def erased_tokens(run: Run) -> list[tuple[str, str]]:
    return [(name, token) for name, token in run.tokens.needles.items() if not name.startswith("buyer_email/")]


def after_erasure(run: Run) -> None:
    """Nowhere, however wrapped, for nobody."""
    run.write_back()
    for place, content in api_answers(run.caller):
        run.look(content, place)
    assert run.look_at_tables() == []
    # Who sees people, and the officer; every role opens every page in test_canary_flows.py. A page is made the same way
    # on either database: once is enough.
    readers = [run.people[0], run.people[3]] if connection.vendor == "sqlite" else run.people[:1]
    assert run.look_at_pages(readers, most=1) == []
    support = canary.Visitor(run.people[0])
    for pk in Order.objects.values_list("pk", flat=True):
        run.look(support.open(f"/admin/orders/order/{pk}/change/")[0], f"order page {pk}")
    assert run.failed_pages == []
    assert canary.registered() <= set(canary.addresses())
    assert run.scanner.scan_folder(settings.MEDIA_ROOT) == []
    run.look(run.log.lines, "logs")
    run.look([pickle.dumps(message.__dict__) for message in mail.outbox], "mails")
    run.look([list(getattr(cache, "_cache", {}).items()) for cache in caches.all()], "caches")
    run.look([session.get_decoded() for session in Session.objects.all()], "sessions")
    out = io.StringIO()
    call_command("dumpdata", "orders", "shipments", "privacy", "orderhub", stdout=out)
    run.look(out.getvalue(), "a dump")
    run.look_for_secrets(run.log.lines, "logs")
    run.look_for_secrets([value for _place, value in canary.cells()], "tables")
    run.look_for_secrets(out.getvalue(), "a dump")
    assert run.secrets == []


def what_may_stay_is_there(run: Run) -> None:
    """The allow-list both ways: on the order, and gone from the label."""
    for order in Order.objects.select_related("person"):
        person, remote = order.person, run.world.orders[order.order_number]
        place = {name: getattr(person, name) for name in KEPT}
        assert place == run.places[order.order_number]
        if order.by_amazon or order.order_number in run.with_person:
            address = remote.address
            told = {"city": address.city, "state": address.state, "postal_code": address.postal_code}
            assert {name: place[name] for name in told} == told
        if order.by_amazon:
            assert (order.pii_state, order.redaction_due_at) == ("none", None)
            assert [name for name in (*ERASED, EMAIL) if getattr(person, name)] == []
            continue
        assert order.pii_state == "redacted"
        if order.order_number in run.with_person:
            assert person.buyer_email == remote.buyer_email
            assert person.buyer_email.endswith(MARKETPLACES[remote.marketplace].mail_domain)
        assert {getattr(person, name) for name in ERASED} <= {"", markers.AMAZON}
        assert ErasureCertificate.objects.filter(kind="order", order_id=order.pk).count() == 1
    labels = Label.objects.select_related("shipment__order__person")
    assert len(labels) >= 12
    for label in labels:
        with storages["labels"].open(label.file.name) as file:
            text = "\n".join(page.extract_text() for page in PdfReader(file).pages).casefold()
        person = label.shipment.order.person
        shown = [name for name in KEPT if len(getattr(person, name)) > 2 and getattr(person, name).casefold() in text]
        assert (shown, markers.AMAZON.casefold() in text) == ([], True)
    assert AmazonAccount.objects.filter(status="active").count() == 3
    assert clock.now() > NOON + timedelta(days=45)
