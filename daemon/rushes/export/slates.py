"""Slates: cards that stand where a picture is missing, with what is to be seen there."""

from __future__ import annotations

import functools
import hashlib
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rushes.media.frames import Picture
from rushes.media.held import hold
from rushes.store.durable import fault_of, replace_with, temporary_beside
from rushes.store.places import FilmPlaces
from rushes_otio.conforming.standins import standin_name
from rushes_otio.errors import ShotFault
from rushes_otio.film import Film
from rushes_otio.items import Item
from rushes_otio.resolve import Resolver
from rushes_otio.text import printable
from rushes_otio.timing import Rate

PAPER, INK, QUIET = (24, 26, 30), (236, 232, 222), (150, 148, 140)


@dataclass(frozen=True, slots=True)
class Card:
    """What a slate says, and its size (width, height)."""

    title: str
    status: str
    words: str
    size: tuple[int, int]

    @classmethod
    def of(cls, item: Item, resolver: Resolver, size: tuple[int, int]) -> Card:
        """The card of an item without a picture, by the resolver of its film."""
        return cls(*_said(item, resolver), size)

    def drawn(self) -> Picture:
        width, height = self.size
        card = Image.new("RGB", self.size, PAPER)
        draw = ImageDraw.Draw(card)
        unit = max(8, height // 18)
        x, y = width // 12, height // 5
        draw.rectangle((x - unit, y, x - unit + max(2, unit // 5), height - y), fill=(196, 150, 60))
        draw.text((x, y), self.title, fill=INK, font=font(unit * 1.5))
        draw.text((x, y + unit * 2), self.status, fill=QUIET, font=font(unit * 0.8))
        columns = max(12, int((width - 2 * x) / (unit * 0.48)))
        for number, line in enumerate(textwrap.wrap(self.words, columns)[:6]):
            draw.text((x, y + unit * (4 + number * 1.3)), line, fill=INK, font=font(unit))
        return np.asarray(card)


@dataclass(frozen=True, slots=True)
class SlateMovie:
    """A slate of so many frames at `rate`. `whose` is a shot's id, or what a clip without a file is known by."""

    card: Card
    frames: int
    rate: Rate
    whose: str
    folder: Path

    @classmethod
    def of(cls, item: Item, card: Card, frames: int, film: Film, places: FilmPlaces) -> SlateMovie:
        whose = item.block.shot if item.block else standin_name(item)
        return cls(card, frames, film.rate, whose, slates_of(places))

    @property
    def path(self) -> Path:
        """Another one for other words, another length or another size."""
        token = hashlib.sha256(repr((self.card, self.frames, str(self.rate))).encode()).hexdigest()[:8]
        return self.folder / f"slate__{self.whose}_{token}.mov"

    def made(self) -> Path:
        """The movie, made if it is not there yet. FileFault or MediaFault when it cannot be written."""
        movie = self.path
        if movie.exists():
            return movie
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise fault_of(error, self.folder) from error
        part = temporary_beside(movie)
        timecode = self.rate.timecode(self.rate.shot_zero)
        hold(self.card.drawn(), self.frames, part, str(self.rate), timecode, self.whose)
        replace_with(part, movie)
        return movie


def slates_of(places: FilmPlaces) -> Path:
    """The folder of what stands for clips without a file."""
    return places.folder / "slates"


@functools.lru_cache(maxsize=64)
def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that Pillow carries, so that all machines agree."""
    return ImageFont.load_default(max(6, size))


def _said(item: Item, resolver: Resolver) -> tuple[str, str, str]:
    """Title, status line, and words of a card."""
    block = item.block
    if block is None:
        return printable(item.name or "clip", 48), "offline", ""
    scene = resolver.film.scene(block.scene)
    state = f"{block.chosen.take} is offline" if block.chosen else "never rendered"
    status = " · ".join(part for part in (printable(scene.name, 48) if scene else "", state) if part)
    try:
        words = str(resolver.resolve(block).values.get("caption", ""))
    except ShotFault as fault:
        words = fault.text
    return printable(block.name, 48), status, printable(words)
