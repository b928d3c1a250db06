"""Where the picture of an item in the cut comes from: a take, footage that is online, or a slate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from rushes.export.slates import Card
from rushes.generators.base import Frame
from rushes.limited import foreign
from rushes.media.frames import iter_frames
from rushes.media.probe import Probe, probe
from rushes.stages.finish import FinishSpec, conform
from rushes.store.mentioned import MentionedFiles
from rushes.store.takes import parse_take_name
from rushes_otio.cut import speed
from rushes_otio.errors import RushesError
from rushes_otio.film import Film
from rushes_otio.items import Item
from rushes_otio.resolve import Resolver
from rushes_otio.tracks import Track

AHEAD = 48
"""A reader decodes on to a frame that is this near; from farther away it starts anew."""

BLOCK = 12
"""Frames a reader decodes and keeps at a time while it is asked backwards."""

OPEN_FILES = 6
"""Movies that are kept open; each holds a decoder with its threads, footage a process of its own."""

ALMOST = 1e-3
"""What a frame number may lack of a whole one: files write times at other rates with few digits."""


@dataclass(frozen=True, slots=True)
class Opener:
    """How a movie file is read: what it is, and its frames from one on."""

    probe: Callable[[Path], Probe]
    frames: Callable[[Path, int], Iterator[Frame]]


TAKE = Opener(probe, iter_frames)
FOOTAGE = Opener(foreign.probe, foreign.iter_frames)


@dataclass(slots=True)
class Reader:
    """Frames of one movie file of `length` frames, mostly asked for one after the other, forwards or backwards."""

    path: Path
    length: int
    opener: Opener
    _frames: Iterator[Frame] | None = None
    _next: int = 0
    _kept: dict[int, Frame] = field(default_factory=dict)

    def frame(self, number: int) -> Frame:
        """One frame; past the end the last one holds, before the beginning the first."""
        number = min(max(number, 0), self.length - 1)
        if number not in self._kept:
            self._fetch(number)
        return self._kept[number]

    def _fetch(self, number: int) -> None:
        back = number < self._next
        first = max(0, number - BLOCK + 1) if back else number
        if self._frames is None or back or number - self._next >= AHEAD:
            self._frames, self._next = self.opener.frames(self.path, first), first
        self._kept = {}
        while self._next <= number:
            frame = next(self._frames)
            if self._next >= first:
                self._kept[self._next] = frame
            self._next += 1


@dataclass(slots=True)
class Pictures:
    """Pictures of items at `size`. `lost` collects what could not be shown, by item."""

    film: Film
    files: MentionedFiles
    size: tuple[int, int]
    rate: str
    lost: dict[str, str] = field(default_factory=dict)
    _movies: dict[str, tuple[Path, int, Opener] | None] = field(default_factory=dict)
    _readers: dict[Item, Reader] = field(default_factory=dict)
    _slates: dict[str, Frame] = field(default_factory=dict)

    def frame(self, track: Track, index: int, at: int) -> Frame:
        """What the item shows `at` frames after its in-point (negative or past the end under a transition)."""
        item = track.items[index]
        reader = self._reader(item)
        if reader is None:
            return self._slate(item)
        number = _media_frame(self.film, item, at)
        if not 0 <= number < reader.length:
            short = f"the cut shows frames that its media of {reader.length} does not have; its last picture holds"
            self.lost.setdefault(self._name(item), short)
        try:
            return self._sized(reader.frame(number))
        except RushesError as e:
            self._movies[_url(item)] = None
            self.lost[self._name(item)] = f"its media cannot be read, so it is a slate: {e.text}"
            return self._slate(item)

    def _reader(self, item: Item) -> Reader | None:
        """Each item has its own, so that two uses of one file can be mixed without seeking to and fro."""
        url = _url(item)
        if url not in self._movies:
            self._movies[url] = self._found(item, url)
        movie = self._movies[url]
        if movie is None:
            self.lost.setdefault(self._name(item), "it has no media that can be read, so it is a slate")
            return None
        reader = self._readers.pop(item, None) or Reader(*movie)
        self._readers[item] = reader  # the last one in the dict is the one used last
        if len(self._readers) > OPEN_FILES:
            del self._readers[next(iter(self._readers))]
        return reader

    def _found(self, item: Item, url: str) -> tuple[Path, int, Opener] | None:
        if not url:
            self.lost[self._name(item)] = "it has no media yet, so it is a slate"
            return None
        try:
            path = self.files.locate(url, self._name(item))
            opener = TAKE if _is_take(item, path) else FOOTAGE
            return path, opener.probe(path).frames, opener
        except RushesError as e:
            self.lost[self._name(item)] = f"it is offline, so it is a slate: {e.text}"
            return None

    def _name(self, item: Item) -> str:
        return item.use or item.name

    def _slate(self, item: Item) -> Frame:
        key = item.use or item.name
        if key not in self._slates:
            self._slates[key] = Card.of(item, Resolver(self.film), self.size).drawn()
        return self._slates[key]

    def _sized(self, frame: Frame) -> Frame:
        height, width, _ = frame.shape
        if (width, height) == self.size:
            return frame
        return next(conform([frame], FinishSpec(self.size, self.rate, "fit", "repeat"), self.rate))


def _url(item: Item) -> str:
    media = item.default_media
    return (media.target_url or "") if media is not None and media.online else ""


def _is_take(item: Item, path: Path) -> bool:
    """Whether the file is the take that the item's shot has chosen; all else comes from outside."""
    block = item.block
    if block is None or block.chosen is None:
        return False
    return parse_take_name(path.name) == (block.shot, block.chosen.take)


def _media_frame(film: Film, item: Item, at: int) -> int:
    """The frame of the media file that is shown, counted from the file's first at the file's own rate."""
    known, rate = item.default_media, float(film.rate)
    range_ = known.available_range if known else None
    own = range_.start_time.rate if range_ and not range_.start_time.is_at(rate) else rate
    first = range_.start_time.value if range_ else 0.0
    start = item.source.start_time.frames_at(own) if item.source else first
    if sum(scalar < 0 for scalar in item.warps) % 2:
        at = round(item.length) - 1 - at
    return math.floor(start - first + at * speed(item) * own / rate + ALMOST)


def mixed(left: Frame, right: Frame, part: float) -> Frame:
    """Two pictures, `part` of the second."""
    blended = Image.blend(Image.fromarray(left), Image.fromarray(right), part)
    return np.asarray(blended)
