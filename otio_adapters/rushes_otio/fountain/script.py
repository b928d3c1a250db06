"""What a screenplay asks for, before it is a film: scenes, shots and a library. No OpenTimelineIO here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """A character, a location or a style, as it is to be drawn."""

    description: str


@dataclass(frozen=True, slots=True)
class ScriptShot:
    """One action paragraph. Every `@name` in `prompt` and `intent["action"]` is in the script's library;
    a literal at sign is doubled.
    """

    prompt: str
    frames: int  # at the rate the script was read for, at least 1
    intent: dict[str, object]  # what its notes set, never "prompt"
    continues: bool = False  # starts from the out frame of the shot before it in the script
    note: str = ""  # ordinary notes of the writer


@dataclass(frozen=True, slots=True)
class ScriptScene:
    """A heading and what follows it. A heading with nothing below has no shots."""

    name: str  # the heading as it is written
    intent: dict[str, object]
    shots: tuple[ScriptShot, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A whole screenplay. Library names are `[a-z0-9_]+`, unique across the three kinds."""

    title: str  # "" without a title page
    scenes: tuple[ScriptScene, ...]
    characters: dict[str, LibraryEntry]
    locations: dict[str, LibraryEntry]
    styles: dict[str, LibraryEntry]
    film_intent: dict[str, str]
    warnings: tuple[str, ...]  # sentences for a person, most of them beginning "line 12: "
