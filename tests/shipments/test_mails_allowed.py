"""Which mails to buyers may leave: by where the order comes from and by the address's domain, by nothing else."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from orderhub import clock
from orderhub.errors import RuleViolation
from orders import timeline
from orders.csvfile import writing
from orders.models import Order, OrderPersonalData
from shipments import mails, returning, voiding
from shipments.mails import deciding
from shipments.models import OutgoingMail, Shipment
from stores import senders
from stores.models import Store
from tests.factories import make_order, make_shipment, make_user, rewrite
from tests.shipments.postoffice import (
    BUYER,
    RELAY,
    Kind,
    State,
    amazon_return,
    amazon_store,
    ask,
    manual_parcel,
    manual_store,
    send,
    told,
)

pytestmark = pytest.mark.django_db
FORBIDDEN = [Kind.SHIPPED, Kind.DELIVERED]


def refused(shipment, kind) -> str:
    """The reason of a mail that does not leave, also after the sender came by."""
    row = ask(shipment, kind)
    send()
    row.refresh_from_db()
    assert (row.state, mail.outbox) == (State.REFUSED, [])
    return row.reason


# -- R59: no mail about shipping or delivery for Amazon's orders


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_r59_an_order_of_an_amazon_store_gets_none_and_the_timeline_says_why(noon, kind):
    parcel = make_shipment(make_order(amazon_store()))
    assert refused(parcel, kind) == "AmazonForbids"
    assert told(parcel.order) == ["AmazonForbids"]
    said = timeline.entries(parcel.order)[0]
    assert "Amazon forbids this mail: it mails the buyer itself" in said.sentence and said.level == ""


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_r59_not_even_with_a_plain_address(noon, kind):
    order = make_order(amazon_store(), person={"buyer_email": BUYER})
    assert refused(make_shipment(order), kind) == "AmazonForbids"


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_r59_handmade_counts_as_amazon(noon, kind):
    shop = manual_store(platform="handmade")
    assert refused(manual_parcel(shop, origin="amazon"), kind) == "AmazonForbids"
    assert refused(manual_parcel(shop, origin="manual"), kind) == "AmazonForbids"


@pytest.mark.parametrize(
    "address",
    [
        RELAY, RELAY.upper(), "x@MarketPlace.Amazon.FR", " x@marketplace.amazon.co.uk ", "x@marketplace.amazon.com.mx",
        "x@ｍarketplace.amazon.com", "x@marketplace。amazon。com", "x+y@marketplace.amazon.de",
    ],
)  # fmt: skip
@pytest.mark.parametrize("payment", ["", "Amazon Payments"])
def test_r59_a_relay_address_counts_whatever_the_channel_and_the_payment(noon, address, payment):
    """Also in letters that mail servers would read as Amazon's."""
    parcel = manual_parcel(email=address, payment_method=payment)
    for kind in FORBIDDEN:
        assert refused(parcel, kind) == "AmazonForbids"


@pytest.mark.parametrize(
    "address",
    [
        f'"Jean" <{RELAY}>', f"Jean <{RELAY}>", f'"x"@{RELAY.split("@")[1]}', f"{RELAY}, {BUYER}", f"{BUYER}; {RELAY}",
        f"x@(y){RELAY.split('@')[1]}", f"{RELAY}.", f"{BUYER}\r\nBcc: {RELAY}", f"{BUYER}\n", f"mailto:{RELAY}",
        "no address", "@marketplace.amazon.com", f"x@[{RELAY}]", "x" * 250 + "@buyer.example",
    ],
)  # fmt: skip
def test_r59_b32_what_is_not_one_plain_address_gets_no_mail(noon, address):
    parcel = manual_parcel(email=BUYER)
    rewrite(OrderPersonalData.objects.filter(pk=parcel.order_id), buyer_email=address[:500])
    row = ask(parcel, Kind.SHIPPED)
    send()
    row.refresh_from_db()
    if address.strip() == BUYER:  # a line break after it is no part of it
        assert [sent.to for sent in mail.outbox] == [[BUYER]]
    else:
        assert row.state == State.REFUSED and row.reason in {"BadAddress", "AmazonForbids"} and mail.outbox == []


@pytest.mark.parametrize(
    "address",
    ["x@marketplace.amazon.com.evil.example", "x@notmarketplace.amazon.com", "x@marketplace-amazon.com", "x@amazon.com",
     "marketplace.amazon.com@buyer.example", "x@marketplace.amazоn.com"],
)  # fmt: skip
def test_r59_a_domain_that_only_looks_like_amazons_is_an_ordinary_one(noon, address):
    parcel = manual_parcel(email=address)
    assert ask(parcel, Kind.SHIPPED).state == State.PENDING
    assert not deciding.is_relay(deciding.canonical(address))


