"""Small pictures of what is coming, for a panel or a host to show."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from rushes.generators.base import Frame

WIDTH = 320
QUALITY = 70


def jpeg_of_png(png: bytes) -> bytes:
    """A picture that a generator made, as a JPEG of at most 320 pixels a side."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        return _jpeg(picture.convert("RGB"))


def jpeg_of_frame(frame: Frame) -> bytes:
    """A frame, height by width by 3, as the same. Every so many pixels are taken: it is gone in a second."""
    step = max(1, frame.shape[1] // WIDTH)
    few = frame[::step, ::step]
    eight = few if few.dtype == np.uint8 else (few >> 8).astype(np.uint8)
    return _jpeg(Image.fromarray(np.ascontiguousarray(eight)))


def _jpeg(picture: Image.Image) -> bytes:
    picture.thumbnail((WIDTH, WIDTH))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
