"""The queue: what was asked to be rendered, kept through restarts and crashes.

queued ──start──► running ──succeed──► done
  │                 │ ├────fail─────► failed
  │                 │ ├────crash────► queued again, or parked at the third crash
  │                 │ └───replace───► queued again: the shot was edited meanwhile
  └──cancel─────────┴────cancel────► cancelled
failed, parked and cancelled jobs can be retried.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from rushes.store.db import Database
from rushes_otio.errors import BadRequest

if TYPE_CHECKING:
    from sqlite3 import Connection

CRASH_LIMIT = 3
"""A job whose worker dies this often is parked: the next try would only take another worker with it."""

_KEPT = 10_000
"""So many jobs back, finished ones are remembered."""


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARKED = "parked"


class Event(StrEnum):
    START = "start"
    CRASH = "crash"
    REPLACE = "replace"
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"
    RETRY = "retry"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.QUEUED, Event.START): State.RUNNING,
    (State.QUEUED, Event.CANCEL): State.CANCELLED,
    (State.RUNNING, Event.SUCCEED): State.DONE,
    (State.RUNNING, Event.FAIL): State.FAILED,
    (State.RUNNING, Event.CRASH): State.QUEUED,  # PARKED when it is the last crash allowed
    (State.RUNNING, Event.REPLACE): State.QUEUED,
    (State.RUNNING, Event.CANCEL): State.CANCELLED,
    (State.FAILED, Event.RETRY): State.QUEUED,
    (State.PARKED, Event.RETRY): State.QUEUED,
    (State.PARKED, Event.CANCEL): State.CANCELLED,
    (State.CANCELLED, Event.RETRY): State.QUEUED,
}


@dataclass(frozen=True, slots=True)
class Job:
    """One thing asked for. `id` counts up and is the order of asking: clocks are not compared."""

    id: int
    film: str  # FilmPlaces.key
    shot: str
    request: str  # JSON: what was asked for
    state: State
    attempts: int  # crashes so far
    priority: int  # higher comes first
    pid: int | None  # who runs it, while it runs
    error: str
    remedy: str
    created: int  # microseconds since 1970, to show
    result: str = ""  # JSON: what came of it, once it is done

    def after(self, event: Event) -> Job:
        """The job once `event` has happened. BadRequest when that cannot happen in its state."""
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise BadRequest(
                f"job {self.id} is {self.state}: it cannot {event}", where=self.shot, remedy="look at the status"
            )
        attempts = {Event.CRASH: self.attempts + 1, Event.RETRY: 0}.get(event, self.attempts)
        if event is Event.CRASH and attempts >= CRASH_LIMIT:
            state = State.PARKED
        pid = os.getpid() if state is State.RUNNING else None
        return replace(self, state=state, attempts=attempts, pid=pid, error="", remedy="")


_SELECT = (
    "SELECT id, film, shot, request, state, attempts, priority, pid, error, remedy, created, result FROM jobs"
)
_ORDER = "ORDER BY priority DESC, id"


class Jobs:
    """The queue in the database. Every change is on disk when the call returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def changes(self) -> int:
        """Another number after each change, by whatever process."""
        return self._database.changes

    def add(self, film: str, shot: str, request: str, *, priority: int = 0) -> Job:
        """Ask for `request` (JSON) on a shot."""
        return self.add_all(film, [(shot, request)], priority=priority)[0]

    def add_all(self, film: str, asked: Iterable[tuple[str, str]], *, priority: int = 0) -> list[Job]:
        """Ask for (shot, request) pairs in that order: all of them, or none if the process ends."""
        created = time.time_ns() // 1000
        made: list[Job] = []
        with self._database.writing() as connection:
            for shot, request in asked:
                row = connection.execute(
                    "INSERT INTO jobs (film, shot, request, state, attempts, priority, error, remedy, created)"
                    " VALUES (?, ?, ?, ?, 0, ?, '', '', ?)",
                    (film, shot, request, State.QUEUED, priority, created),
                )
                number = row.lastrowid or 0
                made.append(Job(number, film, shot, request, State.QUEUED, 0, priority, None, "", "", created))
        return made

    def get(self, job: int) -> Job:
        """The job of that id; BadRequest when there is none."""
        return _one(self._database.read(f"{_SELECT} WHERE id = ?", (job,)), job)

    def pending(self, film: str) -> list[Job]:
        """Queued and running jobs of a film, in the order they are to be run."""
        rows = self._database.read(
            f"{_SELECT} WHERE film = ? AND state IN ('queued', 'running') {_ORDER}", (film,)
        )
        return [_job(row) for row in rows]

    def films(self) -> list[str]:
        """The films that have queued or running jobs, the longest waiting first."""
        rows = self._database.read(
            "SELECT film FROM jobs WHERE state IN ('queued', 'running') GROUP BY film ORDER BY min(id)"
        )
        return [str(row[0]) for row in rows]

    def some(self, ids: Iterable[int]) -> list[Job]:
        """The jobs with these ids, as far as there are such."""
        rows = self._database.read(
            f"{_SELECT} WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",  # noqa: S608
            (str(list(map(int, ids))),),
        )
        return [_job(row) for row in rows]

    def latest(self, film: str) -> dict[str, Job]:
        """The last job asked for of each shot of a film, whatever became of it."""
        rows = self._database.read(
            f"{_SELECT} WHERE id IN (SELECT max(id) FROM jobs WHERE film = ? GROUP BY shot)",  # noqa: S608
            (film,),
        )
        return {job.shot: job for job in map(_job, rows)}

    def step(self, job: int, event: Event, *, error: str = "", remedy: str = "", result: str = "") -> Job:
        """Let `event` happen to a job; `error` and `remedy` say why, for people, `result` what came of it.
        BadRequest when it cannot."""
        with self._database.writing() as connection:
            return _moved(connection, _get(connection, job), event, error, remedy, result)

    def prioritise(self, priorities: Mapping[int, int]) -> None:
        """Change when the turn of each of these jobs is."""
        with self._database.writing() as connection:
            rows = [(priority, job) for job, priority in priorities.items()]
            connection.executemany("UPDATE jobs SET priority = ? WHERE id = ?", rows)

    def recover(self, film: str) -> list[Job]:
        """Put back what a dead process left running; returns those jobs, queued or parked now. Only for who
        holds the film's render lock: then no live process runs any of them."""
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM jobs WHERE film = ? AND state IN ('done', 'cancelled')"
                " AND id <= (SELECT max(id) FROM jobs) - ?",
                (film, _KEPT),
            )
            rows = connection.execute(
                f"{_SELECT} WHERE film = ? AND state = 'running' {_ORDER}", (film,)
            ).fetchall()
            return [_moved(connection, _job(row), Event.CRASH, "the process rendering it ended") for row in rows]


def _moved(
    connection: Connection, job: Job, event: Event, error: str = "", remedy: str = "", result: str = ""
) -> Job:
    job = replace(job.after(event), error=error, remedy=remedy, result=result)
    connection.execute(
        "UPDATE jobs SET state = ?, attempts = ?, pid = ?, error = ?, remedy = ?, result = ? WHERE id = ?",
        (job.state, job.attempts, job.pid, job.error, job.remedy, job.result, job.id),
    )
    return job


def _get(connection: Connection, job: int) -> Job:
    return _one(connection.execute(f"{_SELECT} WHERE id = ?", (job,)).fetchall(), job)


def _one(rows: list[tuple[Any, ...]], job: int) -> Job:
    if not rows:
        raise BadRequest(f"there is no job {job}", remedy="look at the status for the jobs there are")
    return _job(rows[0])


def _job(row: tuple[Any, ...]) -> Job:
    """A row in the order of `Job`'s fields, which `_SELECT` keeps."""
    job = Job(*row)
    return replace(job, state=State(job.state))
