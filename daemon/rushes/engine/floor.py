"""The floor: one set of workers, shared by all films that render at the same time.

A film has a booth. It hands stages in, ranked; the floor gives the best-ranked one to the worker next, so that
weights load once and what a person looks at comes first. Who asks for a stage that is wanted already, for the
same film or another, waits for it and is told to look again.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rushes.engine.stagework import Ask
from rushes.store.scratch import scratch_folder
from rushes.worker.protocol import Cancelled, Done, Event, Failed, LaneName, Lost, Preview, Progress, Ready
from rushes.worker.workers import Workers

AHEAD = 2
"""Stages of a lane that the worker has: one that runs, and one so that it never waits for us."""

REST_AFTER_S = 120.0
"""Without work for this long, the worker is ended: somebody else may want the device's memory."""

_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Again:
    """Somebody else's run of the stage is over: look whether its output is there, or ask anew."""

    id: int


Delivery = Progress | Preview | Done | Failed | Lost | Cancelled | Again
"""What a booth is told of a stage; `id` is the number that `submit` gave. Each submission ends with one that is
neither Progress nor Preview, unless it was withdrawn. Cancelled is never delivered."""


@dataclass(frozen=True, slots=True, order=True)
class Rank:
    """Lower is sooner: how urgent it is (negative for more), then the order of asking."""

    urgency: int
    order: int


@dataclass(slots=True, eq=False)
class _Stage:
    """One key that is wanted. The first who waits gets the answer; the others are told when it has settled."""

    ask: Ask
    rank: Rank
    waiting: list[tuple[Booth, int]]
    request: int | None = None
    answered: bool = False


class Booth:
    """One film's place on the floor. `deliver` is called from the floor's thread and must not block."""

    def __init__(self, floor: Floor, deliver: Callable[[Delivery], None]) -> None:
        self._floor = floor
        self.deliver = deliver

    @property
    def scratch(self) -> Path:
        """Where outputs of stages are written before they are kept."""
        return self._floor.scratch

    @property
    def environment(self) -> dict[str, str]:
        """Where the worker runs; empty until it has started."""
        return self._floor.environment

    def submit(self, ask: Ask, rank: Rank) -> int:
        """Have a stage made; its deliveries carry the number returned."""
        return self._floor.submit(self, ask, rank)

    def settled(self, number: int) -> None:
        """The answer was dealt with, its output kept: others may look for it now."""
        self._floor.settled(self, number)

    def withdraw(self, number: int) -> None:
        """The stage is not wanted any more; nothing is delivered of it from now on."""
        self._floor.withdraw(self, number)

    def rerank(self, number: int, rank: Rank) -> None:
        """It is wanted sooner, or later."""
        self._floor.rerank(self, number, rank)


@dataclass(slots=True)
class _Lane:
    """A lane of the worker: what it has been given, and the model of the last stage."""

    given: list[_Stage] = field(default_factory=list)
    model: str = ""


