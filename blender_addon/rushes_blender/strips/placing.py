"""Where strips lie, and what of their medium they show, changed without moving anything else.

Blender puts a strip that overlaps another one, be it for a moment, on another channel; and whatever moves the
content moves the keyframes. So a strip is trimmed far away from all others, and its keyframes are put back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy

from .compat import (
    CUT_END,
    CUT_START,
    HEAD,
    LAST_CHANNEL,
    LEFT,
    RIGHT,
    START,
    Strip,
    curve_path,
    curves,
    get,
    inputs,
    played,
    put,
    siblings,
    strips_all,
)

_MARGIN = 1000
_FARTHEST = 1 << 22
"""Two days of film. Blender counts in 32-bit floats: the sum of three such frames is still exact."""


class Spots:
    """Which frames of which channels are taken."""

    def __init__(self, strips: Iterable[Strip]) -> None:
        self._taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.end = 0
        for strip in strips:
            self.take(strip.channel, get(strip, LEFT), get(strip, RIGHT))

    def take(self, channel: int, left: int, right: int) -> None:
        """Something lies there from now on."""
        self._taken[channel].append((left, right))
        self.end = max(self.end, right)

    def is_free(self, channel: int, left: int, right: int) -> bool:
        """Whether nothing lies there over [left, right). To lay a strip onto another hangs 4.5 for ever."""
        return not any(a < right and left < b for a, b in self._taken[channel])

    def above(self, channel: int, left: int, right: int) -> int:
        """The lowest channel above `channel` that is free there, 0 where none is."""
        higher = range(channel + 1, LAST_CHANNEL + 1)
        return next((each for each in higher if self.is_free(each, left, right)), 0)

    def away(self, *offsets: int) -> int:
        """A frame beyond everything: content that begins there overlaps nothing, if its head is one of these."""
        return self.end + _MARGIN + max(0, 0, *(-each for each in offsets))


def is_too_far(*frames: int) -> bool:
    """Whether Blender could lose whole frames there, and put a strip elsewhere than it was told to."""
    return any(abs(frame) > _FARTHEST for frame in frames)


def lay(strip: Strip, left: int, right: int, head: int, away: int) -> bool:
    """Put the handles at [left, right) with content frame `head` under the left one, by way of the frame `away`.

    The spot must be free. True where it is so afterwards. The strip's keyframes move as far as its content does.
    """
    wanted = (left, right, left - head, strip.channel)
    if get(strip, START) != left - head:
        put(strip, START, away)
        _handles(strip, away + head, away + head + right - left)
        put(strip, START, left - head)
    _handles(strip, left, right)
    return (get(strip, LEFT), get(strip, RIGHT), get(strip, START), strip.channel) == wanted


def slip(scene: bpy.types.Scene, strip: Strip, left: int, right: int, head: int) -> bool:
    """The same for a strip that is being cut with: its keyframes, those of the effects over it, and every other
    strip stay where they are."""
    if get(strip, START) == left - head:
        return lay(strip, left, right, head, 0)  # trimming moves no keyframes
    with _keyframes_kept(scene, strip):
        return lay(strip, left, right, head, Spots(siblings(scene, strip)).away(head, get(strip, HEAD)))


def uncut(scene: bpy.types.Scene, strip: Strip) -> None:
    """Make trims of hard cuts, which are counted in frames of this very medium. Nothing that is seen changes."""
    if not any(cut_of(strip)):
        return
    left, right, first = get(strip, LEFT), get(strip, RIGHT), first_of(strip)
    with _keyframes_kept(scene, strip):
        away = Spots(siblings(scene, strip)).away(-played(strip), *cut_of(strip))
        put(strip, START, away)
        put(strip, CUT_START, 0)
        put(strip, CUT_END, 0)
        lay(strip, left, right, head_for(strip, first), away)


def cut_of(strip: Strip) -> tuple[int, int]:
    """How many frames hard cuts took off the medium's front and end."""
    if not hasattr(strip, CUT_START):
        return 0, 0
    return get(strip, CUT_START), get(strip, CUT_END)


def first_of(strip: Strip) -> int:
    """The media frame under the left handle, by the strip's own frames."""
    return cut_of(strip)[0] + _turned(strip, get(strip, HEAD))


def head_for(strip: Strip, first: int) -> int:
    """Where in the content the left handle is when it shows media frame `first`: `first_of` turned round."""
    return _turned(strip, first - cut_of(strip)[0])


def _turned(strip: Strip, frame: int) -> int:
    """`frame` of a strip that runs forwards; of one that runs backwards, counted from the other end."""
    return played(strip) - 1 - frame if getattr(strip, "use_reverse_frames", False) else frame


def over(scene: bpy.types.Scene, strip: Strip) -> list[Strip]:
    """The effects that are made of the strip, directly or not."""
    found = [strip]
    effects = [(each, inputs(each)) for each in strips_all(scene) if hasattr(each, "input_1")]
    for below in found:
        found += [each for each, made_of in effects if below in made_of and each not in found]
    return found[1:]


def _handles(strip: Strip, left: int, right: int) -> None:
    """The farther one first: a handle cannot pass the other."""
    order = ((RIGHT, right), (LEFT, left)) if left >= get(strip, RIGHT) else ((LEFT, left), (RIGHT, right))
    for handle, frame in order:
        if get(strip, handle) != frame:
            put(strip, handle, frame)


@contextmanager
def _keyframes_kept(scene: bpy.types.Scene, strip: Strip) -> Iterator[None]:
    """The keyframes of the strip and of the effects over it are afterwards where they were."""
    found = curves(scene)
    paths = tuple(curve_path(each) for each in (strip, *over(scene, strip))) if found else ()
    was = [(curve, _points(curve)) for curve in found if curve.data_path.startswith(paths)]
    yield
    for curve, points in was:
        if _points(curve) != points:
            for part, values in points.items():
                curve.keyframe_points.foreach_set(part, values)
            curve.update()


def _points(curve: bpy.types.FCurve) -> dict[str, list[float]]:
    found = {}
    for part in ("co", "handle_left", "handle_right"):
        found[part] = [0.0] * (2 * len(curve.keyframe_points))
        curve.keyframe_points.foreach_get(part, found[part])
    return found
