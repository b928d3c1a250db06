"""The cut as one movie: video tracks flattened, gaps black, dissolves mixed, exactly as long as the cut.

The uppermost enabled item with a picture is seen, and what stands on the audio tracks is heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rushes.export.pictures import Pictures, mixed
from rushes.export.sound import Sound
from rushes.generators.base import Frame
from rushes.stages.encode import Encoder, EncodeSpec
from rushes.store.durable import replace_with
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film
from rushes_otio.items import Item
from rushes_otio.tracks import Track

Progress = Callable[[int, int], None]

VISIBLE = ("Clip", "Stack")


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame of the cut: its number from 0, its picture, and the item that is seen, None for black."""

    at: int
    picture: Frame
    item: Item | None


Finish = Callable[[Shown], Frame]
"""What becomes of a frame before it is encoded; `Shown.picture` itself is never written to."""


@dataclass(frozen=True, slots=True)
class _Dissolve:
    """A transition: from `first` up to but not including `end`, between two neighbours of its place."""

    index: int
    first: int
    end: int


def plain(shown: Shown) -> Frame:
    """The picture as it is."""
    return shown.picture


def export_movie(
    film: Film,
    pictures: Pictures,
    out: Path,
    codec: str,
    progress: Progress,
    sound: Sound | None = None,
    finish: Finish = plain,
) -> None:
    """Write the cut to `out` as a whole, or not at all. `codec` is a name of `stages.encode`.

    Without a `sound`, or with one that has nothing to mix, the movie has no sound track.
    """
    if film.length < 1:
        raise BadRequest("the cut is empty", where=film.where, remedy="add a shot, or trim the tail of the film")
    timecode = film.rate.timecode(record_start(film))
    spec = EncodeSpec(pictures.size, str(film.rate), codec, timecode, "", {"title": film.name})
    part = out.with_name(f".{out.name}.part")
    mix = sound.mixed(part.with_name(f"{part.name}.sound")) if sound else nullcontext()
    with mix as mixed_sound, Encoder(part, spec, mixed_sound) as encoder:
        for shown in frames(film, pictures):
            encoder.write(finish(shown))
            progress(shown.at + 1, film.length)
    replace_with(part, out)


def record_start(film: Film) -> int:
    """The timecode of the cut's first frame, in frames from 00:00:00:00."""
    start = film.global_start
    return round(start.frames_at(float(film.rate))) if start else film.rate.shot_zero


def frames(film: Film, pictures: Pictures) -> Iterator[Shown]:
    """Every frame of the cut in order."""
    width, height = pictures.size
    black = np.zeros((height, width, 3), np.uint8)
    layers = [_Layer(track, pictures) for track in reversed(film.video) if track.enabled]
    for at in range(film.length):
        seen = (layer.shown(at, black) for layer in layers)
        yield next((shown for shown in seen if shown is not None), Shown(at, black, None))


class _Layer:
    """One track, walked from its beginning to its end."""

    def __init__(self, track: Track, pictures: Pictures) -> None:
        self._track = track
        self._pictures = pictures
        self._index = 0
        self._dissolves = [
            _Dissolve(i, round(item.start - item.in_offset), round(item.start + item.out_offset))
            for i, item in enumerate(track.items)
            if item.kind == "Transition"
        ]

    def shown(self, at: int, black: Frame) -> Shown | None:
        """What the track shows at a record frame, None where the tracks below are seen."""
        while self._dissolves and self._dissolves[0].end <= at:
            self._dissolves.pop(0)
        if self._dissolves and self._dissolves[0].first <= at:
            return self._dissolved(self._dissolves[0], at, black)
        items = self._track.items
        while self._index < len(items) and round(items[self._index].start + items[self._index].length) <= at:
            self._index += 1
        return self._single(self._index, at)

    def _dissolved(self, dissolve: _Dissolve, at: int, black: Frame) -> Shown:
        part = (at - dissolve.first + 0.5) / max(1, dissolve.end - dissolve.first)
        nothing = Shown(at, black, None)
        left, right = (self._single(dissolve.index + step, at) or nothing for step in (-1, 1))
        item = (right.item or left.item) if part >= 0.5 else (left.item or right.item)
        return Shown(at, mixed(left.picture, right.picture, part), item)

    def _single(self, index: int, at: int) -> Shown | None:
        items = self._track.items
        if not 0 <= index < len(items) or not _is_visible(items[index]):
            return None
        picture = self._pictures.frame(self._track, index, at - round(items[index].start))
        return Shown(at, picture, items[index])


def _is_visible(item: Item) -> bool:
    return item.kind in VISIBLE and item.enabled
