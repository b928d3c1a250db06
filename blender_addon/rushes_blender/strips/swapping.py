"""A strip made to show what its shot shows now. Neither its handles nor the picture under them move.

Blender draws a picture at its own size times the strip's scale, and counts its frames from the first one of the
file. So the scale is adapted when the size is another one, and the content is slipped when the shot begins
elsewhere in the file. 4.2 and 4.5 move the left handle when a medium is shorter than before: it is put back.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bpy

from ..texts import printable
from .compat import HEAD, LEFT, RIGHT, Strip, get, linked, played, quiet_cache, readable
from .framing import rescale
from .marks import Window, set_window, window_of
from .paths import path_of
from .placing import first_of, head_for, is_too_far, slip, uncut
from .replacing import replace

_PICTURES = {"MOVIE", "IMAGE"}
_REPLACED = {"COLOR", "TEXT", "IMAGE"}
"""Strips that cannot show a movie."""


def needs(strip: Strip, showing: dict[str, Any]) -> bool:
    """Whether the strip shows something else than `showing` (a row of `media`). Compares, and opens nothing."""
    if strip.type not in _PICTURES:
        return strip.type in _REPLACED
    if not _same(path_of(strip), showing["path"]):
        return True
    window = window_of(strip)
    return window is not None and window[:3] != (*showing["size"], showing["zero"])


def show(scene: bpy.types.Scene, strip: Strip, showing: dict[str, Any]) -> str:
    """Make the strip show it, and read back. What went wrong, "" where nothing did; never an exception."""
    name = "a strip"
    try:
        name = printable(strip.name, 80)
        with quiet_cache(scene):
            problem = _show(scene, strip, showing)
    except Exception as error:  # what Blender makes of a strange .blend is not known beforehand
        problem = printable(f"{type(error).__name__}: {error}")
    return f"{name}: {problem}" if problem else ""


def _show(scene: bpy.types.Scene, strip: Strip, showing: dict[str, Any]) -> str:
    if not needs(strip, showing):
        return ""
    if linked(scene):
        return "its scene is linked from another file, and can only be changed there"
    if not Path(showing["path"]).is_file():
        return f"{printable(showing['path'])} is not there"
    now, then = _now(strip, showing), _then(showing)
    if is_too_far(first_of(strip) - now.zero + then.zero):
        return f"the shot cannot begin at frame {then.zero} of {printable(showing['path'])}"
    if strip.type in _REPLACED:
        return replace(scene, strip, showing["path"], now, then)
    if _keyed(strip) and (now.zero, now.frames) != (then.zero, then.frames):
        return (
            "retiming keys stretch with the medium, whose length is another one now: retime it by a speed effect"
        )
    return _swap(scene, strip, showing["path"], now, then)


def _swap(scene: bpy.types.Scene, strip: Strip, path: str, now: Window, then: Window) -> str:
    uncut(scene, strip)
    was, head, before = _place(strip), get(strip, HEAD), strip.filepath
    left, right, first = was[0], was[1], first_of(strip)
    strip.filepath = path
    if not readable(strip):
        strip.filepath = before
        slip(scene, strip, left, right, head)
        return f"Blender cannot read {printable(path)}"
    slip(scene, strip, left, right, head if _keyed(strip) else head_for(strip, first - now.zero + then.zero))
    rescale(scene, strip, now, then)
    set_window(strip, then)
    return _read_back(strip, path, then, was)


def _place(strip: Strip) -> tuple[int, int, int]:
    return get(strip, LEFT), get(strip, RIGHT), strip.channel


def _keyed(strip: Strip) -> bool:
    """Whether it is retimed by keys, which are at parts of the medium and not at frames of it."""
    return len(getattr(strip, "retiming_keys", ())) > 0


def _then(showing: dict[str, Any]) -> Window:
    width, height = showing["size"]
    return Window(width, height, showing["zero"], showing["frames"])


def _now(strip: Strip, showing: dict[str, Any]) -> Window:
    """What the strip shows: as it was written down, else as it is seen to be."""
    window = window_of(strip)
    if window is not None:
        return window
    footage = showing.get("footage")
    zero = footage[1] if footage and _same(path_of(strip), footage[0]) else 0
    seen = strip.elements[0] if len(getattr(strip, "elements", ())) else None
    return Window(seen.orig_width, seen.orig_height, zero) if seen else Window(0, 0, zero)


def _read_back(strip: Strip, path: str, then: Window, was: tuple[int, int, int]) -> str:
    """What is not as it was wanted, "" where all is."""
    if not _same(path_of(strip), path):
        return f"still shows {printable(path_of(strip))}"
    if _place(strip) != was:
        return f"lies at {_place(strip)} and not at {was} (left, right, channel)"
    lasts = played(strip)
    if then.frames and lasts != then.frames and not _keyed(strip):
        return f"plays {then.frames} frames as {lasts}: it was added with another playback rate; add it anew"
    return ""


def _same(one: str, other: str) -> bool:
    return os.path.normcase(os.path.normpath(one)) == os.path.normcase(os.path.normpath(other))
