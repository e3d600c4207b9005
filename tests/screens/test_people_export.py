"""Personal data as a file (D2.3, L34): for the privacy officer, for a reason, after a fresh proof, and logged by order."""

import csv
import io
import json
import logging
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub import clock
from orders.csvfile import people
from orders.models import ItemPersonalData, Order, OrderPersonalData
from privacy import access, jobs, masks
from privacy.markers import AMAZON, RGPD
from privacy.models import AccessLog, ErasureCertificate, SecurityEvent
from privacy.models.event import EventCode
from tests.factories import PERSON, make_order, make_shipment, make_store, make_user
from tests.privacy import rows
from tests.signins import freshen

pytestmark = pytest.mark.django_db
PAGE, LIST = reverse("admin:orders_export_people"), reverse("admin:orders_order_changelist")
PROOF = reverse("confirm_identity")
CANARY = {name: f"Zq{name.replace('_', '')}1qZ" for name in rows.FULL if name not in rows.KEPT}
SECRET = [value for name, value in PERSON.items() if name not in ("city", "state", "country")]


@pytest.fixture
def officer(client, noon):
    client.force_login(make_user(access.PRIVACY))
    freshen(client)
    return client


def of(*orders) -> str:
    return f"{PAGE}?ids={','.join(str(order.pk) for order in orders)}"


def export(client, *orders, reason="access_request"):
    return client.post(of(*orders), {"reason": reason})


def read(answer, delimiter: str = ",") -> list[dict]:
    assert answer.status_code == 200 and answer["Content-Type"] == "text/csv; charset=utf-8"
    text = answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def noted(order: Order, text: str) -> None:
    parcel = order.shipments.get()
    parcel.note_to_buyer = text
    parcel.save(update_fields=["note_to_buyer"])


def events() -> list[tuple]:
    return list(SecurityEvent.objects.filter(code=EventCode.EXPORTED).values_list("kind", "ids", "reason"))


def nothing_left() -> bool:
    return not events() and not AccessLog.objects.exists()


def test_d2_3_the_officer_gets_every_column_of_the_person_once_a_reason_is_given(officer):
    order = make_order(person=CANARY | {"district": "Travis"}, order_number="111-1")
    asked = officer.get(of(order)).content.decode()
    assert "111-1" in asked and "The buyer asks what is kept" in asked
    assert not [value for value in CANARY.values() if value in asked] and nothing_left()
    answer = export(officer, order)
    (row,) = read(answer)
    told = " ".join(row.values())
    assert [name for name, value in CANARY.items() if value not in told] == []
    assert (row["Order number"], row["District"], row["Personal data until"]) == (
        "111-1",
        "Travis",
        "2026-12-04T12:00:00Z",
    )
    assert answer["Content-Disposition"] == 'attachment; filename="personal-data-2026-11-20.csv"'
    assert answer["Cache-Control"] == "no-store, private"


def test_what_a_buyer_wrote_for_a_line_and_what_was_written_to_the_buyer_are_in_it(officer):
    order = make_shipment().order
    wishes = [{"label": "Engraving", "kind": "text", "value": "For Bob", "image": ""}]
    wishes += [{"label": "Photo", "kind": "image", "value": "", "image": "x.png"}]
    ItemPersonalData.objects.create(item=order.items.get(), customization=json.dumps(wishes), images=["x.png"])
    noted(order, "Happy birthday")
    (row,) = read(export(officer, order))
    assert row["Customisation"] == "Engraving: For Bob | Photo: picture"
    assert row["Note to the buyer"] == "Happy birthday"


@pytest.mark.parametrize("reason", masks.ExportReason.values)
def test_every_order_is_in_the_access_log_and_the_export_is_one_event(officer, reason):
    store = make_store()
    orders = [make_order(store) for _each in range(3)]
    export(officer, *orders, reason=reason)
    logged = AccessLog.objects.order_by("order_id").values_list("order_id", "what", "why")
    assert list(logged) == [(order.pk, "export", reason) for order in orders]
    assert events() == [("order", [order.pk for order in reversed(orders)], reason)]
    log = officer.get(reverse("admin:privacy_accesslog_changelist"), {"why": reason}).content.decode()
    assert "export of personal data" in log and str(masks.ExportReason(reason).label) in log.replace("&#x27;", "'")


