"""The rules of a `blender_manifest.toml`, checked without Blender.

They are those of Blender's own `extension validate` from 4.2 to 5.2 (`addons_core/bl_pkg/cli/blender_ext.py`, in
strict mode), and two of ours: it is an add-on, and it brings no wheels, for it runs on Blender and the standard
library alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Faults = Iterator[str]

TERSE = 64
"""The most characters of a tagline or of the reason for a permission."""

PERMISSIONS = ("files", "network", "clipboard", "camera", "microphone")

TAGS = frozenset(
    "All|3D View|Add Curve|Add Mesh|Animation|Bake|Camera|Compositing|Development|Game Engine|Geometry Nodes|"
    "Grease Pencil|Import-Export|Lighting|Material|Mesh|Modeling|Node|Object|Paint|Physics|Pipeline|Render|"
    "Rigging|Scene|Sculpt|Sequencer|System|Text Editor|Tracking|User Interface|UV".split("|")
)
"""What an add-on can be filed under."""

_NUMBER = r"(0|[1-9]\d*)"
_PART = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMANTIC = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PART}(\.{_PART})*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?"
)
_BLENDER = re.compile(r"\d+\.\d+\.\d+")
_YEARS = re.compile(r"\d+(-\d+)? .*\S.*", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class _Field:
    """What the value of a key has to be, and what is looked at when it is that."""

    kind: type
    check: Callable[[Any], Faults]
    required: bool = True


def faults(manifest: dict[str, Any]) -> list[str]:
    """What is wrong with a manifest, each with its key; nothing when Blender takes it."""
    found = []
    for key, field in FIELDS.items():
        if key in manifest:
            found += [f"{key}: {fault}" for fault in _wrong(field, manifest[key])]
        elif field.required:
            found.append(f"{key}: it is missing")
    return found


def _wrong(field: _Field, value: object) -> Faults:
    if isinstance(value, field.kind):
        yield from field.check(value)
    else:
        yield f"a {field.kind.__name__} is expected, not {value!r}"


def _name(value: str) -> Faults:
    if not value.isidentifier() or "__" in value or value.startswith("_") or value.endswith("_"):
        yield f"letters, digits and single underscores inside are expected, not {value!r}"


def _line(value: str) -> Faults:
    if not value or value != value.strip():
        yield f"text without space at its ends is expected, not {value!r}"
    elif _CONTROL.search(value):
        yield f"text without control characters is expected, not {value!r}"


def _terse(value: str) -> Faults:
    yield from _line(value)
    if len(value) > TERSE:
        yield f"at most {TERSE} characters are expected, these are {len(value)}"
    if value and not (value[-1].isalnum() or value[-1] in ")]}"):
        yield f"a letter, a digit or a bracket is expected at the end, not {value[-1]!r}"


def _version(value: str) -> Faults:
    if not _SEMANTIC.fullmatch(value):
        yield f"a version like 1.2.3 is expected, not {value!r}"


def _blender(value: str) -> Faults:
    if not _BLENDER.fullmatch(value):
        yield f"three numbers like 4.2.0 are expected, not {value!r}"


def _blender_or_none(value: str) -> Faults:
    if value:
        yield from _blender(value)


def _kind(value: str) -> Faults:
    if value != "add-on":
        yield f"'add-on' is expected, not {value!r}"


def _words(values: list[Any]) -> Faults:
    if not values:
        yield "at least one is expected"
    for value in values:
        if not isinstance(value, str) or not value.strip():
            yield f"words are expected, not {value!r}"


def _tags(values: list[Any]) -> Faults:
    yield from _words(values)
    for value in values:
        if isinstance(value, str) and value.strip() and value not in TAGS:
            yield f"{value!r} is no tag of Blender's"


def _copyright(values: list[Any]) -> Faults:
    for value in values:
        if not isinstance(value, str) or not _YEARS.fullmatch(value):
            yield f"'2026 Name' or '2026-2027 Name' is expected, not {value!r}"


def _permissions(values: dict[str, Any]) -> Faults:
    for key, reason in values.items():
        if key not in PERMISSIONS:
            yield f"{key!r} is none of {', '.join(PERMISSIONS)}"
        elif not isinstance(reason, str):
            yield f"{key}: a reason is expected, not {reason!r}"
        else:
            yield from (f"{key}: {fault}" for fault in _terse(reason))


def _wheels(values: list[Any]) -> Faults:
    if values:
        yield "the add-on comes without wheels"


FIELDS: dict[str, _Field] = {
    "schema_version": _Field(str, _version),
    "id": _Field(str, _name),
    "name": _Field(str, _line),
    "tagline": _Field(str, _terse),
    "version": _Field(str, _version),
    "type": _Field(str, _kind),
    "maintainer": _Field(str, _line),
    "license": _Field(list, _words),
    "blender_version_min": _Field(str, _blender),
    "blender_version_max": _Field(str, _blender_or_none, required=False),
    "website": _Field(str, _line, required=False),
    "copyright": _Field(list, _copyright, required=False),
    "permissions": _Field(dict, _permissions, required=False),
    "tags": _Field(list, _tags, required=False),
    "platforms": _Field(list, _words, required=False),
    "wheels": _Field(list, _wheels, required=False),
}
"""In the order in which Blender lists them."""
