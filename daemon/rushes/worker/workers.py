"""Whoever makes stages, seen from the engine: a process (`supervisor`), or this process (`inline`)."""

from __future__ import annotations

import queue
from typing import Protocol, TypeVar

from rushes.worker.protocol import Event, Work


class Workers(Protocol):
    """Makes stages somewhere else. Every request gets exactly one last event: Done, Failed, Cancelled or Lost.

    No call blocks, except `poll` for as long as it was told to, and `stop` for two seconds.
    """

    def start(self) -> None:
        """Begin to start what is needed, so that the first request does not wait for it."""

    def submit(self, work: Work) -> int:
        """Have `work` done; its id is given here and returned. A lane keeps the order."""

    def poll(self, timeout: float) -> list[Event]:
        """What happened, in order; waits up to `timeout` seconds for the first event."""

    def cancel(self, request_id: int) -> None:
        """Drop a request: Cancelled follows, or its answer where that was quicker."""

    def stop(self) -> None:
        """End everything. What is unanswered is Lost, innocent."""


Events = queue.SimpleQueue[Event]


T = TypeVar("T")


def drain(events: queue.SimpleQueue[T], timeout: float | None) -> list[T]:
    """Everything in `events`; waits up to `timeout` seconds for the first, None for as long as it takes."""
    found: list[T] = []
    try:
        found.append(events.get(timeout=None if timeout is None else max(timeout, 0.0)))
        while True:
            found.append(events.get_nowait())
    except queue.Empty:
        return found
