"""Foreign pictures, opened by Pillow: checked before they are decoded, handed on as plain PNG files."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from rushes.limited.tasks import Picture
from rushes_otio.errors import MediaFault


def upright_png(task: Picture) -> bytes:
    """The picture as a PNG, the right way up: 8-bit RGB, RGBA where it has transparent parts, and nothing but
    pixels. MediaFault when it is none of the formats, has too many pixels, or is damaged.
    """
    with _opened(task) as picture:
        try:
            plain = _plain(ImageOps.exif_transpose(picture))
        except (OSError, SyntaxError, ValueError) as fault:
            raise _no_picture(task, str(fault)) from fault
    plain.info.clear()  # a colour profile would be written too
    return png(plain)


def png(picture: Image.Image) -> bytes:
    """`picture` as a PNG file; quick rather than small, for it lies in a cache."""
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _opened(task: Picture) -> Image.Image:
    """The picture with its head read, its pixels not."""
    Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit; the one below is checked before anything is decoded
    try:
        picture = Image.open(task.path, formats=task.formats)
    except (OSError, SyntaxError, ValueError) as fault:
        raise _no_picture(task, str(fault)) from fault
    if picture.width * picture.height > task.most_pixels:
        picture.close()
        raise MediaFault(
            f"the picture has more than {task.most_pixels:,} pixels",
            where=task.path,
            remedy="scale it down before it is used",
        )
    return picture


def _plain(picture: Image.Image) -> Image.Image:
    """16-bit greys keep their range: Pillow alone would clip them."""
    if picture.mode.startswith("I"):
        return picture.point(lambda v: v * (1 / 257)).convert("L").convert("RGB")
    clear = "A" in picture.getbands() or "transparency" in picture.info
    return picture.convert("RGBA" if clear else "RGB")


def _no_picture(task: Picture, why: str) -> MediaFault:
    return MediaFault(
        f"the picture cannot be read: {why}", where=task.path, remedy="use a PNG, JPEG, WebP or TIFF file"
    )
