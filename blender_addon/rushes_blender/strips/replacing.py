"""A strip that cannot show a movie (a colour, a title, a still) replaced by one that does: it became a shot."""

from __future__ import annotations

import bpy

from ..texts import printable
from .compat import HEAD, LEFT, RIGHT, Strip, curve_path, curves, get, readable, siblings
from .framing import rescale
from .marks import Window, mark, set_window, shot_of, use_of
from .placing import Spots, over, slip

_KEPT = ("mute", "lock", "select", "color_tag", "blend_type", "blend_alpha", "use_default_fade")
_FRAMED = {
    "transform": ("scale_x", "scale_y", "offset_x", "offset_y", "rotation", "origin", "filter"),
    "crop": ("min_x", "max_x", "min_y", "max_y"),
}


def replace(scene: bpy.types.Scene, strip: Strip, path: str, now: Window, then: Window) -> str:
    """Put a movie in the strip's place, with its name, marks, keyframes and effects. What went wrong, "" where
    nothing did."""
    home = siblings(scene, strip)
    left, right, name = get(strip, LEFT), get(strip, RIGHT), strip.name
    new = home.new_movie(name, path, strip.channel, Spots(home).away(), fit_method="FIT")
    if not readable(new):
        home.remove(new)
        return f"Blender cannot read {printable(path)}"
    first = get(strip, HEAD) if len(getattr(strip, "elements", ())) > 1 else now.zero
    _take_over(scene, strip, new, now, then)
    strip.name = new.name  # 5.2 forgets only by a new name which effects it had, and removes them
    home.remove(strip)
    new.name = name
    done = slip(scene, new, left, right, first - now.zero + then.zero)
    return "" if done else "could not be put in its place"


def _take_over(scene: bpy.types.Scene, strip: Strip, new: Strip, now: Window, then: Window) -> None:
    for each in _KEPT:
        setattr(new, each, getattr(strip, each))
    if scene.sequence_editor.active_strip == strip:
        scene.sequence_editor.active_strip = new
    mark(new, use_of(strip), shot_of(strip))
    set_window(new, then)
    _curves_over(scene, strip, new)
    _effects_over(scene, strip, new)
    if now.width and strip.type == "IMAGE":
        _copy_framing(strip, new)
        rescale(scene, new, now, then)


def _copy_framing(strip: Strip, new: Strip) -> None:
    for group, names in _FRAMED.items():
        for name in names:
            setattr(getattr(new, group), name, getattr(getattr(strip, group), name))


def _curves_over(scene: bpy.types.Scene, strip: Strip, new: Strip) -> None:
    """Those of what a movie has too; with the strip the others go."""
    root, now = curve_path(strip), curve_path(new)
    kept = ("transform.", "crop.", *_KEPT)
    for curve in curves(scene):
        path = curve.data_path.removeprefix(root)
        if path != curve.data_path and path.startswith(kept):
            curve.data_path = now + path


def _effects_over(scene: bpy.types.Scene, strip: Strip, new: Strip) -> None:
    """Effects over the strip would go with it."""
    for effect in over(scene, strip):
        for name in ("input_1", "input_2"):
            if getattr(effect, name, None) == strip:
                setattr(effect, name, new)
