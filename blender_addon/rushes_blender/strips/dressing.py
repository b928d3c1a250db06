"""What a push does to the scene besides its strips: marks on strips that are there, markers, rate and size."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import bpy

from .. import scenes
from ..texts import printable
from .compat import strips_all
from .marks import mark, shot_of, use_of
from .snapshot import rate_of

MARKERS = "rushes_markers"
"""On a scene, the markers that are ours: a JSON list of names and frames."""

_LONGEST = 1 << 20
"""Characters of it: what is longer was not written here."""


def set_ids(scene: bpy.types.Scene, ids: list[dict[str, Any]]) -> int:
    """Mark strips, named by key, with the use and shot that a pull's `ids` give them. How many were changed."""
    by_name = {strip.name: strip for strip in strips_all(scene)} if ids else {}
    changed = 0
    for each in ids:
        strip, given = by_name.get(each["key"]), (each.get("use", ""), each.get("shot", ""))
        if strip is not None and (use_of(strip), shot_of(strip)) != given:
            mark(strip, *given)
            changed += 1
    return changed


def scene_markers(scene: bpy.types.Scene, found: list[dict[str, Any]]) -> int:
    """Mark where the film's scenes begin; how many. Ours that were there before go, the editor's stay, and so do
    ours that the editor has moved or renamed."""
    ours = _ours(scene)
    for marker in list(scene.timeline_markers):
        if (marker.name, marker.frame) in ours:
            scene.timeline_markers.remove(marker)
    zero = scenes.zero(scene)
    made = [scene.timeline_markers.new(printable(each["name"], 60), frame=zero + each["start"]) for each in found]
    scene[MARKERS] = json.dumps([[marker.name, marker.frame] for marker in made])
    return len(made)


def fit_scene(scene: bpy.types.Scene, answer: dict[str, Any]) -> str:
    """Give an empty scene the film's rate, size, length and view transform. In one with strips nothing is changed:
    another rate is a problem, which is returned as text."""
    rate = Fraction(answer["rate"])
    if strips_all(scene):
        mine = rate_of(scene)
        if mine == rate:
            return ""
        return f"The scene has {float(mine):.6g} frames a second, the film {float(rate):.6g}: change the scene's"
    render = scene.render
    render.fps = round(rate)
    render.fps_base = float(round(rate) / rate)
    render.resolution_x, render.resolution_y = answer["size"]
    render.resolution_percentage = 100
    if answer.get("length"):
        scene.frame_end = scenes.zero(scene) + answer["length"] - 1
    return _standard(scene)


def _standard(scene: bpy.types.Scene) -> str:
    """Colours as they are in the files."""
    try:
        scene.view_settings.view_transform = "Standard"
    except TypeError:
        return "The colour settings of this Blender have no Standard view: colours are not those of the takes"
    return ""


def _ours(scene: bpy.types.Scene) -> set[tuple[str, int]]:
    stored = scene.get(MARKERS)
    if not isinstance(stored, str) or len(stored) > _LONGEST:
        return set()
    try:
        found = json.loads(stored)
        return {(str(name), int(frame)) for name, frame in found}
    except (TypeError, ValueError, OverflowError, RecursionError):
        return set()
