"""Who may use the card at the same time: what is forecast for all of them fits, or they go one after the other.

The generate lane and the encode lane share one card. Where a decode and the next denoising do not fit beside each
other, the decode waits, rather than end a run of many minutes by using up its memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rushes.generators.base import Watch
from rushes.generators.diffusers.devices import Device
from rushes.generators.diffusers.ticking import Tick
from rushes.generators.rungs import Rung

LOOK_EVERY_S = 0.5
"""Seconds between two looks whether it is our turn, and whether anybody still wants it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A rung, and the bytes that a run takes on it."""

    rung: Rung
    size: int


@dataclass(eq=False, slots=True)
class _Turn:
    thread: int
    claim: Claim


class Turns:
    """First come, first served. Safe from any thread."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._changed = threading.Condition()
        self._waiting: list[int] = []
        self._inside: list[_Turn] = []

    @contextmanager
    def turn(self, claim: Callable[[int], Claim], alone: bool, watch: Watch) -> Iterator[Claim]:
        """Wait for room on the card. `claim` says what is taken of the bytes it is given, which are all that there
        would be if the others were done, and may refuse. `alone` waits until nobody else is at work."""
        ours = self._enter(claim, alone, watch)
        try:
            yield ours.claim
        finally:
            with self._changed:
                self._inside.remove(ours)
                self._changed.notify_all()

    def _enter(self, claim: Callable[[int], Claim], alone: bool, watch: Watch) -> _Turn:
        me = threading.get_ident()
        with self._changed:
            self._waiting.append(me)
            try:
                while (claimed := self._claimed(me, claim, alone)) is None:
                    self._changed.wait(LOOK_EVERY_S)
                    watch.progress(0, 0)
            finally:
                self._waiting.remove(me)
                self._changed.notify_all()
            ours = _Turn(me, claimed)
            self._inside.append(ours)
            return ours

    def _claimed(self, me: int, claim: Callable[[int], Claim], alone: bool) -> Claim | None:
        """What `me` gets now; None where it has to wait. Who is inside does not wait: it might be for itself."""
        usable = self._device.free() + self._device.held()
        own = [turn.claim.size for turn in self._inside if turn.thread == me]
        others = [turn.claim.size for turn in self._inside if turn.thread != me]
        ours = claim(usable - sum(own))
        first = self._waiting[0] == me
        beside = not others or (not alone and sum(others) + ours.size <= usable)
        return ours if own or (first and beside) else None


@contextmanager
def patiently(lock: threading.Lock, tick: Tick) -> Iterator[None]:
    """Hold `lock`. `tick` is called again and again by who waits for it; it may raise."""
    while not lock.acquire(timeout=LOOK_EVERY_S):
        tick()
    try:
        yield
    finally:
        lock.release()