@pytest.mark.parametrize("reason", ["", "because", "Ada Example", "buyer_contact", "a\0b"])
def test_without_a_known_reason_nothing_leaves_and_nothing_is_recorded(officer, reason):
    answer = export(officer, make_order(), reason=reason)
    html = answer.content.decode()
    assert answer["Content-Type"].startswith("text/html") and "Choose a reason first" in html
    assert not [value for value in SECRET if value in html] and nothing_left()


@pytest.mark.parametrize("given", [{}, {"is_superuser": True}])
@pytest.mark.parametrize("role", ["", *access.ROLES])
def test_nobody_but_the_officer_exports_people_not_even_a_superuser(client, noon, role, given):
    order, allowed = make_order(), role == access.PRIVACY
    client.force_login(make_user(*filter(None, [role]), **given))
    freshen(client)
    codes = client.get(of(order)).status_code, export(client, order).status_code
    assert codes == ((200, 200) if allowed else (403, 403))
    assert nothing_left() != allowed
    chosen = {"action": "export_people", "_selected_action": [order.pk]}
    listed = client.get(LIST)
    if listed.status_code == 200:
        assert ("Export personal data" in listed.content.decode()) == allowed
        moved = client.post(LIST, chosen)
        assert (moved.status_code == 302 and moved.url == of(order)) == allowed
        page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
        assert (of(order) in page) == allowed


def test_a_right_given_to_a_person_without_the_role_opens_nothing(client, noon):
    user = make_user(access.SUPPORT)
    user.user_permissions.add(Permission.objects.get(codename="export_personal_data"))
    client.force_login(user)
    freshen(client)
    assert export(client, make_order()).status_code == 403 and nothing_left()


def test_a_proof_older_than_ten_minutes_is_asked_again_and_the_orders_stay_chosen(officer, travel):
    order = make_order()
    travel(minutes=10)
    for answer in (officer.get(of(order)), export(officer, order)):
        assert answer.status_code == 302 and answer.url.startswith(PROOF)
        assert f"ids%3D{order.pk}" in answer.url
    assert nothing_left()
    freshen(officer)
    assert officer.get(of(order)).status_code == 200


@pytest.mark.parametrize("state", [Order.PiiState.REDACTING, Order.PiiState.REDACTED])
def test_r70_an_order_being_erased_shows_its_marker_whatever_is_still_held(officer, state):
    order = make_shipment(make_order(person=CANARY)).order
    done_at = clock.now() if state == Order.PiiState.REDACTED else None
    Order.objects.filter(pk=order.pk).update(pii_state=state, redacted_at=done_at)
    (row,) = read(export(officer, order))
    told = " ".join(row.values())
    assert not [value for value in CANARY.values() if value in told]
    assert (row["Recipient"], row["Street 1 (Roman letters)"]) == (f"« {AMAZON} »",) * 2
    assert AccessLog.objects.get().order_id == order.pk


def test_r70_an_order_whose_date_has_come_is_erased_in_the_file_before_any_sweep(officer, travel):
    order = make_shipment(make_order(person=CANARY)).order
    noted(order, "Zqnote1qZ")
    wish = [{"label": "Text", "kind": "text", "value": "Zqwish1qZ", "image": ""}]
    ItemPersonalData.objects.create(item=order.items.get(), customization=json.dumps(wish))
    Order.objects.filter(pk=order.pk).update(redaction_due_at=clock.now() + timedelta(minutes=5))
    assert "Zqrecipientname1qZ" in export(officer, order).content.decode()
    travel(minutes=5)
    assert OrderPersonalData.objects.get(pk=order.pk).recipient_name == "Zqrecipientname1qZ"  # nobody swept
    answer = export(officer, order)
    assert b"Zq" not in answer.content
    (row,) = read(answer)
    names = ("Recipient", "Buyer", "Phone", "E-mail", "Customisation", "Note to the buyer")
    assert [row[name] for name in names] == [f"« {AMAZON} »"] * len(names)


def test_an_erased_order_says_so_and_a_relay_address_that_stays_is_told(officer):
    order = rows.due_order(person={"buyer_email": rows.RELAY})
    jobs.redact_due()
    assert ErasureCertificate.objects.filter(order_id=order.pk).exists()
    (row,) = read(export(officer, order))
    assert (row["Recipient"], row["E-mail"], row["City"]) == (f"« {AMAZON} »", rows.RELAY, "Austin")


def test_an_erasure_on_request_keeps_its_own_marker(officer):
    order = make_order(person=dict.fromkeys(CANARY, RGPD))
    OrderPersonalData.objects.filter(pk=order.pk).update(marker=RGPD)
    Order.objects.filter(pk=order.pk).update(pii_state=Order.PiiState.REDACTED, redacted_at=clock.now())
    assert read(export(officer, order))[0]["Buyer"] == f"« {RGPD} »"


