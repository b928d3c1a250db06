"""What becomes of a render, and who is told while it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from rushes.engine.taking import Made
from rushes.engine.wishes import Refusal


class Reporter(Protocol):
    """Who is told how a render goes, while it goes."""

    def begins(self, names: list[str], picked_up: int) -> None:
        """These shots are to be made; so many of them were left over from a run that was interrupted."""

    def stage(self, name: str, stage: str, done: int, total: int) -> None:
        """A shot's stage has come this far."""

    def made(self, name: str, made: Made) -> None:
        """A take lies on the shelf."""

    def refused(self, refusal: Refusal) -> None:
        """A shot failed or is skipped."""


@dataclass(slots=True)
class Outcome:
    """What became of a render."""

    rendered: list[tuple[str, Made]] = field(default_factory=list)  # name, take
    failed: list[Refusal] = field(default_factory=list)
    skipped: list[Refusal] = field(default_factory=list)
    fresh: int = 0
    warnings: list[str] = field(default_factory=list)
