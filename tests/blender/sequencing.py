"""Strips laid, and what they show read back, for tests of the sequencer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from rushes_blender.strips.compat import LEFT, RIGHT, START, curves, get, new_effect, strips
from rushes_blender.strips.placing import lay

FAR = 100_000

Pixel = Callable[..., tuple[int, int, int]]


def movie(
    scene: bpy.types.Scene, path: Path, left: int, right: int, head: int = 0, channel: int = 1, name: str = ""
) -> Any:
    """A movie strip over [left, right) that shows media frame `head` first."""
    strip = strips(scene.sequence_editor).new_movie(name or path.stem, str(path), channel, FAR, fit_method="FIT")
    assert lay(strip, left, right, head, FAR)
    return strip


def speed(scene: bpy.types.Scene, strip: bpy.types.Strip, factor: float, channel: int) -> Any:
    """A speed effect over all of the strip, as an editor makes it."""
    spot = strip.name, "SPEED", channel, get(strip, LEFT), get(strip, RIGHT)
    effect = new_effect(scene.sequence_editor, *spot, strip)
    effect.speed_control, effect.speed_factor, effect.use_frame_interpolate = "MULTIPLY", factor, False
    return effect


def showing(
    path: Path,
    frames: int,
    size: tuple[int, int] = (320, 180),
    zero: int = 0,
    footage: tuple[str, int] | None = None,
) -> dict[str, Any]:
    """A row of the answer to `media`."""
    told = {"path": str(path), "frames": frames, "size": list(size), "zero": zero, "footage": footage}
    return {"shot": "abcdefgh", "take": "t001", **told}


def places(scene: bpy.types.Scene) -> dict[str, tuple[int, int, int]]:
    """Channel and handles of every strip."""
    editor = scene.sequence_editor
    every = editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all
    return {strip.name: (strip.channel, get(strip, LEFT), get(strip, RIGHT)) for strip in every}


def starts(scene: bpy.types.Scene) -> dict[str, int]:
    """Where the content of every strip begins."""
    return {strip.name: get(strip, START) for strip in strips(scene.sequence_editor)}


def keyframes(scene: bpy.types.Scene) -> dict[str, list[tuple[float, float]]]:
    """Frame and value of each keyframe, by the last word of its path."""
    found = {}
    for curve in curves(scene):
        path = curve.data_path.rpartition("].")[2] or curve.data_path
        found[path] = [(round(point.co[0], 3), round(point.co[1], 5)) for point in curve.keyframe_points]
    return found


def greys(pixel: Pixel, *frames: int) -> list[int]:
    """The level of grey in the middle of each frame."""
    return [pixel(frame)[0] for frame in frames]
