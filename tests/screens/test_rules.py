"""The screens of automation rules (F41): list, editor, trial; why a rule did or did not fire; alerts and wishes."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub import clock
from orders.models import AutomationRule, Order, OrderEvent, RuleFiring, Tag
from privacy import access
from shipments import carriers
from shipments.models import CarrierSetting, ShipmentNotification
from tests.factories import make_account, make_order, make_shipment, make_store, make_user
from tests.orders.ruled import run_for
from tests.orders.test_rules import ALWAYS, about, make_rule

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_automationrule_changelist")
ADD = reverse("admin:orders_automationrule_add")


@pytest.fixture
def support(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return user


def page(order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def url(name: str, rule) -> str:
    return reverse(f"admin:orders_automationrule_{name}", args=[rule.pk])


def typed(criteria=(), actions=(), *, name="Gifts", lines=None, **given) -> dict:
    """A form as a browser posts it. `criteria`: (group, fact, test, value); `actions`: (do, value)."""
    data = {"name": name, "c-TOTAL_FORMS": len(criteria), "c-INITIAL_FORMS": 0, "a-TOTAL_FORMS": len(actions),
            "a-INITIAL_FORMS": 0, "go": "save"}  # fmt: skip
    for number, row in enumerate(criteria):
        data |= {f"c-{number}-{key}": value for key, value in zip(("group", "fact", "test", "value"), row, strict=True)}
    for number, row in enumerate(actions):
        data |= {f"a-{number}-{key}": value for key, value in zip(("do", "value"), row, strict=True)}
    return data | {f"lines-{number}": scope for number, scope in (lines or {}).items()} | given


# -- rights


@pytest.mark.parametrize("role", list(access.ROLES))
def test_rules_are_for_support_and_customer_success(client, noon, role):
    rule = make_rule(ALWAYS, ("alert", "x"), active=False)
    client.force_login(make_user(role))
    expected = 200 if role in {access.SUPPORT, access.SUCCESS} else 403
    assert client.get(LIST).status_code == expected
    assert client.get(ADD).status_code == expected
    assert client.get(url("change", rule)).status_code == expected
    assert client.get(url("trial", rule)).status_code == expected
    allowed = expected == 200
    assert (client.post(url("switch", rule), {"active": "on"}).status_code == 302) == allowed
    assert (client.post(reverse("admin:orders_automationrule_order"), {}).status_code == 302) == allowed
    client.post(ADD, typed(actions=[("alert", "y")]))
    rule.refresh_from_db()
    assert (rule.active, AutomationRule.objects.count()) == (allowed, 2 if allowed else 1)


@pytest.mark.parametrize("name", ["switch", "trial"])
def test_get_does_nothing(client, support, name):
    rule = make_rule(ALWAYS, ("alert", "x"), active=False)
    client.get(url(name, rule), {"active": "on"})
    client.get(reverse("admin:orders_automationrule_order"), {f"position-{rule.pk}": "7"})
    rule.refresh_from_db()
    assert (rule.active, rule.position) == (False, 0)


# -- the editor


def test_a_rule_is_typed_saved_tried_and_switched_on(client, support, noon):
    tag = Tag.objects.create(name="gift, wrapped")
    order = make_order(is_gift=True, order_total=Decimal("150"))
    criteria = [
        (0, "gift", "yes", ""), (0, "order_total", "between", "100 – 200,50 usd"), (0, "", "", ""),
        (1, "sku", "one_of", "sku-1; SKU-9"), (1, "quantity", "at_least", "1"),
    ]  # fmt: skip
    actions = [("tag", "Gift, Wrapped;"), ("hold_days", "2"), ("size", "300x200 × 100"), ("no_notice", ""), ("", "")]
    answer = client.post(ADD, typed(criteria, actions, lines={1: "any"}, stops="on"))
    rule = AutomationRule.objects.get()
    assert answer.headers["Location"] == url("trial", rule)
    assert (rule.active, rule.stops, rule.changed_by) == (False, True, support)
    assert rule.criteria == [
        {"lines": "", "criteria": [
            {"fact": "gift", "test": "yes", "value": None},
            {"fact": "order_total", "test": "between", "value": {"amount": ["100", "200.50"], "currency": "USD"}},
        ]},
        {"lines": "any", "criteria": [
            {"fact": "sku", "test": "one_of", "value": ["sku-1", "SKU-9"]},
            {"fact": "quantity", "test": "at_least", "value": 1},
        ]},
    ]  # fmt: skip
    assert rule.actions == [
        {"do": "tag", "value": [tag.pk]}, {"do": "hold_days", "value": 2}, {"do": "size", "value": [300, 200, 100]},
        {"do": "no_notice", "value": None},
    ]  # fmt: skip
    html = client.get(url("trial", rule)).content.decode()
    assert "It would have fired on 1 of 1 orders." in html and order.order_number in html
    assert "order total between “100 – 200.50 USD”" in html and "put on tags “gift, wrapped”" in html
    client.post(url("switch", rule), {"active": "on"})
    assert run_for(order, now=clock.now())
    assert order.status == "on_hold"


def test_what_was_saved_is_shown_again_as_it_was_typed(client, support):
    rule = make_rule(
        [*about("country", "one_of", ["FR", "DE"]), *about("unit_price", "at_least", {"amount": "9.90", "currency": "EUR"}, lines="all")],
        ("hold", "stock"), ("weight", 700),
    )  # fmt: skip
    html = client.get(url("change", rule)).content.decode()
    for value in ("FR, DE", "9.90 EUR", "Out of stock", "700"):
        assert f'value="{value}"' in html, value
    data = _posted(html)
    client.post(url("change", rule), data | {"name": "Renamed"})
    before = (rule.criteria, rule.actions)
    rule.refresh_from_db()
    assert (rule.name, rule.criteria, rule.actions) == ("Renamed", *before)


def _posted(html: str) -> dict:
    """What a browser would send of the editor's form."""
    form = html.partition('class="oh-settings"')[2].partition("</form>")[0]
    data = {}
    for found in re.findall(r"<input[^>]+>", form):
        name, value = re.search(r'name="([^"]+)"', found), re.search(r'value="([^"]*)"', found)
        if name and ('type="checkbox"' not in found or " checked" in found):
            data[name[1]] = value[1].replace("&#x27;", "'") if value else ""
    for name, body in re.findall(r'<select[^>]*?name="([^"]+)".*?>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', body) or re.search(r'<option value="([^"]*)"', body)
        data[name] = chosen[1]
    return data | {"go": "save"}


