"""A scene's sequence as the rows that a pull sends. It reads, and touches nothing.

What a row, a dissolve and a channel have is said in `rushes_otio/hosts/rows.py`; what has its default is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import bpy

from .. import scenes
from .compat import LEFT, RIGHT, Owner, Strip, get, inputs, played, strips
from .marks import shot_of, use_of, window_of
from .paths import path_of
from .placing import cut_of, first_of
from .speeds import Effects, pace_of, under

_KINDS = {
    "MOVIE": "movie",
    "IMAGE": "image",
    "SOUND": "sound",
    "COLOR": "color",
    "TEXT": "text",
    "SCENE": "scene",
    "META": "meta",
    "MOVIECLIP": "other",
    "MASK": "other",
    "MULTICAM": "other",
}
"""What is a row. The others are effects: they show nothing of their own."""

_DISSOLVES = {"CROSS": "cross", "GAMMA_CROSS": "gamma_cross", "WIPE": "wipe"}
_MADE_UNIQUE = re.compile(r"\.\d{3}$")
_CHANNEL = re.compile(r"Channel \d+")

Row = dict[str, Any]


def sequence(scene: bpy.types.Scene) -> dict[str, Any]:
    """The object `sequence` of a `pull`. A row's key is its strip's name."""
    rate = rate_of(scene)
    found: dict[str, Any] = {"rate": f"{rate.numerator}/{rate.denominator}", "known": scenes.known(scene)}
    editor = scene.sequence_editor
    if editor is None:
        return {**found, "rows": [], "dissolves": [], "channels": []}
    all_strips = list(_walk(editor, ""))
    reading = _Reading(scene, [strip for strip, _ in all_strips])
    rows = [reading.row(strip, inside) for strip, inside in all_strips if strip.type in _KINDS]
    dissolves = [reading.dissolve(strip) for strip, _ in all_strips if strip.type in _DISSOLVES and _joins(strip)]
    known = {row["key"] for row in rows}
    kept = [each for each in dissolves if each["out"] in known and each["into"] in known]
    return {**found, "rows": rows, "dissolves": kept, "channels": _channels(editor)}


def rate_of(scene: bpy.types.Scene) -> Fraction:
    """Frames a second, exactly: 24000/1001 for Blender's 24 by a base of 1.001. Blender takes bases down to a
    hundred thousandth."""
    base = scene.render.fps_base
    return scene.render.fps / (Fraction(base).limit_denominator(1001) or Fraction(base))


class _Reading:
    """What is read once for all strips of a scene."""

    def __init__(self, scene: bpy.types.Scene, all_strips: list[Strip]) -> None:
        self._zero = scenes.zero(scene)
        self._effects = Effects(scene, all_strips)

    def row(self, strip: Strip, inside: str) -> Row:
        row: Row = {
            "key": strip.name,
            "name": _MADE_UNIQUE.sub("", strip.name),
            "kind": _kind(strip),
            "channel": strip.channel,
            "left": get(strip, LEFT) - self._zero,
            "right": get(strip, RIGHT) - self._zero,
            **self._medium(strip),
        }
        said = {"use": use_of(strip), "shot": shot_of(strip), "inside": inside}
        row.update({name: value for name, value in said.items() if value})
        if not self._effects.is_seen(strip):
            row["enabled"] = False
        return row

    def dissolve(self, strip: Strip) -> Row:
        made_of = [under(each).name for each in inputs(strip)]
        return {
            "key": strip.name,
            "channel": strip.channel,
            "left": get(strip, LEFT) - self._zero,
            "right": get(strip, RIGHT) - self._zero,
            "out": made_of[0] if made_of else "",
            "into": made_of[1] if len(made_of) > 1 else "",
            "kind": _DISSOLVES[strip.type],
        }

    def _medium(self, strip: Strip) -> Row:
        """What of which file is shown."""
        if strip.type == "TEXT":
            return {"text": strip.text}
        path = path_of(strip)
        if not path or _kind(strip) == "image":
            return {"path": path} if path else {}
        speed = self._effects.text_of(strip)
        medium: Row = {"path": path, "first": first_of(strip), "length": played(strip) + sum(cut_of(strip))}
        if speed != "1":
            medium["speed"] = speed
            medium.update(_in_media_frames(strip))
        return medium


def _in_media_frames(strip: Strip) -> Row:
    """The same of a strip that is retimed by keys, whose own frames are not those of its medium."""
    pace, window = pace_of(strip), window_of(strip)
    if pace is None or not len(getattr(strip, "retiming_keys", ())):
        return {}
    length = window.frames if window else round(played(strip) * pace)
    return {"first": int(first_of(strip) * pace), "length": length}


def _walk(owner: Owner, inside: str) -> Iterator[tuple[Strip, str]]:
    for strip in strips(owner):
        yield strip, inside
        if strip.type == "META":
            yield from _walk(strip, strip.name)


def _joins(dissolve: Strip) -> bool:
    """Whether it is switched on; one that is not has to have a side that is not either."""
    return not dissolve.mute or any(side.mute for side in inputs(dissolve))


def _kind(strip: Strip) -> str:
    return "images" if strip.type == "IMAGE" and len(strip.elements) > 1 else _KINDS[strip.type]


def _channels(editor: bpy.types.SequenceEditor) -> list[Row]:
    """Those that are muted or were given a name. The first one of Blender's is never used."""
    found = []
    for number, channel in enumerate(editor.channels):
        muted, name = channel.mute, channel.name
        if number and (muted or not _CHANNEL.fullmatch(name)):
            named = {} if _CHANNEL.fullmatch(name) else {"name": name}
            found.append({"channel": number, **({"enabled": False} if muted else {}), **named})
    return found
