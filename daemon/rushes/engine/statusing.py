"""The state of a film as clients see it: the plan, with what the queue knows of its shots."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rushes.engine.plan import Plan
from rushes.engine.reasons import Reason
from rushes.engine.studio import Studio
from rushes.store.alive import exists
from rushes.store.jobs import Job, State
from rushes_otio.film import Film
from rushes_otio.text import printable

_SEEN_AS = {
    State.QUEUED: "queued",
    State.RUNNING: "rendering",
    State.FAILED: "failed",
    State.PARKED: "failed",
}


@dataclass(frozen=True, slots=True)
class FilmStatus:
    """A film, its plan, and the state of each shot: the plan's, or the queue's while it has work for it."""

    film: Film
    plan: Plan
    states: dict[str, str]

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for state in self.states.values():
            found[state] = found.get(state, 0) + 1
        return found

    def shape(self, path: str) -> dict[str, Any]:
        """The JSON of `rushes status`."""
        rows = [
            {
                "shot": shot.block.shot,
                "name": shot.block.name,
                "scene": shot.block.scene,
                "state": self.states[shot.block.shot],
                "take": shot.block.chosen.take if shot.block.chosen else None,
                "uses": list(shot.uses),
                "locked": shot.block.locked,
                "waiting": shot.block.waiting,
                "reasons": [_reason(r) for r in shot.reasons],
                **({"fault": shot.fault.as_dict()} if shot.fault else {}),
                **({"notes": [printable(n) for n in shot.notes]} if shot.notes else {}),
            }
            for shot in self.plan.shots.values()
        ]
        return {"film": path, "rate": self.film.block.rate, "shots": rows, "counts": self.counts()}


def _reason(reason: Reason) -> dict[str, Any]:
    return {"input": reason.input, "was": reason.was, "now": reason.now, "via": list(reason.via)}


def _seen_as(job: Job) -> str | None:
    """What the queue says of a shot; a job whose process was killed is as good as queued."""
    if job.state is State.RUNNING and not (job.pid and exists(job.pid)):
        return "queued"
    return _SEEN_AS.get(job.state)


def film_status(path: Path) -> FilmStatus:
    """Read a film and say how it stands."""
    gc.disable()  # one pass over a large film makes no garbage worth the walks over it
    studio = Studio.of_user()
    desk = studio.desk(path)
    film = desk.read()
    plan = desk.plan(film)
    states = {shot_id: shot.state for shot_id, shot in plan.shots.items()}
    if studio.places.database.exists():
        for shot_id, job in studio.jobs.latest(desk.places.key).items():
            if states.get(shot_id) in ("stale", "missing"):
                states[shot_id] = _seen_as(job) or states[shot_id]
    return FilmStatus(film, plan, states)