WRONG = [
    ((0, "order_total", "at_least", "100"), "Type an amount and its currency, such as 100 EUR."),
    ((0, "order_total", "contains", "100 EUR"), "can be tested with"),
    ((0, "units", "is", "many"), "Type a whole number."),
    ((0, "units", "between", "5 – 1"), "The first number must not be the larger one."),
    ((0, "store", "one_of", "Nowhere"), "“Nowhere” is unknown."),
    ((0, "tags", "one_of", "x"), "There is nothing to choose from yet."),
    ((0, "country", "is", ""), "Type what it is compared with."),
    ((0, "", "is", "FR"), "Choose what “FR” is compared with."),
    ((0, "sku", "is", "A"), "Select a valid choice"),
    ((1, "country", "is", "FR"), "Select a valid choice"),
    ((0, "buyer_name", "is", "Ada"), "Select a valid choice"),
]


@pytest.mark.parametrize(("row", "sentence"), WRONG)
def test_a_wrong_row_says_what_to_type_and_loses_nothing(client, support, row, sentence):
    make_store()
    html = client.post(ADD, typed([row], [("alert", "look")], lines={1: "any"})).content.decode()
    assert sentence in html and "Nothing was saved" in html
    assert 'value="look"' in html and 'value="Gifts"' in html
    assert not AutomationRule.objects.exists()


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (("alert", "x" * 121), "Use at most 120 characters."),
        (("weight", "0"), "Type a number from 1 to 1000000."),
        (("size", "30 x 20"), "Type three lengths in mm"),
        (("hold", "because"), "“because” is unknown. Choose from: To be checked"),
        (("carrier", "Pigeon"), "“Pigeon” is unknown."),
        (("note", ""), "Type or choose a value."),
        (("", "text"), "Choose what to do with “text”."),
    ],
)
def test_a_wrong_action_says_what_to_type(client, support, row, sentence):
    html = client.post(ADD, typed([], [row])).content.decode()
    assert sentence in html
    assert not AutomationRule.objects.exists()


