"""Keeps a worker process: starts it, believes nothing it says unchecked, ends it when it hangs or lies.

    none ──submit──► starting ──Ready──► running ──it ends, hangs or lies──► none
                        └──it ends, no Ready in time──► none

Every request submitted gets exactly one last event: Done, Failed, Cancelled or Lost.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from rushes.limited.environment import clean_environment
from rushes.worker import protocol
from rushes.worker.checks import checked
from rushes.worker.child import Child
from rushes.worker.ledger import Ledger, Patience, Pending
from rushes.worker.protocol import Cancel, Cancelled, Event, Failed, Lost, Preview, Progress, Ready, Work
from rushes.worker.workers import Events, drain

STOP_S = 1.8
"""Seconds `stop` may wait for killed processes."""

_ENDING = {"lied": "it lied", "device": "its device stopped working"}
"""Failures after which a worker is of no use any more: the next request starts another."""

IDLE_S = 3600.0
"""How long the watchdog sleeps while nothing is due; whatever becomes due wakes it."""


@dataclass(frozen=True)
class WorkerSettings:
    """One worker. `state` is the user's state folder, where the device's lock lies; `generators` are further
    ones, name to `module:Class`; `warm` are those to import at once."""

    state: Path
    device: str = "auto"
    generators: Mapping[str, str] = field(default_factory=dict)
    warm: tuple[str, ...] = ("animatic",)
    environment: Mapping[str, str] = field(default_factory=clean_environment)
    patience: Patience = field(default_factory=Patience)

    def command(self) -> list[str]:
        named = [f"--generator={name}={target}" for name, target in self.generators.items()]
        place = [f"--device={self.device}", f"--state={self.state}", f"--parent={os.getpid()}"]
        warm = [f"--warm={name}" for name in self.warm]
        return [sys.executable, "-P", "-m", "rushes.worker.main", *place, *warm, *named]


class WorkerProcess:
    """`Workers` by one process for one device. One that ended is started again by the next `submit`."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._events: Events = queue.SimpleQueue()
        self._changed = threading.Condition(threading.RLock())
        self._ledger = Ledger(settings.patience, time.monotonic())
        self._child: Child | None = None
        self._alive: list[Child] = []
        self._last_id = 0

    def start(self) -> None:
        with self._changed:
            self._running()

    def submit(self, work: Work) -> int:
        with self._changed:
            child = self._running()
            self._last_id += 1
            numbered = work.numbered(self._last_id)
            self._ledger.add(numbered, time.monotonic())
            child.send(protocol.line(numbered))
            self._changed.notify_all()
            return numbered.id

    def poll(self, timeout: float) -> list[Event]:
        return drain(self._events, timeout)

    def cancel(self, request_id: int) -> None:
        with self._changed:
            if self._child is not None and self._ledger.cancel(request_id, time.monotonic()):
                self._child.send(protocol.line(Cancel(id=request_id)))
                self._changed.notify_all()

    def stop(self) -> None:
        deadline = time.monotonic() + STOP_S
        with self._changed:
            if self._child is not None:
                self._part(self._child, lambda n: Lost(id=n, why="it was stopped", innocent=True))
            ending = list(self._alive)
        for child in ending:
            child.join(max(0.0, deadline - time.monotonic()))

    def _running(self) -> Child:
        """The child, started where there is none. Lock held, as in all that follow unless they take it."""
        if self._child is None:
            command, environment = self._settings.command(), self._settings.environment
            self._ledger = Ledger(self._settings.patience, time.monotonic())
            self._child = Child(command, environment, protocol.MAX_ANSWER, self._on_line, self._on_end)
            self._alive.append(self._child)
            watch = threading.Thread(target=self._watch, args=(self._child,), name="worker-watch", daemon=True)
            watch.start()
        return self._child

    def _part(self, child: Child, ending: Callable[[int], Event]) -> None:
        """Have nothing more to do with `child`: `ending` makes the last event of each request it still had.
        A request that was cancelled is, so or so, cancelled."""
        if self._child is not child:
            return
        self._child = None
        for request_id, pending in self._ledger.clear():
            dropped = pending.cancelled is not None
            self._events.put(Cancelled(id=request_id) if dropped else ending(request_id))
        child.kill()
        self._changed.notify_all()

    def _watch(self, child: Child) -> None:
        with self._changed:
            while self._child is child:
                due = self._ledger.next_deadline()
                left = IDLE_S if due is None else due.at - time.monotonic()
                if due is not None and left <= 0:
                    self._part(child, self._ending(due.why, due.suspects))
                else:
                    self._changed.wait(left)

    def _on_end(self, child: Child, why: str) -> None:
        with self._changed:
            self._alive.remove(child)
            self._part(child, self._ending(why, self._ledger.heads()))

    def _on_line(self, child: Child, raw: bytes) -> None:
        try:
            answer = protocol.read_answer(raw)
        except msgspec.DecodeError as error:
            self._lied(child, f"it said something that is no answer: {error}")
            return
        match answer:
            case Ready():
                self._on_ready(child, answer)
            case Progress() | Preview():
                self._on_progress(child, answer)
            case _:
                self._on_answer(child, answer)

    def _on_ready(self, child: Child, ready: Ready) -> None:
        with self._changed:
            if self._child is not child:
                return
            if self._ledger.is_ready or ready.device != self._settings.device:
                self._lied(child, "it got ready twice, or for another device")
                return
            self._ledger.ready(time.monotonic())
            self._events.put(ready)
            self._changed.notify_all()

    def _on_progress(self, child: Child, progress: Progress | Preview) -> None:
        with self._changed:
            if self._child is not child:
                return
            if not self._ledger.is_head(progress.id):
                self._lied(child, f"it works on {progress.id}, which is not its turn")
                return
            self._ledger.heard(progress.id, time.monotonic())
            self._events.put(progress)

    def _on_answer(self, child: Child, answer: protocol.Last) -> None:
        """The check reads files, so it runs without the lock; the child may be parted from meanwhile."""
        with self._changed:
            pending = self._ledger.get(answer.id)
            if self._child is not child:
                return
            if pending is None or not self._may_answer(pending, answer):
                self._lied(child, f"it answered {answer.id}, which is not its turn")
                return
        verdict = checked(pending.work, answer)
        with self._changed:
            if self._child is not child:
                return
            self._ledger.close(answer.id, time.monotonic())
            self._events.put(verdict)
            self._changed.notify_all()
            if isinstance(verdict, Failed) and verdict.kind in _ENDING:
                self._part(child, self._ending(_ENDING[verdict.kind], suspects=()))

    def _may_answer(self, pending: Pending, answer: protocol.Last) -> bool:
        if not self._ledger.is_ready:
            return False
        if isinstance(answer, Cancelled):
            return pending.cancelled is not None
        return self._ledger.is_head(answer.id)

    def _lied(self, child: Child, why: str) -> None:
        with self._changed:
            self._part(child, self._ending(why, self._ledger.heads()))

    def _ending(self, why: str, suspects: Collection[int]) -> Callable[[int], Event]:
        """What becomes of a request when the worker ends. One that never got ready is not started over and
        over: its requests fail."""
        if self._ledger.is_ready:
            return lambda request_id: Lost(id=request_id, why=why, innocent=request_id not in suspects)
        text, remedy = f"the worker for {self._settings.device} did not start: {why}", "run `rushes doctor`"
        return lambda request_id: Failed(id=request_id, kind="start", error=text, remedy=remedy)
