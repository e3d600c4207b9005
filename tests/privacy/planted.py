"""A small world in which every holder of the registry has something to erase, each text with a token of its own."""

from django.core.files.base import ContentFile
from django.core.files.storage import storages

from orderhub import clock, jobs
from orders import people
from orders.customization import content
from orders.models import ItemPersonalData, Order, OrderNote
from orders.models.person import EMAIL, ERASED
from privacy.scanner import Hit, Scanner
from privacy.scanning import structure
from privacy.scanning.shelving import walk
from shipments import buyernotes, mails, returning
from shipments.mails.jobs import send_mails
from shipments.models import Label, OutgoingMail, ShipmentNotification
from shipments.returning import ReturnWish
from stores.models import Store
from tests.end_to_end import canary
from tests.factories import make_order, make_shipment, make_user, rewrite
from tests.orders.buyers import RELAY, attach
from tests.orders.wishes import picture
from tests.privacy.rows import is_postgresql, sweep
from tests.shipments.postoffice import NUMBER, amazon_store

FIELDS = (*ERASED, EMAIL, "engraving", "archive", "slip_note", "refusal", "options")


def token(field: str, order: int = 1) -> str:
    """Six characters tell the field."""
    number = FIELDS.index(field)
    return f"ZQ{chr(97 + number // 26)}{chr(97 + number % 26)}w{order}{field.replace('_', '')}QZ"


class Planted:
    """Two sent Amazon orders: one with Amazon's relay address, whose buyer gets a mail, one with an address of her own."""

    def __init__(self, *, strict: bool = False, first: int = 1) -> None:
        """`strict`: a store of the strict profile, whose lines have options. `first`: tells its tokens from others'."""
        self.user, self.strict = make_user("Support"), strict
        self.store = amazon_store()
        Store.objects.filter(pk=self.store.pk).update(redaction_strict=strict)
        self.needles: dict[str, str] = {}
        self.orders = [self._order(first, email=RELAY), self._order(first + 1, email="")]
        self.order = self.orders[0]
        self._mail()

    def _say(self, field: str, number: int) -> str:
        return self.needles.setdefault(f"{field}/{number}", token(field, number))

    def _order(self, number: int, *, email: str) -> Order:
        person = {name: self._say(name, number) for name in ERASED}
        person[EMAIL] = email or f"{self._say(EMAIL, number)}@example.org"
        order = make_order(self.store, person=person | {"city": "Austin", "postal_code": "78701"})
        people.index([order.person])
        attach(order)
        if self.strict:
            order.items.update(options=[{"name": "Text", "value": self._say("options", number)}])
        self._wish(order, number)
        OrderNote.objects.create(order=order, author=self.user, text=f"Rang {person['recipient_name']} again.")
        parcel = make_shipment(order, tracking_number=f"1Z{order.pk:010d}")
        buyernotes.write(parcel, self._say("slip_note", number), now=clock.now())
        notices = ShipmentNotification.objects.filter(order=order)
        notices.update(state="rejected", error_code="X")
        rewrite(notices, error_text=f"no such street: {self._say('refusal', number)}")
        returning.make(order, ReturnWish("ups", f"{NUMBER[:-2]}{number:02d}"), by=self.user, now=clock.now())
        return Order.objects.get(pk=order.pk)

    def _wish(self, order: Order, number: int) -> None:
        name = storages["customization"].save(f"{order.pk:032d}.png", ContentFile(picture()))
        entry = {"label": "Name", "kind": "text", "value": self._say("engraving", number), "image": ""}
        ItemPersonalData.objects.create(
            item=order.items.first(), customization=content.written([entry]), images=[name],
            customized_url=f"https://zme-caps.amazon.com/t/{self._say('archive', number)}", state="waiting",
        )  # fmt: skip

    def _mail(self) -> None:
        mails.request(
            self.order.shipments.get(is_return=True), OutgoingMail.Kind.RETURN_LABEL, by=self.user, now=clock.now()
        )
        jobs.run(send_mails.job_name)
        assert OutgoingMail.objects.exclude(recipient_hash="").count() == 1

    def make_due(self) -> None:
        Order.objects.update(redaction_due_at=clock.now(), redaction_rule="import")
        Label.objects.update(due_at=clock.now())

    def erase(self) -> str:
        self.make_due()
        return sweep()

    # -- looking

    def scanner(self) -> Scanner:
        return Scanner(self.needles)

    def look(self) -> list[Hit]:
        """Every cell of every table, the planner's statistics, every file of every storage."""
        scanner, hits = self.scanner(), []
        for place, value in [*canary.cells(), *canary.statistics()]:
            hits += scanner.scan_value(value, place)
        for alias in ("labels", "customization"):
            hits += _files(scanner, alias)
        assert scanner.counts.capped == 0
        return hits

    def found(self) -> list:
        """Hits of tokens, and what the registry's columns hold that is neither empty nor a marker nor a relay address.

        A picture that stays is a hit too, whatever it shows.
        """
        structural = [found for _count, some in structure.batches() for found in some]
        pictures = list(_names("customization"))
        return [*self.look(), *structural, *pictures]


def _names(alias: str) -> list[str]:
    return list(walk(storages[alias]))


def _files(scanner: Scanner, alias: str) -> list[Hit]:
    hits = []
    for name in _names(alias):
        with storages[alias].open(name) as file:
            hits += scanner.scan_bytes(file.read(), f"{alias}:{name}")
    return hits


def drop_every_check(cursor) -> None:
    """No latch of the database holds any more. On SQLite `checks_again` of test_registry puts them back."""
    if not is_postgresql():
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        return
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        " WHERE contype = 'c' AND conrelid <> 0 AND connamespace = current_schema()::regnamespace"
    )
    for table, name in cursor.fetchall():
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