# -- carriers that are hidden here


def offered(html: str) -> str:
    return html.partition('<datalist id="list-carriers">')[2].partition("</datalist>")[0]


@pytest.fixture
def gls_hidden(noon):
    CarrierSetting.objects.create(code="gls", hidden=True)
    carriers.forget()
    yield
    carriers.forget()


def test_a_carrier_hidden_here_is_not_offered_to_a_rule(client, support, gls_hidden):
    html = client.get(ADD).content.decode()
    assert "GLS" not in offered(html) and "UPS" in offered(html)
    html = client.post(ADD, typed([], [("carrier", "GLS")])).content.decode()
    assert "“GLS” is unknown." in html and not AutomationRule.objects.exists()


def test_a_rule_that_names_a_carrier_hidden_since_keeps_it(client, support, gls_hidden):
    rule = make_rule(ALWAYS, ("carrier", "gls"))
    assert re.search(r"ship with the carrier\W+GLS", client.get(LIST).content.decode())
    html = client.get(url("change", rule)).content.decode()
    assert 'value="GLS"' in html.replace(offered(html), "") and "GLS" in offered(html)
    loaded = {"as_loaded": rule.changed_at.isoformat()}
    client.post(url("change", rule), typed([], [("carrier", "GLS"), ("note", "by van")], **loaded))
    rule.refresh_from_db()
    assert rule.actions == [{"do": "carrier", "value": "gls"}, {"do": "note", "value": "by van"}]
    run_for(order := make_order(make_store()), now=clock.now())
    assert order.wishes["carrier"] == "gls"
    html = client.get(reverse("admin:shipments_ship"), {"ids": order.pk}).content.decode()
    assert re.search(r'<option value="gls"[^>]* selected', html)


def test_a_rule_does_something(client, support):
    assert "Choose at least one action." in client.post(ADD, typed([], [("", "")])).content.decode()
    assert not AutomationRule.objects.exists()


def test_more_rows_without_a_script_keep_what_was_typed(client, support):
    data = typed([(0, "country", "is", "FR")], [("alert", "look")], lines={1: "all"}, stops="on")
    html = client.post(ADD, data | {"go": "more-0"}).content.decode()
    assert html.count('name="c-') >= 9 and 'value="FR"' in html and 'value="look"' in html
    assert re.search(r'name="stops"[^>]*checked', html)
    html = client.post(ADD, data | {"go": "more-group"}).content.decode()
    assert 'name="lines-2"' in html and re.search(r'value="all" selected', html)
    html = client.post(ADD, data | {"go": "more-actions"}).content.decode()
    assert 'name="a-2-do"' in html
    assert not AutomationRule.objects.exists()


@pytest.mark.parametrize("go", ["more-", "more-x", "more-999999999999", "nonsense", "more--1"])
def test_nonsense_posted_breaks_nothing(client, support, go):
    data = typed([("x", "country", "is", "FR")], [("alert", "y")], lines={1: "some"}) | {"go": go}
    assert client.post(ADD, data).status_code == 200
    assert client.post(ADD, {"go": go}).status_code == 200
    assert not AutomationRule.objects.exists()


def test_two_people_do_not_overwrite_each_other(client, support, travel):
    rule = make_rule(ALWAYS, ("alert", "x"))
    data = _posted(client.get(url("change", rule)).content.decode())
    AutomationRule.objects.filter(pk=rule.pk).update(changed_at=clock.now() + timedelta(minutes=1), name="Theirs")
    html = client.post(url("change", rule), data | {"name": "Mine"}).content.decode()
    assert "Somebody changed this rule meanwhile." in html and 'value="Mine"' in html
    rule.refresh_from_db()
    assert rule.name == "Theirs"


def test_a_rule_that_cannot_be_read_is_shown_kept_off_and_can_be_mended(client, support):
    rule = make_rule([{"nonsense": 1}], ("alert", "kept"), active=False)
    assert "It could not be understood." in client.get(LIST).content.decode()
    client.post(url("switch", rule), {"active": "on"})
    rule.refresh_from_db()
    assert not rule.active
    assert 'value="kept"' in client.get(url("change", rule)).content.decode()
    assert client.get(url("trial", rule)).status_code == 200


# -- list