def test_r59_nothing_is_asked_for_by_itself_for_amazons_orders(noon):
    parcel = make_shipment(make_order(amazon_store()))
    mails.after_delivery(parcel, now=noon)
    assert not OutgoingMail.objects.exists() and told(parcel.order) == []


def test_r59_a_store_that_mails_by_itself_mails_no_buyer_of_amazon(noon):
    shop = manual_store(mail_shipped=True, mail_delivered=True)
    parcel = manual_parcel(shop, email=RELAY, origin="amazon")
    mails.after_delivery(parcel, now=noon)
    send()
    assert told(parcel.order) == ["AmazonForbids", "AmazonForbids"] and mail.outbox == []


def test_r59_what_becomes_amazons_before_it_is_sent_is_not_sent(noon):
    parcel = manual_parcel()
    row = ask(parcel, Kind.SHIPPED)
    rewrite(OrderPersonalData.objects.filter(pk=parcel.order_id), buyer_email=RELAY)
    assert send() == "0 sent, 1 refused, 0 failed, 0 later"
    row.refresh_from_db()
    assert (row.state, row.reason, mail.outbox) == (State.REFUSED, "AmazonForbids", [])


# -- R60, R61: return labels


def test_r60_a_return_label_may_be_mailed_for_an_amazon_order(noon):
    shipment = amazon_return()
    assert ask(shipment).state == State.PENDING
    send()
    assert [sent.to for sent in mail.outbox] == [[RELAY]]
    assert told(shipment.order) == ["pending", "sent"]


def test_r61_not_before_the_sender_is_confirmed_and_then_the_same_row_leaves(noon):
    store = amazon_store(approved=False)
    shipment = amazon_return(store)
    row = ask(shipment)
    assert (row.state, row.reason) == (State.REFUSED, "SenderNotApproved")
    senders.confirm_sender(store, store.sender, by=make_user(), now=noon)
    again = mails.send_again(row, seen=row.fence, by=make_user("Support"), now=noon)
    assert (again.pk, again.state) == (row.pk, State.PENDING)
    send()
    assert len(mail.outbox) == 1 and OutgoingMail.objects.get().state == State.SENT


def test_r61_a_sender_changed_meanwhile_stops_the_mail(noon):
    store = amazon_store()
    row = ask(amazon_return(store))
    Store.objects.filter(pk=store.pk).update(brand_from_email="other@lake.example")
    send()
    row.refresh_from_db()
    assert (row.state, row.reason, mail.outbox) == (State.REFUSED, "SenderNotApproved", [])


def test_r61_the_services_own_sender_changed_meanwhile_stops_it_too(noon, settings):
    row = ask(amazon_return())
    settings.DEFAULT_FROM_EMAIL = "another@orderhub.test"
    send()
    row.refresh_from_db()
    assert (row.state, row.reason, mail.outbox) == (State.REFUSED, "SenderNotApproved", [])


def test_r61_a_handmade_order_needs_it_as_well_and_a_plain_address_does_not(noon):
    def returned(shop, email, origin):
        return Shipment.objects.get(pk=_return_of(manual_parcel(shop, email=email, origin=origin)).pk)

    handmade = manual_store(platform="handmade")
    assert ask(returned(handmade, RELAY, "amazon")).reason == "SenderNotApproved"
    assert ask(returned(manual_store(name="Other"), BUYER, "manual")).state == State.PENDING


def _return_of(parcel):
    wish = returning.ReturnWish("ups", "1Z999AA10123456785")
    return returning.make(parcel.order, wish, by=make_user("Support"), now=clock.now())


# -- R62: others may be mailed, however they were paid


@pytest.mark.parametrize("kind", FORBIDDEN)
@pytest.mark.parametrize("payment", ["Amazon Payments", "Amazon Pay", "card"])
def test_r62_other_orders_are_mailed_also_those_paid_with_amazon_payments(noon, kind, payment):
    parcel = manual_parcel(payment_method=payment)
    row = ask(parcel, kind)
    send()
    row.refresh_from_db()
    assert row.state == State.SENT and [sent.to for sent in mail.outbox] == [[BUYER]]


def test_r62_a_store_that_says_so_mails_by_itself(noon):
    parcel = manual_parcel(manual_store(mail_shipped=True, mail_delivered=True))
    mails.after_delivery(parcel, now=noon)
    mails.after_delivery(parcel, now=noon)
    send()
    assert sorted(OutgoingMail.objects.values_list("kind", "state")) == [("delivered", "sent"), ("shipped", "sent")]
    assert len(mail.outbox) == 2
    assert manual_parcel().order.mails.count() == 0


