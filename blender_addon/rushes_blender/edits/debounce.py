"""When it is time to look at what was changed: after a pause, but not never."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_S = 5.0
"""A playback in which something changes all the time holds it off no longer than that."""


@dataclass
class Debounce:
    """It is time when nothing has changed for `quiet_s` seconds. `first` and `last` say when something did, by a
    monotonic clock."""

    quiet_s: float
    clock: Callable[[], float] = time.monotonic
    first: float | None = None
    last: float = 0.0

    def touch(self) -> None:
        """Something changed."""
        self.last = self.clock()
        if self.first is None:
            self.first = self.last

    def is_due(self) -> bool:
        """Whether there is something to look at, and it is time."""
        if self.first is None:
            return False
        now = self.clock()
        return now - self.last >= self.quiet_s or now - self.first >= LONGEST_S

    def clear(self) -> None:
        """It was looked at."""
        self.first = None
