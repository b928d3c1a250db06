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
from dataclasses import dataclass
from pathlib import Path

from rushes.engine.accept import Acceptance
from rushes.engine.edges import ShotPlan
from rushes.engine.making import Making
from rushes.engine.orders import Order
from rushes.engine.outcome import Outcome, Reporter
from rushes.engine.plan import Planner
from rushes.engine.stagework import Answer, Ask
from rushes.engine.studio import Desk
from rushes.engine.taking import Context, Made
from rushes.engine.wishes import Refusal, Wishes, only_from_upstream, worklist
from rushes.store import films
from rushes.store.durable import tidy_parts
from rushes.store.failpoints import reach
from rushes.store.jobs import Event, Job, State
from rushes.store.locks import film_lock, render_lock
from rushes.store.places import private
from rushes.worker import protocol
from rushes.worker.protocol import Cancelled, Done, Failed, Lost, Progress, Ready
from rushes.worker.workers import Workers
from rushes_otio.errors import BadRequest, RushesError
from rushes_otio.film import Film
from rushes_otio.resolve import Resolver
from rushes_otio.text import printable

AT_ONCE = 3
"""Takes in the making: one encoding, one generating, one whose next stage is ready to follow."""

SAVE_EVERY_S = 1.0
CANCEL_WAIT_S = 0.7


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
        self._scratch: Path | None = None
        self.outcome = Outcome()

    def run(self, wishes: Wishes) -> Outcome:
        """Make what is wished for. KeyboardInterrupt leaves a film that names every take that was finished."""
        with render_lock(self._desk.studio.places, self._desk.places.film):
            try:
                self._prepare(wishes)
                self._loop()
            except BaseException:
                self._drop_everything()
                raise
            finally:
                self._save()
                if self._scratch is not None:
                    shutil.rmtree(self._scratch, ignore_errors=True)
        return self.outcome

    # -- what is to be made ----------------------------------------------------------------------------------

    def _prepare(self, wishes: Wishes) -> None:
        key = self._desk.places.key
        tidy_parts(self._desk.places.takes)
        self._scratch = Path(tempfile.mkdtemp(prefix="work-", dir=private(self._desk.studio.places.cache)))
        recovered = self._jobs.recover(key)
        self._read()
        self._shelf = self._desk.shelf()
        self.outcome.warnings += self._shelf.warnings
        planned = self._desk.plan(self._film)
        self._plans = dict(planned.shots)
        self._handles = int(Resolver(self._film).delivery()["handles"])
        found = worklist(planned, wishes, self._shelf)
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
                self._jobs.step(job.id, Event.CANCEL, error="the film has moved on")
        added = self._jobs.add_all(key, [(shot, order.to_json()) for shot, order in orders])
        self._queue += zip(added, (order for _, order in orders), strict=True)
        reach("queue.enqueued")

    def _name(self, shot_id: str) -> str:
        shot = self._film.shots.get(shot_id)
        return printable(shot.block.name, 60) if shot else shot_id

    # -- the loop --------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        self._workers.start()
        while self._queue or self._active:
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
        above = self._plans[job.shot].upstream
        return not above or not self._unfinished.intersection(above)

    @property
    def _unfinished(self) -> set[str]:
        queued = {job.shot for job, order in self._queue if order.kind == "render"}
        return queued | {a.job.shot for a in self._active if a.order.kind == "render"}

    def _start(self, job: Job, order: Order) -> None:
        shot = self._planned_now(job.shot)
        failed = next((self._blocked[u] for u in shot.upstream if u in self._blocked), None)
        job = self._jobs.step(job.id, Event.START)
        reach("queue.started")
        if failed is not None:
            self._skip(job, f"{failed}, which it continues from, was not made")
        elif shot.fault is not None:
            self._fail(job, shot.fault)
        elif (
            shot.state == "fresh"
            and order.kind == "render"
            and order.n is None
            and not (order.named or order.until)
        ):
            self._jobs.step(job.id, Event.SUCCEED)  # what it continues from came out the same
            self.outcome.fresh += 1
        else:
            active = _Active(job, order, shot, self._making(shot, order).run())
            self._active.append(active)
            self._advance(active, None)

    def _planned_now(self, shot_id: str) -> ShotPlan:
        """The shot's plan, made again when it rests on shots that were rendered meanwhile."""
        if self._plans[shot_id].upstream:
            self._plans.update(Planner(self._film, self._desk.sources).some({shot_id}))
        return self._plans[shot_id]

    def _making(self, shot: ShotPlan, order: Order) -> Making:
        assert self._scratch is not None  # made before anything is started
        context = Context(self._desk, self._film, self._shelf, shot, order, self._environment)
        return Making(context, self._plans, self._scratch, self._handles)

    def _advance(self, active: _Active, answer: Answer) -> None:
        """Send a take in the making its answer, and hand on what it asks for next."""
        try:
            ask = active.ask = active.steps.send(answer)
        except StopIteration as stop:
            self._finish(active, stop.value)
        except RushesError as error:
            self._active.remove(active)
            self._fail(active.job, error)
        else:
            if ask.key in self._waiting:
                self._waiting[ask.key].append(active)
            else:
                self._waiting[ask.key] = []
                self._running[self._workers.submit(ask.work)] = active

    # -- what the worker says --------------------------------------------------------------------------------

    def _on(self, event: protocol.Event) -> None:
        match event:
            case Ready():
                self._environment.update(event.environment)
            case Progress():
                active = self._running.get(event.id)
                if active is not None:
                    self._reporter.stage(self._name(active.job.shot), event.stage, event.done, event.total)
            case Done():
                active, waiting = self._ended(event.id)
                self._note_time(active, event)
                for one, answer in ((active, event), *((w, None) for w in waiting)):
                    self._advance(one, answer)
            case Failed():
                self._on_failed(event)
            case Lost():
                self._on_lost(event)
            case Cancelled():
                self._on_lost(Lost(id=event.id, why="it was cancelled", innocent=True))

    def _ended(self, request: int) -> tuple[_Active, list[_Active]]:
        active = self._running.pop(request)
        assert active.ask is not None
        return active, self._waiting.pop(active.ask.key)

    def _note_time(self, active: _Active, done: Done) -> None:
        if active.ask is not None and active.plan.recipe is not None:
            model = str(active.plan.recipe["model"]["name"])
            self._desk.studio.timings.note(model, active.ask.stage, max(1, done.frames), done.seconds)

    def _on_failed(self, event: Failed) -> None:
        active, waiting = self._ended(event.id)
        self._active.remove(active)
        remedy = event.remedy or "see the log: rushes daemon log"
        self._fail(active.job, RushesError(printable(event.error), remedy=remedy))
        for one in waiting:
            self._advance(one, None)

    def _on_lost(self, event: Lost) -> None:
        """Start the take again; what the cache holds by now is not made twice."""
        active, waiting = self._ended(event.id)
        self._active.remove(active)
        job = active.job
        if not event.innocent:
            job = self._jobs.step(job.id, Event.CRASH, error=event.why)
            if job.state is State.PARKED:
                text = f"its worker ended {job.attempts} times: {printable(event.why)}"
                self._refuse(
                    job, Refusal(job.shot, self._name(job.shot), text, "rushes doctor; then render again")
                )
            else:
                job = self._jobs.step(job.id, Event.START)
        if job.state is not State.PARKED:
            again = _Active(job, active.order, active.plan, self._making(active.plan, active.order).run())
            self._active.append(again)
            self._advance(again, None)
        for one in waiting:
            self._advance(one, None)

    # -- how it ends -----------------------------------------------------------------------------------------

    def _finish(self, active: _Active, made: Made) -> None:
        self._active.remove(active)
        waits = not active.order.named and bool(active.plan.reasons) and only_from_upstream(active.plan)
        acceptance = Acceptance(made, active.order, waits)
        acceptance.apply(self._film, self._shelf)
        self._arrived.append((acceptance, active.job))
        name = self._name(active.job.shot)
        self.outcome.rendered.append((name, made))
        self.outcome.warnings += [w for w in made.warnings if w not in self.outcome.warnings]
        self._reporter.made(name, made)

    def _fail(self, job: Job, error: RushesError) -> None:
        self._jobs.step(job.id, Event.FAIL, error=error.text, remedy=error.remedy)
        self._refuse(job, Refusal(job.shot, self._name(job.shot), error.text, error.remedy))

    def _refuse(self, job: Job, refusal: Refusal) -> None:
        self._blocked[job.shot] = refusal.name
        self.outcome.failed.append(refusal)
        self._reporter.refused(refusal)

    def _skip(self, job: Job, because: str) -> None:
        refusal = Refusal(job.shot, self._name(job.shot), because)
        self._jobs.step(job.id, Event.CANCEL, error=because)
        self._blocked[job.shot] = refusal.name
        self.outcome.skipped.append(refusal)
        self._reporter.refused(refusal)

    def _save(self) -> None:
        """Enter the takes that arrived into the film on disk, which somebody may have edited meanwhile."""
        if not self._arrived:
            return
        path = self._desk.places.film
        with film_lock(self._desk.studio.places, path):
            data = films.read_bytes(path)
            if hashlib.sha256(data).digest() != self._digest:
                self._film = Film(data, str(path))
                for acceptance, _ in self._arrived:
                    acceptance.apply(self._film, self._shelf)
            saved = self._film.encode()
            films.save(path, saved, data)
        changed = hashlib.sha256(data).digest() != self._digest
        self._digest = hashlib.sha256(saved).digest()
        for _, job in self._arrived:
            with contextlib.suppress(BadRequest):  # done already: Ctrl-C came between two of them
                self._jobs.step(job.id, Event.SUCCEED)
        self._arrived.clear()
        self._saved_at = time.monotonic()
        if changed:
            self._plans.update(self._desk.plan(self._film).shots)

    def _drop_everything(self) -> None:
        """Stop what runs; takes that are finished stay, and so does what others have in the queue."""
        for request in list(self._running):
            self._workers.cancel(request)
        deadline = time.monotonic() + CANCEL_WAIT_S
        while self._running and time.monotonic() < deadline:
            for event in self._workers.poll(CANCEL_WAIT_S / 10):
                if not isinstance(event, Ready | Progress):
                    self._running.pop(event.id, None)
        for job in [job for job, _ in self._queue] + [active.job for active in self._active]:
            with contextlib.suppress(RushesError):
                self._jobs.step(job.id, Event.CANCEL, error="interrupted")
        tidy_parts(self._desk.places.takes)
