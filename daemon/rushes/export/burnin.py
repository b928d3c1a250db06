"""Burn-in: shot, take and record timecode drawn into the pictures of a movie for review."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rushes.export.movie import Shown, record_start
from rushes.export.slates import font
from rushes.generators.base import Frame
from rushes_otio.film import Film
from rushes_otio.items import Item
from rushes_otio.text import printable

_INK, _SHADE = 238, 165
"""Grey of the letters, and how much of the picture their plate takes away, both of 256."""

_SMALLEST = 12
"""Pixels; letters of a lower picture could not be read."""

_DIGITS = "0123456789"


@dataclass(frozen=True, slots=True)
class Plate:
    """What is laid over a piece of picture: of every pixel `kept` 256ths stay, and `added` 256ths come on top.

    Both are (height, width, 1). With the brightest picture they stay within 16 bits.
    """

    kept: NDArray[np.uint16]
    added: NDArray[np.uint16]

    def drawn(self, picture: Frame, x: int, y: int) -> None:
        """Onto `picture` with its upper left corner at x, y; what lies outside is cut off."""
        region = picture[y : y + self.kept.shape[0], x : x + self.kept.shape[1]]
        height, width, _ = region.shape
        region[:] = (region * self.kept[:height, :width] + self.added[:height, :width]) >> 8


class BurnIn:
    """Draws onto frames of `size` (width, height). Upper left `SC010_SH020  t003`, upper right `01:00:04:12`, for
    words of animatics and subtitles stand below.

    The plate of a name is made once a shot, those of the timecode once for each digit: 1 ms a frame of 1920x1080.
    """

    def __init__(self, film: Film, size: tuple[int, int]) -> None:
        self._film = film
        self._start = record_start(film)
        self._width, height = size
        self._font = font(max(_SMALLEST, height / 28))
        self._pad = max(2, height // 90)
        self._margin = height // 24
        cell = max(self._length(digit) for digit in _DIGITS)
        self._glyphs = {c: self._plate(c, cell) for c in _DIGITS}
        self._glyphs |= {c: self._plate(c, cell * 2 // 3) for c in ":-"}
        self._gap = self._plate("", self._pad * 2)
        self._last = ("", self._plate("", 0))

    def __call__(self, shown: Shown) -> Frame:
        """A copy of the frame with both texts on it."""
        picture = shown.picture.copy()
        timecode = self._timecode(self._start + shown.at)
        width = timecode.kept.shape[1]
        y = min(self._margin, max(0, picture.shape[0] - timecode.kept.shape[0]))
        timecode.drawn(picture, max(0, self._width - self._margin - width), y)
        if shown.item is not None:
            room = self._width - 3 * self._margin - width
            self._name(_said(shown.item), room).drawn(picture, self._margin, y)
        return picture

    def _timecode(self, frame: int) -> Plate:
        plates = [self._gap, *(self._glyphs[c] for c in self._film.rate.timecode(frame)), self._gap]
        kept, added = [p.kept for p in plates], [p.added for p in plates]
        return Plate(np.concatenate(kept, axis=1), np.concatenate(added, axis=1))

    def _name(self, text: str, room: int) -> Plate:
        """Shortened until it has room; kept, for a shot is many frames long."""
        if text != self._last[0]:
            fitting = text
            while fitting and self._length(fitting) + 4 * self._pad > room:
                fitting = fitting[:-2] + "…" if len(fitting) > 2 else ""
            self._last = text, self._plate(fitting, self._length(fitting) + 4 * self._pad if fitting else 0)
        return self._last[1]

    def _length(self, text: str) -> int:
        return round(self._font.getlength(text) + 0.5)

    def _plate(self, text: str, width: int) -> Plate:
        """The text in the middle of a plate as wide as asked for and as high as all others."""
        _, above, _, below = map(round, self._font.getbbox("H"))
        pad = max(self._pad, round(self._font.getbbox("g")[3]) - below + 1)  # room for what hangs below the line
        letters = Image.new("L", (width, below - above + 2 * pad))
        at = ((width - self._length(text)) / 2, pad - above)
        ImageDraw.Draw(letters).text(at, text, fill=255, font=self._font)
        ink = np.asarray(letters, np.uint16)[:, :, None]
        return Plate((256 - _SHADE) * (255 - ink) // 255, ink * _INK)


def _said(item: Item) -> str:
    """`SC010_SH020  t003`; what is not ours goes by its name."""
    if item.block is None:
        return printable(item.name or "clip", 60)
    take = item.block.chosen.take if item.block.chosen else "no take"
    return f"{printable(item.block.name, 60)}  {take}"
