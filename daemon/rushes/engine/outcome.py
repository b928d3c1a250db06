"""What became of jobs, in the words of a render: rendered, failed, skipped, fresh."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from rushes.engine.failures import RECIPE
from rushes.engine.taking import Made
from rushes.engine.wishes import Refusal
from rushes.messages.answers import JobRow
from rushes.store.jobs import Job, State


@dataclass(slots=True)
class Outcome:
    """What became of a render."""

    rendered: list[JobRow] = field(default_factory=list)
    failed: list[Refusal] = field(default_factory=list)
    skipped: list[Refusal] = field(default_factory=list)
    fresh: int = 0

    def add(self, rows: Iterable[JobRow]) -> None:
        """Enter jobs by how they ended; those that have not ended count as skipped."""
        for row in rows:
            if row.state == State.DONE and row.take:
                self.rendered.append(row)
            elif row.state == State.DONE:
                self.fresh += 1
            elif row.state in (State.FAILED, State.PARKED):
                self.failed.append(Refusal(row.shot, row.name, row.error, row.remedy))
            else:
                self.skipped.append(Refusal(row.shot, row.name, row.error or "it was not its turn yet"))

    def shape(self, film: str) -> dict[str, Any]:
        """The JSON of `rushes render`."""
        return {
            "film": film,
            "rendered": [
                {
                    "shot": row.shot,
                    "name": row.name,
                    "take": row.take,
                    "path": row.path,
                    "seconds": round(row.seconds, 3),
                    "stages": row.stages,
                }
                for row in self.rendered
            ],
            "failed": [{"shot": r.shot, "name": r.name, "error": r.text, "remedy": r.remedy} for r in self.failed],
            "skipped": [{"shot": r.shot, "name": r.name, "because": r.text} for r in self.skipped],
            "fresh": self.fresh,
        }


class _Request(msgspec.Struct):
    kind: str = "render"


def row_of(job: Job, name: str = "") -> JobRow:
    """A job as clients see it. `name` is the shot's, for a job that has not ended yet."""
    row = JobRow(
        job=job.id,
        film=job.film,
        shot=job.shot,
        name=name,
        kind=msgspec.json.decode(job.request, type=_Request).kind,
        state=job.state,
        priority=job.priority,
        error=job.error,
        remedy=job.remedy,
    )
    kept = msgspec.json.decode(job.result) if job.result else {}
    kept.pop(RECIPE, None)
    return msgspec.structs.replace(row, **kept)


def result_of(name: str, **take: object) -> str:
    """What is kept with an ended job: the shot's name then, and of the take that it made `take`, `path`, `seconds`
    and `stages`."""
    return msgspec.json.encode({"name": name, **take}).decode()


def made_result(name: str, made: Made) -> str:
    """What is kept with a job that made a take."""
    return result_of(name, take=made.take, path=str(made.movie), seconds=made.seconds, stages=made.stages)
