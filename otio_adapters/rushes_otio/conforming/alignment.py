"""Source ranges of two cuts, counted in one way: files change their start timecode on the way."""

from __future__ import annotations

import math

from rushes_otio.conforming.returned import Placed
from rushes_otio.conforming.standins import stands_for
from rushes_otio.cut import speed

SLACK = 1e-3

_NEAR = 12  # five minutes of an hour


def run(clip: Placed) -> float:
    """How many frames of its file a clip runs through."""
    return clip.length * speed(clip.item)


def media_span(old: Placed) -> tuple[float, float]:
    """First frame and end of the file that a clip of the film shows, as far as is known."""
    start = old.first if old.media_start is None else min(old.media_start, old.first)
    known = (old.media_start or 0.0) + old.media_length if old.media_length else 0.0
    return start, max(known, old.first + run(old))


def first_in(new: Placed, old: Placed, hour: float) -> float | None:
    """Where the source range of `new` starts, counted as the file of `old` counts; None where that cannot be told.

    `hour` is the frames of an hour of timecode. A range inside the old file is taken as it is. Else its distance
    from the file's beginning counts; where the cut does not say where its file begins, from the last whole hour:
    files begin at one, or at 0.
    """
    if stands_for(new.url):  # it begins where its clip does
        begin = new.media_start if new.media_start is not None else new.first - math.fmod(new.first, hour)
        return old.first + new.first - begin
    start, end = media_span(old)
    if start - SLACK <= new.first and new.first + run(new) <= end + SLACK:
        return new.first
    if new.media_start is not None:
        if old.media_start is None or new.media_start == old.media_start:
            return new.first
        return new.first - new.media_start + old.media_start
    since_hour = math.fmod(new.first, hour)
    moved = start - math.fmod(start, hour) + since_hour
    if start - SLACK <= moved < end:
        return moved
    return new.first if new.first < end and start < new.first + run(new) else None


def likely_begin(first: float, hour: float) -> float:
    """Where a file begins of which only a range is known: at the last whole hour, or at the next if that is near:
    a clip may have been slipped past its file's first frame."""
    return hour * math.floor((first + hour / _NEAR) / hour)


def overlap(new: Placed, old: Placed, hour: float) -> float:
    """Frames of the file that both clips show."""
    first = first_in(new, old, hour)
    if first is None:
        return 0.0
    end = min(first + max(run(new), 1), old.first + max(run(old), 1))  # a freeze shows one frame
    return end - max(first, old.first)


def shows_last(new: Placed, old: Placed, hour: float) -> bool:
    """Whether `new` shows the last frame that `old` shows: on a blade that half goes on as the old clip."""
    first = first_in(new, old, hour)
    last = old.first + max(run(old) - 1, 0)
    return first is not None and first - SLACK <= last < first + max(run(new), 1) - SLACK
