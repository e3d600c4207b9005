"""What tests of a store's page share: where it is, who is signed in, and what its form would post."""

from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from stores import features
from stores.models import Store
from tests.factories import make_user

ROLES = ["Support", "Customer success", "Administrator", "Warehouse", "Privacy officer"]
CHANGING = ROLES[:3]
KEPT = (
    "name", "product_identifier", "brand_name", "brand_phone", "brand_site", "slip_message", "brand_from_email", "notify_when",
    "product_title_policy", "product_image_policy", "product_weight_policy", "product_dimensions_policy",
    "short_stock",
)  # fmt: skip
TICKED = ("active", "import_afn", "import_customization", "slip_shows_sku")


def sign_in(client, *roles, **given):
    client.force_login(make_user(*roles, **given))
    return client


def page_of_store(store) -> str:
    return f"/admin/stores/store/{store.pk}/"


def settings_of(store: Store, **other) -> dict:
    """The store's settings as its form would post them, with these typed over. None: nothing is sent for it."""
    typed = {name: getattr(store, name) for name in KEPT}
    typed |= {name: "on" for name in TICKED if getattr(store, name)}
    if store.notify_delay_minutes:
        typed["notify_delay_minutes"] = store.notify_delay_minutes
    typed |= {f"ship_from_{part}": text for part, text in store.ship_from.items()}
    typed |= {"status_map-TOTAL_FORMS": 0, "status_map-INITIAL_FORMS": 0}
    return {name: value for name, value in (typed | other).items() if value is not None}


def picture(size=(40, 20), format="PNG") -> SimpleUploadedFile:
    file = BytesIO()
    Image.new("RGB", size, "navy").save(file, format)
    return SimpleUploadedFile("logo.png", file.getvalue())


def shown(client, store, query: str = "") -> str:
    answer = client.get(f"{page_of_store(store)}change/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def saved(client, store, **typed) -> Store:
    """Save the form and look at the store again; the page comes back, with the message."""
    answer = client.post(f"{page_of_store(store)}change/", settings_of(store, **typed), follow=True)
    assert "The settings are saved." in answer.content.decode()
    assert answer.redirect_chain[-1][0] == f"{page_of_store(store)}change/"
    return Store.objects.get(pk=store.pk)


def pressed(client, store, deed: str, **typed) -> str:
    """Save the form with one of its other buttons, as the page that was just opened would; the page that comes back."""
    typed.setdefault("shown_sender", store.sender)
    answer = client.post(f"{page_of_store(store)}change/", settings_of(store, deed=deed, **typed), follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def refused(client, store, **typed) -> str:
    """Save the form, which changes nothing; the page says why."""
    before = Store.objects.values().get(pk=store.pk)
    answer = client.post(f"{page_of_store(store)}change/", settings_of(store, **typed))
    assert answer.status_code == 200 and Store.objects.values().get(pk=store.pk) == before
    text = answer.content.decode()
    assert "Nothing was saved: correct what is marked in red" in text
    return text


def enable(store: Store, yes: bool = True) -> Store:
    features.grant(store, "custom_fields", by=make_user("Customer success"), reason="trial", enabled=yes)
    return store
