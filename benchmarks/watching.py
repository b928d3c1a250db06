"""Following a generator without a worker: what previews cost, what is loaded, how soon it stops when told to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rushes.generators.base import Cancelled


@dataclass
class Watched:
    """Follows as a worker does, with a preview every so many seconds, or none. Where `stop_in` is set, the work is
    told to stop `stop_after` seconds after it began to do that ("denoising", "decoding").

    `doings` is what it has done in order, `took` the seconds of each preview, `latency` those from being told to
    stop until nothing ran any more.
    """

    previews: float | None = None
    stop_in: str = ""
    stop_after: float = 0.0
    doings: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    latency: float = float("nan")
    _since: float = 0.0
    _shown: float = 0.0

    def now(self, doing: str) -> None:
        self.doings.append(doing)
        self._since = time.perf_counter()

    def progress(self, done: int, total: int) -> None:
        if self.stop_in and self.doings[-1:] == [self.stop_in] and time.perf_counter() >= self._told():
            raise Cancelled

    def preview(self, jpeg: Callable[[], bytes]) -> None:
        began = time.perf_counter()
        if self.previews is None or began - self._shown < self.previews:
            return
        self._shown = began
        jpeg()
        self.took.append(time.perf_counter() - began)

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """Around what is to be stopped."""
        try:
            yield
        except Cancelled:
            self.latency = time.perf_counter() - self._told()

    def _told(self) -> float:
        return self._since + self.stop_after
