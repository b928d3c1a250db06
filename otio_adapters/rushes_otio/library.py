"""The film's library: characters, styles and locations, by name, in one case-insensitive namespace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import Raw

from rushes_otio.errors import ShotFault
from rushes_otio.intent import LIBRARY, decode_intent
from rushes_otio.mentions import unknown_name
from rushes_otio.schema import Library

KINDS = {"character": "characters", "style": "styles", "location": "locations"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One library entry as shots see it."""

    name: str
    kind: str  # "character" | "style" | "location"
    description: str
    references: tuple[dict[str, Any], ...]
    loras: tuple[dict[str, Any], ...]

    @property
    def in_prompt(self) -> str:
        """What stands in a prompt for a mention: the description, or the name where there is none."""
        return self.description or self.spoken

    @property
    def spoken(self) -> str:
        """The name as a person reads it in a caption."""
        words = self.name.replace("_", " ")
        return words.title() if self.kind == "character" and words.islower() else words


class Entries:
    """Entries by name, decoded when first asked for, so that a broken one hurts only who mentions it."""

    def __init__(self, library: Library, where: str) -> None:
        self._where = where
        self._raw: dict[str, tuple[str, str, Raw]] = {}
        self._twice: set[str] = set()
        self._read: dict[str, Entry] = {}
        for kind, plural in KINDS.items():
            for name, raw in getattr(library, plural).items():
                key = name.casefold()
                if key in self._raw:
                    self._twice.add(key)
                self._raw[key] = (name, kind, raw)

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self._raw.values()]

    def kind_of(self, name: str) -> str | None:
        found = self._raw.get(name.casefold())
        return found[1] if found else None

    def get(self, name: str, where: str) -> Entry:
        """The entry called `name` in any case; ShotFault when there is none, or two, or it is malformed."""
        key = name.casefold()
        if key not in self._read:
            if key not in self._raw:
                raise unknown_name(name, self.names, where)
            if key in self._twice:
                raise ShotFault(
                    f"the library has {name!r} twice; names are compared without case",
                    where=self._where,
                    remedy="rename one of the two in the film file",
                )
            self._read[key] = self._decode(*self._raw[key])
        return self._read[key]

    def _decode(self, name: str, kind: str, raw: Raw) -> Entry:
        values, _ = decode_intent(raw, LIBRARY, f"{self._where}: library {kind} {name}")
        return Entry(
            name,
            kind,
            values.get("description", ""),
            tuple(values.get("references", ())),
            tuple(values.get("loras", ())),
        )
