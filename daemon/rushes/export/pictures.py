"""Where the picture of an item in the cut comes from: a take, footage that is online, or a slate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from rushes.export.slates import slate
from rushes.generators.base import Frame
from rushes.media.frames import iter_frames
from rushes.media.probe import probe
from rushes.stages.finish import FinishSpec, conform
from rushes.store.mentioned import MentionedFiles
from rushes_otio.cut import speed
from rushes_otio.errors import RushesError
from rushes_otio.film import Film, Track
from rushes_otio.items import Item

AHEAD = 48
"""A reader decodes on to a frame that is this near; from farther away it starts anew."""


@dataclass(slots=True)
class Reader:
    """Frames of one movie file, mostly asked for in order."""

    path: Path
    length: int = 0
    _frames: Iterator[Frame] | None = None
    _next: int = 0
    _last: Frame | None = None

    def frame(self, number: int) -> Frame:
        """One frame; past the end the last one holds, before the beginning the first."""
        self.length = self.length or probe(self.path).frames
        number = min(max(number, 0), self.length - 1)
        if self._last is not None and number == self._next - 1:
            return self._last
        if self._frames is None or not 0 <= number - self._next < AHEAD:
            self._frames, self._next = iter_frames(self.path, number), number
        for frame in self._frames:
            self._last, self._next = frame, self._next + 1
            if self._next > number:
                return frame
        raise AssertionError("the probe counted more frames than there are")


@dataclass(slots=True)
class Pictures:
    """Pictures of items at `size`. `lost` collects what could not be shown, by item."""

    film: Film
    files: MentionedFiles
    size: tuple[int, int]
    rate: str
    lost: dict[str, str] = field(default_factory=dict)
    _readers: dict[str, Reader | None] = field(default_factory=dict)
    _slates: dict[str, Frame] = field(default_factory=dict)

    def frame(self, track: Track, index: int, at: int) -> Frame:
        """What the item shows `at` frames after its in-point (negative or past the end under a transition)."""
        item = track.items[index]
        reader = self._reader(item)
        if reader is None:
            return self._slate(item)
        try:
            return self._sized(reader.frame(_media_frame(self.film, item, at)))
        except RushesError as e:
            self._readers[_url(item)] = None
            self.lost[self._name(item)] = f"its media cannot be read, so it is a slate: {e.text}"
            return self._slate(item)

    def _reader(self, item: Item) -> Reader | None:
        url = _url(item)
        if url not in self._readers:
            self._readers[url] = self._opened(item, url)
        return self._readers[url]

    def _opened(self, item: Item, url: str) -> Reader | None:
        if not url:
            self.lost[self._name(item)] = "it has no media yet, so it is a slate"
            return None
        try:
            return Reader(self.files.locate(url, self._name(item)))
        except RushesError as e:
            self.lost[self._name(item)] = f"it is offline, so it is a slate: {e.text}"
            return None

    def _name(self, item: Item) -> str:
        return item.use or item.name

    def _slate(self, item: Item) -> Frame:
        key = item.use or item.name
        if key not in self._slates:
            self._slates[key] = slate(self.film, item, self.size)
        return self._slates[key]

    def _sized(self, frame: Frame) -> Frame:
        height, width, _ = frame.shape
        if (width, height) == self.size:
            return frame
        return next(conform([frame], FinishSpec(self.size, self.rate, "fit", "repeat"), self.rate))


def _url(item: Item) -> str:
    media = item.default_media
    return (media.target_url or "") if media is not None and media.online else ""


def _media_frame(film: Film, item: Item, at: int) -> int:
    """The frame of the media file that is shown, counted from the file's first."""
    media, rate = item.default_media, float(film.rate)
    first = media.available_range.start_time.frames_at(rate) if media and media.available_range else 0.0
    start = item.source.start_time.frames_at(rate) if item.source else first
    pace = speed(item)
    if any(scalar < 0 for scalar in item.warps):
        at = round(item.length) - 1 - at
    return round(start - first) + math.floor(at * pace + 1e-6)


def mixed(left: Frame, right: Frame, part: float) -> Frame:
    """Two pictures, `part` of the second."""
    blended = Image.blend(Image.fromarray(left), Image.fromarray(right), part)
    return np.asarray(blended)
