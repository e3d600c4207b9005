"""Logos of stores. Whatever is sent in, only pixels we drew again are kept: no metadata, no other format, no size."""

import secrets
from io import BytesIO

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from orderhub.errors import RuleViolation
from stores.models import Store
from stores.models.settings import brand_storage

MOST_BYTES = 1024 * 1024
MOST_PIXELS_A_SIDE = 4000
FORMATS = ("PNG", "JPEG", "WEBP")
MOST_SCANS = 100  # of a JPEG, which is unpacked once for each; pictures of cameras and programs have up to a dozen
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
    _check(sent)
    try:
        return _drawn_again(sent)
    except Exception:  # decoders raise whatever a broken file makes them stumble over
        raise RuleViolation(_unreadable()) from None


def _open(sent: bytes) -> Image.Image:
    return Image.open(BytesIO(sent), formats=FORMATS)


def _unreadable() -> str:
    return _("This is not a PNG, JPEG or WebP picture that can be read. Save the logo as PNG and choose it again.")


def _check(sent: bytes) -> None:
    """Refuse by what the header says, before any pixel is unpacked."""
    try:
        picture = _open(sent)
        size, moves = picture.size, getattr(picture, "n_frames", 1) > 1
    except Image.DecompressionBombError:
        raise RuleViolation(_too_large()) from None
    except Exception:
        raise RuleViolation(_unreadable()) from None
    if max(size) > MOST_PIXELS_A_SIDE:
        raise RuleViolation(_too_large())
    if picture.format == "JPEG" and sent.count(b"\xff\xda") > MOST_SCANS:
        raise RuleViolation(_unreadable())
    if moves:
        raise RuleViolation(_("This picture moves or holds several pictures. Choose one that stands still."))


def _too_large() -> str:
    return _("This picture is larger than 4,000 × 4,000 pixels. Save the logo smaller, then choose it again.")


def _drawn_again(sent: bytes) -> bytes:
    _open(sent).verify()  # the file is whole; verifying uses it up
    picture = ImageOps.exif_transpose(_open(sent))
    picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.thumbnail(KEPT_SIZE, Image.Resampling.LANCZOS)
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())  # nothing but pixels comes along
    drawn = BytesIO()
    bare.save(drawn, "PNG", optimize=True)
    return drawn.getvalue()


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
