"""The order page's panels of return labels and mails, their buttons, the list of mails, and the store's own choice."""

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Order
from privacy import access
from shipments import mails, returning, voiding
from shipments.models import OutgoingMail, Shipment
from stores.models import Store
from tests.factories import make_order, make_shipment, make_user
from tests.screens.storepages import saved, shown
from tests.shipments.postoffice import (
    BUYER,
    NUMBER,
    Kind,
    State,
    amazon_return,
    amazon_store,
    ask,
    manual_parcel,
    manual_store,
    send,
)

pytestmark = pytest.mark.django_db
WISH = {"carrier": "ups", "service": "Ground", "tracking_number": NUMBER}
ROLES = list(access.ROLES)


@pytest.fixture
def support(client):
    client.force_login(make_user(access.SUPPORT))
    return client


def page(client, order) -> str:
    answer = client.get(reverse("admin:orders_order_change", args=[order.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def post(client, name: str, pk: int, data=None):
    return client.post(reverse(f"admin:{name}", args=[pk]), data or {}, follow=True)


def sent_order(**given) -> Order:
    return make_shipment(make_order(amazon_store(), **given)).order


# -- making a return label


def test_f49_a_return_label_is_made_mailed_and_opened_from_the_order(support, noon):
    order = sent_order()
    assert "Make a return label…" in page(support, order)
    form = support.get(reverse("admin:shipments_return", args=[order.pk])).content.decode()
    assert "Lake, 7 Harbour Road, 97201 Portland OR, US" in form and "Ada" not in form
    text = post(support, "shipments_return", order.pk, WISH | {"mail": "on"}).content.decode()
    assert "The return label of order" in text and "It leaves within a minute" in text
    send()
    text = page(support, order)
    assert "Handed to the mail server on 20 Nov 2026, 12:00 UTC." in text and "Send it once more" in text
    label = order.shipments.get(is_return=True).labels.get()
    answer = support.get(reverse("admin:shipments_label", args=[label.pk]))
    assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF")
    assert len(mail.outbox) == 1 and "Mail to the buyer (return label): sent" in text


def test_what_is_typed_stays_when_it_is_refused(support, noon):
    order = sent_order()
    text = post(support, "shipments_return", order.pk, WISH | {"carrier": ""}).content.decode()
    assert "Choose the carrier of the return." in text and f'value="{NUMBER}"' in text
    text = post(support, "shipments_return", order.pk, WISH | {"tracking_number": "1!"}).content.decode()
    assert "4 to 40 letters and digits" in text and 'value="1!"' in text and 'value="Ground"' in text
    assert not Shipment.objects.filter(is_return=True).exists()


def test_an_order_that_cannot_be_sent_back_says_why_instead_of_the_form(support, noon):
    order = make_order(amazon_store())
    assert "Make a return label" not in page(support, order) and "Mails to the buyer" not in page(support, order)
    text = support.get(reverse("admin:shipments_return", args=[order.pk])).content.decode()
    assert "there is nothing to send back" in text and "<select" not in text


def test_f49_a_sender_that_is_not_approved_is_told_with_the_way_to_the_stores_page(support, noon):
    store = amazon_store(approved=False)
    order = make_shipment(make_order(store)).order
    text = post(support, "shipments_return", order.pk, WISH | {"mail": "on"}).content.decode()
    assert "Add service@orderhub.test to the approved senders in Seller Central" in text
    assert f"/admin/stores/store/{store.pk}/change/#sender" in text and "Send again" in text
    assert Shipment.objects.filter(is_return=True).count() == 1


def test_a_return_label_is_voided_on_the_page(support, noon):
    shipment = amazon_return()
    text = post(support, "shipments_voidreturn", shipment.pk).content.decode()
    assert "The return label is void" in text and "Void this return label" not in text
    shipment.refresh_from_db()
    assert shipment.voided_at == noon
    parcel = shipment.order.shipments.get(is_return=False)
    assert support.post(reverse("admin:shipments_voidreturn", args=[parcel.pk])).status_code == 404


# -- mails


def test_r59_the_page_of_an_amazon_order_says_that_amazon_mails_and_offers_nothing(support, noon):
    text = page(support, sent_order())
    assert "Amazon itself tells the buyer that a parcel left and arrived" in text
    assert "Mail the buyer that it left" not in text


def test_r59_a_forged_wish_for_an_amazon_order_is_refused(support, noon):
    parcel = make_shipment(make_order(amazon_store()))
    text = post(support, "shipments_mail", parcel.pk, {"kind": "shipped"}).content.decode()
    assert "Amazon forbids this mail: it mails the buyer itself" in text and "Send again" not in text
    send()
    assert mail.outbox == []


@pytest.mark.parametrize("kind", ["return_label", "", "nonsense", "\0", "shipped\r\n"])
def test_a_wish_for_a_mail_that_a_parcel_has_not_changes_nothing(support, noon, kind):
    parcel = manual_parcel()
    assert "Nothing was sent" in post(support, "shipments_mail", parcel.pk, {"kind": kind}).content.decode()
    shipment = amazon_return()
    assert "Nothing was sent" in post(support, "shipments_mail", shipment.pk, {"kind": "shipped"}).content.decode()
    assert not OutgoingMail.objects.exists()


def test_f50_another_order_is_mailed_by_hand(support, noon):
    parcel = manual_parcel()
    assert "Mail the buyer that it left" in page(support, parcel.order)
    assert "Mail the buyer that it was delivered" not in page(support, parcel.order)
    post(support, "shipments_mail", parcel.pk, {"kind": "shipped"})
    send()
    assert [sent.to for sent in mail.outbox] == [[BUYER]]
    text = page(support, parcel.order)
    assert "Handed to the mail server" in text and "Mail the buyer that it left" not in text
    Shipment.objects.update(delivered_at=noon)
    assert "Mail the buyer that it was delivered" in page(support, parcel.order)


def test_a_mail_that_was_cut_off_says_what_may_happen_and_is_sent_again_once(support, noon):
    row = ask(manual_parcel(), Kind.SHIPPED)
    OutgoingMail.objects.update(state=State.FAILED, reason="Unknown")
    text = page(support, row.order)
    assert "nobody knows whether it left" in text and "the buyer gets it twice" in text
    for _press in range(2):
        answer = post(support, "shipments_mailagain", row.pk, {"seen": row.fence})
    assert "This mail changed meanwhile" in answer.content.decode()
    send()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("seen", ["", "x", "9" * 5000, "-1", "٣", "\0"])
def test_a_bad_hand_sends_nothing_again(support, noon, seen):
    row = ask(manual_parcel(), Kind.SHIPPED)
    OutgoingMail.objects.update(state=State.FAILED, reason="Unknown")
    assert post(support, "shipments_mailagain", row.pk, {"seen": seen}).status_code == 200
    assert OutgoingMail.objects.get().state == State.FAILED


# -- who may


@pytest.mark.parametrize("role", [*ROLES, "none"])
def test_each_role_may_do_what_it_may(noon, role):
    client = Client()
    client.force_login(make_user(*([] if role == "none" else [role])))
    shipment = amazon_return()
    row = ask(manual_parcel(), Kind.SHIPPED)
    OutgoingMail.objects.filter(pk=row.pk).update(state=State.FAILED, reason="Unknown")
    found = {
        name: client.post(reverse(f"admin:{name}", args=[pk]), data).status_code
        for name, pk, data in (
            ("shipments_mail", shipment.pk, {"kind": "return_label"}), ("shipments_mailagain", row.pk, {"seen": row.fence}),
            ("shipments_voidreturn", shipment.pk, {}),
        )
    }  # fmt: skip
    mailing, voiding_ = role == access.SUPPORT, role in {access.SUPPORT, access.WAREHOUSE}
    assert found == {
        "shipments_mail": 302 if mailing else 403, "shipments_mailagain": 302 if mailing else 403,
        "shipments_voidreturn": 302 if voiding_ else 403,
    }  # fmt: skip
    seeing = role in {access.SUPPORT, access.SUCCESS}
    code = client.get(reverse("admin:shipments_outgoingmail_changelist")).status_code
    assert code == (200 if seeing else 403)


def test_get_changes_nothing_and_a_forged_form_is_refused(noon):
    shipment = amazon_return()
    row = ask(shipment)
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(make_user(access.SUPPORT))
    before = list(OutgoingMail.objects.values()), list(Shipment.objects.values())
    for name, pk in (
        ("shipments_mail", shipment.pk),
        ("shipments_mailagain", row.pk),
        ("shipments_voidreturn", shipment.pk),
    ):
        url = reverse(f"admin:{name}", args=[pk])
        assert forged.get(url).status_code == 302
        assert forged.post(url, {"kind": "return_label", "seen": row.fence}).status_code == 403
        assert Client().post(url).status_code == 302 and "/login/" in Client().post(url)["Location"]
    assert (list(OutgoingMail.objects.values()), list(Shipment.objects.values())) == before


def test_the_warehouse_makes_and_voids_but_neither_mails_nor_sees_mails(client, noon):
    order = sent_order()
    client.force_login(make_user(access.WAREHOUSE))
    text = client.get(reverse("admin:shipments_return", args=[order.pk])).content.decode()
    assert "Mail the label to the buyer" not in text
    text = post(client, "shipments_return", order.pk, WISH | {"mail": "on"}).content.decode()
    assert (
        "Void this return label" in text
        and "Mail to the buyer" not in text.partition('id="returns"')[2].partition("</section>")[0]
    )
    assert not OutgoingMail.objects.exists()


# -- the list, and what pages cost


def test_the_list_says_kind_state_and_reason_in_words(support, noon):
    ask(manual_parcel(email=""), Kind.SHIPPED)
    ask(amazon_return())
    text = support.get(reverse("admin:shipments_outgoingmail_changelist")).content.decode()
    assert "The order has no e-mail address." in text and "Return label" in text and "OrderHub" in text
    only = support.get(reverse("admin:shipments_outgoingmail_changelist"), {"state": "to_do"}).content.decode()
    assert "The order has no e-mail address." in only and "It leaves within a minute" not in only
    row = OutgoingMail.objects.first()
    answer = support.get(reverse("admin:shipments_outgoingmail_change", args=[row.pk]))
    assert answer.url == reverse("admin:orders_order_change", args=[row.order_id])


def queries(client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def test_the_list_costs_the_same_for_2_and_20_mails(support, noon):
    shop, url = manual_store(), reverse("admin:shipments_outgoingmail_changelist")
    counts = []
    for more in (2, 18):
        for _mail in range(more):
            ask(manual_parcel(shop), Kind.SHIPPED)
        counts.append(queries(support, url))
    assert counts[0] == counts[1] <= 12


def test_the_order_page_costs_the_same_for_1_and_5_returns(support, noon):
    shipment = amazon_return()
    ask(shipment)
    url, counts = reverse("admin:orders_order_change", args=[shipment.order_id]), []
    counts.append(queries(support, url))
    for number in range(4):
        ask(_another(shipment.order, number))
    counts.append(queries(support, url))
    assert counts[0] == counts[1]
    voiding.void(shipment, by=make_user(), now=noon)
    assert queries(support, url) == counts[0]


def _another(order, number: int) -> Shipment:
    return returning.make(
        order, returning.ReturnWish("ups", f"1Z999AA1000000{number:04d}"), by=make_user(), now=order.ordered_at
    )


# -- the store's choice


def test_f50_a_manual_store_chooses_its_mails_on_its_page(support, noon):
    shop = manual_store()
    assert "Mail the buyer when a parcel leaves" in shown(support, shop)
    after = saved(support, shop, mail_shipped="on", mail_delivered="on")
    assert (after.mail_shipped, after.mail_delivered) == (True, True)
    parcel = manual_parcel(after)
    assert parcel.order.mails.get().kind == Kind.SHIPPED
    mails.after_delivery(parcel, now=noon)
    assert parcel.order.mails.count() == 2


@pytest.mark.parametrize("platform", ["amazon", "handmade"])
def test_r59_a_store_of_amazon_has_no_such_choice(support, noon, platform):
    shop = amazon_store() if platform == "amazon" else manual_store(platform=platform)
    assert "Mail the buyer when" not in shown(support, shop)
    after = saved(support, shop, mail_shipped="on", mail_delivered="on")
    assert (after.mail_shipped, after.mail_delivered) == (False, False)


def test_f49_a_handmade_store_confirms_its_sender_too(support, noon):
    shop = manual_store(platform="handmade")
    assert "In Seller Central" in shown(support, shop)
    support.post(
        f"/admin/stores/store/{shop.pk}/change/",
        {
            "name": shop.name,
            "active": "on",
            "deed": "confirm-sender",
            "shown_sender": shop.sender,
            "ship_from_country": "US",
        },
    )
    assert Store.objects.get().sender_approved
