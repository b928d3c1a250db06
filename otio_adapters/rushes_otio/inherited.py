"""What a shot says itself, and what it inherits: field by field, level by level, for people who edit it.

A level that cannot be read says nothing here: whatever is wrong with it makes the shot invalid, and that is told
elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Raw

from rushes_otio.errors import ShotFault
from rushes_otio.film import Film
from rushes_otio.intent import FIELDS, FILM, SCENE
from rushes_otio.library import Entries, Entry
from rushes_otio.mentions import mentioned
from rushes_otio.resolve import COMPOSED
from rushes_otio.schema import ShotBlock

Values = dict[str, Any]

_JOINED = ("references", "loras")
_ENTRIES = ("style", "location")


@dataclass(frozen=True, slots=True)
class Said:
    """What one level says of a field. `level` is film, scene, style, location or character; `name` its code or
    name, "" for the film."""

    level: str
    name: str
    value: Any


def own_values(block: ShotBlock) -> Values:
    """What is set on the shot itself, as it is written; nothing where that is no JSON object."""
    return _values(block.intent)


def inherited(film: Film, block: ShotBlock) -> dict[str, list[Said]]:
    """What other levels say of each field. Of texts and lists, which add up, in the order in which they are
    composed, with the entries that are mentioned in them last; of anything else the nearest level first."""
    return _Levels(film, block).found()


class _Levels:
    def __init__(self, film: Film, block: ShotBlock) -> None:
        self._entries = Entries(film.block.library, film.where)
        self._own = own_values(block)
        scene = film.scene(block.scene)
        self._levels = [(FILM, "", _values(film.block.intent))]
        if scene is not None:
            self._levels.append((SCENE, scene.code, _values(scene.intent)))

    def found(self) -> dict[str, list[Said]]:
        found: dict[str, list[Said]] = {}
        for name, field in FIELDS.items():
            said = [Said(level, key, values[name]) for level, key, values in self._levels if name in values]
            if field.composed:
                said = self._composed(name, said)
            elif name in _JOINED:
                said = [*self._listed(name), *said]
            else:
                said.reverse()
            if said:
                found[name] = said
        return found

    def _composed(self, name: str, said: list[Said]) -> list[Said]:
        heads = [_described(e) for e in self._named()] if name == "prompt" else []
        texts = [str(one.value) for one in said] + [str(self._own.get(name, ""))]
        return [*heads, *said, *(_described(entry) for entry in self._mentioned(texts))]

    def _listed(self, name: str) -> list[Said]:
        levels = [*(values for _, _, values in self._levels), self._own]
        texts = [str(values.get(field, "")) for field in COMPOSED for values in levels]
        entries = {entry.name: entry for entry in (*self._named(), *self._mentioned(texts))}
        return [Said(e.kind, e.name, list(getattr(e, name))) for e in entries.values() if getattr(e, name)]

    def _named(self) -> Iterable[Entry]:
        """The style and the location that hold for the shot."""
        for field in _ENTRIES:
            levels = [*(values for _, _, values in self._levels), self._own]
            name = next((values[field] for values in reversed(levels) if field in values), None)
            entry = self._entry(name) if isinstance(name, str) else None
            if entry is not None and entry.kind == field:
                yield entry

    def _mentioned(self, texts: list[str]) -> Iterable[Entry]:
        names = dict.fromkeys(name.casefold() for text in texts for name in mentioned(text))
        return [entry for name in names if (entry := self._entry(name)) is not None]

    def _entry(self, name: str) -> Entry | None:
        try:
            return self._entries.get(name, "")
        except ShotFault:
            return None


def _described(entry: Entry) -> Said:
    return Said(entry.kind, entry.name, entry.in_prompt)


def _values(raw: Raw) -> Values:
    try:
        return msgspec.json.decode(raw, type=Values)
    except msgspec.DecodeError:
        return {}
