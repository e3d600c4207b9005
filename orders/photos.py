"""Photos of products: fetched once from Amazon's picture hosts, drawn again small, and served by ourselves."""

import hashlib
import time
from collections.abc import Iterable

from django.core.files.base import ContentFile
from django.db import transaction
from django.urls import reverse

from orderhub import pictures
from orderhub.errors import ConnectorError, TryLater
from orders.models import CatalogueItem, Product
from orders.models.product import photo_storage
from stores import fetching
from stores.models.settings import Overwrite

BOX = (320, 320)  # pixels: width, height
AT_ONCE = 200


def fetch_missing(*, budget_s: float) -> tuple[int, int]:
    """Photos the catalogue names and we do not have; returns how many were fetched, and how many could not be.

    One that is refused or cannot be read is noted and left, until the catalogue names another. Where the host is busy, the
    rest waits for the next run. Safe to repeat and to kill: a file without its row is written again under its name.
    """
    until, fetched, refused = time.monotonic() + budget_s, 0, 0
    wanted = CatalogueItem.objects.filter(image="", image_error="").exclude(image_url="")
    for item in wanted.order_by("-looked_up_at", "pk")[:AT_ONCE]:
        if time.monotonic() > until:
            break
        try:
            drawn = pictures.redrawn(fetching.fetch(item.image_url, kind="photo"), box=BOX, photo=True)
        except TryLater:
            break
        except (ConnectorError, pictures.PictureRefused) as error:
            code = (getattr(error, "code", "") or type(error).__name__)[:60]
            CatalogueItem.objects.filter(pk=item.pk, image_url=item.image_url).update(image_error=code)
            refused += 1
        else:
            _keep(item, *drawn)
            fetched += 1
    return fetched, refused


def _keep(item: CatalogueItem, drawn: bytes, ends: str) -> None:
    """The file first, then the rows that name it, as each store wants it; what nobody names any more goes."""
    name, storage = _name(item, ends), photo_storage()
    storage.delete(name)
    storage.save(name, ContentFile(drawn))
    with transaction.atomic():
        CatalogueItem.objects.filter(pk=item.pk, image_url=item.image_url).update(image=name)
        shown = Product.objects.filter(store__marketplace=item.marketplace, asin=item.asin)
        always = shown.filter(store__product_image_policy=Overwrite.ALWAYS)
        before = set(always.exclude(photo="").values_list("photo", flat=True)) - {name}
        ids = [
            *always.values_list("pk", flat=True),
            *shown.filter(photo="", store__product_image_policy=Overwrite.IF_EMPTY).values_list("pk", flat=True),
        ]
        Product.objects.filter(pk__in=ids).update(photo=name)
        forget(before)


def _name(item: CatalogueItem, ends: str) -> str:
    """The same for the same picture, and another for the next one: browsers may keep what they have."""
    digest = hashlib.sha256(f"{item.marketplace} {item.asin} {item.image_url}".encode()).hexdigest()[:32]
    return f"{digest[:2]}/{digest}.{ends}"


def photo_url(name: str) -> str:
    """Where the browser gets a photo kept under this name; '' for none."""
    return reverse("admin:orders_product_photo", args=[name.rpartition("/")[2]]) if name else ""


def forget(names: Iterable[str]) -> None:
    """Delete those of these files that no row names, once the transaction is committed."""
    gone = {name for name in names if name}
    if gone:
        gone -= set(Product.objects.filter(photo__in=gone).values_list("photo", flat=True))
        gone -= set(CatalogueItem.objects.filter(image__in=gone).values_list("image", flat=True))
        transaction.on_commit(lambda: [photo_storage().delete(name) for name in gone])
