"""How large a picture is on the screen, kept when its medium gets another size."""

from __future__ import annotations

import bpy

from .compat import Strip, curve_path, curves
from .marks import Window

_MOST = 2**31 - 1
"""A crop takes no more pixels than that."""


def fit(scene: bpy.types.Scene, strip: Strip, size: Window) -> None:
    """Let all of the picture be just seen once its file is there: Blender can do that only with one that is."""
    strip.transform.scale_x = strip.transform.scale_y = _fit(scene, size)


def rescale(scene: bpy.types.Scene, strip: Strip, now: Window, then: Window) -> None:
    """Let the picture be as large as before, and cropped at the same places: Blender counts both in the medium's
    pixels. Nothing where one of the sizes is not known."""
    if now[:2] == then[:2] or not now.width or not now.height:
        return
    scale = _fit(scene, then) / _fit(scene, now)
    across, down = then.width / now.width, then.height / now.height
    factors = {"transform.scale_x": scale, "transform.scale_y": scale}
    factors |= {"crop.min_x": across, "crop.max_x": across, "crop.min_y": down, "crop.max_y": down}
    for path, factor in factors.items():
        _multiply(strip, path, factor)
    root = curve_path(strip)
    for curve in curves(scene):
        path = curve.data_path.removeprefix(root)
        if path in factors and curve.data_path != path:
            _multiply_curve(curve, factors[path])


def _fit(scene: bpy.types.Scene, size: Window) -> float:
    """The scale at which all of a picture is just seen: with it a strip is made, and what is multiplied by the
    quotient of two is right again after the way back."""
    return min(scene.render.resolution_x / size.width, scene.render.resolution_y / size.height)


def _multiply(strip: Strip, path: str, factor: float) -> None:
    group, name = path.split(".")
    values = getattr(strip, group)
    value = getattr(values, name)
    setattr(values, name, min(round(value * factor), _MOST) if isinstance(value, int) else value * factor)


def _multiply_curve(curve: bpy.types.FCurve, factor: float) -> None:
    for part in ("co", "handle_left", "handle_right"):
        values = [0.0] * (2 * len(curve.keyframe_points))
        curve.keyframe_points.foreach_get(part, values)
        values[1::2] = [value * factor for value in values[1::2]]
        curve.keyframe_points.foreach_set(part, values)
    curve.update()