def test_orders_that_amazon_ships_have_a_place_and_no_person(officer):
    (row,) = read(export(officer, make_order(fulfilled_by=Order.FulfilledBy.AMAZON)))
    assert row["Recipient"] == "" and row["Order number"]


def test_b06_a_formula_of_a_buyer_is_a_text(officer):
    order = make_order(person={"recipient_name": "=1+1", "gift_message": "a;=cmd|' /C calc'!A0", "street1": "＝1"})
    (row,) = read(export(officer, order))
    assert (row["Recipient"], row["Street 1"]) == ("'=1+1", "'＝1")
    assert row["Gift message"].startswith("a;'=")


def test_a_french_reader_gets_a_french_file(client, noon):
    client.force_login(make_user(access.PRIVACY, language="fr"))
    freshen(client)
    (row,) = read(export(client, make_order()), delimiter=";")
    assert (row["Destinataire"], row["Statut"]) == ("Ada Example", "À expédier")


def test_at_most_fifty_orders_at_once(officer):
    store = make_store()
    orders = [make_order(store) for _each in range(people.MOST + 1)]
    assert len(read(export(officer, *orders[1:]))) == people.MOST
    AccessLog.objects.all().delete()
    for answer in (officer.get(of(*orders)), export(officer, *orders)):
        assert (answer.status_code, answer.url) == (302, LIST)
        assert "between 1 and 50 orders" in str(list(get_messages(answer.wsgi_request))[-1])
    chosen = {"action": "export_people", "_selected_action": [order.pk for order in orders]}
    told = officer.post(f"{LIST}?all=", chosen, follow=True).content.decode()
    assert "Choose at most 50 orders at once." in told and not AccessLog.objects.exists()


@pytest.mark.parametrize("ids", ["", "0", "x", "4711", "9" * 5000, "-1", "1e9", "a\0b", "٣", "1;DROP TABLE"])
def test_numbers_that_are_no_orders_lead_back_to_the_list(officer, ids):
    for answer in (officer.get(PAGE, {"ids": ids}), officer.post(f"{PAGE}?ids=4711", {"reason": "authority"})):
        assert (answer.status_code, answer.url) == (302, LIST)
    assert nothing_left()


def test_other_methods_export_nothing(officer):
    address = of(make_order())
    assert [getattr(officer, name)(address).status_code for name in ("put", "patch", "delete")] == [405] * 3
    assert officer.get(f"{address}&reason=authority")["Content-Type"].startswith("text/html") and nothing_left()


def test_the_number_of_queries_is_the_same_for_1_and_20_orders(officer):
    store, counts = make_store(), []
    for count in (1, 20):
        orders = [make_shipment(make_order(store, lines=2)).order for _each in range(count)]
        for order in orders:
            for item in order.items.all():
                ItemPersonalData.objects.create(item=item, customization="[]")
        for call in (lambda chosen=orders: officer.get(of(*chosen)), lambda chosen=orders: export(officer, *chosen)):
            with CaptureQueriesContext(connection) as seen:
                assert call().status_code == 200
            counts.append(len(seen))
    assert counts[:2] == counts[2:] and max(counts) <= 30, counts


def test_c_nothing_of_the_person_is_kept_logged_or_left_on_disk(officer, caplog, settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    caplog.set_level(logging.DEBUG)
    order = make_order(person=CANARY)
    caplog.clear()
    answer = export(officer, order)
    assert answer.content.count(b"1qZ") == len(CANARY) and not answer.streaming
    refused = export(officer, order, reason="Zqreason1qZ")
    kept = [str(vars(record)) for record in caplog.records if record.name != "django.db.backends"]
    kept += [str(session.get_decoded()) for session in Session.objects.all()]
    kept += [str(message) for message in get_messages(answer.wsgi_request)]
    kept += [str(dict(found.headers)) for found in (answer, refused)] + [str(officer.cookies), refused.content.decode()]
    kept += [str(list(table.objects.values())) for table in (SecurityEvent, AccessLog)]
    kept += [entry["params"] and str(entry) for entry in order.events.values()]
    assert any("personal_data_exported" in text for text in kept)
    assert not [text for text in kept if "1qZ" in text.replace("Zqreason1qZ", "") or "Ada Example" in text]
    assert list(tmp_path.iterdir()) == []
