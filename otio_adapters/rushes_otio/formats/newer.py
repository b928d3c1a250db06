"""Files of an OpenTimelineIO newer than the one we read with, brought back to what it knows.

OpenTimelineIO 0.18.1 refuses a whole file for one schema that is a version ahead. Of what came since, `Marker.3`
(colours as RGB values) says nothing that `Marker.2` cannot, near enough; it is rewritten. Anything else that is
ahead is refused by name. Values that are not touched keep their text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import msgspec
from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.items import check_schema
from rushes_otio.tracks import located

COLOURS = {
    "RED": (1, 0, 0), "PINK": (1, 0.75, 0.8), "ORANGE": (1, 0.65, 0), "YELLOW": (1, 1, 0), "GREEN": (0, 1, 0),
    "CYAN": (0, 1, 1), "BLUE": (0, 0, 1), "PURPLE": (0.5, 0, 0.5), "MAGENTA": (1, 0, 1), "BLACK": (0, 0, 0),
    "WHITE": (1, 1, 1),
}  # fmt: skip
"""The colours that a marker of version 2 can have, as red, green and blue."""

_SCHEMA = re.compile(rb'"OTIO_SCHEMA"\s*:\s*"([A-Za-z0-9]+\.[A-Za-z0-9]+)"')

_Object = rawjson.RawObject


class _Colour(msgspec.Struct):
    r: float = 0.0
    g: float = 0.0
    b: float = 0.0
    name: str | None = None


def rewritten(data: bytes, where: str) -> tuple[bytes, list[str]]:
    """`data` as OpenTimelineIO 0.18.1 reads it, and what was changed. FileFault names a schema that is too new."""
    found = {match.decode() for match in _SCHEMA.findall(data)}
    known = found & REWRITES.keys()
    with located(where):
        for schema in sorted(found - known):
            check_schema(schema)
    if not known:
        return data, []
    shielded = rawjson.shield(data)
    changed = bytes(_rewritten(Raw(shielded), where))
    names = ", ".join(f"{schema} as {REWRITES[schema][0]}" for schema in sorted(known))
    return rawjson.unshield(changed), [f"a newer OpenTimelineIO wrote this: {names}"]


def _rewritten(raw: Raw, where: str) -> Raw:
    """A value with all that is too new inside it rewritten; the same object where nothing is."""
    text = bytes(raw)
    if not any(schema.encode() in text for schema in REWRITES):
        return raw
    if text[:1] == b"[":
        return rawjson.encode([_rewritten(each, where) for each in rawjson.read(raw, list[Raw], where)])
    if text[:1] != b"{":
        return raw
    opened = rawjson.open_object(raw, where)
    inner = {key: _rewritten(value, where) for key, value in opened.items()}
    schema = rawjson.read(inner["OTIO_SCHEMA"], object, where) if "OTIO_SCHEMA" in inner else None
    if isinstance(schema, str) and schema in REWRITES:
        older, rewrite = REWRITES[schema]
        inner = rewrite(inner, where) | {"OTIO_SCHEMA": rawjson.encode(older)}
    return rawjson.encode(inner)


def _marker(marker: _Object, where: str) -> _Object:
    return marker | {"color": _colour_name(marker["color"], where)} if "color" in marker else marker


def _colour_name(raw: Raw, where: str) -> Raw:
    if bytes(raw)[:1] != b"{":
        return rawjson.encode("") if bytes(raw) == b"null" else raw
    colour = rawjson.read(raw, _Colour, where)
    if colour.name and colour.name.upper() in COLOURS:
        return rawjson.encode(colour.name.upper())
    return rawjson.encode(min(COLOURS, key=partial(_distance, colour)))


def _distance(colour: _Colour, name: str) -> float:
    red, green, blue = COLOURS[name]
    return (colour.r - red) ** 2 + (colour.g - green) ** 2 + (colour.b - blue) ** 2


REWRITES: dict[str, tuple[str, Callable[[_Object, str], _Object]]] = {"Marker.3": ("Marker.2", _marker)}
"""Schema → the older one that says the same, and how its values become the older one's."""
