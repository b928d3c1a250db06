"""Where a new shot goes: over the preview range, or into the gap at the playhead."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .. import scenes
from ..strips import compat
from .meaning import displayed

if TYPE_CHECKING:
    from .meaning import Scene, Strip


class Spot(NamedTuple):
    """Scene frames [left, right) of a channel on which nothing lies."""

    channel: int
    left: int
    right: int


def find(scene: Scene, frames: int) -> Spot | None:
    """The preview range where there is one; else the gap at the playhead, all of it where a strip ends it, and
    `frames` of it where none does. On the active strip's channel, or the next one above that is free there."""
    strips = displayed(scene)
    for channel in range(_first_channel(scene, strips), compat.LAST_CHANNEL + 1):
        left, right = _wanted(scene, [strip for strip in strips if strip.channel == channel], frames)
        if right > left:
            return Spot(channel, left, right)
    return None


def _first_channel(scene: Scene, strips: list[Strip]) -> int:
    """That of the active strip; for one of sound, and without one, the lowest that holds no sound."""
    active = compat.active_strip(scene)
    if active is not None and active.type != "SOUND" and active in strips:
        return int(active.channel)
    sound = {strip.channel for strip in strips if strip.type == "SOUND"}
    return next(channel for channel in range(1, compat.LAST_CHANNEL + 1) if channel not in sound)


def _wanted(scene: Scene, strips: list[Strip], frames: int) -> tuple[int, int]:
    """Nothing, as an empty range, where the channel is not free."""
    if scene.use_preview_range:
        left, right = scene.frame_preview_start, scene.frame_preview_end + 1
        return (left, left) if _overlapping(strips, left, right) else (left, right)
    at = scene.frame_current
    if _overlapping(strips, at, at + 1):
        return at, at
    after = [compat.get(strip, compat.LEFT) for strip in strips if compat.get(strip, compat.LEFT) > at]
    if not after:
        return at, at + frames
    before = [compat.get(strip, compat.RIGHT) for strip in strips if compat.get(strip, compat.RIGHT) <= at]
    return max(before, default=min(at, scenes.zero(scene))), min(after)


def _overlapping(strips: list[Strip], left: int, right: int) -> bool:
    return any(
        compat.get(strip, compat.LEFT) < right and compat.get(strip, compat.RIGHT) > left for strip in strips
    )
