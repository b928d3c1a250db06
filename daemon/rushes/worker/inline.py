"""`Workers` in this process: the worker's own lanes, without the protection of a process of its own."""

from __future__ import annotations

import queue
import threading

from rushes.worker.checks import checked
from rushes.worker.device import make_lanes
from rushes.worker.lanes import Lane
from rushes.worker.loading import Generators
from rushes.worker.protocol import Answer, Event, LaneName, Lost, Preview, Progress, Ready, Work
from rushes.worker.workers import Events, drain


class InlineWorkers:
    """For tests of what uses workers. A generator that crashes or hangs takes this process with it."""

    def __init__(self, generators: Generators) -> None:
        self._generators = generators
        self._events: Events = queue.SimpleQueue()
        self._pending: dict[int, Work] = {}
        self._lanes: dict[LaneName, Lane] = {}
        self._last_id = 0
        self._lock = threading.Lock()

    def start(self) -> None:
        with self._lock:
            if not self._lanes:
                self._lanes = make_lanes(self._generators, self._receive)

    def submit(self, work: Work) -> int:
        self.start()
        with self._lock:
            self._last_id += 1
            numbered = work.numbered(self._last_id)
            self._pending[numbered.id] = numbered
            self._lanes[work.lane].submit(numbered)
            return numbered.id

    def poll(self, timeout: float) -> list[Event]:
        return drain(self._events, timeout)

    def cancel(self, request_id: int) -> None:
        for lane in list(self._lanes.values()):
            lane.cancel(request_id)

    def stop(self) -> None:
        with self._lock:
            lanes, self._lanes = self._lanes, {}
            left = list(self._pending)
            self._pending.clear()
        for lane in lanes.values():
            lane.stop()
        for request_id in left:
            self._events.put(Lost(id=request_id, why="the worker was stopped", innocent=True))

    def _receive(self, answer: Answer) -> None:
        """Every last event once: an answer after `stop` has been replaced by Lost."""
        if isinstance(answer, Ready | Progress | Preview):
            self._events.put(answer)
            return
        with self._lock:
            work = self._pending.pop(answer.id, None)
        if work is not None:
            self._events.put(checked(work, answer))
