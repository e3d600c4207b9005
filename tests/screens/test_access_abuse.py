"""Ways to look round the rules: numbers that are guessed, filters used as an oracle, pop-ups, names of objects, snippets."""

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, transaction
from django.urls import reverse

from orders.models import Customer, Order, OrderPersonalData
from privacy import access, registry
from tests.end_to_end import canary
from tests.factories import PERSON, make_order, make_shipment, make_user
from tests.shipments.notices import make_notice

pytestmark = pytest.mark.django_db
SECRET = "Zephyrine"
SNIPPETS = (
    "' OR '1'='1", "1; DROP TABLE orders_order;--", '" OR ""="', "%' AND 1=(SELECT COUNT(*) FROM orders_customer)--", "\\",
    "-1 UNION SELECT 1,2,3", "1)) OR SLEEP(5)#", "${7*7}", "a' || (SELECT street1 FROM orders_orderpersonaldata) || 'b",
)  # fmt: skip


def login(client, role: str, **given):
    user = make_user(*filter(None, [role]), **given)
    client.force_login(user)
    return user


def text(answer) -> str:
    told = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode(errors="replace")
    return re.sub(r'name="(csrfmiddlewaretoken|next)" value="[^"]*"', "", told)  # the address itself, and what varies


# -- B01


@pytest.mark.parametrize("role", [access.SUPPORT, access.WAREHOUSE, access.ADMINISTRATOR, access.PRIVACY])
def test_b01_a_guessed_number_answers_alike_whether_or_not_the_row_exists(client, noon, role):
    """Where a role is refused, it is refused before anybody looks whether there is such a row."""
    shipment = make_shipment()
    login(client, role)
    label, order = shipment.labels.get().pk, shipment.order_id
    for name, pk in (
        ("shipments_label", label), ("orders_customer_change", 1), ("orders_order_reveal", order), ("shipments_void", shipment.pk),
        ("orders_order_note", order), ("orders_order_fetch", order), ("orders_customer_join", 1), ("orders_customer_reveal", 1), ("orders_order_hold", order),
    ):  # fmt: skip
        for method in (client.get, client.post):
            found = []
            for number in (pk, 987654):
                client.cookies.pop("messages", None)  # what the last answer had to say
                found.append(method(reverse(f"admin:{name}", args=[number])))
            real, unknown = found
            if real.status_code == 403 or unknown.status_code == 403:
                assert (name, real.status_code) == (name, unknown.status_code)
                assert text(real).splitlines() == text(unknown).splitlines()


def test_b01_bulk_actions_take_only_rows_of_the_list(client, noon):
    order = make_order()
    login(client, access.SUPPORT)
    chosen = [order.pk, 987654, "x", "1 OR 1=1"]
    answer = client.post(reverse("admin:orders_order_changelist"), {"action": "hold", "_selected_action": chosen[:2]})
    assert answer.status_code in {200, 302}
    bad = client.post(reverse("admin:orders_order_changelist"), {"action": "hold", "_selected_action": chosen})
    assert bad.status_code < 500 and Order.objects.count() == 1


# -- B02


ORACLES = (
    "customer__email__startswith", "person__buyer_name__icontains", "person__street1", "person__phone__contains",
    "orders__person__buyer_email", "order__person__recipient_name__istartswith", "email__startswith", "name__icontains",
    "match_key", "order__customer__name", "notes__text__contains", "buyer_words__word", "shipment__order__person__street1",
    "user__password__startswith", "signed_by__password__startswith", "account__refresh_token__startswith", "_to_field",
)  # fmt: skip


def model_oracles(model) -> list[str]:
    """A way from this list to a person, where its model leads to one."""
    steps = {field.name for field in model._meta.get_fields()}
    return [f"{step}__{way}" for step, way in WAYS.items() if step in steps][:1]


WAYS = {
    "order": "person__street1__startswith", "orders": "person__street1__startswith", "user": "password__startswith",
    "account": "refresh_token__startswith", "shipment": "order__person__street1__startswith",
}  # fmt: skip


