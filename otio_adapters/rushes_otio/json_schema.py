"""The film format as a JSON Schema, made from the types and the intent table: `python -m rushes_otio.json_schema`.

It describes what Rushes adds to a timeline and leaves the rest of OpenTimelineIO alone. It is looser than Rushes
in one way: a wrong value in a shot's intent makes that shot invalid and not the film, so some rules about values
(even sizes, ranges of decimals written as text) stand only in docs/film-format.md.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from rushes_otio import values
from rushes_otio.intent import FIELDS, FILM, LIBRARY, SCENE, SHOT
from rushes_otio.schema import VERSION, FilmBlock, ShotBlock

Schema = dict[str, Any]

_LEVELS = {FILM: "FilmIntent", SCENE: "SceneIntent", LIBRARY: "LibraryEntry", SHOT: "ShotIntent"}

_TEXT: Schema = {"type": "string", "maxLength": values.MAX_TEXT}
_NAME: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_.:/-]{1,80}$"}
_ENTRY: Schema = {"type": "string", "minLength": 1, "maxLength": 80}
_PATH: Schema = {"type": "string", "minLength": 1, "maxLength": 4096}
_DECIMAL: Schema = {"type": ["number", "string"], "maxLength": 40}
_FRAME: Schema = {"type": ["integer", "string"], "minimum": 0}


def _object(needed: tuple[str, ...] = (), **keys: Schema) -> Schema:
    return {"type": "object", "properties": keys, "required": list(needed), "additionalProperties": False}


def _rows(needed: str, **keys: Schema) -> Schema:
    return {"type": "array", "maxItems": 64, "items": _object((needed,), **keys)}


_IMAGE = _object(("image",), image=_PATH)
_EDGE: Schema = {
    "anyOf": [_IMAGE, _object(("from",), **{"from": {"type": "string", "minLength": 8}, "at": _FRAME})]
}

VALUES: dict[str, Schema] = {
    "prompt": _TEXT,
    "action": _TEXT,
    "negative": _TEXT,
    "style": _ENTRY,
    "location": _ENTRY,
    "camera": _TEXT,
    "model": _NAME,
    "seed": {"type": "string", "pattern": "^[0-9]{1,40}$"},
    "keyframe": {"anyOf": [_IMAGE, _object(model=_NAME, prompt=_TEXT)]},
    "first_frame": _EDGE,
    "last_frame": _EDGE,
    "plate": _PATH,
    "mask": _PATH,
    "strength": {**_DECIMAL, "minimum": 0, "maximum": 1},
    "references": _rows("image", **{"image": _PATH, "as": _TEXT}),
    "loras": _rows("file", file=_PATH, weight={**_DECIMAL, "minimum": -10, "maximum": 10}),
    "steps": {"type": "integer", "minimum": 1, "maximum": 1000},
    "guidance": _DECIMAL,
    "params": {"type": "object", "maxProperties": 64},
    "interpolation": {"enum": ["motion", "blend", "repeat"]},
    "fit": {"enum": ["fill", "fit"]},
    "delivery": _object(
        size={"type": "string", "pattern": "^[0-9]+ *[xX×] *[0-9]+$"},
        codec={"enum": ["prores", "dnxhr", "h264"]},
        handles=_FRAME,
    ),
    "description": _TEXT,
}
"""What may stand in a film for each field of the intent."""


def film_schema() -> Schema:
    """The schema of a whole film file (JSON Schema 2020-12)."""
    (film, shot), parts = msgspec.json.schema_components([FilmBlock, ShotBlock], ref_template="#/$defs/{name}")
    parts |= {name: _intent(level) for level, name in _LEVELS.items()}
    for owner, level in (("FilmBlock", FILM), ("Scene", SCENE), ("ShotBlock", SHOT)):
        parts[owner]["properties"]["intent"] = _ref(level)
    for kind in parts["Library"]["properties"].values():
        kind["additionalProperties"] = _ref(LIBRARY)
    parts["FilmBlock"]["properties"]["v"] = {"const": VERSION}
    parts["FilmBlock"]["properties"]["omitted"]["items"] = shot
    clip = _has("metadata", _has("rushes", shot))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Rushes film, version {VERSION}",
        "type": "object",
        "properties": {
            "OTIO_SCHEMA": {"const": "Timeline.1"},
            "metadata": {**_has("rushes", film), "required": ["rushes"]},
            "tracks": _each("children", _each("children", clip)),
        },
        "required": ["OTIO_SCHEMA", "metadata", "tracks"],
        "$defs": dict(sorted(parts.items())),
    }


def _intent(level: str) -> Schema:
    # Unknown keys are kept and warned of, so they are allowed here.
    fields = [f for f in FIELDS.values() if level in f.levels]
    return {"type": "object", "properties": {f.name: VALUES[f.name] for f in fields}}


def _ref(level: str) -> Schema:
    return {"$ref": f"#/$defs/{_LEVELS[level]}"}


def _has(key: str, inner: Schema) -> Schema:
    return {"type": "object", "properties": {key: inner}}


def _each(key: str, inner: Schema) -> Schema:
    return _has(key, {"type": "array", "items": inner})


def text() -> str:
    """The schema as docs/film-format.schema.json has it."""
    return json.dumps(film_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