def test_the_list_takes_places_typed_by_hand(client, support):
    rules = [make_rule(ALWAYS, ("alert", name), name=name) for name in "abc"]
    places = {f"position-{rule.pk}": place for rule, place in zip(rules, ("3", "x", "1"), strict=True)}
    client.post(reverse("admin:orders_automationrule_order"), places)
    assert list(AutomationRule.objects.values_list("name", "position")) == [("b", 1), ("c", 2), ("a", 3)]


def test_the_list_says_what_failed_and_saving_clears_it(client, support, noon):
    rule = make_rule(ALWAYS, ("alert", "x"))
    AutomationRule.objects.filter(pk=rule.pk).update(broken_at=noon, broken_code="ZeroDivisionError")
    html = client.get(LIST).content.decode()
    assert "Last failed at 20 Nov 2026, 12:00 UTC (ZeroDivisionError)." in html
    client.post(url("change", rule), _posted(client.get(url("change", rule)).content.decode()))
    assert "Last failed" not in client.get(LIST).content.decode()


def test_lists_and_trials_cost_the_same_few_queries(client, support, noon):
    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    tag, store = Tag.objects.create(name="x"), make_store()
    rule = make_rule(about("store", "one_of", [store.pk]), ("tag", [tag.pk]))
    make_order(store)
    carriers.choices()  # read once a minute, whatever asks
    few = cost(LIST), cost(url("trial", rule)), cost(url("change", rule))
    for _n in range(8):
        make_rule(about("store", "one_of", [store.pk]), ("tag", [tag.pk]))
        make_order(store, lines=3).tags.add(tag)
    assert (cost(LIST), cost(url("trial", rule)), cost(url("change", rule))) == few
    assert max(few) <= 22


# -- trial


def test_a_trial_writes_nothing_and_shows_no_person(client, support, noon):
    old = make_order(is_gift=True, first_imported_at=noon - timedelta(days=8))
    hit, miss = make_order(old.store, is_gift=True), make_order(old.store)
    amazons = make_order(old.store, is_gift=True, fulfilled_by="AFN")
    make_rule(ALWAYS, ("alert", "x"))
    data = typed([(0, "gift", "yes", "")], [("hold", "check"), ("note", "n")])
    html = client.post(ADD, data | {"go": "try"}).content.decode()
    assert "It would have fired on 1 of 2 orders." in html
    assert "Put on hold because “To be checked” · Add the note “n”" in html
    assert re.search(r"1</span> × Not met: gift: yes\.", html)
    assert hit.order_number in html
    assert not [number for number in (old.order_number, miss.order_number, amazons.order_number) if number in html]
    assert "Ada Example" not in html and "Austin" not in html
    hit.refresh_from_db()
    assert (hit.status, hit.rules_ran_at, hit.notes.count()) == ("awaiting_shipment", None, 0)
    assert (AutomationRule.objects.count(), RuleFiring.objects.count()) == (1, 0)
    assert 'value="Gifts"' in html


# -- the order page


def test_the_page_says_why_each_rule_did_or_did_not_fire(client, support, travel):
    tag = Tag.objects.create(name="gift")
    hit = make_rule(ALWAYS, ("tag", [tag.pk]), ("own_status", "none"), name="Always")
    missed = make_rule(about("country", "is", "FR"), ("alert", "x"), name="France")
    gone = make_rule(ALWAYS, ("package", "Box"), name="Gone")
    order = make_order()
    run_for(order, now=clock.now())
    travel(minutes=5)
    AutomationRule.objects.filter(pk=hit.pk).update(name="Renamed since")
    gone.delete()
    make_rule(ALWAYS, ("alert", "y"), name="Later")
    html = client.get(page(order)).content.decode()
    panel = html.partition('id="rules-title"')[2].partition("</section>")[0]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", panel))
    assert "2 rules fired on 20 Nov 2026, 12:00 UTC" in text
    assert "fired Always" in text and "Put on tags · Give the own status (left out: this store has none)" in text
    assert "did not fire France" in text and "Not met: country (code) is “FR”." in text
    assert "Gone (deleted since)" in text
    assert "did not run Later" in text and "rules run once" in text
    assert missed.name == "France" and "Austin" not in panel


def test_without_the_right_to_rules_there_is_no_panel(client, noon):
    order = make_order()
    client.force_login(make_user(access.WAREHOUSE))
    assert 'id="rules-title"' not in client.get(page(order)).content.decode()