@pytest.mark.sampled(3)
@pytest.mark.parametrize("role", [access.SUCCESS, access.ADMINISTRATOR, access.WAREHOUSE])
def test_b02_no_filter_or_order_of_a_list_depends_on_a_masked_value(client, noon, role):
    order = make_order(person={"buyer_name": SECRET, "recipient_name": SECRET, "street1": SECRET})
    Customer.objects.create(merchant=order.store.merchant, name=SECRET, email=f"{SECRET}@example.org", match_key="k")
    make_notice(store=order.store)
    login(client, role)
    for model in admin.site._registry:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        if client.get(address).status_code != 200:
            continue
        for lookup in ORACLES if model in {Order, Customer} else (*model_oracles(model), "_to_field"):
            hit, miss = (client.get(address, {lookup: value}) for value in (SECRET[:3], "qqqq"))
            assert hit.status_code == miss.status_code < 500, (address, lookup)
            if hit.status_code == 200 and getattr(hit, "context_data", None) and "cl" in hit.context_data:
                rows = [[row.pk for row in answer.context_data["cl"].result_list] for answer in (hit, miss)]
                assert rows[0] == rows[1], (address, lookup)


@pytest.mark.parametrize("role", [access.SUPPORT, access.SUCCESS, access.ADMINISTRATOR])
def test_b02_a_search_for_a_name_in_the_order_list_finds_nobody_by_it(client, noon, role):
    make_order(person={"buyer_name": SECRET})
    login(client, role)
    if not hasattr(Order, "buyer_words"):
        return
    for term in (SECRET, SECRET[:4], "1 Sample Street"):
        rows = client.get(reverse("admin:orders_order_changelist"), {"q": term}).context_data["cl"].result_list
        assert list(rows) == []


# -- B03


@pytest.mark.sampled(3)
@pytest.mark.parametrize("role", [access.SUCCESS, access.ADMINISTRATOR, access.SUPPORT])
def test_b03_no_completion_or_pop_up_names_anybody(client, noon, role):
    order = make_order(person={"buyer_name": SECRET, "recipient_name": SECRET})
    login(client, role)
    for model in admin.site._registry:
        for field in (found for found in model._meta.get_fields() if found.is_relation and found.concrete):
            asked = {
                "app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name,
            }  # fmt: skip
            for term in (SECRET[:3], ""):
                answer = client.get(reverse("admin:autocomplete"), asked | {"term": term})
                assert SECRET not in text(answer) and answer.status_code in {200, 403, 404}
                assert term == "" or answer.status_code != 200 or answer.json()["results"] == [], asked
    page = reverse("admin:orders_order_change", args=[order.pk])
    popup = client.get(reverse("admin:orders_order_changelist"), {"_popup": 1, "_to_field": "id"})
    assert popup.status_code < 500 and SECRET not in text(popup)
    assert SECRET not in text(client.get(page + "delete/")) and SECRET not in text(client.get(reverse("admin:index")))


def test_b03_no_object_says_a_value_by_its_name():
    values = {}
    for model in apps.get_models():
        table = model._meta.db_table
        personal = {column for found, column in registry.personal_columns() if found == table}
        given = {field.attname: SECRET for field in model._meta.concrete_fields if field.column in personal}
        if given:
            row = model(**given)
            values[table] = [str(row), repr(row)]
    assert len(values) >= 4
    assert not [table for table, told in values.items() if any(SECRET in one for one in told)]


# -- B15


def rows_of_everything() -> dict[str, list]:
    tables, found = connection.introspection.table_names(), {}
    with connection.cursor() as cursor:
        for table in tables:
            if table not in {"privacy_accesslog", "privacy_securityevent", "privacy_securitychain", "django_session"}:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                found[table] = sorted(map(repr, cursor.fetchall()))
    return found


@pytest.mark.long
def test_b15_opening_every_page_changes_nothing(client, noon):
    shipment = make_shipment(make_order(lines=2))
    order = make_order(shipment.order.store)
    Customer.objects.create(merchant=order.store.merchant, name="Ada Example", match_key="k")
    make_notice(store=order.store)
    for role in (access.SUPPORT, access.PRIVACY, access.ADMINISTRATOR):
        login(client, role)
        before, opened = rows_of_everything(), 0
        for address in canary.addresses(most=1):
            opened += client.get(address).status_code == 200
        assert opened > 20
        after = rows_of_everything()
        assert [table for table in before if before[table] != after[table]] == []


# -- B20


@pytest.mark.parametrize("role", [access.SUPPORT, access.SUCCESS, access.WAREHOUSE, access.PRIVACY])
def test_b20_nobody_but_administrators_touches_accounts_roles_or_schedules(client, noon, role):
    user = login(client, role)
    for address in (
        reverse("admin:orderhub_user_change", args=[user.pk]), reverse("admin:orderhub_user_add"),
        reverse("admin:auth_user_password_change", args=[user.pk]), reverse("admin:orderhub_user_changelist"),
    ):  # fmt: skip
        answers = [client.get(address), client.post(address, {"groups": [1, 2, 3, 4, 5], "is_superuser": "on"})]
        assert [answer.status_code for answer in answers] == [403, 403]
    user.refresh_from_db()
    assert [group.name for group in user.groups.all()] == [role] and not user.is_superuser


