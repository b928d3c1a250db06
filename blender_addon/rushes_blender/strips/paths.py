"""Where a strip's file is."""

from __future__ import annotations

import os

import bpy

from .compat import Strip


def path_of(strip: Strip) -> str:
    """The absolute path of what the strip shows or plays, of an image sequence its first picture. "" where a strip
    has none. It is read, and not looked for."""
    stored = _stored(strip)
    return os.path.normpath(bpy.path.abspath(stored)) if stored else ""


def _stored(strip: Strip) -> str:
    if strip.type == "MOVIE":
        return str(strip.filepath)
    if strip.type == "SOUND":
        return str(strip.sound.filepath) if strip.sound else ""
    if strip.type == "IMAGE" and len(strip.elements):
        return f"{strip.directory}/{strip.elements[0].filename}"
    return ""
