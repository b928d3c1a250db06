"""Pictures from outside, made into what the generator works with: RGB at native size, the right way up."""

from __future__ import annotations

import io
import struct
from pathlib import Path

from PIL import Image, ImageOps

from rushes.generators.animatic.ink import NATIVE
from rushes.limited import foreign
from rushes.limited.pictures import png
from rushes_otio.errors import MediaFault

_HEAD = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBB", 13, b"IHDR", *NATIVE, 8, 2)
"""How a PNG of 8-bit RGB at native size begins."""


def given(path: str) -> bytes:
    """The picture at `path` as a PNG: upright, opaque, cut to the native canvas. MediaFault if it is none, or too
    large."""
    plain = foreign.picture(Path(path))
    return plain if plain.startswith(_HEAD) else png(_fitted(plain))


def drawn(path: str) -> bytes:
    """The keyframe at `path` as a PNG at native size: the file itself where this generator made it."""
    try:
        made = Path(path).read_bytes()
    except OSError as fault:
        raise _unreadable(path, fault.strerror or "") from fault
    return made if made.startswith(_HEAD) else given(path)


def decoded(data: bytes) -> Image.Image:
    """A PNG of `given` or `drawn` as a picture."""
    try:
        return Image.open(io.BytesIO(data), formats=("PNG",)).convert("RGB")
    except (OSError, SyntaxError, ValueError) as fault:
        raise _unreadable("a stored motion", str(fault)) from fault


def _fitted(plain: bytes) -> Image.Image:
    """A plain PNG on the native canvas; transparent parts are white paper."""
    picture: Image.Image = Image.open(io.BytesIO(plain), formats=("PNG",))
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return ImageOps.fit(picture, NATIVE, Image.Resampling.LANCZOS)


def _unreadable(where: str, why: str) -> MediaFault:
    return MediaFault(f"the picture cannot be read: {why}", where=where, remedy="render the shot again")
