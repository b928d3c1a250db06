"""What to say of a film to those who follow it: the shots that changed since it was said last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from rushes.engine.edges import ShotPlan
from rushes.engine.opendesk import OpenDesk
from rushes.engine.statusing import FilmStatus, film_status
from rushes.messages import events

_Seen = tuple[Any, ...]


class Announcer:
    """Remembers what was said. Until somebody has asked for the film's status, nothing is."""

    def __init__(self, desk: OpenDesk) -> None:
        self._desk = desk
        self._said: dict[str, ShotPlan] = {}
        self._version = -1
        self._status: tuple[int, int, str, Raw] | None = None
        self.is_listening = False

    def status(self, film: str) -> Raw:
        """The object of `rushes status --json`, with `film` as it was asked for."""
        self._desk.read()
        stamp = (self._desk.version, self._desk.studio.jobs.changes)
        if self._status is None or self._status[:2] != stamp or self._status[2] != film:
            text = Raw(msgspec.json.encode(film_status(self._desk).shape(film)))
            self._status = (*stamp, film, text)
        return self._status[3]

    def changed(self) -> events.Shots | None:
        """The rows of the shots that are not as they were when this was asked last; None where none is."""
        if self._desk.version == self._version:
            return None
        plans = self._desk.plan(self._desk.read()).shots
        first, self._version = not self.is_listening, self._desk.version
        self.is_listening = True
        said, self._said = self._said, dict(plans)
        changed = [shot for shot, plan in plans.items() if not _same(said.get(shot), plan)]
        gone = [shot for shot in said if shot not in plans]
        if first or not (changed or gone):
            return None
        status: FilmStatus = film_status(self._desk)
        rows = [status.row(shot) for shot in changed]
        return events.Shots(film=self._desk.places.key, rows=rows, gone=gone, counts=status.counts())

    def again(self) -> events.Shots:
        """That the film can be read again. Its shots may all be as they were: then nothing else says so."""
        return events.Shots(film=self._desk.places.key, rows=[], gone=[], counts=film_status(self._desk).counts())

    def files(self) -> list[Path]:
        """The film's own file and those it mentions."""
        return [self._desk.places.film, *self._desk.mentioned()]


def _same(before: ShotPlan | None, now: ShotPlan) -> bool:
    """Whether nobody who was told of the one needs to be told of the other."""
    return before is now or (before is not None and _seen(before) == _seen(now))


def _seen(plan: ShotPlan) -> _Seen:
    block = plan.block
    fault = plan.fault.text if plan.fault else None
    chosen = block.chosen.take if block.chosen else None
    named = (block.name, block.scene, block.locked, block.waiting, chosen)
    return (plan.state, *named, plan.reasons, plan.uses, plan.today, fault)
