"""The takes of one film in the making: its queue, a few takes at once, and the film that names them.

Takes that arrive are saved into the film at most once a second. A worker that dies costs the stage it was at; a
shot that takes its worker down three times is parked, and what continues from it is skipped. A shot that is
edited while it is made is started anew. Killed at any point, the next run picks the queue up. Used by one thread.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Mapping
from functools import partial

from rushes.engine.accept import Acceptance
from rushes.engine.active import Active
from rushes.engine.backlog import Waiting
from rushes.engine.edges import ShotPlan
from rushes.engine.floor import Again, Booth, Delivery
from rushes.engine.jobbook import JobBook
from rushes.engine.making import Making
from rushes.engine.opendesk import Arrival, OpenDesk
from rushes.engine.orders import Order
from rushes.engine.plan import Plan
from rushes.engine.remaining import Remaining
from rushes.engine.stagework import Answer
from rushes.engine.taking import Context, Made
from rushes.engine.telling import Tell, Telling
from rushes.engine.wishes import Wishes, Worklist, stays_waiting, worklist
from rushes.messages.answers import JobRow
from rushes.store.films import tidy_film
from rushes.store.jobs import Job
from rushes.store.locks import render_lock
from rushes.worker.protocol import Done, Failed, Lost, Preview, Progress
from rushes_otio.errors import RushesError, ShotFault
from rushes_otio.resolve import Resolver
from rushes_otio.text import printable

log = logging.getLogger(__name__)

AT_ONCE = 3
"""Takes in the making: one encoding, one generating, one whose next stage is ready to follow. A more urgent shot
may be one more."""

AT_ONCE_WITH_MODELS = 12
"""The same where models with weights make them: the floor then runs all words, all stills and all motions in a
row, and each model, and each text encoder, is loaded once for so many takes."""

SAVE_EVERY_S = 1.0


class Shooting:
    """Makes takes of one film. Holds the film's render lock while there is anything to do."""

    def __init__(self, desk: OpenDesk, booth: Booth, tell: Tell) -> None:
        self._desk = desk
        self._booth = booth
        self._say = Telling(desk.places.key, tell)
        self.book = JobBook(desk, self._say)
        self._active: list[Active] = []
        self._numbers: dict[int, Active] = {}
        self._remaining = Remaining(desk.studio.timings)
        self._lock = contextlib.ExitStack()
        self._saved_at = 0.0
        self.is_open = False

    # -- what is to be made ----------------------------------------------------------------------------------

    def open(self) -> list[JobRow]:
        """Take the film's render lock, and up what an earlier run left in the queue: the jobs that it was at. Busy
        where somebody else renders the film."""
        if self.is_open:
            return []
        self._lock.enter_context(render_lock(self._desk.studio.places, self._desk.places.film))
        try:
            tidy_film(self._desk.places)
            self._shelf = self._desk.shelf()
            self._shelf.nothing_is_made()
            for warning in self._shelf.warnings:
                self._say.warned(warning)
            recovered = self.book.load()
        except BaseException:
            self._lock.close()
            raise
        self.is_open = True
        return self.book.rows_of(recovered)

    def ask(self, wishes: Wishes) -> tuple[Worklist, list[JobRow]]:
        """Queue what `wishes` come to: the work, and its jobs."""
        picked_up = self.open()
        found = worklist(self._plan(), wishes, self._shelf)
        rows = self.book.rows_of(self._jobs_for(found.orders))
        if rows or not wishes.watch:
            self._say.queued(rows, len(picked_up), self._seconds_left())
        return found, rows

    def _jobs_for(self, orders: list[tuple[str, Order]]) -> list[Job]:
        """A job for each order. One that is there for the same stands for it; one that waits for less goes."""
        there = {one.job.shot: one for one in self._everything() if one.order.kind == "render"}
        same = {
            shot: there[shot].job for shot, order in orders if shot in there and there[shot].order.is_like(order)
        }
        waiting = {one.job.id for one in self.book.backlog}
        new = [(shot, order) for shot, order in orders if shot not in same]
        replaced = [there[shot].job.id for shot, order in new if shot in there and order.kind == "render"]
        self.cancel(waiting.intersection(replaced), "it was asked for anew")
        return sorted([*same.values(), *self.book.add(new)], key=lambda job: job.id)

    def retry(self, ids: Iterable[int]) -> list[JobRow]:
        """Queue jobs again that failed, were parked or cancelled."""
        self.open()
        rows = self.book.rows_of(self.book.retry(ids))
        self._say.queued(rows, 0, self._seconds_left())
        return rows

    def first(self, ids: list[int]) -> None:
        """Move jobs to the front, in this order."""
        self.open()
        self.book.first(ids)

    def focus(self, playhead: Iterable[str], selection: Iterable[str]) -> None:
        """What a person looks at comes first, also of the takes in the making."""
        self.book.backlog.focus(playhead, selection)
        for active in self._active:
            self._booth.rerank(active.number, self.book.backlog.rank(active.waiting))

    def shots(self) -> set[str]:
        """The shots that a take is to be made of."""
        return {one.job.shot for one in self._everything() if one.order.kind == "render"}

    def _everything(self) -> list[Waiting]:
        return [*self.book.backlog, *(active.waiting for active in self._active)]

    def _plan(self) -> Plan:
        return self._desk.plan(self._desk.read())

    # -- one turn --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Jobs that wait or run."""
        return len(self.book.backlog) + len(self._active)

    @property
    def is_busy(self) -> bool:
        """Whether there is anything to be made or saved."""
        return bool(len(self) or self._desk.arrivals)

    def patience(self) -> float | None:
        """Seconds until the next `turn` is due whatever happens; None while nothing is."""
        if not self._desk.arrivals:
            return None
        return max(0.0, self._saved_at + SAVE_EVERY_S - time.monotonic())

    def turn(self) -> None:
        """Start what can be started, save what is due, and let the film go when all is done."""
        if not self.is_open:
            return
        self._start_some()
        if self._desk.arrivals and (self.patience() == 0.0 or not len(self)):
            self.save()
        if not self.is_busy:
            self._rest()

    def save(self) -> None:
        """Enter the takes that arrived into the film on disk, which somebody may have edited meanwhile."""
        self._desk.flush()
        self._saved_at = time.monotonic()

    def _start_some(self) -> None:
        at_once = self._at_once()
        while len(self._active) <= at_once:
            plans = self._plan().shots if len(self.book.backlog) else {}  # a take that was found changes the film
            above = None
            if len(self._active) == at_once:
                above = min(self.book.backlog.rank(active.waiting) for active in self._active)
            ready = self.book.backlog.take(partial(self._may_start, plans), above)
            if ready is None:
                return
            self._start(ready, plans.get(ready.job.shot))

    def _at_once(self) -> int:
        registry, waiting = self._desk.studio.registry, next(iter(self.book.backlog), None)
        model = registry.get(waiting.model) if waiting and registry.has_weights else None
        return AT_ONCE_WITH_MODELS if model and model.traits and model.traits.models else AT_ONCE

    def _may_start(self, plans: Mapping[str, ShotPlan], shot: str) -> bool:
        """Whether nothing that the shot continues from is still to be made."""
        plan = plans.get(shot)
        if plan is None or not plan.upstream:
            return True
        made = {active.job.shot for active in self._active if active.order.kind == "render"}
        return not any(self.book.backlog.renders[above] or above in made for above in plan.upstream)

    def _start(self, waiting: Waiting, plan: ShotPlan | None) -> None:
        book, waiting = self.book, self.book.start(waiting)
        failed = next((book.blocked[u] for u in plan.upstream if u in book.blocked), None) if plan else None
        if plan is None:
            book.cancelled(waiting, "the shot is not in the cut any more")
        elif failed is not None:
            book.skipped(waiting, f"{failed}, which it continues from, was not made")
        elif plan.fault is not None:
            book.failed(waiting, plan.fault)
        elif plan.state == "fresh" and waiting.order.is_plain:
            book.fresh(waiting, plan, self._shelf)
        else:
            self._make(waiting, plan)

    def _make(self, waiting: Waiting, plan: ShotPlan) -> None:
        film = self._desk.read()
        context = Context(self._desk, film, self._shelf, plan, waiting.order, self._booth.environment)
        handles = int(Resolver(film).delivery()["handles"])
        making = Making(context, self._plan().shots, self._booth.scratch, handles)
        active = Active(waiting, plan, making.run(), plan.needed + handles)
        self._active.append(active)
        self._advance(active, None)

    def _advance(self, active: Active, answer: Answer) -> None:
        """Send a take in the making its answer, and hand on what it asks for next."""
        settled, active.number = active.number, 0
        self._numbers.pop(settled, None)
        try:
            ask = active.ask = active.steps.send(answer)
        except StopIteration as stop:
            self._finish(active, stop.value)
        except RushesError as error:
            self._active.remove(active)
            self.book.failed(active.waiting, error)
        else:
            active.number = self._booth.submit(ask, self.book.backlog.rank(active.waiting))
            self._numbers[active.number] = active
        finally:
            self._booth.settled(settled)

    # -- what the floor says ---------------------------------------------------------------------------------

    def on(self, event: Delivery) -> None:
        """Go on with the take that this is about."""
        active = self._numbers.get(event.id)
        if active is None:
            return  # it was withdrawn meanwhile
        match event:
            case Progress():
                self._say.progress(active.waiting, event, self._seconds_left())
            case Preview():
                self._say.preview(active.waiting, event.jpeg)
            case Done():
                self._remaining.note(active.waiting.model, active.ask, event)
                self._advance(active, event)
            case Again():
                self._advance(active, None)
            case Failed():
                self._end(active)
                if event.kind == "broken":
                    log.info("%s, %s: %s", active.waiting.name, active.job.shot, _log_of(event))
                remedy = event.remedy or "see the log: rushes daemon log"
                fault = ShotFault if event.kind == "refused" else RushesError
                self.book.failed(active.waiting, fault(printable(event.error), remedy=remedy))
            case Lost():
                self._on_lost(active, event)

    def _end(self, active: Active) -> None:
        """Have no more to do with a take in the making."""
        self._active.remove(active)
        if active.number:
            del self._numbers[active.number]
            self._booth.withdraw(active.number)

    def _on_lost(self, active: Active, event: Lost) -> None:
        """Make the take again; what the cache holds by now is not made twice."""
        self._end(active)
        if event.innocent:
            self.book.replace(active.waiting)
        else:
            self.book.crashed(active.waiting, event.why)

    # -- what people do --------------------------------------------------------------------------------------

    def film_changed(self) -> None:
        """Start the takes anew whose shot asks for something else by now: the latest edit wins."""
        plans = self._plan().shots
        for active in list(self._active):
            if active.order.kind == "render" and not active.is_still_right(plans.get(active.job.shot)):
                self._end(active)
                self.book.replace(active.waiting)

    def cancel(self, ids: Iterable[int], why: str) -> list[int]:
        """Drop jobs, waiting or in the making; those that were there."""
        wanted = set(ids)
        running = [active for active in self._active if active.job.id in wanted]
        for active in running:
            self._end(active)
        dropped = [*self.book.backlog.remove(wanted), *(active.waiting for active in running)]
        for waiting in dropped:
            self.book.cancelled(waiting, why)
        return [waiting.job.id for waiting in dropped]

    def cancel_all(self, why: str) -> list[int]:
        """Drop every job of the film."""
        return self.cancel([one.job.id for one in self._everything()], why)

    def close(self) -> None:
        """Leave the floor: what runs is put back into the queue, what arrived is saved."""
        if not self.is_open:
            return
        for active in list(self._active):
            self._end(active)
            self.book.replace(active.waiting)
        self.book.backlog.clear()
        try:
            self.save()
        finally:
            self._rest()

    def give_up(self, why: str) -> None:
        """Nothing more is made for the film, which is gone."""
        self.abandon()
        self.book.cancel_pending(why)

    def abandon(self) -> None:
        """Leave the floor as it is: what ran counts as interrupted when it is taken up again."""
        for active in list(self._active):
            self._end(active)
        self.book.backlog.clear()
        if self.is_open:
            self._rest()

    def _rest(self) -> None:
        self.is_open = False
        self._desk.shelf_is_known()
        self._lock.close()

    def _finish(self, active: Active, made: Made) -> None:
        self._active.remove(active)
        acceptance = Acceptance(made, active.order, stays_waiting(active.plan, active.order))
        apply = partial(acceptance.apply, shelf=self._shelf)
        self._desk.arrive(Arrival(apply, partial(self.book.made, active.waiting, made)))
        for warning in made.warnings:
            self._say.warned(warning)

    def _seconds_left(self) -> float | None:
        """Until the film's queue is done, by how long stages took so far; None while that is not known."""
        if self._remaining.is_due():
            self._remaining.sum_up(self._everything(), self._plan().shots)
        return self._remaining.seconds


def _log_of(event: Failed) -> str:
    """What a programmer wants to know of a stage that broke, harmless to a terminal."""
    return "\n".join(printable(line, 300) for line in (event.error, *event.trace.splitlines()))
