"""The grammar of notes: `[[camera: push in | 3s | continue]]` sets, `[[check this with Bob]]` is only kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction

from rushes_otio.fountain.blocks import Note
from rushes_otio.intent import FIELDS
from rushes_otio.text import printable
from rushes_otio.timing import Rate
from rushes_otio.values import Expected

NOTE_FIELDS = frozenset(
    "action camera fit guidance interpolation location model negative prompt seed style".split()
)
"""Intent fields whose values are words, which is all that a note can hold."""

KINDS = ("character", "location", "style")
LONGEST = 600
"""Seconds; a longer shot is taken for a slip of the pen."""

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(s|secs?|seconds?|f|frames?)", re.IGNORECASE)
_SETTING = re.compile(r"([A-Za-z][\w-]*)\s*:\s*(.*)")


Warned = tuple[int, str]
"""A line number and a sentence."""


@dataclass(frozen=True, slots=True)
class Definition:
    """`character: Mara = a woman in red`; the description is "" where only the name was given."""

    kind: str  # one of KINDS
    name: str
    description: str
    line: int


@dataclass(slots=True)
class Settings:
    """What the notes of one paragraph say together. A later note wins over an earlier one."""

    line: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    frames: int | None = None
    continues: bool = False
    words: list[str] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)

    def add(self, other: Settings) -> None:
        """Takes over what `other`, which stands later, sets on a shot."""
        self.fields |= other.fields
        self.frames = other.frames or self.frames
        self.continues = self.continues or other.continues
        self.words += other.words


def read_notes(notes: Iterable[Note], rate: Rate, fields: frozenset[str]) -> Settings:
    """Reads every part of every note. Nothing is an error: what cannot be used becomes a warning."""
    read = _Reading(rate, fields, Settings())
    for note in notes:
        read.out.line = note.line
        if not note.closed:
            read.warn("a note opened with [[ is never closed with ]]; it was read up to the end of its line")
        for part in note.text.split("|"):
            read.part(part.strip())
    return read.out


@dataclass(slots=True)
class _Reading:
    rate: Rate
    allowed: frozenset[str]
    out: Settings

    def warn(self, text: str) -> None:
        self.out.warnings.append((self.out.line, text))

    def part(self, text: str) -> None:
        if duration := _DURATION.fullmatch(text):
            self._duration(duration)
        elif text.lower() == "continue":
            self.out.continues = True
        elif setting := _SETTING.fullmatch(text):
            self._setting(setting[1].lower().replace("-", "_"), setting[2].strip(), text)
        elif text:
            self.out.words.append(text)

    def _duration(self, found: re.Match[str]) -> None:
        amount = Fraction(found[1])
        frames = round_frames(amount * self.rate.fraction if found[2][0] in "sS" else amount)
        if 1 <= frames <= LONGEST * self.rate.fraction:
            self.out.frames = frames
        else:
            self.warn(f"a shot cannot last {found[0]}; say something between one frame and {LONGEST} seconds")

    def _setting(self, key: str, value: str, text: str) -> None:
        if key not in self.allowed and key not in KINDS:
            self._unknown(key, text)
        elif not value:
            self.warn(f"a note sets {key!r} to nothing; write [[{key}: …]] with a value")
        elif key in KINDS:
            self._entry(key, value)
        else:
            self._field(key, value)

    def _field(self, key: str, value: str) -> None:
        try:
            self.out.fields[key] = FIELDS[key].read(value)
        except Expected as expected:
            self.warn(f"{key} is {printable(value, 60)!r} and was left out; expected {expected}")

    def _entry(self, kind: str, value: str) -> None:
        name, defines, description = (part.strip() for part in value.partition("="))
        if not any(c.isalnum() for c in name):
            self.warn(f"a {kind} needs a name: [[{kind}: NAME = what it looks like]]")
            return
        self.out.definitions.append(Definition(kind, name, description, self.out.line))
        if kind in self.allowed and not defines:
            self.out.fields[kind] = name

    def _unknown(self, key: str, text: str) -> None:
        known = sorted({*self.allowed, *KINDS})
        near = get_close_matches(key, known, n=3, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else f"it can set {', '.join(known)}"
        self.warn(f"a note cannot set {printable(key, 40)!r}; {hint}")
        self.out.words.append(text)


def round_frames(frames: Fraction) -> int:
    """To the nearest frame, halves up, so that 2.5 seconds are as long in every film."""
    return int(frames + Fraction(1, 2))