class Floor:
    """Shares `workers` among booths. Has a thread of its own, which ends a second after `stop` at the latest."""

    def __init__(self, workers: Workers, cache: Path, rest_after: float = REST_AFTER_S) -> None:
        self._workers = workers
        self._rest_after = rest_after
        self._stages: dict[str, _Stage] = {}  # by key, until it is settled
        self._numbers: dict[int, _Stage] = {}
        self._requests: dict[int, _Stage] = {}
        self._lanes: dict[LaneName, _Lane] = {"generate": _Lane(), "encode": _Lane()}
        self._last = 0
        self._paused = False
        self._resting = True
        self._stopped = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self.environment: dict[str, str] = {}
        self.scratch = scratch_folder(cache)

    def booth(self, deliver: Callable[[Delivery], None]) -> Booth:
        return Booth(self, deliver)

    def warm(self) -> None:
        """Start the worker, so that the first stage does not wait for it."""
        with self._changed:
            if not self._stopped:
                self._wake()
                self._workers.start()

    @property
    def is_paused(self) -> bool:
        return self._paused

    def pause(self) -> None:
        """Begin nothing more; what the worker has been given is finished."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        with self._changed:
            self._paused = False
            self._feed()

    def stop(self) -> None:
        """End the workers and the thread. What was not answered stays so."""
        with self._changed:
            if self._stopped:
                return
            self._stopped = True
            self._changed.notify_all()
        self._workers.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)

    # -- what booths ask ---------------------------------------------------------------------------------------

    def submit(self, booth: Booth, ask: Ask, rank: Rank) -> int:
        with self._changed:
            self._last += 1
            number = self._last
            stage = self._stages.get(ask.key)
            if stage is None:
                stage = self._stages[ask.key] = _Stage(ask, rank, [])
            stage.waiting.append((booth, number))
            stage.rank = min(stage.rank, rank)
            self._numbers[number] = stage
            self._feed()
            return number

    def settled(self, booth: Booth, number: int) -> None:
        with self._changed:
            stage = self._numbers.pop(number, None)
            if stage is None:
                return
            stage.waiting.remove((booth, number))
            others = self._close(stage)
        for other, waiting in others:
            other.deliver(Again(waiting))

    def withdraw(self, booth: Booth, number: int) -> None:
        with self._changed:
            stage = self._numbers.get(number)
            if stage is None:
                return
            if not (stage.answered and stage.waiting[0] == (booth, number)):
                del self._numbers[number]
                stage.waiting.remove((booth, number))
                self._drop(stage)
                return
        self.settled(booth, number)

    def rerank(self, booth: Booth, number: int, rank: Rank) -> None:
        del booth
        with self._changed:
            if number in self._numbers:
                self._numbers[number].rank = rank

    def _drop(self, stage: _Stage) -> None:
        """Stop what nobody waits for any more. What the worker has is closed when it has answered."""
        if stage.waiting or stage.answered:
            return
        if stage.request is None:
            self._close(stage)
        else:
            self._workers.cancel(stage.request)

    # -- what the worker does ----------------------------------------------------------------------------------

    def _feed(self) -> None:
        """Give the worker the stages that come next. Lock held."""
        if self._paused or self._stopped:
            return
        for name, lane in self._lanes.items():
            while len(lane.given) < AHEAD:
                stage = self._next(name, lane.model)
                if stage is None:
                    break
                self._wake()
                stage.request = self._workers.submit(stage.ask.work)
                self._requests[stage.request] = stage
                lane.given.append(stage)
                lane.model = stage.ask.model

    def _next(self, lane: LaneName, model: str) -> _Stage | None:
        """The most urgent stage; of equally urgent ones, one whose model is loaded already."""
        waiting = [
            s
            for s in self._stages.values()
            if s.request is None and not s.answered and s.waiting and s.ask.work.lane == lane
        ]
        return min(waiting, key=lambda s: (s.rank.urgency, s.ask.model != model, s.rank.order), default=None)

    def _wake(self) -> None:
        self._resting = False
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="floor", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        idle = 0.0
        while not self._stopped:
            for event in self._workers.poll(_POLL_S):
                self._on(event)
                idle = 0.0
            if self._requests:
                idle = 0.0
                continue
            idle += _POLL_S
            if idle >= self._rest_after:
                self._rest()
                idle = 0.0

    def _rest(self) -> None:
        """End the worker, and sleep until something is wanted."""
        with self._changed:
            if self._requests:
                return
            self._resting = True
            self._workers.stop()
            self._changed.wait_for(lambda: self._stopped or not self._resting)

    def _on(self, event: Event) -> None:
        if isinstance(event, Ready):
            self.environment.update(event.environment)
            return
        with self._changed:
            stage = self._requests.get(event.id)
            if stage is None:
                return
            match event:
                case Progress() | Preview():
                    told = list(stage.waiting)
                case _:
                    told = self._answered(stage, event)
        for booth, number in told:
            booth.deliver(event.numbered(number))

    def _answered(self, stage: _Stage, event: Done | Failed | Lost | Cancelled) -> list[tuple[Booth, int]]:
        """The worker is done with a stage; who is told so. The stage stays known until that booth has settled."""
        del self._requests[event.id]
        self._lanes[stage.ask.work.lane].given.remove(stage)
        stage.request = None
        told = stage.waiting[:1]
        if not told:
            self._close(stage)
        elif isinstance(event, Cancelled):
            told = []  # withdrawn, and asked for again before it had stopped: it is made now
        else:
            stage.answered = True
        self._feed()
        return told

    def _close(self, stage: _Stage) -> list[tuple[Booth, int]]:
        """Forget a stage; who still waited for it."""
        for _, number in stage.waiting:
            self._numbers.pop(number, None)
        self._stages.pop(stage.ask.key, None)
        return stage.waiting
