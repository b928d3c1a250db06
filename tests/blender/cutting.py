"""What an editor does in a sequencer, at random."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import bpy

from rushes_blender.strips import compat
from rushes_blender.strips.compat import LEFT, LENGTH, RIGHT, START, get, put, strips

Edit = Callable[[bpy.types.Scene, Random], None]

FAR = 5000


def move(scene: bpy.types.Scene, random: Random) -> None:
    strip = _one(scene, random)
    if strip is not None:
        put(strip, START, get(strip, START) + max(random.randint(-60, 60), 1 - get(strip, LEFT)))


def ripple(scene: bpy.types.Scene, random: Random) -> None:
    """All that lies behind a frame goes the same way."""
    at, by = random.randint(0, 300), random.randint(1, 50)
    for strip in sorted(_own(scene), key=lambda strip: -get(strip, LEFT)):
        if get(strip, LEFT) >= at:
            put(strip, START, get(strip, START) + by)


def trim_left(scene: bpy.types.Scene, random: Random) -> None:
    strip = _one(scene, random)
    if strip is not None and get(strip, RIGHT) - get(strip, LEFT) > 6:
        put(strip, LEFT, get(strip, LEFT) + random.randint(1, 4))


def trim_right(scene: bpy.types.Scene, random: Random) -> None:
    """Shorter or longer, as far as the medium goes."""
    strip = _one(scene, random)
    if strip is not None:
        ends = get(strip, START) + get(strip, LENGTH)
        put(strip, RIGHT, random.randint(get(strip, LEFT) + 2, max(ends, get(strip, LEFT) + 2)))


def blade(scene: bpy.types.Scene, random: Random) -> None:
    strip = _one(scene, random)
    if strip is not None and get(strip, RIGHT) - get(strip, LEFT) > 4:
        strip.split(frame=random.randint(get(strip, LEFT) + 1, get(strip, RIGHT) - 1), split_method="SOFT")


def copy(scene: bpy.types.Scene, random: Random) -> None:
    """By Blender's operator: copies carry our marks."""
    strip = _one(scene, random)
    if strip is None:
        return
    _select(scene, strip)
    with sequencer():
        bpy.ops.sequencer.duplicate()
    for each in compat.selected_strips(scene):
        put(each, START, get(each, START) + FAR + random.randint(0, 1000))


def delete(scene: bpy.types.Scene, random: Random) -> None:
    strip = _one(scene, random)
    if strip is not None:
        strips(scene.sequence_editor).remove(strip)


def mute(scene: bpy.types.Scene, random: Random) -> None:
    strip = _one(scene, random)
    if strip is not None:
        strip.mute = not strip.mute


def meta(scene: bpy.types.Scene, random: Random) -> None:
    """A strip put into a meta strip of its own."""
    strip = _one(scene, random)
    if strip is not None:
        _select(scene, strip)
        with sequencer():
            bpy.ops.sequencer.meta_make()


def colour(scene: bpy.types.Scene, random: Random) -> None:
    """A strip that is none of ours, out of the way of all others."""
    channel = 8 + len(strips(scene.sequence_editor)) % 20
    left = random.randint(0, 300)
    compat.new_effect(scene.sequence_editor, "colour", "COLOR", channel, left, left + 20)


EDITS: tuple[Edit, ...] = (move, ripple, trim_left, trim_right, blade, copy, delete, mute, meta, colour)
"""None lets two strips overlap on one channel for longer than Blender needs to put one of them on another."""


def sequencer() -> bpy.types.ContextTempOverride:  # what its operators need around them
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    region = next(each for each in area.regions if each.type == "WINDOW")
    return bpy.context.temp_override(window=window, area=area, region=region)


def _select(scene: bpy.types.Scene, strip: bpy.types.Strip) -> None:
    for each in compat.strips_all(scene):
        each.select = each == strip


def _own(scene: bpy.types.Scene) -> list[bpy.types.Strip]:
    """Movies that lie in no meta strip: what is within moves with that."""
    return [strip for strip in strips(scene.sequence_editor) if strip.type == "MOVIE"]


def _one(scene: bpy.types.Scene, random: Random) -> bpy.types.Strip | None:
    own = _own(scene)
    return random.choice(own) if own else None
