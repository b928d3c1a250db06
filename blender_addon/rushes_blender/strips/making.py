"""One row of the film made a strip of its kind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import bpy

from ..texts import printable
from .compat import Strip, new_effect, readable, strips

Row = dict[str, Any]

_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)")
_LONGEST = 63  # bytes of a name
_MOST_PICTURES = 100_000
"""Of an image sequence: more than an hour of them."""


def make(editor: bpy.types.SequenceEditor, row: Row, at: int, frames: int) -> tuple[Strip, str]:
    """The strip, its content at scene frame `at`, on the row's channel; and what is not as in the film, "" where
    all is. What has no file becomes a colour. A picture whose file is not there keeps its place until it is; for a
    sound that is not, and what Blender cannot play, RuntimeError. What is no file is not opened: a pipe has no
    end."""
    name, channel, path, kind = name_of(row), row["channel"], row.get("path", ""), row["kind"]
    made = strips(editor)
    is_there = Path(path).exists()
    if path and is_there and not Path(path).is_file():
        raise RuntimeError(f"{printable(path)} is no file")
    problem = "" if is_there else f"{printable(path)} is not there"
    if not path or kind not in ("movie", "image", "images", "sound"):
        return new_effect(editor, name, "COLOR", channel, at, at + frames), ""
    if kind == "sound":
        return made.new_sound(name, path, channel, at), problem
    if kind == "movie":
        strip = made.new_movie(name, path, channel, at, fit_method="FIT")
        return strip, problem or ("" if readable(strip) else f"Blender cannot read {printable(path)}")
    strip = made.new_image(name, path, channel, at, fit_method="FIT")
    return _images(strip, path, row.get("length", 0) if kind == "images" else 1), problem


def name_of(row: Row) -> str:
    """What the strip is called: the shot's name, else what the row says."""
    text = row.get("name") or row.get("text") or row["kind"]
    return printable(text, _LONGEST).encode()[:_LONGEST].decode(errors="ignore")


def _images(strip: Strip, path: str, length: int) -> Strip:
    """The pictures after the first one, by their numbers."""
    numbered = _NUMBERED.fullmatch(Path(path).name[::-1])
    if numbered:
        after, digits, before = (part[::-1] for part in numbered.groups())
        for number in range(int(digits) + 1, int(digits) + min(length, _MOST_PICTURES)):
            strip.elements.append(f"{before}{number:0{len(digits)}d}{after}")
    return strip