@pytest.mark.parametrize("role", [access.SUPPORT, access.SUCCESS, access.WAREHOUSE, access.PRIVACY])
def test_an_alert_is_dealt_with_by_those_who_decide(client, noon, role):
    make_rule(ALWAYS, ("alert", "Weigh <b>it</b>"))
    order = make_order()
    run_for(order, now=clock.now())
    client.force_login(make_user(role))
    assert "Weigh &lt;b&gt;it&lt;/b&gt;" in client.get(page(order)).content.decode()
    door = reverse("admin:orders_order_alert", args=[order.pk])
    assert client.get(door).status_code == 302
    answer = client.post(door, {"alert": order.alert})
    order.refresh_from_db()
    decides = role in {access.SUPPORT, access.SUCCESS}
    assert answer.status_code == (302 if decides else 403)
    assert order.alert == ("" if decides else "Weigh <b>it</b>")
    assert OrderEvent.objects.filter(kind="alert_seen").count() == decides


def test_an_alert_that_changed_meanwhile_stays(client, support):
    order = make_order(alert="second")
    door = reverse("admin:orders_order_alert", args=[order.pk])
    html = client.post(door, {"alert": "first"}, follow=True).content.decode()
    order.refresh_from_db()
    assert order.alert == "second" and "changed meanwhile" in html


def test_alerts_are_counted_listed_and_badged(client, support):
    order = make_order(alert="Look")
    other = make_order(order.store)
    start = client.get(reverse("admin:index")).content.decode()
    assert re.search(r'href="[^"]*\?kind=alert"><strong>1</strong> Alerts', start)
    html = client.get(reverse("admin:orders_order_changelist"), {"kind": "alert"}).content.decode()
    assert order.order_number in html and other.order_number not in html
    assert "oh-badge--bad" in html


# -- wishes


def test_the_ship_form_is_preset_from_wishes(client, support):
    account = make_account()
    store, other = make_store("US", account=account), make_store("CA", account=account)
    make_shipment(make_order(store), carrier="ups", service="Ground")
    wishes = {
        "carrier": "dpd",
        "size_mm": [3, 2, 1],
        "confirmation": "signature",
        "ship_from": other.pk,
        "package": "Box",
    }
    order, plain = make_order(store, wishes=wishes), make_order(store)
    html = client.get(reverse("admin:shipments_ship"), {"ids": f"{order.pk},{plain.pk}"}).content.decode()
    rows = {pk: html.partition(f'name="o{pk}-carrier"')[2].partition("</tr>")[0] for pk in (order.pk, plain.pk)}
    assert '<option value="dpd" selected' in rows[order.pk] and 'value="Ground"' not in rows[order.pk]
    assert '<option value="ups" selected' in rows[plain.pk] and 'value="Ground"' in rows[plain.pk]
    assert f"Rules: pack in Box · 3 × 2 × 1 mm · confirmation: signature · ship from {other.name}" in html
    assert "Rules: pack in Box" in client.get(page(order)).content.decode()


def test_r43_a_rule_may_keep_the_marketplace_from_being_told(client, support, noon):
    make_rule(ALWAYS, ("no_notice", None))
    order = make_order()
    run_for(order, now=clock.now())
    make_shipment(order)
    notice = ShipmentNotification.objects.get()
    assert (notice.state, notice.error_code, notice.is_withheld) == ("manual", "AutomationRule", True)
    html = client.get(page(order)).content.decode()
    assert "withheld by a rule" in html and "An automation rule says that OrderHub does not tell Amazon" in html


def test_a_parcel_leaves_from_the_store_that_a_rule_names_within_one_merchant(noon):
    from shipments.labelling import ship_from

    account = make_account()
    store = make_store("US", account=account, ship_from={"city": "Here"})
    near = make_store("CA", account=account, ship_from={"city": "There"})
    from stores.simulator import scenarios

    far = make_store("FR", account=make_account(scenarios.EU), ship_from={"city": "Elsewhere"})
    cities = [
        ship_from(make_order(store, wishes=wish))["city"]
        for wish in ({}, {"ship_from": near.pk}, {"ship_from": far.pk})
    ]
    assert cities == ["Here", "There", "Here"]
    assert Order.objects.count() == 3
