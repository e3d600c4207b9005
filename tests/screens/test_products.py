"""Products on screens: the list, the page, the lines of an order; who may do what (R41, F35, F36, F38, F39)."""

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.urls import reverse

from orders import photos, stock
from orders.models import CatalogueItem, Order, OrderItem, Product
from privacy import access
from stores.models import Store
from stores.simulator import scenarios
from stores.simulator.catalogue import PRODUCTS
from tests.factories import connect, make_account, make_order, make_store, make_user
from tests.orders.goods import counted, make_product, order_of, question

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_product_changelist")
COUNT = {access.SUPPORT, access.SUCCESS, access.WAREHOUSE}
FETCH = {access.SUPPORT, access.SUCCESS, access.ADMINISTRATOR}


@pytest.fixture
def support(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return user


def page_of(product) -> str:
    return reverse("admin:orders_product_change", args=[product.pk])


def order_page(order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def html_of(client, url: str, **query) -> str:
    answer = client.get(url, query)
    assert answer.status_code == 200
    return answer.content.decode()


def pressed(client, name: str, pk: int, **typed) -> str:
    """Press a button; the page that comes back."""
    answer = client.post(reverse(f"admin:{name}", args=[pk]), typed, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def photographed(product: Product) -> Product:
    name = photos._name(CatalogueItem(marketplace="US", asin=product.asin, image_url="x"), "png")
    photos.photo_storage().save(name, ContentFile(b"\x89PNG picture"))
    Product.objects.filter(pk=product.pk).update(photo=name)
    return Product.objects.get(pk=product.pk)


def typed_of(product: Product, **other) -> dict:
    names = ("warehouse_location", "weight_g", "length_mm", "width_mm", "height_mm", "title")
    return {name: "" if (value := getattr(product, name)) is None else value for name in names} | other


# -- the list


@pytest.mark.parametrize("role", list(access.ROLES))
def test_every_role_sees_products(client, noon, role):
    product = make_product(title="Walnut tray")
    client.force_login(make_user(role))
    assert "Walnut tray" in html_of(client, LIST) and "Walnut tray" in html_of(client, page_of(product))


def test_strangers_and_staff_without_a_role_see_none(client, noon):
    product = photographed(make_product())
    addresses = [LIST, page_of(product), photos.photo_url(product.photo.name)]
    assert [client.get(url).status_code for url in addresses] == [302] * 3
    client.force_login(make_user())
    assert [client.get(url).status_code for url in addresses] == [403] * 3


def test_the_list_says_what_there_is_and_what_is_short(client, support, noon):
    product = counted(make_product(weight_g=820, warehouse_location="A-07", stock_listed=41, stock_fba=12), 3, at=noon)
    order_of((product, 5))
    html = html_of(client, LIST)
    for text in ("820 g", "A-07", ">3<", ">5<", ">41<", ">12<"):
        assert text in html
    assert '<span class="oh-badge oh-badge--bad">-2</span>' in html


def test_the_list_costs_the_same_queries_for_3_and_30_products(client, support, noon, django_assert_max_num_queries):
    store, figures = make_store(), []
    client.get(LIST)
    for more in (3, 27):
        for _each in range(more):
            order_of((counted(make_product(store), 1, at=noon), 2))
        with django_assert_max_num_queries(12) as seen:
            client.get(LIST)
        figures.append(len(seen))
    assert figures[0] == figures[1]


def test_products_are_found_and_filtered(client, support, noon):
    store = make_store()
    tray = make_product(
        store, key="ML-1", sku="ML-1", asin="B0TRAY", title="Walnut tray", weight_g=1, warehouse_location="A"
    )
    lamp = counted(make_product(store, key="ML-2", sku="ML-2", weight_g=1), 0, at=noon)
    light = make_product(make_store("CA", account=store.account), warehouse_location="B")
    order_of((lamp, 1))

    def found(**query):
        return {row.pk for row in client.get(LIST, query).context["cl"].result_list}

    assert found(q="ml-1") == found(q="b0tray") == found(q="walnut") == {tray.pk}
    assert found(store=store.pk) == {tray.pk, lamp.pk} and found(lack="short") == {lamp.pk}
    assert found(lack="weight") == {light.pk} and found(lack="location") == {lamp.pk}


def test_locations_are_set_for_many_at_once(client, support, noon):
    store = make_store()
    chosen, other = [make_product(store), make_product(store)], make_product(store)
    wish = {"action": "set_location", "_selected_action": [product.pk for product in chosen], "location": " B-12 "}
    client.post(LIST, wish)
    assert set(Product.objects.filter(warehouse_location="B-12")) == set(chosen)
    client.post(LIST, wish | {"location": "x" * 61}), client.post(LIST, wish | {"location": "a\u202eb"})
    assert set(Product.objects.filter(warehouse_location="B-12")) == set(chosen)
    other.refresh_from_db()
    assert other.warehouse_location == ""


def test_who_may_not_change_products_changes_no_location(client, noon):
    product = make_product()
    client.force_login(make_user(access.PRIVACY))
    client.post(LIST, {"action": "set_location", "_selected_action": [product.pk], "location": "B-12"})
    assert not Product.objects.filter(warehouse_location="B-12").exists()


# -- the page of one product


def test_details_are_saved_and_open_orders_follow_the_weight(client, support, noon):
    product = make_product()
    order, sent = order_of((product, 2)), order_of((product, 2), status="shipped")
    client.post(page_of(product), typed_of(product, weight_g="125", warehouse_location="C-3", length_mm="10"))
    product.refresh_from_db(), order.refresh_from_db(), sent.refresh_from_db()
    assert (product.weight_g, product.warehouse_location, product.length_mm) == (125, "C-3", 10)
    assert (order.weight_g, sent.weight_g) == (250, None)
    entry = LogEntry.objects.get()
    assert (entry.user, "weight" in entry.change_message) == (support, True)


@pytest.mark.parametrize("typed", [{"weight_g": "0"}, {"weight_g": "heavy"}, {"width_mm": "-1"}, {"title": "a\u0000b"}])
def test_bad_input_is_said_beside_the_field_and_nothing_is_lost(client, support, noon, typed):
    product = make_product(warehouse_location="A")
    answer = client.post(page_of(product), typed_of(product, warehouse_location="Z-9", **typed))
    html = answer.content.decode()
    assert "Nothing was saved" in html and 'class="errorlist"' in html and "Z-9" in html
    product.refresh_from_db()
    assert product.warehouse_location == "A"


def test_what_somebody_else_changed_meanwhile_is_not_overwritten_unseen(client, support, noon):
    product = make_product()
    seen = client.get(page_of(product)).context["form"].as_loaded
    Product.objects.filter(pk=product.pk).update(warehouse_location="NEW")
    answer = client.post(page_of(product), typed_of(product, warehouse_location="MINE", as_loaded=seen))
    assert "Somebody else changed this product" in answer.content.decode()
    assert Product.objects.get().warehouse_location == "NEW"


@pytest.mark.parametrize("role", [access.PRIVACY, access.ADMINISTRATOR])
def test_those_who_may_only_look_change_nothing(client, noon, role):
    product = make_product()
    client.force_login(make_user(role))
    assert '<form method="post" novalidate>' not in html_of(client, page_of(product))
    assert client.post(page_of(product), typed_of(product, title="X")).status_code == 403


# -- confirming stock


@pytest.mark.parametrize("role", list(access.ROLES))
def test_r41_stock_is_confirmed_on_both_pages_by_those_who_may(client, noon, role):
    product = make_product()
    order = order_of((product, 1))
    user = make_user(role)
    client.force_login(user)
    may = role in COUNT
    assert ("Confirm stock" in html_of(client, page_of(product))) == may
    assert ("Confirm stock" in html_of(client, order_page(order))) == may
    answer = client.post(reverse("admin:orders_product_count", args=[product.pk]), {"units": "9", "order": order.pk})
    product.refresh_from_db()
    assert (answer.status_code, product.stock_on_hand) == ((302, 9) if may else (403, None))
    if may:
        assert answer["Location"] == f"{order_page(order)}#lines"
        assert (product.stock_confirmed_by, product.stock_confirmed_at) == (user, noon)


def test_a_count_that_is_none_is_refused_with_a_sentence(client, support, noon):
    product = make_product(key="TRAY")
    assert "TRAY: Type how many are on the shelf" in pressed(client, "orders_product_count", product.pk, units="many")


def test_a_count_happens_on_post_only(client, support, noon):
    product = make_product()
    answer = client.get(reverse("admin:orders_product_count", args=[product.pk]), {"units": "5"})
    assert answer["Location"] == page_of(product)
    product.refresh_from_db()
    assert product.stock_on_hand is None


def test_amazon_is_asked_now_and_says_so_when_busy(client, world):
    client.force_login(make_user(access.WAREHOUSE))
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    world.add_order(scenarios.NA, items=[{"sku": "S-1"}])
    world.stock[scenarios.NA.seller_id, "S-1"] = 8
    product = make_product(store, key="S-1", sku="S-1")
    assert "Amazon was asked" in pressed(client, "orders_product_ask", product.pk)
    product.refresh_from_db()
    assert product.stock_listed == 8
    world.faults.arm("searchListingsItems", "429")
    assert "Amazon is busy" in pressed(client, "orders_product_ask", product.pk)
    store.account.stop("revoked", "test")
    assert "does not work at present" in pressed(client, "orders_product_ask", product.pk)


# -- photos


def test_a_photo_is_served_privately_and_nothing_else_is(client, support):
    product = photographed(make_product())
    answer = client.get(photos.photo_url(product.photo.name))
    assert (answer.content, answer["Content-Type"]) == (b"\x89PNG picture", "image/png")
    assert answer["Cache-Control"] == "no-store, private" and answer["X-Content-Type-Options"] == "nosniff"
    for name in ("..%2f..%2fsettings.py", "0" * 32 + ".png", "x.png", "0" * 32 + ".svg"):
        answer = client.get(f"{LIST}photo/{name}", follow=True)
        assert answer["Content-Type"].startswith("text/html") and b"DATABASES" not in answer.content, name


def test_a_photo_is_fetched_drawn_small_and_shown_everywhere(client, support, world):
    from orders import catalogue, products

    store = connect(scenarios.NA, sources=("US",)).stores.get()
    product = make_product(store, asin=PRODUCTS[0].asin)
    order = order_of((product, 1))
    question(product.asin)
    catalogue.look_up_due(now=stock.RECENT_AFN * 0 + product.created_at, budget_s=10)
    products.apply_found(now=product.created_at)
    assert photos.fetch_missing(budget_s=10) == (1, 0)
    product.refresh_from_db()
    url = photos.photo_url(product.photo.name)
    for page in (LIST, page_of(product), order_page(order)):
        assert f'src="{url}"' in html_of(client, page)
    assert client.get(url).content.startswith(b"\x89PNG")
    assert product.asin not in url


def test_a_new_photo_replaces_the_old_one_and_its_file(client, support, world, django_capture_on_commit_callbacks):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    product = photographed(make_product(store, asin=PRODUCTS[0].asin))
    old = product.photo.name
    url = f"{world_url()}/product-images/{product.asin}.png"
    question(product.asin, state="found", image_url=url)
    with django_capture_on_commit_callbacks(execute=True):
        assert photos.fetch_missing(budget_s=10) == (1, 0)
    product.refresh_from_db()
    assert product.photo.name != old and not photos.photo_storage().exists(old)


def test_a_store_that_keeps_its_photos_keeps_the_file(client, support, world, django_capture_on_commit_callbacks):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    Store.objects.filter(pk=store.pk).update(product_image_policy="never")
    product = photographed(make_product(store, asin=PRODUCTS[0].asin))
    question(product.asin, state="found", image_url=f"{world_url()}/product-images/{product.asin}.png")
    with django_capture_on_commit_callbacks(execute=True):
        photos.fetch_missing(budget_s=10)
    kept = Product.objects.get(pk=product.pk).photo.name
    assert kept == product.photo.name and photos.photo_storage().exists(kept)


@pytest.mark.parametrize(
    "url",
    ["https://example.com/a.png", "http://m.media-amazon.com/a.png", "https://m.media-amazon.com.evil.test/a.png"],
)
def test_b08_no_picture_is_fetched_from_elsewhere(world, url):
    item = question("B0ELSEWHER", state="found", image_url=url)
    assert photos.fetch_missing(budget_s=5) == (0, 1)
    item.refresh_from_db()
    assert (item.image.name, item.image_error) == ("", "AddressRefused")
    assert photos.fetch_missing(budget_s=5) == (0, 0)


def world_url() -> str:
    from django.conf import settings

    return settings.SPAPI_BASE_URL


# -- the order


def test_the_lines_show_place_weight_stock_and_what_is_special(client, support, noon):
    product = counted(make_product(weight_g=820, warehouse_location="A-07"), 1, at=noon)
    order = order_of((product, 2))
    special = {
        "condition": "USED_GOOD", "gift_wrap_level": "Blue ribbon", "requirements": ["SIGNATURE_CONFIRMATION"],
        "options": [{"name": "Colour", "value": "Sage"}], "discount": "3.00", "promotions": ["SPRING-10"],
    }  # fmt: skip
    OrderItem.objects.filter(order=order).update(**special)
    html = html_of(client, order_page(order))
    for text in (
        "A-07",
        "820 g",
        "1 / 2",
        "USED_GOOD",
        "Blue ribbon",
        "SIGNATURE_CONFIRMATION",
        "Sage",
        "SPRING-10",
        "-3.00 USD",
    ):
        assert text in html, text
    assert "short of stock" in html and "short of stock" in html_of(client, reverse("admin:orders_order_changelist"))


def test_a_line_says_its_own_place_and_weight_first(client, support, noon):
    order = order_of((make_product(weight_g=820, warehouse_location="A-07"), 1))
    OrderItem.objects.filter(order=order).update(warehouse_location="Z-1", weight_g=7)
    html = html_of(client, order_page(order))
    assert "Z-1" in html and ">7 g<" in html and "A-07" not in html


def test_hostile_titles_options_and_locations_are_inert(client, support, noon):
    bad = "<script>alert(1)</script>"
    product = make_product(title=bad, warehouse_location=bad, key=bad, sku=bad)
    order = order_of((product, 1))
    OrderItem.objects.filter(order=order).update(
        title=bad, options=[{"name": bad, "value": bad}, "odd", None], promotions=[bad], requirements=[bad], discount=1
    )
    for page in (LIST, page_of(product), order_page(order)):
        assert bad not in html_of(client, page)


def test_the_order_page_costs_the_same_queries_for_1_and_12_products(
    client, support, noon, django_assert_max_num_queries
):
    store, figures = make_store(), []
    client.get(order_page(order_of((make_product(store), 1))))
    for lines in (1, 12):
        order = order_of(*((counted(make_product(store), 1, at=noon), 2) for _each in range(lines)))
        with django_assert_max_num_queries(60) as seen:
            client.get(order_page(order))
        figures.append(len(seen))
    assert figures[0] == figures[1]


def test_a_weight_is_typed_and_taken_back_with_a_line_on_the_timeline(client, support, noon):
    order = order_of((make_product(weight_g=100), 2))
    assert "The weight is kept" in pressed(client, "orders_order_weight", order.pk, grams="333")
    order.refresh_from_db()
    assert (order.weight_g, order.weight_is_typed) == (333, True)
    assert "Weight set to 333 g" in html_of(client, order_page(order))
    pressed(client, "orders_order_weight", order.pk, grams="")
    order.refresh_from_db()
    assert (order.weight_g, order.weight_is_typed) == (200, False)
    assert list(order.events.values_list("kind", "actor")) == [("weighed", support.pk)] * 2


@pytest.mark.parametrize("grams", ["0", "-5", "1.5", "abc", "1000001", "9" * 30])
def test_a_weight_that_is_none_is_refused(client, support, noon, grams):
    order = make_order()
    assert "Type the weight in whole grams" in pressed(client, "orders_order_weight", order.pk, grams=grams)
    order.refresh_from_db()
    assert (order.weight_g, order.weight_is_typed) == (None, False)


def test_only_those_who_may_change_orders_weigh_them(client, noon):
    order = make_order()
    client.force_login(make_user(access.PRIVACY))
    assert client.post(reverse("admin:orders_order_weight", args=[order.pk]), {"grams": "5"}).status_code == 403


@pytest.mark.parametrize("role", list(access.ROLES))
def test_r28_f20_details_that_were_not_fetched_are_fetched_on_request(client, world, role):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    order = make_order(store, status="shipped")
    order.items.update(asin=PRODUCTS[0].asin, sku="ML-0101")
    client.force_login(make_user(role))
    may = role in FETCH
    assert ("Fetch product details now" in html_of(client, order_page(order))) == may
    answer = client.post(reverse("admin:orders_order_details", args=[order.pk]))
    assert answer.status_code == (302 if may else 403)
    assert world.calls("searchCatalogItems") == (1 if may else 0)
    if may:
        product = Product.objects.get()
        assert (product.key, product.weight_g, order.items.get().product) == ("ML-0101", 820, product)
        assert "Fetch product details now" not in html_of(client, order_page(order))


def test_details_of_a_shipped_order_take_nothing_off_a_later_count(client, support, world):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    product = make_product(store, key="ML-0101", sku="ML-0101", asin=PRODUCTS[0].asin)
    stock.confirm(product, "10", by=None, now=product.created_at)
    order = make_order(store, status="shipped")
    order.items.update(asin=PRODUCTS[0].asin, sku="ML-0101", quantity=4)
    pressed(client, "orders_order_details", order.pk)
    assert stock.shelf(Product.objects.get()).counted == 10


def test_details_come_later_where_amazon_is_busy(client, support, world):
    store = connect(scenarios.NA, sources=("US",)).stores.get()
    order = make_order(store, status="shipped")
    world.faults.arm("searchCatalogItems", "429")
    assert "Amazon is busy" in pressed(client, "orders_order_details", order.pk)
    assert order.items.get().product and CatalogueItem.objects.get().state == "waiting"


# -- the identifier


def test_the_identifier_changes_after_a_preview_only(client, support, noon):
    store = make_store()
    product = make_product(store, key="S1", sku="S1", asin="B1")
    order_of((product, 1)), order_of((make_product(store, key="S2", sku="S2", asin="B1"), 1))
    store_page = reverse("admin:stores_store_change", args=[store.pk])
    html = html_of(client, store_page)
    url = reverse("admin:orders_product_rekey", args=[store.pk])
    assert 'name="product_identifier"' not in html and url in html
    preview = html_of(client, url)
    assert "From SKU to ASIN" in preview and "B1" in preview and Product.objects.count() == 2
    answer = client.post(url, {"identifier": "asin"}, follow=True)
    assert "now calls its products by ASIN: 0 renamed, 1 joined, 0 split" in answer.content.decode()
    assert list(store.products.values_list("key", flat=True)) == ["B1"]
    client.post(url, {"identifier": "asin"})  # sent twice: it is by ASIN already, and stays so
    store.refresh_from_db()
    assert store.product_identifier == "asin"


@pytest.mark.parametrize("role", [access.WAREHOUSE, access.PRIVACY, access.ADMINISTRATOR])
def test_only_those_who_may_change_stores_and_products_change_the_identifier(client, noon, role):
    store = make_store()
    make_product(store)
    client.force_login(make_user(role))
    url = reverse("admin:orders_product_rekey", args=[store.pk])
    assert (client.get(url).status_code, client.post(url, {"identifier": "asin"}).status_code) == (403, 403)


def test_f39_the_store_says_what_a_shortage_stops(client, support, noon):
    from tests.screens.storepages import saved

    store = make_store(account=make_account())
    assert saved(client, store, short_stock="block").short_stock == "block"
    order = Order.objects.get(pk=order_of((counted(make_product(store), 0, at=noon), 1)).pk)
    assert "short of stock" in html_of(client, order_page(order))
