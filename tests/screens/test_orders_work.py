"""A day's work on the order list and the order page: notes, tags, holds, assignment, own statuses, views, custom fields."""

from datetime import timedelta

import pytest
from django.urls import reverse

from orders.models import Order, OrderEvent, OrderNote, OrderPersonalData, SavedView, Tag
from privacy import access, markers
from privacy.models import AccessLog
from stores.models import MarketplaceStatus
from tests.factories import make_order, make_shipment, make_store, make_user

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_order_changelist")
DECIDE = {access.SUPPORT, access.SUCCESS}
NOTE = DECIDE | {access.WAREHOUSE}


@pytest.fixture
def support(client, noon):
    user = make_user(access.SUPPORT, username="sam")
    client.force_login(user)
    return user


@pytest.fixture
def store(noon):
    return make_store()


def page(order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def do(client, order, door, **posted):
    return client.post(reverse(f"admin:orders_order_{door}", args=[order.pk]), posted)


def act(client, action, orders, **answer):
    chosen = {"action": action, "_selected_action": [order.pk for order in orders]}
    return client.post(LIST, chosen | ({"answered": "1"} | answer if answer else {}))


def html_of(client, url, data=None) -> str:
    answer = client.get(url, data)
    assert answer.status_code == 200
    return answer.content.decode()


def messages_of(client) -> str:
    return " ".join(str(message) for message in client.get(LIST).context["messages"])


def rows(client, **filters) -> set[int]:
    return {order.pk for order in client.get(LIST, filters).context["cl"].result_list}


# -- notes


@pytest.mark.parametrize("role", list(access.ROLES))
def test_f32_notes_are_read_and_written_by_those_who_have_the_right(client, store, role):
    order = make_order(store)
    OrderNote.objects.create(order=order, text="wants it blue")
    client.force_login(make_user(role))
    assert ("wants it blue" in html_of(client, page(order))) == (role in NOTE)
    answer = do(client, order, "note", text="second look")
    assert answer.status_code == (302 if role in NOTE else 403)
    assert any(note.text == "second look" for note in OrderNote.objects.all()) == (role in NOTE)


def test_f32_a_refused_note_comes_back_as_it_was_typed_with_the_reason(client, support, store):
    order = make_order(store)
    typed = "<b>blue</b> " + "x" * 4000
    html = do(client, order, "note", text=typed).content.decode()
    assert "at most 4000 characters" in html and "&lt;b&gt;blue&lt;/b&gt; xxx" in html and 'aria-invalid="true"' in html
    assert not OrderNote.objects.exists()


def test_f32_there_is_no_door_to_change_or_delete_a_note(client, support, store):
    order = make_order(store)
    do(client, order, "note", text="wants it blue")
    html = html_of(client, page(order))
    assert "wants it blue" in html and "sam" in html and "No names, addresses" in html
    from django.contrib import admin

    assert OrderNote not in admin.site._registry
    assert client.get(reverse("admin:orders_order_note", args=[order.pk])).status_code == 302
    assert OrderNote.objects.count() == 1


def test_b05_a_hostile_note_is_text_and_in_no_message(client, support, store):
    order = make_order(store)
    text = "<script>alert(1)</script>{{ 7|add:1 }}"
    do(client, order, "note", text=text)
    html = html_of(client, page(order))
    assert "<script>alert" not in html and "&lt;script&gt;alert(1)" in html and "{{ 7|add:1 }}" in html
    assert list(OrderEvent.objects.values_list("kind", "params")) == [("noted", {})]


@pytest.mark.parametrize(("role", "seen"), [(access.SUPPORT, True), (access.SUCCESS, False)])
def test_a_note_that_names_the_buyer_is_hidden_from_those_who_may_not_see_names(client, store, role, seen):
    order = make_order(store)
    for text in ("Ada Example is on holiday", "wants it blue"):
        OrderNote.objects.create(order=order, text=text)
    client.force_login(make_user(role))
    html = html_of(client, page(order))
    assert ("is on holiday" in html) == seen and "wants it blue" in html


def test_notes_are_masked_while_the_order_is_being_erased(client, support, store, noon):
    order = make_order(store)
    OrderNote.objects.create(order=order, text="Ada Example called")
    OrderNote.objects.create(order=order, text="wants it blue")
    Order.objects.filter(pk=order.pk).update(pii_state="redacting")
    html = html_of(client, page(order))
    assert "called" not in html and "wants it blue" not in html and html.count(f"« {markers.AMAZON} »") >= 2
    assert 'id="note-text"' not in html and "takes no more notes" in html


# -- the work panel


@pytest.mark.parametrize("role", list(access.ROLES))
def test_f59_who_changes_orders_tags_assigns_and_names_their_status_and_nobody_else(client, store, role):
    user = make_user(role)
    client.force_login(user)
    order, tag = make_order(store), Tag.objects.create(name="urgent", level="bad")
    MarketplaceStatus.objects.create(store=store, name="Packed", status="awaiting_shipment")
    html = html_of(client, page(order))
    assert (">Assign to me<" in html, ">Add tag<" in html, ">Packed<" in html) == (role in DECIDE,) * 3
    expected = 302 if role in DECIDE else 403
    assert do(client, order, "tag", tag=tag.pk).status_code == expected
    assert do(client, order, "assign", user="me").status_code == expected
    assert do(client, order, "own-status", own="Packed").status_code == expected
    order.refresh_from_db()
    done = role in DECIDE
    assert (order.tags.exists(), order.assigned_to_id, order.own_status_id is not None) == (
        done, user.pk if done else None, done,
    )  # fmt: skip
    if done:
        html = html_of(client, page(order))
        assert "oh-badge--bad" in html and "Take off “urgent”" in html and "Tags: urgent" in html
        (
            do(client, order, "untag", tag=tag.pk),
            do(client, order, "assign", user=""),
            do(client, order, "own-status", own=""),
        )
        order.refresh_from_db()
        assert (order.tags.exists(), order.assigned_to, order.own_status) == (False, None, None)


@pytest.mark.parametrize("door", ["note", "tag", "untag", "assign", "own-status"])
def test_doors_have_no_effect_by_get_and_need_the_token(client, support, store, door):
    from django.test import Client

    order = make_order(store)
    url = reverse(f"admin:orders_order_{door}", args=[order.pk])
    assert client.get(url).url == page(order)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(support)
    assert strict.post(url, {"text": "x", "user": "me"}).status_code == 403
    assert (OrderEvent.objects.count(), OrderNote.objects.count()) == (0, 0)


@pytest.mark.parametrize("posted", ["0", "-1", "x", "9" * 30, "²", ""])
def test_unknown_ids_are_not_found(client, support, store, posted):
    order = make_order(store)
    assert do(client, order, "tag", tag=posted).status_code == 404
    if posted:
        assert do(client, order, "assign", user=posted).status_code == 404
    assert not OrderEvent.objects.exists()


def test_f59_a_hold_with_an_end_says_so_in_list_and_page_in_the_zone_of_the_store(client, support, noon):
    order = make_order(make_store(time_zone="Asia/Tokyo"))
    do(client, order, "hold", reason="stock", until_day="2026-11-24", until_time="09:30")
    order.refresh_from_db()
    assert order.hold_until.isoformat() == "2026-11-24T00:30:00+00:00"
    assert "On hold until 24 Nov 2026, 09:30 (Asia/Tokyo)." in html_of(client, page(order))
    assert "until 24 Nov, 09:30" in html_of(client, LIST)


@pytest.mark.parametrize(("day", "told"), [("2026-11-20", "has passed"), ("soon", "Write the day like")])
def test_f59_a_past_end_is_refused_with_a_sentence(client, support, store, day, told):
    order = make_order(store)
    do(client, order, "hold", reason="stock", until_day=day)
    assert told in messages_of(client)
    order.refresh_from_db()
    assert (order.status, order.events.count()) == ("awaiting_shipment", 0)


# -- many at once


def test_p26_tags_are_put_on_and_taken_off_many(client, support, store):
    orders = [make_order(store) for _each in range(3)]
    urgent, late = Tag.objects.create(name="urgent"), Tag.objects.create(name="late")
    orders[0].tags.add(late)
    asked = act(client, "change_tags", orders).content.decode()
    assert "3 orders are chosen" in asked and "urgent" in asked
    assert "Tick at least one tag." in act(client, "change_tags", orders, put_on=[]).content.decode()
    assert act(client, "change_tags", orders, put_on=[urgent.pk], take_off=[late.pk]).status_code == 302
    assert {order.pk: [tag.name for tag in order.tags.all()] for order in orders} == {
        order.pk: ["urgent"] for order in orders
    }
    assert rows(client, tag=urgent.pk) == {order.pk for order in orders} and rows(client, tag=late.pk) == set()


def test_p26_many_are_assigned_to_a_colleague_or_to_oneself(client, support, store):
    orders, other = [make_order(store) for _each in range(3)], make_user(access.SUCCESS, username="kim")
    act(client, "assign_to_me", orders[:2])
    act(client, "assign", orders[2:], user=other.pk)
    assert rows(client, who="me") == {orders[0].pk, orders[1].pk}
    assert rows(client, who=other.pk) == {orders[2].pk}
    assert "→ kim" in html_of(client, LIST)
    type(other).objects.filter(pk=other.pk).update(is_active=False)
    assert rows(client, who="nobody") == {orders[2].pk}
    assert "→ kim" not in html_of(client, LIST)


def test_p26_many_are_held_until_a_day_each_in_its_own_zone(client, support, store):
    west = make_order(make_store("CA", account=store.account, time_zone="America/Vancouver"))
    east, shipped = (
        make_order(make_store("MX", account=store.account, time_zone="America/Cancun")),
        make_shipment(make_order(store)).order,
    )
    wrong = act(client, "hold_until", [west, east], reason="stock", until_time="10:00").content.decode()
    assert "Give the day as well" in wrong
    act(client, "hold_until", [west, east, shipped], reason="stock", until_day="2026-11-24", until_time="10:00")
    told = messages_of(client)
    assert f"{shipped.order_number}: Only an order awaiting shipment can be put on hold." in told
    ends = {order.pk: order.hold_until.isoformat() for order in Order.objects.filter(status="on_hold")}
    assert ends == {west.pk: "2026-11-24T18:00:00+00:00", east.pk: "2026-11-24T15:00:00+00:00"}


def test_p26_many_get_an_own_status_where_their_store_has_it(client, support, store):
    MarketplaceStatus.objects.create(store=store, name="Packed", status="awaiting_shipment")
    here, held = make_order(store), make_order(store, status="on_hold")
    there = make_order(make_store("CA", account=store.account))
    assert "Packed" in act(client, "set_own_status", [here]).content.decode()
    act(client, "set_own_status", [here, held, there], own="Packed")
    told = messages_of(client)
    assert rows(client, own="Packed") == {here.pk}
    assert f"Own status set: {here.order_number}" in told and told.count("has no own status “Packed”") == 2


def test_p26_many_rows_are_told_on_a_page_of_their_own(client, support, store):
    orders = [make_order(store, status="on_hold" if number % 2 else "awaiting_shipment") for number in range(30)]
    html = act(client, "hold", orders).content.decode()
    assert "Done: 15. Refused: 15." in html and html.count("Only an order awaiting shipment") == 15
    assert all(order.order_number in html for order in orders)
    assert Order.objects.filter(status="on_hold").count() == 30


@pytest.mark.long
def test_p26_501_orders_are_refused_whole_and_500_are_done(client, support, store, noon, settings):
    Order.objects.bulk_create(
        Order(
            store=store, order_number=f"B-{number}", status="awaiting_shipment", fulfilled_by="MFN", ordered_at=noon,
            redaction_due_at=noon + timedelta(days=14),
        )
        for number in range(501)
    )  # fmt: skip
    everything = {"action": "hold", "_selected_action": [Order.objects.first().pk], "select_across": "1", "index": "0"}
    client.post(LIST, everything)
    assert "at most 500" in messages_of(client) and not Order.objects.filter(status="on_hold").exists()
    Order.objects.filter(order_number="B-0").update(status="cancelled")
    client.post(f"{LIST}?tab=to_ship", everything)
    assert Order.objects.filter(status="on_hold").count() == 500


@pytest.mark.parametrize("action", ["assign_to_me", "assign", "change_tags", "set_own_status", "hold_until"])
def test_roles_without_the_right_change_nothing_by_posting_an_action(client, store, action):
    order, tag = make_order(store), Tag.objects.create(name="urgent")
    user = make_user(access.PRIVACY)
    client.force_login(user)
    act(client, action, [order], put_on=[tag.pk], user="", own="", reason="check")
    order.refresh_from_db()
    assert (order.status, order.assigned_to, order.events.count()) == ("awaiting_shipment", None, 0)


# -- tags as a list of their own


def test_tags_are_made_renamed_and_deleted_with_a_count_instead_of_names_of_orders(client, support, store):
    add = reverse("admin:orders_tag_add")
    assert "Never the name of a buyer" in html_of(client, add)
    client.post(add, {"name": "urgent", "level": "bad"})
    tag = Tag.objects.get()
    assert "exists already" in client.post(add, {"name": "URGENT", "level": "ok"}).content.decode()
    order = make_order(store)
    order.tags.add(tag)
    assert "urgent" in html_of(client, LIST) and "oh-badge--bad" in html_of(client, LIST)
    gone = reverse("admin:orders_tag_delete", args=[tag.pk])
    asked = html_of(client, gone)
    assert "urgent: on 1 order" in asked and order.order_number not in asked
    client.post(gone, {"post": "yes"})
    assert not Tag.objects.exists() and Order.objects.exists()


# -- saved views


def test_f40_a_view_is_saved_opened_and_deleted_above_the_list(client, support, store):
    held = make_order(store, status="on_hold")
    make_order(store)
    html = html_of(client, LIST, {"tab": "hold", "o": "-2", "q": held.order_number})
    assert 'name="query" value="tab=hold&amp;o=-2"' in html
    answer = client.post(reverse("admin:orders_order_view_save"), {"name": "Held", "query": "tab=hold&o=-2&q=Ada"})
    assert answer.url == f"{LIST}?tab=hold&o=-2"
    assert "Ada" not in SavedView.objects.get().query
    chip = client.get(LIST).context["cl"].chips()[0]
    assert (chip.name, chip.url, chip.current) == ("Held", "?tab=hold&o=-2", False)
    assert rows(client, tab="hold", o="-2") == {held.pk}
    assert client.get(f"{LIST}{chip.url}").context["cl"].chips()[0].current
    client.post(reverse("admin:orders_order_view_delete"), {"view": chip.pk, "query": "tab=hold"})
    assert not SavedView.objects.exists()


def test_f40_views_of_others_are_opened_when_shared_and_never_deleted(client, support):
    other = make_user(access.SUPPORT, username="kim")
    shared = SavedView.objects.create(owner=other, name="Team", query="tab=hold", shared=True)
    SavedView.objects.create(owner=other, name="Secret plan", query="tab=hold")
    html = html_of(client, LIST)
    assert "Team" in html and "(kim)" in html and "Secret plan" not in html
    client.post(reverse("admin:orders_order_view_delete"), {"view": shared.pk})
    assert "Only your own views" in messages_of(client) and SavedView.objects.filter(pk=shared.pk).exists()


def test_f40_a_stored_view_with_foreign_parameters_opens_without_them(client, support):
    SavedView.objects.create(owner=support, name="Odd", query="tab=hold&person__city=x&q=Ada&p=9")
    assert client.get(LIST).context["cl"].chips()[0].url == "?tab=hold"


def test_every_role_keeps_views_of_its_own_and_strangers_none(client, noon):
    for role in access.ROLES:
        client.force_login(make_user(role))
        client.post(reverse("admin:orders_order_view_save"), {"name": "Held", "query": "tab=hold"})
    assert SavedView.objects.count() == len(access.ROLES)
    client.force_login(make_user())
    assert client.post(reverse("admin:orders_order_view_save"), {"name": "X", "query": "tab=hold"}).status_code == 403


# -- custom fields


@pytest.fixture
def fields(store):
    """A store whose second field is fed by something personal."""
    for name, value in {
        "custom_fields_enabled": True, "custom_field_1": "seller_order_id",
        "custom_field_2": "purchase_order_number", "custom_field_3": "service_level",
    }.items():  # fmt: skip
        setattr(store, name, value)
    store.save()
    return store


def test_f39_columns_appear_with_the_first_store_that_has_custom_fields(client, support, store):
    make_order(store)
    assert "Custom field 1" not in html_of(client, LIST)
    store.custom_fields_enabled = True
    store.save()
    assert "Custom field 1" in html_of(client, LIST)


def test_f39_a_personal_value_is_shown_to_whoever_may_see_the_person_and_logged_once_a_page(client, support, fields):
    seen = make_order(fields, custom_field_1="S-77", custom_field_3="Standard", person={"custom_field_2": "PO-secret"})
    plain = make_order(fields, custom_field_1="S-78")
    html = html_of(client, LIST)
    assert all(text in html for text in ("S-77", "PO-secret", "Standard", "S-78"))
    assert list(AccessLog.objects.values_list("user", "order_id", "what")) == [(support.pk, seen.pk, "order list")]
    html = html_of(client, page(seen))
    assert "purchase order number" in html and "PO-secret" in html and "S-77" in html
    assert AccessLog.objects.filter(what="order page").count() == 1
    assert plain.pk not in AccessLog.objects.values_list("order_id", flat=True)


def test_f39_a_personal_value_is_hidden_or_masked_for_the_others(client, fields, noon):
    order = make_order(fields, person={"custom_field_2": "PO-secret"})
    client.force_login(make_user(access.SUCCESS))
    for url in (LIST, page(order)):
        html = html_of(client, url)
        assert "PO-secret" not in html and "hidden" in html
    assert not AccessLog.objects.exists()
    Order.objects.filter(pk=order.pk).update(pii_state="redacting")
    client.force_login(make_user(access.SUPPORT))
    for url in (LIST, page(order)):
        html = html_of(client, url)
        assert "PO-secret" not in html and f"« {markers.AMAZON} »" in html
    assert not AccessLog.objects.exists()


def test_f39_the_filter_finds_values_of_the_order_and_never_personal_ones(client, support, fields):
    one = make_order(fields, custom_field_1="S-77")
    two = make_order(fields, custom_field_3="S-77")
    secret = make_order(fields, person={"custom_field_2": "PO-secret"})
    empty = make_order(fields)
    assert rows(client, custom="S-77") == rows(client, custom=" S-77 ") == {one.pk, two.pk}
    assert rows(client, custom="S-77\0") == {one.pk, two.pk}
    assert rows(client, custom="PO-secret") == rows(client, custom="S-7") == set()
    assert rows(client, filled="yes") == {one.pk, two.pk, secret.pk}
    assert rows(client, filled="no") == {empty.pk}


def test_f39_rows_are_sorted_by_a_custom_field(client, support, fields):
    for value in ("b", "c", "a"):
        make_order(fields, custom_field_1=value)
    cl = client.get(LIST).context["cl"]
    column = cl.list_display.index("field_1")
    values = [order.custom_field_1 for order in client.get(LIST, {"o": column}).context["cl"].result_list]
    assert values == ["a", "b", "c"]


def test_the_list_with_all_columns_costs_the_same_for_5_and_25_orders(
    client, support, fields, django_assert_max_num_queries
):
    tag, packed = (
        Tag.objects.create(name="urgent"),
        MarketplaceStatus.objects.create(store=fields, name="Packed", status="awaiting_shipment"),
    )

    def fill(count):
        for _each in range(count):
            order = make_order(
                fields, custom_field_1="S", own_status=packed, assigned_to=support, person={"custom_field_2": "PO"}
            )
            order.tags.add(tag)

    counts = []
    for more in (5, 20):
        fill(more)
        client.get(LIST)
        with django_assert_max_num_queries(22) as seen:
            client.get(LIST)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_page_costs_the_same_for_1_and_20_notes_and_tags(client, support, store, django_assert_max_num_queries):
    order, counts = make_order(store), []
    for size in (1, 20):
        for number in range(size):
            OrderNote.objects.create(order=order, text="wants it blue", author=support)
            order.tags.add(Tag.objects.create(name=f"tag {size} {number}"))
        client.get(page(order))
        with django_assert_max_num_queries(45) as seen:
            client.get(page(order))
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_an_order_without_a_person_row_can_still_be_listed(client, support, fields):
    order = make_order(fields)
    OrderPersonalData.objects.filter(pk=order.pk).delete()
    assert rows(client) == {order.pk}
    assert rows(client, filled="no") == {order.pk}
    assert html_of(client, page(order))
