"""The jobs of one film, in the database and in the order of their turn; what becomes of each is written down and
told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from rushes.engine.backlog import Backlog, Waiting
from rushes.engine.edges import ShotPlan
from rushes.engine.failures import mark
from rushes.engine.opendesk import OpenDesk
from rushes.engine.orders import Order
from rushes.engine.outcome import made_result, result_of, row_of
from rushes.engine.taking import Made
from rushes.engine.telling import How, Telling
from rushes.messages.answers import JobRow
from rushes.store.failpoints import reach
from rushes.store.jobs import Event, Job, State
from rushes.store.shelf import Shelf
from rushes_otio.errors import BadRequest, RushesError
from rushes_otio.text import printable


class JobBook:
    """Jobs that wait are in `backlog`; those taken out of it are with whoever makes them."""

    def __init__(self, desk: OpenDesk, say: Telling) -> None:
        self._desk = desk
        self._film = desk.places.key
        self._jobs = desk.studio.jobs
        self._say = say
        self.backlog = Backlog()
        self.blocked: dict[str, str] = {}  # shot that was not made -> its name

    # -- into the queue --------------------------------------------------------------------------------------

    def load(self) -> list[Job]:
        """Take up what an earlier run left; returns the jobs that it was at when it ended."""
        recovered = self._jobs.recover(self._film)
        self.blocked.clear()
        self.backlog.clear()
        self._enqueue(self._jobs.pending(self._film))
        return recovered

    def add(self, orders: Iterable[tuple[str, Order]]) -> list[Job]:
        """A new job for each order."""
        jobs = self._jobs.add_all(self._film, [(shot, order.to_json()) for shot, order in orders])
        reach("queue.enqueued")
        self._enqueue(jobs)
        return jobs

    def retry(self, ids: Iterable[int]) -> list[Job]:
        """Queue jobs again that failed, were parked or cancelled. BadRequest for any other."""
        jobs = [self._jobs.step(id_, Event.RETRY) for id_ in ids]
        reach("queue.retried")
        waiting = {one.job.id for one in self.backlog}
        self._enqueue([job for job in jobs if job.id not in waiting])
        return jobs

    def first(self, ids: list[int]) -> None:
        """Move jobs to the front, in this order."""
        top = max((job.priority for job in self._jobs.pending(self._film)), default=0)
        self._jobs.prioritise({id_: top + len(ids) - place for place, id_ in enumerate(ids)})
        self._enqueue(self._jobs.some([one.job.id for one in self.backlog.remove(set(ids))]))

    def _enqueue(self, jobs: Iterable[Job]) -> None:
        plans = self._desk.plan(self._desk.read()).shots
        for job in jobs:
            self.blocked.pop(job.shot, None)
            order = Order.from_json(job.request)
            plan = plans.get(job.shot)
            self.backlog.add([Waiting(job, order, self.name(job.shot), _model(order, plan))])

    # -- out of it -------------------------------------------------------------------------------------------

    def start(self, waiting: Waiting) -> Waiting:
        job = self._jobs.step(waiting.job.id, Event.START)
        reach("queue.started")
        return waiting.now(job)

    def replace(self, waiting: Waiting) -> None:
        """Back into the queue: the shot was edited, or its worker ended through no fault of its own."""
        job = self._jobs.step(waiting.job.id, Event.REPLACE)
        reach("queue.replaced")
        self.backlog.add([waiting.now(job)])

    def crashed(self, waiting: Waiting, why: str) -> None:
        """Back into the queue, or parked when that happened too often."""
        job = self._jobs.step(waiting.job.id, Event.CRASH, error=why)
        if job.state is not State.PARKED:
            self.backlog.add([waiting.now(job)])
            return
        text = f"its worker ended {job.attempts} times: {printable(why)}"
        self._refused(waiting, RushesError(text, remedy="rushes doctor; then render again"))

    def made(self, waiting: Waiting, made: Made) -> None:
        """The take is on disk and in the film."""
        with contextlib.suppress(BadRequest):  # done already: Ctrl-C came between two of them
            self._jobs.step(waiting.job.id, Event.SUCCEED, result=made_result(waiting.name, made))
        reach("queue.finished")
        self._say.ready(waiting, made, self._desk.read())

    def fresh(self, waiting: Waiting, plan: ShotPlan, shelf: Shelf) -> None:
        """Nothing is left to do. After a crash that is so because the job had been done before it."""
        kept, chosen = result_of(waiting.name), plan.block.chosen
        if waiting.job.attempts and chosen is not None:
            path = str(shelf.find(plan.block, chosen.take).movie)
            kept = result_of(waiting.name, take=chosen.take, path=path)
        self._jobs.step(waiting.job.id, Event.SUCCEED, result=kept)
        self._say.dropped(waiting, "fresh", "nothing was left to do")

    def failed(self, waiting: Waiting, error: RushesError) -> None:
        plan = self._desk.plan(self._desk.read()).shots.get(waiting.job.shot)
        kept = result_of(waiting.name, **mark(plan.recipe if plan else None))
        self._jobs.step(waiting.job.id, Event.FAIL, error=error.text, remedy=error.remedy, result=kept)
        self._refused(waiting, error)

    def _refused(self, waiting: Waiting, error: RushesError) -> None:
        self.blocked[waiting.job.shot] = waiting.name
        self._say.failed(waiting, error)

    def skipped(self, waiting: Waiting, because: str) -> None:
        self.blocked[waiting.job.shot] = waiting.name
        self._drop(waiting, "skipped", because)

    def cancelled(self, waiting: Waiting, because: str) -> None:
        self._drop(waiting, "cancelled", because)
        reach("queue.cancelled")

    def cancel_pending(self, why: str) -> None:
        """Drop what is in the database, without a look at the film."""
        for job in self._jobs.pending(self._film):
            order = Order.from_json(job.request)
            self.cancelled(Waiting(job, order, job.shot, order.model), why)

    def _drop(self, waiting: Waiting, how: How, because: str) -> None:
        with contextlib.suppress(BadRequest):  # done already, as above
            self._jobs.step(waiting.job.id, Event.CANCEL, error=because, result=result_of(waiting.name))
        self._say.dropped(waiting, how, because)

    # -- about it --------------------------------------------------------------------------------------------

    def rows(self) -> list[JobRow]:
        """The jobs that wait or run, in the order of their turn."""
        return self.rows_of(self._jobs.pending(self._film))

    def rows_of(self, jobs: Iterable[Job]) -> list[JobRow]:
        return [row_of(job, self.name(job.shot)) for job in jobs]

    def name(self, shot_id: str) -> str:
        """The shot's name, harmless to print; its id where the film does not have it."""
        shot = self._desk.read().shots.get(shot_id)
        return printable(shot.block.name, 60) if shot else shot_id


def _model(order: Order, plan: ShotPlan | None) -> str:
    if order.model:
        return order.model
    model = (plan.today or {}).get("model") if plan else None
    return str(model["name"]) if isinstance(model, dict) else ""
