"""The caption under the picture, in screen space: rendered once for a size, laid over each frame's lowest rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from rushes.generators.base import Frame
from rushes_otio.text import printable

_BAND, _TEXT, _QUIET, _MARK = (17, 18, 22), (245, 241, 232), (186, 182, 172), (232, 176, 84)
_DENSE = 0.8
_CAPTION_LINES, _ACTION_LINES = 3, 2
_LIMIT = 400

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Overlay:
    """What covers a frame from row `top` down: `keep` of 256 parts of the picture stay, `add` is added."""

    top: int
    keep: NDArray[np.uint16]
    add: NDArray[np.uint16]

    def lay(self, frame: NDArray[np.uint8]) -> Frame:
        """Put the caption on `frame` in place."""
        rows = frame[self.top :]
        rows[:] = ((rows * self.keep + self.add) >> 8).astype(np.uint8)
        return frame


@dataclass(frozen=True)
class _Line:
    text: str
    font: Font
    colour: tuple[int, int, int]
    height: int


def overlay(size: tuple[int, int], caption: str, action: str, move: str) -> Overlay | None:
    """The band for frames of `size`, or None where there is nothing to say or no room to say it."""
    em = max(10, round(min(size) * 0.04))
    if not (caption.strip() or action.strip()) or size[0] < 8 * em or size[1] < 6 * em:
        return None
    pad = round(em * 0.9)
    mark = em * 2 if move in _ARROWS else 0
    width = size[0] - 2 * pad - (mark + pad if mark else 0)
    lines = _wrapped(caption, em, width, _CAPTION_LINES, _TEXT)
    lines += _wrapped(action, max(9, round(em * 0.78)), width, _ACTION_LINES, _QUIET)
    while len(lines) > 1 and sum(line.height for line in lines) + 2 * pad > size[1] // 2:
        lines.pop()
    return _rendered(size, lines, pad, mark, move)


def _rendered(size: tuple[int, int], lines: list[_Line], pad: int, mark: int, move: str) -> Overlay:
    fade = 2 * pad
    high = max(sum(line.height for line in lines), mark) + round(1.6 * pad)
    band = Image.new("RGB", (size[0], high + fade), _BAND)
    ink = Image.new("L", band.size)
    y = fade + (high - sum(line.height for line in lines)) // 2
    for line in lines:
        ImageDraw.Draw(band).text((pad, y), line.text, line.colour, line.font)
        ImageDraw.Draw(ink).text((pad, y), line.text, 255, line.font)
        y += line.height
    if mark:
        corner = (size[0] - pad - mark, fade + (high - mark) // 2)
        _arrow(band, ink, corner, mark, move)
    return _composited(band, ink, fade, size[1])


def _composited(band: Image.Image, ink: Image.Image, fade: int, height: int) -> Overlay:
    """Text is opaque, the band lets some of the picture through, and its upper edge is soft."""
    rows = np.arange(band.height)[:, None]
    soft = np.clip(rows / fade, 0, 1) ** 1.5 * _DENSE
    cover = np.maximum(soft, np.asarray(ink) / 255)[:, :, None]
    add = np.asarray(band) * cover * 256
    top = max(0, height - band.height)
    keep = np.rint((1 - cover) * 256)
    return Overlay(
        top, keep.astype(np.uint16)[-height:], np.minimum(add, 65280 - keep * 255).astype(np.uint16)[-height:]
    )


def _wrapped(text: str, em: int, width: int, most: int, colour: tuple[int, int, int]) -> list[_Line]:
    """`text` in at most `most` lines of `width` pixels; what does not fit ends in an ellipsis."""
    font = ImageFont.load_default(em)
    lines: list[str] = []
    rest = printable(text.strip(), _LIMIT)
    while rest and len(lines) < most:
        fits = _fitting(rest, font, width)
        lines.append(rest[:fits].strip())
        rest = rest[fits:].strip()
    if rest:
        last = lines[-1]
        while last and font.getlength(last + "…") > width:
            last = last[:-1]
        lines[-1] = last.rstrip() + "…"
    return [_Line(line, font, colour, round(em * 1.3)) for line in lines]


def _fitting(text: str, font: Font, width: int) -> int:
    """How many characters of `text` fit into a line: up to a space where there is one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= width else (low, middle - 1)
    space = text.rfind(" ", 0, low + 1)
    return low if low == len(text) or space <= 0 else space


_ARROWS: dict[str, tuple[int, int]] = {
    "pan left": (-1, 0), "pan right": (1, 0), "tilt up": (0, -1), "tilt down": (0, 1),
    "crane up": (1, -1), "crane down": (1, 1), "push in": (0, 0), "pull out": (0, 0),
}  # fmt: skip


def _arrow(band: Image.Image, ink: Image.Image, corner: tuple[int, int], side: int, move: str) -> None:
    """The storyboard's mark of a camera move: an arrow, or two frames with arrows between their corners."""
    big = Image.new("L", (side * 4, side * 4))
    draw, s = ImageDraw.Draw(big), side * 4
    way = _ARROWS[move]
    if way != (0, 0):
        _shaft(
            draw,
            (s / 2 - way[0] * s * 0.4, s / 2 - way[1] * s * 0.4),
            (s / 2 + way[0] * s * 0.4, s / 2 + way[1] * s * 0.4),
            s,
        )
    else:
        draw.rectangle((s * 0.02, s * 0.14, s * 0.98, s * 0.86), outline=255, width=s // 22)
        draw.rectangle((s * 0.36, s * 0.38, s * 0.64, s * 0.62), outline=255, width=s // 30)
        for x, y in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
            outer, inner = (
                (s / 2 + x * s * 0.42, s / 2 + y * s * 0.31),
                (s / 2 + x * s * 0.19, s / 2 + y * s * 0.155),
            )
            _shaft(draw, *((outer, inner) if move == "push in" else (inner, outer)), s * 0.45)
    mask = big.resize((side, side), Image.Resampling.LANCZOS)
    band.paste(_MARK, corner, mask)
    ink.paste(mask, corner)


def _shaft(draw: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], size: float) -> None:
    """An arrow with a full head; `size` sets how thick it is."""
    way = np.subtract(end, start) / np.hypot(*np.subtract(end, start))
    across, neck = np.array([-way[1], way[0]]), np.array(end) - way * size * 0.26
    draw.line((*start, *neck), fill=255, width=max(1, round(size * 0.075)))
    draw.polygon([*end, *(neck + across * size * 0.16), *(neck - across * size * 0.16)], fill=255)
