"""The intent table: every field a person can set, on which levels, and what it enters.

A level (film, scene, library entry, shot) stores only what it sets. `decode_intent` reads one level's raw dict;
anything wrong in it is a ShotFault, so that it makes shots invalid and not the film.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

import msgspec
from msgspec import Raw

from rushes_otio import values
from rushes_otio.errors import ShotFault
from rushes_otio.text import printable
from rushes_otio.values import Expected, Reader, Value

FILM, SCENE, LIBRARY, SHOT = "film", "scene", "library", "shot"


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the table. `read` returns the normalised value or raises `Expected` with what is expected."""

    name: str
    levels: frozenset[str]
    stages: frozenset[str]
    read: Reader
    composed: bool = False  # texts of all levels are joined instead of the nearest winning


_EVERY = frozenset({FILM, SCENE, SHOT})
_STILL_AND_MOTION = frozenset({"keyframe", "motion"})
_MOTION = frozenset({"motion"})
_FINISH = frozenset({"finish"})
_ONLY_SHOT = frozenset({SHOT})

FIELDS: dict[str, Field] = {
    f.name: f
    for f in (
        Field("prompt", _EVERY, _STILL_AND_MOTION, values.text, composed=True),
        Field("action", frozenset({SCENE, SHOT}), _MOTION, values.text, composed=True),
        Field("negative", _EVERY, _STILL_AND_MOTION, values.text, composed=True),
        Field("style", _EVERY, _STILL_AND_MOTION, values.entry),
        Field("location", _EVERY, _STILL_AND_MOTION, values.entry),
        Field("camera", _EVERY, _MOTION, values.text),
        Field("model", _EVERY, _STILL_AND_MOTION, values.name),
        Field("seed", _ONLY_SHOT, _STILL_AND_MOTION, values.seed),
        Field("keyframe", _ONLY_SHOT, frozenset({"keyframe"}), values.keyframe),
        Field("first_frame", _ONLY_SHOT, _MOTION, values.boundary),
        Field("last_frame", _ONLY_SHOT, _MOTION, values.boundary),
        Field("plate", _ONLY_SHOT, _MOTION, values.path),
        Field("mask", _ONLY_SHOT, _MOTION, values.path),
        Field("strength", _ONLY_SHOT, _MOTION, values.strength),
        Field(
            "references",
            frozenset({LIBRARY, SCENE, SHOT}),
            _STILL_AND_MOTION,
            values.rows({"image": values.path, "as": values.text}, '{"image": PATH, "as": ROLE}', "image"),
        ),
        Field(
            "loras",
            frozenset({LIBRARY, FILM}),
            _STILL_AND_MOTION,
            values.rows({"file": values.path, "weight": values.weight}, '{"file": PATH, "weight": "0.8"}', "file"),
        ),
        Field("steps", _EVERY, _STILL_AND_MOTION, values.steps),
        Field("guidance", _EVERY, _STILL_AND_MOTION, values.decimal),
        Field("params", _EVERY, _STILL_AND_MOTION, values.params),
        Field("interpolation", _EVERY, _FINISH, values.choice("motion", "blend", "repeat")),
        Field("fit", _EVERY, _FINISH, values.choice("fill", "fit")),
        Field("delivery", frozenset({FILM}), frozenset({"finish", "encode"}), values.delivery),
        Field("description", frozenset({LIBRARY}), _STILL_AND_MOTION, values.text),
    )
}

_any = msgspec.json.Decoder()


def decode_intent(raw: Raw, level: str, where: str) -> tuple[dict[str, Value], list[str]]:
    """One level's intent, checked and normalised, and the keys nobody here knows (kept in the film)."""
    if bytes(raw) == b"{}":
        return {}, []
    try:
        found = _any.decode(raw)
    except msgspec.DecodeError as e:  # a number that no computer holds, such as 1e400
        raise ShotFault(f"the intent is unreadable: {e}", where=where, remedy="set the field again") from None
    if not isinstance(found, dict):
        raise ShotFault("the intent is no JSON object", where=where, remedy='write it as {"prompt": "…"}')
    known = {key: read_value(key, value, level, where) for key, value in found.items() if key in FIELDS}
    return known, [key for key in found if key not in FIELDS]


def read_value(name: str, value: Value, level: str, where: str) -> Value:
    """A value of a known field, normalised; ShotFault when it is wrong or set on a level it does not exist on."""
    field = FIELDS[name]
    if level not in field.levels:
        allowed = ", ".join(sorted(field.levels))
        raise ShotFault(f"{name} cannot be set on a {level}", where=where, remedy=f"set it on: {allowed}")
    try:
        return field.read(value)
    except Expected as e:
        shown = printable(str(value), 80)
        raise ShotFault(f"{name} is {shown!r}; expected {e}", where=where, remedy=f"set {name} again") from None


def near_fields(name: str, level: str) -> list[str]:
    """Fields of a level whose names are close to a mistyped one; all of them when none is."""
    names = [f.name for f in FIELDS.values() if level in f.levels]
    return get_close_matches(name, names, n=3, cutoff=0.6) or names
