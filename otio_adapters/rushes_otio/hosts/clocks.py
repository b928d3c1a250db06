"""Media frames as hosts count them, from the first frame of the file, and times as a film counts them.

    film time ──(number)──► media frame          a clip's range and speed ──(seen)──► first frame, speed in words
              ◄──(time)────                                               ◄──(start_of)──

What is computed from a row depends on the row and on its media alone, never on where the clip was before: the same
row says the same again and again.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from rushes_otio.choosing import ORIGINAL
from rushes_otio.conforming.alignment import likely_begin
from rushes_otio.conforming.marks import shot_in_name
from rushes_otio.cut import speed
from rushes_otio.items import MAX_FRAME_RATE, MAX_FRAMES, Item, Media
from rushes_otio.timing import Rate

_ALMOST = 1e-3  # files write times at other rates with few digits
_MOST_SPEED = 999_999.0


class Clock(NamedTuple):
    """`begin` is the time of the file's first frame, in frames of the film; `ratio` are media frames per film
    frame."""

    begin: float
    ratio: float

    def number(self, time: float) -> float:
        """The media frame at a time of the film's media."""
        return (time - self.begin) * self.ratio

    def time(self, number: float) -> float:
        """The time of a media frame."""
        return self.begin + number / self.ratio


def clock_of(item: Item, path: str, rate: Rate, *, sound: bool = False) -> Clock:
    """How a host that shows the file `path` for a clip of the film counts. Takes and slates of a shot begin at
    shot frame 0; the footage that it was made of begins where it does. Sound counts film frames."""
    block = item.block
    if block is not None and block.shot:
        footage = item.default_media if block.chosen is None else item.media.get(ORIGINAL)
        if footage is None or not footage.online or is_ours(path):
            return Clock(rate.shot_zero, 1.0)
        return _of_media(footage, float(block.shift), rate, sound=sound)
    unknown = likely_begin(start_time(item, rate), 3600.0 * rate.nominal)
    return _of_media(item.default_media, unknown, rate, sound=sound)


def is_ours(path: str) -> bool:
    """Whether a file is a take or a slate, by its name."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return name.startswith("slate__") or shot_in_name(name) is not None


def _of_media(media: Media | None, unknown: float, rate: Rate, *, sound: bool) -> Clock:
    """`unknown` is where the file begins if its media does not say so."""
    known = media.available_range if media is not None else None
    if known is None:
        return Clock(unknown, 1.0)
    start, film = known.start_time, float(rate)
    other = not (sound or start.is_at(film) or start.rate > MAX_FRAME_RATE)
    return Clock(start.frames_at(film), start.rate / film if other else 1.0)


def start_time(item: Item, rate: Rate) -> float:
    """Where a clip's range starts, in frames of the film."""
    media = item.default_media
    shown = item.source or (media.available_range if media is not None else None)
    return shown.start_time.frames_at(float(rate)) if shown is not None else 0.0


def seen(item: Item, clock: Clock, rate: Rate, head: int) -> tuple[int, str]:
    """The media frame that a clip shows `head` frames before its in-point, and its speed: a decimal, "" of a
    ramp."""
    number = clock.number(start_time(item, rate))
    pace = pace_of(item, clock)
    ahead = (item.length - 1 + head) * -pace if pace < 0 else -head * pace
    first = math.floor(number + ahead + _ALMOST)
    said = "" if any(math.isnan(scalar) for scalar in item.warps) else in_words(pace)
    return min(max(first, -MAX_FRAMES), MAX_FRAMES), said


def pace_of(item: Item, clock: Clock) -> float:
    """Media frames per frame of a clip, negative where it runs backwards; a ramp counts as normal speed."""
    backwards = sum(scalar < 0 for scalar in item.warps) % 2
    return speed(item) * clock.ratio * (-1 if backwards else 1)


def in_words(pace: float) -> str:
    """A speed as rows say it: the shortest decimal."""
    text = f"{max(-_MOST_SPEED, min(pace, _MOST_SPEED)):.12f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def runs_as(said: str, pace: str) -> bool:
    """Whether a row's speed is the one that it was sent with. Hosts show a ramp at normal speed."""
    return said == pace or (pace == "" and said == "1")


def frame_at(first: int, pace: float, offset: int) -> int:
    """The media frame a row shows `offset` frames after its left end; `pace` has a sign."""
    return first + math.floor(offset * pace + _ALMOST)


def start_of(first: int, pace: float, head: int, length: int, clock: Clock) -> float:
    """Where the range of a clip starts that `seen` says `first` of: it shows `length` frames, and `head` frames
    before them begins with that media frame. A clip that runs backwards shows its range from the end."""
    if pace < 0:
        return clock.time(first - math.floor((length - 1 + head) * -pace + _ALMOST))
    return clock.time(math.ceil(first + head * pace - _ALMOST))
