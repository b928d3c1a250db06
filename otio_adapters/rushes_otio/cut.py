"""What the cut asks of a shot: which of its frames are shown, by all uses, through time warps and transitions.

Frames are shot frames: 0 is 01:00:00:00, where every take begins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.errors import ShotFault
from rushes_otio.film import Film, Shot
from rushes_otio.items import Item, Range
from rushes_otio.tracks import Track


@dataclass(frozen=True, slots=True)
class Span:
    """Shot frames from `first` up to but not including `end`."""

    first: int
    end: int


def shown(film: Film, track: Track, index: int) -> Span:
    """The shot frames that one use shows, transitions on both sides included.

    With a speed s, output frame i shows media frame `start + floor(i * s)` (the way OpenTimelineIO's
    LinearTimeWarp scales a clip whose duration is counted on the track); a reversed clip shows the same frames.
    A ramp (TimeEffect) does not say which frames it shows, so its source range is taken.
    """
    item = track.items[index]
    if item.source is None:
        media = item.default_media
        return Span(0, round(media.available_range.duration.value) if media and media.available_range else 0)
    zero = film.rate.shot_zero
    start = _whole(item.source, item, film)[0] - zero
    before, after = transitions(track, index)
    pace = speed(item)
    if item.length <= 0:
        return Span(start, start)
    first = start + math.floor(-before * pace)
    last = start + math.floor((item.length - 1 + after) * pace + 1e-6)
    return Span(first, last + 1)


def _whole(source: Range, item: Item, film: Film) -> tuple[int, int]:
    rate = float(film.rate)
    start, duration = source.start_time.frames_at(rate), source.duration.frames_at(rate)
    if abs(start - round(start)) > 1e-3 or abs(duration - round(duration)) > 1e-3:
        raise ShotFault(
            f"the clip starts or ends between two frames ({start:g}, {duration:g} frames long)",
            where=f"{film.where}: {item.name}",
            remedy=f"trim it to whole frames at {film.rate}",
        )
    return round(start), round(duration)


def speed(item: Item) -> float:
    """Media frames per frame on the track, by all time warps of an item together; a ramp counts as 1."""
    factor = 1.0
    for scalar in item.warps:
        factor *= 1.0 if math.isnan(scalar) else abs(scalar)
    return factor


def transitions(track: Track, index: int) -> tuple[float, float]:
    """Frames shown before the in-point and after the out-point, by the transitions beside an item. In the order
    of the media: what fades in at the head of a reversed clip lies after its out-point.
    """
    before = track.items[index - 1] if index > 0 else None
    after = track.items[index + 1] if index + 1 < len(track.items) else None
    head = before.in_offset if before is not None and before.kind == "Transition" else 0.0
    tail = after.out_offset if after is not None and after.kind == "Transition" else 0.0
    backwards = sum(scalar < 0 for scalar in track.items[index].warps) % 2
    return (tail, head) if backwards else (head, tail)


def needed_frames(film: Film, shot: Shot) -> int:
    """Frames from shot frame 0 that a take must have to cover every use.

    ShotFault when a use asks for frames before 0: takes have handles at the tail only.
    """
    end = 0
    for track, index in shot.uses:
        span = shown(film, track, index)
        if span.first < 0:
            raise ShotFault(
                f"the cut shows {-span.first} frames before the shot's first frame "
                f"({track.label}, record frame {track.items[index].start:.0f})",
                where=f"{film.where}: shot {shot.block.name} ({shot.block.shot})",
                remedy="trim the in-point or the transition, or make it a shot of its own: rushes fork",
            )
        end = max(end, span.end)
    return end


def conflict(film: Film, shot: Shot) -> ShotFault | None:
    """The fault of a shot whose uses carry different blocks (somebody edited one of them), else None."""
    if len(shot.uses) < 2:
        return None
    blocks = [_block_of(item) for item in shot.items]
    for item, block in zip(shot.items[1:], blocks[1:], strict=True):
        if block != blocks[0]:
            fields = sorted(k for k in block.keys() | blocks[0].keys() if block.get(k) != blocks[0].get(k))
            return ShotFault(
                f"its uses {shot.items[0].use} and {item.use} say different things: {', '.join(fields)}",
                where=f"{film.where}: shot {shot.block.name} ({shot.block.shot})",
                remedy="rushes set the field that should hold for both, or rushes fork one of the uses",
            )
    return None


def _block_of(item: Item) -> dict[str, Any]:
    # Only our block: the rest may hold numbers that cannot be decoded, and need not be.
    clip = rawjson.open_object(item.raw, item.name)
    block = rawjson.open_object(rawjson.member(clip, "metadata", item.name)["rushes"], item.name)
    return {key: _comparable(raw) for key, raw in block.items() if key != "use"}


def _comparable(raw: Raw) -> object:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return bytes(raw)
