"""Stages as coroutines: they yield requests for a worker and are sent its answers.

Before anything is asked for, the cache is looked at. Sent None, a stage looks again: somebody else made it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rushes.generators.cards import Card
from rushes.store.cache import Entry, StageCache
from rushes.store.takes import StageMark
from rushes.worker.protocol import Done, Work


@dataclass(frozen=True, slots=True)
class Ask:
    """One stage to be run for a model, and its key: of two shots that ask for one key, one waits for the other."""

    key: str
    stage: str
    model: str
    work: Work


Answer = Done | None
Outputs = Generator[Ask, Answer, Entry]


@dataclass(frozen=True, slots=True)
class Stored:
    """The stored motion of another shot: where it lies, the native frame it begins at, and what decodes it."""

    entry: Entry
    begins: int
    model: str
    generator: str
    card: Card | None


class Pictures(Protocol):
    """Where pictures of a recipe lie."""

    def holding(self, digest: str) -> Path:
        """The file with this content; ShotFault when it is not at hand."""

    def motion(self, digest: str) -> Generator[Ask, Answer, Stored]:
        """The stored motion of another shot with this digest."""

    def movie(self, digest: str) -> Path:
        """The movie of another shot's take with this motion."""


@dataclass(slots=True)
class Notes:
    """What happened to each stage: kept with the take and shown to people."""

    status: dict[str, str] = field(default_factory=dict)  # stage -> "ran" | "cached"
    seconds: dict[str, float] = field(default_factory=dict)
    marks: dict[str, StageMark] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def note(self, stage: str, entry: Entry, seconds: float | None) -> None:
        """`seconds` is None for an output that was found in the cache."""
        ran = seconds is not None or self.status.get(stage) == "ran"
        self.status[stage] = "ran" if ran else "cached"
        self.seconds[stage] = self.seconds.get(stage, 0.0) + (seconds or 0.0)
        self.marks[stage] = StageMark(entry.key, entry.digest)
        if entry.warning:
            self.warnings.append(entry.warning)


@dataclass(frozen=True, slots=True)
class Stages:
    """Has outputs of stages found in a cache or made. Those in the making lie in `scratch`."""

    cache: StageCache
    scratch: Path
    notes: Notes

    def output(self, key: str, stage: str, model: str, work: Callable[[str], Work]) -> Outputs:
        """The output of `key`: from the cache, or by `work`, which is told where to put it."""
        while True:
            entry = self.cache.get(key)
            if entry is not None:
                self.notes.note(stage, entry, None)
                return entry
            out = self.scratch / f"{stage}-{key}"
            done = yield Ask(key, stage, model, work(str(out)))
            if done is not None:
                entry = self.cache.put(key, out, stage)
                self.notes.note(stage, entry, done.seconds)
                self.notes.environment.update(done.environment)
                return entry
