"""Slates: cards that stand where a picture is missing, with what is to be seen there."""

from __future__ import annotations

import textwrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rushes.generators.base import Frame
from rushes_otio.errors import ShotFault
from rushes_otio.film import Film
from rushes_otio.items import Item
from rushes_otio.resolve import Resolver
from rushes_otio.text import printable

PAPER, INK, QUIET = (24, 26, 30), (236, 232, 222), (150, 148, 140)


def slate(film: Film, item: Item, size: tuple[int, int]) -> Frame:
    """A card of `size` (width, height) for an item without a picture."""
    width, height = size
    card = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(card)
    unit = max(8, height // 18)
    x, y = width // 12, height // 5
    title, status, words = _said(film, item)
    draw.rectangle((x - unit, y, x - unit + max(2, unit // 5), height - y), fill=(196, 150, 60))
    draw.text((x, y), title, fill=INK, font=font(unit * 1.5))
    draw.text((x, y + unit * 2), status, fill=QUIET, font=font(unit * 0.8))
    columns = max(12, int((width - 2 * x) / (unit * 0.48)))
    for number, line in enumerate(textwrap.wrap(words, columns)[:6]):
        draw.text((x, y + unit * (4 + number * 1.3)), line, fill=INK, font=font(unit))
    return np.asarray(card)


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that Pillow carries, so that all machines agree."""
    return ImageFont.load_default(max(6, size))


def _said(film: Film, item: Item) -> tuple[str, str, str]:
    """Title, status line, and words of a card."""
    block = item.block
    if block is None:
        return printable(item.name or "clip", 48), "offline", ""
    scene = film.scene(block.scene)
    state = f"{block.chosen.take} is offline" if block.chosen else "never rendered"
    status = " · ".join(part for part in (printable(scene.name, 48) if scene else "", state) if part)
    try:
        words = str(Resolver(film).resolve(block).values.get("caption", ""))
    except ShotFault as fault:
        words = fault.text
    return printable(block.name, 48), status, printable(words)
