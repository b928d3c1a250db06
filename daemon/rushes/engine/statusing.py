"""The state of a film as clients see it: the plan, with what the queue knows of its shots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rushes.engine.edges import ShotPlan
from rushes.engine.failures import still_failed
from rushes.engine.plan import Plan
from rushes.engine.reasons import Reason
from rushes.engine.studio import Desk
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
    """A film, its plan, and the state of each shot: the plan's, or the queue's while it has work for it.
    `failures` are the jobs of shots that failed."""

    film: Film
    plan: Plan
    states: dict[str, str]
    failures: dict[str, Job]

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for state in self.states.values():
            found[state] = found.get(state, 0) + 1
        return found

    def shape(self, path: str) -> dict[str, Any]:
        """The JSON of `rushes status`."""
        rows = [self.row(shot_id) for shot_id in self.plan.shots]
        scenes = [{"scene": s.id, "code": s.code, "name": s.name} for s in self.film.block.scenes]
        rate = self.film.block.rate
        return {"film": path, "rate": rate, "scenes": scenes, "shots": rows, "counts": self.counts()}

    def row(self, shot_id: str) -> dict[str, Any]:
        """One shot of it."""
        shot = self.plan.shots[shot_id]
        block = shot.block
        return {
            "shot": block.shot,
            "name": block.name,
            "scene": block.scene,
            "state": self.states[block.shot],
            "take": block.chosen.take if block.chosen else None,
            "uses": list(shot.uses),
            "locked": block.locked,
            "waiting": block.waiting,
            "reasons": [reason_row(r) for r in shot.reasons],
            **self._fault(shot),
            **({"notes": [printable(n) for n in shot.notes]} if shot.notes else {}),
        }

    def _fault(self, shot: ShotPlan) -> dict[str, Any]:
        """Why it cannot be made, or was not."""
        if shot.fault is not None:
            return {"fault": shot.fault.as_dict()}
        job = self.failures.get(shot.block.shot)
        return {"fault": {"text": job.error, "where": "", "remedy": job.remedy}} if job else {}


def reason_row(reason: Reason) -> dict[str, Any]:
    """A reason as clients see it."""
    return {"input": reason.input, "was": reason.was, "now": reason.now, "via": list(reason.via)}


def _seen_as(job: Job, shot: ShotPlan) -> str | None:
    """What the queue says of a shot; a job whose process was killed is as good as queued, and one that failed says
    nothing of a shot that asks for something else by now."""
    if job.state is State.FAILED and not still_failed(job, shot.recipe):
        return None
    if job.state is State.RUNNING and not (job.pid and exists(job.pid)):
        return "queued"
    return _SEEN_AS.get(job.state)


def film_status(desk: Desk) -> FilmStatus:
    """Read a film and say how it stands."""
    film = desk.read()
    plan = desk.plan(film)
    states = {shot_id: shot.state for shot_id, shot in plan.shots.items()}
    failures: dict[str, Job] = {}
    if desk.studio.places.database.exists():
        for shot_id, job in desk.studio.jobs.latest(desk.places.key).items():
            if states.get(shot_id) in ("stale", "missing"):
                states[shot_id] = _seen_as(job, plan.shots[shot_id]) or states[shot_id]
                if states[shot_id] == "failed":
                    failures[shot_id] = job
    return FilmStatus(film, plan, states, failures)
