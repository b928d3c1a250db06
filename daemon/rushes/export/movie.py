"""The cut as one movie: video tracks flattened, gaps black, dissolves mixed, exactly as long as the cut.

The uppermost enabled item with a picture is seen. Silent; audio tracks are reported as lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rushes.export.pictures import Pictures, mixed
from rushes.generators.base import Frame
from rushes.stages.encode import Encoder, EncodeSpec
from rushes.store.durable import replace_with
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film, Track
from rushes_otio.items import Item

Progress = Callable[[int, int], None]

VISIBLE = ("Clip", "Stack")


@dataclass(frozen=True, slots=True)
class _Dissolve:
    """A transition: from `first` up to but not including `end`, between two neighbours of its place."""

    index: int
    first: int
    end: int


def export_movie(film: Film, pictures: Pictures, out: Path, codec: str, progress: Progress) -> None:
    """Write the cut to `out` as a whole, or not at all. `codec` is a name of `stages.encode`."""
    if film.length < 1:
        raise BadRequest("the cut is empty", where=film.where, remedy="add a shot, or trim the tail of the film")
    start = film.global_start
    timecode = film.rate.timecode(round(start.frames_at(float(film.rate))) if start else film.rate.shot_zero)
    spec = EncodeSpec(pictures.size, str(film.rate), codec, timecode, "", {"title": film.name})
    part = out.with_name(f".{out.name}.part")
    with Encoder(part, spec) as encoder:
        for number, frame in enumerate(frames(film, pictures)):
            encoder.write(frame)
            progress(number + 1, film.length)
    replace_with(part, out)


def frames(film: Film, pictures: Pictures) -> Iterator[Frame]:
    """Every frame of the cut in order."""
    width, height = pictures.size
    black = np.zeros((height, width, 3), np.uint8)
    layers = [_Layer(track, pictures) for track in reversed(film.video) if track.enabled]
    for at in range(film.length):
        seen = (layer.frame(at, black) for layer in layers)
        yield next((frame for frame in seen if frame is not None), black)


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

    def frame(self, at: int, black: Frame) -> Frame | None:
        """The track's picture at a record frame, None where the tracks below are seen."""
        while self._dissolves and self._dissolves[0].end <= at:
            self._dissolves.pop(0)
        if self._dissolves and self._dissolves[0].first <= at:
            return self._dissolved(self._dissolves[0], at, black)
        items = self._track.items
        while self._index < len(items) and round(items[self._index].start + items[self._index].length) <= at:
            self._index += 1
        return self._shown(self._index, at)

    def _dissolved(self, dissolve: _Dissolve, at: int, black: Frame) -> Frame:
        part = (at - dissolve.first + 0.5) / max(1, dissolve.end - dissolve.first)
        left, right = self._shown(dissolve.index - 1, at), self._shown(dissolve.index + 1, at)
        return mixed(black if left is None else left, black if right is None else right, part)

    def _shown(self, index: int, at: int) -> Frame | None:
        items = self._track.items
        if not 0 <= index < len(items) or not _is_visible(items[index]):
            return None
        return self._pictures.frame(self._track, index, at - round(items[index].start))


def _is_visible(item: Item) -> bool:
    return item.kind in VISIBLE and item.enabled
