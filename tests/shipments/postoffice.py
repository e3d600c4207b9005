"""A mail server on this machine that answers as it is told, and stores and rows for the proofs about mails to buyers."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from orderhub import clock, jobs
from orders.models import OrderEvent
from shipments import mails, returning
from shipments.mails.jobs import send_mails
from shipments.models import OutgoingMail
from shipments.returning import ReturnWish
from stores import senders
from stores.models import Store
from tests.factories import make_merchant, make_order, make_shipment, make_store, make_user

Kind, State = OutgoingMail.Kind, OutgoingMail.State
BUYER = "ada@buyer.example"
RELAY = "abc123@marketplace.amazon.com"
SHIP_FROM = {"name": "Lake", "street1": "7 Harbour Road", "city": "Portland", "state": "OR", "postal_code": "97201", "country": "US"}  # fmt: skip
NUMBER = "1Z999AA10123456785"


def manual_store(**given) -> Store:
    defaults = {"platform": "manual", "name": "Fair", "time_zone": "Europe/Paris", "ship_from": SHIP_FROM}
    return Store.objects.create(merchant=given.pop("merchant", None) or make_merchant(), **(defaults | given))


def amazon_store(*, approved: bool = True, **given) -> Store:
    """The one of a test, unless it is to be another one."""
    known = None if given else Store.objects.filter(platform="amazon").first()
    store = known or make_store(ship_from=SHIP_FROM, **given)
    return senders.confirm_sender(store, store.sender, by=make_user(), now=clock.now()) if approved else store


def manual_parcel(store: Store | None = None, *, email: str = BUYER, origin: str = "manual", **given):
    """A parcel of an order that is not Amazon's."""
    order = make_order(
        store or manual_store(), origin_marketplace=origin, person={"buyer_email": email}, **given
    )  # fmt: skip
    return make_shipment(order, tracking_number=f"1Z{order.pk:010d}")


def amazon_return(store: Store | None = None, *, by=None, **person):
    """A return label of a sent Amazon order."""
    order = make_shipment(make_order(store or amazon_store(), person=person)).order
    return returning.make(order, ReturnWish("ups", NUMBER), by=by or make_user("Support"), now=clock.now())


def ask(shipment, kind: str = Kind.RETURN_LABEL, by=None) -> OutgoingMail:
    return mails.request(shipment, kind, by=by, now=clock.now())


def send() -> str:
    return jobs.run(send_mails.job_name)


def told(order) -> list[str]:
    """What the timeline says of mails, oldest first, as codes."""
    found = order.events.filter(kind=OrderEvent.Kind.MAIL).order_by("pk")
    return [event.params["outcome"] for event in found]


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        rules, office = self.server.rules, self.server
        self.say("220 ready")
        while line := self.rfile.readline():
            verb = line.decode("latin-1").strip()
            word = verb.partition(" ")[0].upper()
            if word == "DATA" and rules.get("DATA", "250")[0] in "2X":
                self.say("354 go on")
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                office.letters.append(text.decode())
                if rules.get("DATA") == "X":  # taken, and the line is cut before the answer
                    return
                self.say("250 taken")
                continue
            if word in rules:
                self.say(f"{rules[word]} no")
                continue
            if word == "RCPT":
                office.recipients.append(verb[8:])
            self.say("221 bye" if word == "QUIT" else "250 fine")
            if word == "QUIT":
                return

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


@contextmanager
def post_office(settings, **rules: str) -> Iterator[_Server]:
    """`rules`: the reply code to a command, such as RCPT="550"; DATA="X": the mail is taken, then the line is cut."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.rules, server.letters, server.recipients = rules, [], []
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        yield server
        server.shutdown()
