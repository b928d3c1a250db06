"""Rendering a film: a queue of orders, a few takes in the making, and a worker that is never kept waiting.

Takes that arrive are saved into the film at most once a second and before `run` returns. A worker that dies costs
the stage it was at; a shot that takes its worker down three times is parked, and what continues from it is
skipped. Killed at any point, the next run picks the queue up.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rushes_otio.errors import RushesError, ShotFault
from rushes_otio.film import Film
from rushes_otio.resolve import Resolver
from rushes_otio.text import printable

from rushes.engine.accept import Acceptance
from rushes.engine.edges import ShotPlan
from rushes.engine.making import Made, Making
from rushes.engine.orders import Order
from rushes.engine.plan import Planner
from rushes.engine.stagework import Answer, Ask
from rushes.engine.studio import Desk
from rushes.engine.wishes import Refusal, Wishes, only_from_upstream, worklist
from rushes.store import films
from rushes.store.durable import tidy_parts
from rushes.store.failpoints import reach
from rushes.store.jobs import Event, Job, State
from rushes.store.locks import film_lock, render_lock
from rushes.store.shelf import Shelf
from rushes.worker import protocol
from rushes.worker.protocol import Cancelled, Done, Failed, Lost, Progress, Ready
from rushes.worker.workers import Workers

AT_ONCE = 3
"""Takes in the making: one encoding, one generating, one whose next stage is ready to follow."""

SAVE_EVERY_S = 1.0
CANCEL_WAIT_S = 0.7


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


@dataclass(slots=True, eq=False)
class _Active:
    job: Job
    order: Order
    plan: ShotPlan
    steps: Generator[Ask, Answer, Made]
    ask: Ask | None = None


class Render:
    """One run over one film. Needs the film's render lock, which it takes."""

    def __init__(self, desk: Desk, workers: Workers, reporter: Reporter) -> None:
        self._desk = desk
        self._workers = workers
        self._reporter = reporter
        self._jobs = desk.studio.jobs
        self._queue: list[tuple[Job, Order]] = []
        self._active: list[_Active] = []
        self._running: dict[int, _Active] = {}
        self._waiting: dict[str, list[_Active]] = {}  # stage key -> who waits for its output
        self._arrived: list[tuple[Acceptance, Job]] = []
        self._blocked: dict[str, str] = {}  # shot that failed -> its name
        self._environment: dict[str, str] = {}
        self._saved_at = 0.0
        self.outcome = Outcome()

    def run(self, wishes: Wishes) -> Outcome:
        """Make what is wished for. KeyboardInterrupt leaves a film that names every take that was finished."""
        with render_lock(self._desk.studio.places, self._desk.places.film):
            self._prepare(wishes)
            try:
                self._loop()
            except BaseException:
                self._drop_everything()
                raise
            finally:
                self._save()
                shutil.rmtree(self._scratch, ignore_errors=True)
        return self.outcome

    # -- what is to be made ----------------------------------------------------------------------------------

    def _prepare(self, wishes: Wishes) -> None:
        key = self._desk.places.key
        tidy_parts(self._desk.places.takes)
        self._scratch = Path(tempfile.mkdtemp(prefix="work-", dir=self._desk.studio.places.cache_root()))
        recovered = self._jobs.recover(key)
        self._read()
        self._shelf = self._desk.shelf()
        self.outcome.warnings += self._shelf.warnings
        found = worklist(self._desk.plan(self._film), wishes, self._shelf)
        self.outcome.failed += found.failed
        self.outcome.skipped += found.skipped
        self.outcome.fresh = found.fresh
        self._enqueue(found.orders)
        self._reporter.begins([self._name(job.shot) for job, _ in self._queue], len(recovered))

    def _read(self) -> None:
        data = films.read_bytes(self._desk.places.film)
        self._digest = hashlib.sha256(data).digest()
        self._film = Film(data, str(self._desk.places.film))

    def _enqueue(self, orders: list[tuple[str, Order]]) -> None:
        """Put the orders into the queue, behind what an interrupted run left there."""
        key = self._desk.places.key
        for job in self._jobs.pending(key):
            order = Order.from_json(job.request)
            same = [o for o in orders if o[0] == job.shot and o[1].kind == order.kind == "render"]
            wanted = order.kind == "another" and job.shot in self._film.shots
            if same or wanted:
                self._queue.append((job, same[0][1] if same else order))
                orders = [o for o in orders if o not in same]
            else:
                self._jobs.step(job.id, Event.CANCEL)  # the film has moved on
        added = self._jobs.add_all(key, [(shot, order.to_json()) for shot, order in orders])
        self._queue += zip(added, (order for _, order in orders), strict=True)
        reach("queue.enqueued")

    def _name(self, shot_id: str) -> str:
        shot = self._film.shots.get(shot_id)
        return printable(shot.block.name, 60) if shot else shot_id

    # -- the loop --------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        self._workers.start()
        while self._queue or self._active or self._arrived:
            self._start_some()
            for event in self._workers.poll(self._patience()):
                self._on(event)
            if time.monotonic() - self._saved_at >= SAVE_EVERY_S:
                self._save()

    def _patience(self) -> float:
        if not self._running:
            return 0.0
        return SAVE_EVERY_S / 4 if self._arrived else 1.0

    def _start_some(self) -> None:
        while len(self._active) < AT_ONCE:
            ready = next((entry for entry in self._queue if self._is_ready(entry[0])), None)
            if ready is None:
                return
            self._queue.remove(ready)
            self._start(*ready)

    def _is_ready(self, job: Job) -> bool:
        """Whether nothing that the shot continues from is still to be made."""
        ahead = {j.shot for j, o in self._queue if o.kind == "render"} | {
            a.job.shot for a in self._active if a.order.kind == "render"
        }
        return not ahead.intersection(self._upstreams(job.shot))

    def _upstreams(self, shot_id: str) -> set[str]:
        return set(self._planner().upstreams(shot_id))

    def _planner(self) -> Planner:
        return Planner(self._film, self._desk.sources)