def test_r62_a_parcel_refused_mails_nobody(noon):
    shop = manual_store(mail_shipped=True)
    order = make_order(shop, origin_marketplace="manual", status="on_hold", person={"buyer_email": BUYER})
    with pytest.raises(RuleViolation, match="on hold"):
        make_shipment(order)
    assert not OutgoingMail.objects.exists()


# -- reasons


def test_no_address_an_erased_order_and_a_voided_parcel_say_so(noon):
    assert ask(manual_parcel(email=""), Kind.SHIPPED).reason == "NoAddress"
    parcel = manual_parcel()
    voiding.void(parcel, by=make_user(), now=noon)
    assert ask(parcel, Kind.SHIPPED).reason == "Voided"
    for changed in ({"pii_state": "redacting"}, {"redaction_due_at": clock.now()}):
        shipment = amazon_return(amazon_store())
        Order.objects.filter(pk=shipment.order_id).update(**changed)
        assert ask(shipment).reason == "Erased"


def test_a_return_voided_while_its_mail_waits_is_not_mailed(noon):
    shipment = amazon_return()
    row = ask(shipment)
    voiding.void(shipment, by=make_user(), now=noon)
    send()
    row.refresh_from_db()
    assert (row.reason, mail.outbox) == ("Voided", [])


def test_a_parcel_is_not_mailed_a_return_label(noon):
    assert ask(make_shipment(make_order(amazon_store())), Kind.RETURN_LABEL).reason == "NoLabel"


def test_a_mail_asked_for_twice_is_one_mail(noon):
    parcel = manual_parcel()
    first, second = ask(parcel, Kind.SHIPPED), ask(parcel, Kind.SHIPPED)
    assert first.pk == second.pk
    send()
    assert ask(parcel, Kind.SHIPPED).state == State.SENT
    send()
    assert len(mail.outbox) == 1 and told(parcel.order) == ["pending", "sent"]


def test_sending_again_twice_from_one_page_sends_once(noon):
    support, shipment = make_user("Support"), amazon_return()
    row = ask(shipment)
    send()
    row.refresh_from_db()
    mails.send_again(row, seen=row.fence, by=support, now=noon)
    send()
    with pytest.raises(RuleViolation, match="changed meanwhile"):
        mails.send_again(row, seen=row.fence, by=support, now=noon)
    send()
    assert len(mail.outbox) == 2


# -- R64, R65


def test_r64_exports_hold_neither_e_mail_nor_phone(noon):
    make_order(amazon_store(), person={"phone": "+1 555 0177"})
    manual_parcel()
    assert not {"buyer_email", "phone", "buyer_name", "recipient_name"} & set(writing.names())
    text = "".join(writing.export(Order.objects.all(), user=make_user("Support")))
    assert text.count("111-") == 2
    assert [part for part in (RELAY, BUYER, "@", "0177", "0100") if part in text] == []


def test_r64_the_list_of_mails_names_no_address(noon, client):
    ask(amazon_return())
    ask(manual_parcel(), Kind.SHIPPED)
    send()
    client.force_login(make_user("Support"))
    text = client.get(reverse("admin:shipments_outgoingmail_changelist")).content.decode()
    assert "M-" not in text and text.count("Handed to the mail server") == 2
    assert RELAY not in text and BUYER not in text and "Ada" not in text


def test_r65_a_masked_address_is_used_as_it_is_and_for_nothing_else(noon):
    shipment = amazon_return(buyer_email="Ab-12+x@marketplace.amazon.co.uk")
    ask(shipment)
    send()
    assert mail.outbox[0].recipients() == ["Ab-12+x@marketplace.amazon.co.uk"]
    assert OrderPersonalData.objects.get(pk=shipment.order_id).buyer_email == "Ab-12+x@marketplace.amazon.co.uk"


def test_asking_for_a_mail_later_than_the_due_date_is_refused_and_one_second_before_is_not(noon):
    shipment = amazon_return()
    due = noon + timedelta(hours=1)
    Order.objects.filter(pk=shipment.order_id).update(redaction_due_at=due)
    assert deciding.decide(Shipment.objects.get(pk=shipment.pk), Kind.RETURN_LABEL, now=due).reason == "Erased"
    fresh = Shipment.objects.get(pk=shipment.pk)
    assert deciding.decide(fresh, Kind.RETURN_LABEL, now=due - timedelta(seconds=1)).address == RELAY
