"""Sees that strips lie elsewhere than a moment ago: of a strip that is cut in two or slipped, Blender tells nobody
but who draws it.
"""

from __future__ import annotations

import time

import bpy

from .. import running, scenes
from ..strips import compat
from . import pulling

PACE_S = 0.25
"""Between glances. One at 500 strips takes less than a millisecond."""

Places = list[tuple[float, ...]]
"""The left and the right handle of each strip of a scene, and where its medium begins."""

_seen: dict[str, Places] = {}
_next = 0.0


def look() -> None:
    """Say that something changed where strips were added, removed, moved or trimmed since the last time."""
    global _seen
    now = {scene.name: places(scene) for scene, _ in scenes.linked() if not scenes.is_frozen(scene)}
    if any(_seen.get(name) != found for name, found in now.items()):
        pulling.touch()
    _seen = now


def places(scene: bpy.types.Scene) -> Places:
    """Where the scene's strips lie."""
    times = (compat.LEFT, compat.RIGHT, compat.START)
    return [tuple(getattr(strip, name) for name in times) for strip in compat.strips_all(scene)]


def _chore(_budget_s: float) -> bool:
    global _next
    now = time.monotonic()
    if now >= _next:
        _next = now + PACE_S
        look()
    return False


def register() -> None:
    running.chore(_chore)


def unregister() -> None:
    _seen.clear()