@pytest.mark.parametrize("given", [{"is_superuser": True}, {}])
def test_b20_nothing_that_runs_code_or_grants_rights_has_a_page(client, noon, given):
    login(client, access.ADMINISTRATOR, **given)
    for path in (
        "django_q/schedule", "django_q/success", "django_q/failure", "django_q/ormq", "auth/group", "auth/permission",
        "sessions/session", "contenttypes/contenttype", "privacy/securitychain", "privacy/datakey",
    ):  # fmt: skip
        assert [client.get(f"/admin/{path}/{end}").status_code for end in ("", "add/", "1/change/")] == [404] * 3


# -- B22


@pytest.mark.sampled(2)
@pytest.mark.parametrize("role", [access.SUPPORT, access.PRIVACY])
def test_b22_snippets_of_sql_are_just_text(client, noon, role):
    make_shipment()
    login(client, role)
    lists = [model for model in admin.site._registry if model._meta.app_label in {"orders", "shipments", "privacy"}]
    addresses = [reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in lists]
    names = ("q", "o", "tab", "store", "due", "kind", "state", "privacy", "own", "custom", "merchant", "account", "p")
    before = Order.objects.count(), OrderPersonalData.objects.count()
    for number, address in enumerate(addresses):
        asked = {name: SNIPPETS[(number + place) % len(SNIPPETS)] for place, name in enumerate(names)}
        for given in (asked, {"q": SNIPPETS[number % len(SNIPPETS)]}, {"o": SNIPPETS[number % len(SNIPPETS)]}):
            assert client.get(address, given).status_code < 500, (address, given)
    for snippet in SNIPPETS:
        for address in (
            reverse("admin:orders_where"),
            reverse("admin:shipments_pick"),
            reverse("admin:shipments_slips"),
        ):
            assert client.get(address, {"number": snippet, "ids": snippet}).status_code < 500
        with transaction.atomic():
            assert client.post(reverse("admin:orders_customer_find"), {"email": snippet}).status_code < 500
    assert (Order.objects.count(), OrderPersonalData.objects.count()) == before


# -- B26


TRAVERSALS = (
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f1",
    "1%00.pdf",
    "....//1",
    "C:%5Cx",
    "-1",
    "0x1",
    "1.5",
)


def test_b26_files_are_asked_for_by_number_and_come_as_what_they_are(client, noon):
    shipment = make_shipment()
    login(client, access.SUPPORT)
    for address in (
        reverse("admin:shipments_label", args=[shipment.labels.get().pk]),
        reverse("admin:shipments_slip", args=[shipment.order_id]),
    ):
        answer = client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert answer["X-Content-Type-Options"] == "nosniff" and answer["Cache-Control"] == "no-store, private"
        assert (
            "sandbox" in answer["Content-Security-Policy"] or "default-src 'none'" in answer["Content-Security-Policy"]
        )
        assert not [value for value in PERSON.values() if value in answer["Content-Disposition"]]
    export = client.post(reverse("admin:orders_order_export"))
    assert export["Content-Disposition"].startswith("attachment;") and export["X-Content-Type-Options"] == "nosniff"
    zpl = client.get(reverse("admin:shipments_label", args=[shipment.labels.get().pk]), {"format": "zpl"})
    assert zpl["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize("folder", ["shipments/shipment/label", "shipments/shipment/slip", "orders/product/photo"])
def test_b26_no_path_leads_out_of_the_store_of_files(client, noon, folder):
    make_shipment()
    login(client, access.SUPPORT)
    for tried in TRAVERSALS:
        answer = client.get(f"/admin/{folder}/{tried}/")
        assert answer.status_code in {301, 302, 404}, tried
        assert b"root:" not in (b"".join(answer.streaming_content) if answer.streaming else answer.content)


# -- pages of the past


def test_what_a_packer_saw_while_an_order_was_open_is_gone_once_it_left(client, noon):
    order = make_order()
    login(client, access.WAREHOUSE)
    page = reverse("admin:orders_order_change", args=[order.pk])
    assert "Ada Example" in text(client.get(page)) and "+1 555 0100" not in text(client.get(page))
    Order.objects.filter(pk=order.pk).update(status=Order.Status.SHIPPED, shipped_at=noon - timedelta(hours=1))
    assert "Ada Example" not in text(client.get(page))
