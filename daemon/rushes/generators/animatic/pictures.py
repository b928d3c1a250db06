"""Pictures from outside, made into what the generator works with: RGB at native size, the right way up."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps

from rushes.generators.animatic.ink import NATIVE
from rushes_otio.errors import MediaFault

MOST_PIXELS = 80_000_000
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")


def composed(path: str) -> Image.Image:
    """The picture at `path`, upright, opaque, cut to the native canvas. MediaFault if it is none, or too large."""
    with _opened(path) as picture:
        try:
            upright = ImageOps.exif_transpose(picture)
            return ImageOps.fit(_opaque(upright), NATIVE, Image.Resampling.LANCZOS)
        except (OSError, SyntaxError, ValueError) as fault:
            raise _no_picture(path, str(fault)) from fault


def as_stored(path: str) -> bytes:
    """The picture at `path` as a PNG at native size: the file itself where it is one already."""
    with _opened(path) as picture:
        if (picture.format, picture.mode, picture.size) == ("PNG", "RGB", NATIVE) and "exif" not in picture.info:
            return Path(path).read_bytes()
    return png(composed(path))


def png(picture: Image.Image) -> bytes:
    """`picture` as a PNG file; quick rather than small, for it lies in a cache."""
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


def decoded(data: bytes) -> Image.Image:
    """A PNG of `as_stored` as a picture."""
    try:
        return Image.open(io.BytesIO(data), formats=("PNG",)).convert("RGB")
    except (OSError, SyntaxError, ValueError) as fault:
        raise _no_picture("a stored motion", str(fault)) from fault


def _opened(path: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(path, formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise _too_large(path) from fault
    except (OSError, SyntaxError, ValueError) as fault:
        raise _no_picture(path, str(fault)) from fault
    if picture.width * picture.height > MOST_PIXELS:
        picture.close()
        raise _too_large(path)
    return picture


def _opaque(picture: Image.Image) -> Image.Image:
    """RGB; transparent parts are white paper. 16-bit greys keep their range: Pillow alone would clip them."""
    if picture.mode.startswith("I"):
        return picture.point(lambda v: v * (1 / 257)).convert("L").convert("RGB")
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    clear = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")


def _no_picture(path: str, why: str) -> MediaFault:
    return MediaFault(
        f"the picture cannot be read: {why}", where=path, remedy="use a PNG, JPEG, WebP or TIFF file"
    )


def _too_large(path: str) -> MediaFault:
    return MediaFault(
        f"the picture has more than {MOST_PIXELS:,} pixels", where=path, remedy="scale it down before it is used"
    )
