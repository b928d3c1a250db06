"""Who a strip is: our ids in its id properties, and what the medium was when it was shown.

Whatever a .blend says is read as if a stranger wrote it: a mark that is not exactly as it is written here is none.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import bpy

from ..scenes import is_id
from .compat import Strip, strips_all

USE = "rushes_use"
SHOT = "rushes_shot"
WINDOW = "rushes_window"

_WINDOW = re.compile("([1-9][0-9]{0,4})x([1-9][0-9]{0,4})([+-][0-9]{1,8})(?:/([0-9]{1,8}))?")


class Window(NamedTuple):
    """Of the medium that is shown: its size in pixels, the media frame that is the shot's frame 0, and how many
    frames it has, 0 where that is not known."""

    width: int
    height: int
    zero: int
    frames: int = 0


def use_of(strip: Strip) -> str:
    """The use that the strip is, "" where it says none."""
    return _id(strip, USE)


def shot_of(strip: Strip) -> str:
    """The shot that the strip shows, "" where it says none."""
    return _id(strip, SHOT)


def mark(strip: Strip, use: str, shot: str) -> None:
    """Write down who the strip is; "" takes that mark away."""
    for name, value in ((USE, use), (SHOT, shot)):
        if value:
            strip[name] = value
        elif name in strip:
            del strip[name]


def unmark(strip: Strip) -> None:
    """Make the strip foreign: all our marks are taken away."""
    for name in (USE, SHOT, WINDOW):
        if name in strip:
            del strip[name]


def window_of(strip: Strip) -> Window | None:
    """What the strip shows, None where it was never shown by us."""
    value = strip.get(WINDOW)
    read = _WINDOW.fullmatch(value) if isinstance(value, str) else None
    return Window(*(int(part or 0) for part in read.groups())) if read else None


def set_window(strip: Strip, window: Window) -> None:
    """Write down what the strip shows."""
    strip[WINDOW] = f"{window.width}x{window.height}{window.zero:+d}/{window.frames}"


def strips_of(scene: bpy.types.Scene, shot: str) -> list[Strip]:
    """The strips of a scene that show a shot, those inside metas too."""
    return [strip for strip in strips_all(scene) if shot_of(strip) == shot]


def _id(strip: Strip, name: str) -> str:
    value = strip.get(name)
    return str(value) if is_id(value) else ""
