"""Pictures that other people made: drawn again, so that only pixels are kept: no metadata, no other format, no size."""

from io import BytesIO

from PIL import Image, ImageOps, PngImagePlugin

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_SCANS = 100  # of a JPEG, which is unpacked once for each; pictures of cameras and programs have up to a dozen
MOST_PIXELS = 40_000_000
MOST_MEMORY = 75_000_000  # bytes for unpacking and shrinking one picture, where nothing else limits it
PngImagePlugin.MAX_TEXT_MEMORY = 4 * 1024 * 1024  # bytes of packed remarks in a PNG, which nobody here reads


class PictureRefused(ValueError):
    """Base of what is refused. Holds nothing of the picture."""


class Unreadable(PictureRefused):
    """No PNG, JPEG or WebP picture, or a broken one."""


class TooLarge(PictureRefused):
    """More pixels than are unpacked."""


class Moves(PictureRefused):
    """It moves or holds several pictures."""


def redrawn(
    sent: bytes, *, box: tuple[int, int], most_side: int = 0, still: bool = False, photo: bool = False
) -> tuple[bytes, str]:
    """The picture as PNG, no larger than `box` (width, height in pixels), and how its file name ends: "png" or "jpg".

    `most_side`: pixels of the longer side; 0: whatever MOST_MEMORY allows. `still`: refuse several pictures, else the
    first counts.
    `photo`: a JPEG that was sent is kept as one. PictureRefused for everything else, told by its content; what the
    header says is judged before any pixel is unpacked.
    """
    try:
        _check(sent, most_side=most_side, still=still)
        return _drawn(sent, box, photo=photo, most_memory=0 if most_side else MOST_MEMORY)
    except PictureRefused:
        raise
    except Exception:  # decoders raise whatever a broken file makes them stumble over
        raise Unreadable from None


def _open(sent: bytes) -> Image.Image:
    return Image.open(BytesIO(sent), formats=FORMATS)


def _check(sent: bytes, *, most_side: int, still: bool) -> None:
    try:
        picture = _open(sent)
    except Image.DecompressionBombError:
        raise TooLarge from None
    width, height = picture.size
    if width * height > MOST_PIXELS or (most_side and max(width, height) > most_side):
        raise TooLarge
    if picture.format in {"JPEG", "MPO"} and sent.count(b"\xff\xda") > MOST_SCANS:
        raise Unreadable
    if still and getattr(picture, "n_frames", 1) > 1:
        raise Moves


def _memory(picture: Image.Image, whole: int) -> int:
    """About how many bytes it takes to unpack and shrink it, as measured. `whole`: its pixels before any draft."""
    width, height = picture.size
    plain = 6 if picture.mode == "RGB" else 7
    each = 17 if picture.format == "WEBP" else 11 if picture.has_transparency_data else plain
    scans = 2 * len(picture.getbands()) * whole if picture.info.get("progressive") else 0
    return width * height * each + scans


def _drawn(sent: bytes, box: tuple[int, int], *, photo: bool, most_memory: int) -> tuple[bytes, str]:
    _open(sent).verify()  # the file is whole; verifying uses it up
    picture = _open(sent)
    width, height = picture.size
    turned = picture.getexif().get(0x0112, 1) >= 5
    room = box[::-1] if turned else box
    scale = min(1, room[0] / width, room[1] / height)
    # a JPEG is unpacked at a half, a quarter or an eighth of its size where that is enough
    picture.draft("RGB", (max(1, int(width * scale)), max(1, int(height * scale))))
    if most_memory and _memory(picture, width * height) > most_memory:
        raise TooLarge
    if picture.mode not in {"RGB", "RGBA"}:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.thumbnail(room, Image.Resampling.LANCZOS)
    picture = ImageOps.exif_transpose(picture)
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())  # nothing but pixels comes along
    drawn = BytesIO()
    if photo and sent.startswith(b"\xff\xd8") and bare.mode == "RGB":
        bare.save(drawn, "JPEG", quality=88)
        return drawn.getvalue(), "jpg"
    bare.save(drawn, "PNG", optimize=True)
    return drawn.getvalue(), "png"
