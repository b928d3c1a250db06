"""Stages of one shot made in this process's own time, apart from any queue: its worker comes and goes with it."""

from __future__ import annotations

import queue
from collections.abc import Generator
from types import TracebackType
from typing import Self, TypeVar

from rushes.engine.floor import Delivery, Floor, Rank
from rushes.engine.stagework import Answer, Ask
from rushes.engine.studio import Studio
from rushes.engine.telling import Tell
from rushes.messages import events
from rushes.worker.protocol import Done, Failed, Lost, Progress
from rushes.worker.workers import Workers
from rushes_otio.errors import MediaFault, RushesError
from rushes_otio.text import printable

T = TypeVar("T")


class Alone:
    """A worker of one's own: `with Alone(studio, workers, tell) as alone`. `tell` hears of progress."""

    def __init__(self, studio: Studio, workers: Workers, tell: Tell) -> None:
        self._floor = Floor(workers, studio.places.cache)
        self._deliveries: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._booth = self._floor.booth(self._deliveries.put)
        self._tell = tell
        self.scratch = self._booth.scratch

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._floor.stop()

    def run(self, steps: Generator[Ask, Answer, T], shot: str, name: str) -> T:
        """What the steps come to. RushesError when a stage fails, or its worker ends."""
        answer: Answer = None
        number = 0
        while True:
            try:
                ask = steps.send(answer)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            finally:
                self._booth.settled(number)
            number, answer = self._made(ask, shot, name)

    def make(self, ask: Ask, name: str) -> Done:
        """One stage."""
        number, answer = self._made(ask, "", name)
        self._booth.settled(number)
        return answer

    def _made(self, ask: Ask, shot: str, name: str) -> tuple[int, Done]:
        number = self._booth.submit(ask, Rank(0, 0))
        while True:
            event = self._deliveries.get()
            match event:
                case Done():
                    return number, event
                case Progress():
                    stage = "encode" if event.stage == "film" else event.stage
                    told = events.Progress(
                        film="",
                        job=0,
                        shot=shot,
                        name=printable(name, 60),
                        stage=stage,
                        done=event.done,
                        total=event.total,
                    )
                    self._tell(told)
                case Failed():
                    raise MediaFault(
                        printable(event.error), remedy=event.remedy or "see the log: rushes daemon log"
                    )
                case Lost():
                    raise RushesError(
                        f"the worker ended: {printable(event.why)}", remedy="rushes doctor; then try again"
                    )
                case _:
                    continue
