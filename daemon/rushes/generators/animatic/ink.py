"""The hand: filled shapes, inked lines that tremble a little, hatching and light, drawn at twice the size.

A panel is 16 units wide and 9 high, y downwards. Lines are ribbons of varying width, made with numpy, because a
line of constant width looks like a machine's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from rushes.generators.animatic.palette import Colour, Look, times
from rushes.generators.animatic.shapes import Points, even, tremble

NATIVE = (1920, 1080)
WIDE, HIGH = 16.0, 9.0
_UNIT = 240
_LIGHT = 30  # pixels of the light layer in a unit: light is soft


def rgb(colour: Colour) -> tuple[int, int, int]:
    r, g, b = (min(255, max(0, round(c))) for c in colour)
    return (r, g, b)


class Sheet:
    """The paper: the drawing at twice the native size and a small layer of light that is added at the end."""

    def __init__(self, look: Look, seed: int) -> None:
        self.look = look
        self.image = Image.new("RGB", (NATIVE[0] * 2, NATIVE[1] * 2), rgb(look.tone(look.haze)))
        self.draw = ImageDraw.Draw(self.image)
        self.light = Image.new("RGB", (int(WIDE * _LIGHT), int(HIGH * _LIGHT)))
        self.cover: Image.Image | None = None
        self.random = np.random.Generator(np.random.PCG64(seed))

    def soften(self, radius: float) -> None:
        """Take what is drawn so far out of focus. `radius` in units."""
        small = self.image.reduce(8).filter(ImageFilter.GaussianBlur(radius * _UNIT / 8))
        self.image.paste(small.resize(self.image.size, Image.Resampling.BILINEAR))

    def veil(self, colour: Colour, amount: float) -> None:
        """Lay a flat haze over what is drawn so far."""
        self.image.paste(Image.blend(self.image, Image.new("RGB", self.image.size, rgb(colour)), amount))

    def developed(self) -> Image.Image:
        """The picture at native size, lit."""
        small = self.image.resize(NATIVE, Image.Resampling.HAMMING)
        light = self.light.filter(ImageFilter.GaussianBlur(6))
        if self.cover is not None:
            dimmed = light.point(lambda v: v * 0.2)
            light.paste(dimmed, mask=self.cover.filter(ImageFilter.GaussianBlur(1.2)))
        return ImageChops.screen(small, light.resize(NATIVE, Image.Resampling.BICUBIC))

    def backdrop(self) -> None:
        """What is drawn from here on stands in front of the light, and keeps more of its own colour."""
        self.look = self.look.for_people()
        self.cover = Image.new("L", self.light.size)


@dataclass(frozen=True)
class Pen:
    """Draws on a sheet in its own coordinates: moved to (x, y), scaled, mirrored (-1); `weight` is its lines'."""

    sheet: Sheet
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    mirror: int = 1
    weight: float = 1.0

    def at(self, x: float, y: float, scale: float = 1.0, mirror: int = 1) -> Pen:
        """A pen inside this one's coordinates."""
        (px, py), s = self._units(np.array([(x, y)]))[0], self.scale * scale
        return replace(self, x=float(px), y=float(py), scale=s, mirror=self.mirror * mirror)

    def _units(self, points: ArrayLike) -> Points:
        p = np.asarray(points, float) * self.scale
        return p * (self.mirror, 1) + (self.x, self.y)

    def fill(self, points: ArrayLike, colour: Colour) -> None:
        """A flat shape without an outline."""
        corners = self._units(points)
        self.sheet.draw.polygon((corners * _UNIT).ravel().tolist(), fill=rgb(colour))
        if self.sheet.cover is not None:
            ImageDraw.Draw(self.sheet.cover).polygon((corners * _LIGHT).ravel().tolist(), fill=255)

    def line(self, points: ArrayLike, width: float, colour: Colour | None = None) -> None:
        """One stroke, thin at its ends. `width` in hundredths of a unit of the panel, whatever the scale."""
        p = even(self._units(points) * _UNIT)
        taper = 0.4 + 0.6 * np.sqrt(np.sin(np.linspace(0.06, np.pi - 0.06, len(p))))
        self._ribbon(p, width * self.weight * taper, colour or self.sheet.look.ink)

    def outline(self, points: ArrayLike, width: float = 3.0, colour: Colour | None = None) -> None:
        """A closed smooth shape's line, without ends."""
        p = self._units(points) * _UNIT
        self._ribbon(
            even(np.concatenate([p, p[:1]])), np.array(width * self.weight), colour or self.sheet.look.ink
        )

    def sides(self, points: ArrayLike, width: float = 3.0, colour: Colour | None = None) -> None:
        """A shape with corners: each side is a stroke of its own that runs a little too far."""
        p = np.asarray(points, float)
        for a, b in zip(p, np.roll(p, -1, axis=0), strict=True):
            over = (b - a) * min(0.03, 0.04 / (self.scale * float(np.hypot(*(b - a))) + 1e-9))
            self.line([a - over, b + over], width, colour)

    def shape(self, points: ArrayLike, colour: Colour, width: float = 3.0) -> None:
        """A smooth shape, filled and inked."""
        self.fill(points, colour)
        self.outline(points, width)

    def block(self, points: ArrayLike, colour: Colour, width: float = 3.0) -> None:
        """A shape with corners, filled and inked."""
        self.fill(points, colour)
        self.sides(points, width)

    def wash(self, points: ArrayLike, above: Colour, below: Colour) -> None:
        """A shape filled with a gradient from its top to its bottom."""
        mask, corner = self._mask(points)
        if mask is None:
            return
        column = np.linspace(0, 1, mask.height)[:, None]
        ramp = np.array(rgb(above)) * (1 - column) + np.array(rgb(below)) * column
        strip = Image.fromarray(np.rint(ramp).astype(np.uint8)[:, None, :])
        self.sheet.image.paste(strip.resize(mask.size, Image.Resampling.NEAREST), corner, mask)

    def shade(self, points: ArrayLike, toward: float, amount: float = 0.3) -> None:
        """Shadow inside a shape on the side away from the light, and a thin edge of light on the other.

        `toward` is how far the lit part is moved toward the light, in panel units (negative: to the left).
        """
        look = self.sheet.look
        mask, corner = self._rest(points, toward, -abs(toward) * 0.35)
        if mask is None:
            return
        self.sheet.image.paste(rgb(times(look.ink, 0.9)), corner, mask.point(lambda v: v * amount))
        self._hatched(mask, corner, 1.0)
        edge, corner = self._rest(points, -0.12 * toward, 0.0)
        if edge is not None:
            self.sheet.image.paste(rgb(look.graded(look.light)), corner, edge.point(lambda v: v * look.rim))

    def _rest(self, points: ArrayLike, dx: float, dy: float) -> tuple[Image.Image | None, tuple[int, int]]:
        """The part of a shape that the same shape, moved, leaves free, as `_mask`."""
        mask, corner = self._mask(points)
        if mask is not None:
            moved = (self._units(points) + np.array([dx, dy])) * _UNIT - corner
            ImageDraw.Draw(mask).polygon(moved.ravel().tolist(), fill=0)
        return mask, corner

    def hatch(self, points: ArrayLike, amount: float = 1.0) -> None:
        """Slanted lines inside a shape."""
        mask, corner = self._mask(points)
        if mask is not None:
            self._hatched(mask, corner, amount)

    def tint(self, points: ArrayLike, colour: Colour, amount: float) -> None:
        """A shape of thin colour over what is there."""
        mask, corner = self._mask(points)
        if mask is not None:
            self.sheet.image.paste(rgb(colour), corner, mask.point(lambda v: v * amount))

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Light around a point, added when the sheet is developed."""
        (cx, cy), r = self._units([(x, y)])[0] * _LIGHT, radius * self.scale * _LIGHT
        side = max(3, round(2 * r))
        grid = np.linspace(-1, 1, side)
        fall = np.clip(1 - np.hypot(grid[:, None], grid), 0, 1) ** 2 * strength
        spot = Image.fromarray(np.rint(fall[..., None] * np.array(rgb(colour))).astype(np.uint8))
        layer = Image.new("RGB", self.sheet.light.size)
        layer.paste(spot, (round(cx - r), round(cy - r)))
        self.sheet.light = ImageChops.screen(self.sheet.light, layer)

    def beam(self, points: ArrayLike, colour: Colour, strength: float) -> None:
        """A shaft of light, added when the sheet is developed."""
        layer = Image.new("RGB", self.sheet.light.size)
        corners = (self._units(points) * _LIGHT).ravel().tolist()
        ImageDraw.Draw(layer).polygon(corners, fill=rgb(times(colour, strength)))
        self.sheet.light = ImageChops.screen(self.sheet.light, layer)

    def _ribbon(self, p: Points, width: NDArray[np.float64], colour: Colour) -> None:
        along = np.gradient(p, axis=0)
        normal = along[:, ::-1] * (-1, 1) / (np.hypot(along[:, 0], along[:, 1])[:, None] + 1e-9)
        shake = tremble(self.sheet.random, len(p)) * 1.7
        half = width * self.sheet.look.line * (1 + 0.3 * tremble(self.sheet.random, len(p))) * (_UNIT / 200)
        left, right = p + normal * (shake + half)[:, None], p + normal * (shake - half)[:, None]
        self.sheet.draw.polygon(np.concatenate([left, right[::-1]]).ravel().tolist(), fill=rgb(colour))

    def _mask(self, points: ArrayLike) -> tuple[Image.Image | None, tuple[int, int]]:
        """The shape as a mask, no larger than what of it lies on the sheet, and its corner."""
        p = self._units(points) * _UNIT
        low = np.maximum(np.floor(p.min(axis=0)), 0).astype(int)
        high = np.minimum(np.ceil(p.max(axis=0)) + 1, self.sheet.image.size).astype(int)
        if (high <= low).any():
            return None, (0, 0)
        mask = Image.new("L", (int(high[0] - low[0]), int(high[1] - low[1])))
        ImageDraw.Draw(mask).polygon((p - low).ravel().tolist(), fill=255)
        return mask, (int(low[0]), int(low[1]))

    def _hatched(self, mask: Image.Image, corner: tuple[int, int], amount: float) -> None:
        strength = 0.32 * amount * self.sheet.look.hatch
        lines = Image.new("L", mask.size)
        draw, gap = ImageDraw.Draw(lines), 17
        starts = np.arange(-mask.height, mask.width + gap, gap)
        drift = self.sheet.random.normal(0, 4.0, (len(starts), 2))
        for x, (a, b) in zip(starts.tolist(), drift.tolist(), strict=True):
            draw.line((x + a + mask.height * 0.9, 0, x + b, mask.height), fill=255, width=4)
        drawn = ImageChops.darker(lines, mask).point(lambda v: v * min(0.9, strength))
        self.sheet.image.paste(rgb(self.sheet.look.ink), corner, drawn)
