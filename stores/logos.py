"""Logos of stores. Whatever is sent in, only pixels we drew again are kept: no metadata, no other format, no size."""

import secrets

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from orderhub import pictures
from orderhub.errors import RuleViolation
from stores.models import Store
from stores.models.settings import brand_storage

MOST_BYTES = 1024 * 1024
MOST_PIXELS_A_SIDE = 4000
KEPT_SIZE = (600, 300)  # pixels: width, height


def cleaned(upload: UploadedFile) -> bytes:
    """The picture as a PNG of at most 600 × 300 pixels that holds nothing but them. Saves nothing.

    RuleViolation, saying what is accepted, for everything else: told by its content, never by its name.
    """
    sent = upload.read(MOST_BYTES + 1)
    if not sent:
        raise RuleViolation(_("This file is empty. Choose a PNG, JPEG or WebP picture."))
    if len(sent) > MOST_BYTES:
        raise RuleViolation(_("This file is larger than 1 MB. Save the logo smaller, then choose it again."))
    try:
        return pictures.redrawn(sent, box=KEPT_SIZE, most_side=MOST_PIXELS_A_SIDE, still=True)[0]
    except pictures.TooLarge:
        raise RuleViolation(
            _("This picture is larger than 4,000 × 4,000 pixels. Save the logo smaller, then choose it again.")
        ) from None
    except pictures.Moves:
        raise RuleViolation(_("This picture moves or holds several pictures. Choose one that stands still.")) from None
    except pictures.PictureRefused:
        raise RuleViolation(
            _("This is not a PNG, JPEG or WebP picture that can be read. Save the logo as PNG and choose it again.")
        ) from None


def keep(store: Store, png: bytes) -> None:
    """Make this the store's logo, under a name nobody can guess. `png`: what cleaned() returned.

    The file is there before the row names it, and the old one goes once the row is committed.
    """
    name = brand_storage().save(f"{secrets.token_hex(16)}.png", ContentFile(png))
    _replace(store, name)


def remove(store: Store) -> None:
    """Forget the logo; its file goes after the commit. Safe to repeat."""
    _replace(store, "")


def _replace(store: Store, name: str) -> None:
    with transaction.atomic():
        old = Store.objects.select_for_update().values_list("brand_logo", flat=True).get(pk=store.pk)
        Store.objects.filter(pk=store.pk).update(brand_logo=name)
        store.brand_logo = name
        if old:
            transaction.on_commit(lambda: brand_storage().delete(old))
