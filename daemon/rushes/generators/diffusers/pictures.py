"""Pictures from outside and from other stages, as a model is given them: RGB, 8 bit, of the model's size."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from rushes.limited.foreign import picture
from rushes.limited.pictures import png

__all__ = ["given", "of_frame", "png"]


def given(path: str, size: tuple[int, int]) -> Image.Image:
    """Any picture file, upright, on black where it is transparent, cut to cover `size`. MediaFault for none."""
    with Image.open(io.BytesIO(picture(Path(path)))) as opened:
        whole = opened.convert("RGBA")
    plain = Image.alpha_composite(Image.new("RGBA", whole.size, "black"), whole).convert("RGB")
    return ImageOps.fit(plain, size, Image.Resampling.LANCZOS)


def of_frame(frame: NDArray[np.uint16]) -> bytes:
    """A frame, full range, as an 8-bit PNG."""
    return png(Image.fromarray(((frame.astype(np.uint32) + 128) // 257).astype(np.uint8)))
