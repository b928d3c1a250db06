"""Timing two things side by side: what machine it is, and what else it does, falls out of the ratio."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One measured row. `value` is a ratio, or what `unit` says; `target` is what it must not pass (or, where
    `least` is set, must reach)."""

    name: str
    shots: int | None
    value: float
    target: float | None = None
    unit: str = "x"
    least: bool = False
    detail: str = ""

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "met" if (self.value >= self.target if self.least else self.value <= self.target) else "missed"


def best_of(works: list[Work], rounds: int) -> list[float]:
    """The shortest time of each work in seconds. They take turns, so that a busy minute hits all of them."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for index, work in enumerate(works):
            gc.collect()
            began = time.perf_counter()
            work()
            best[index] = min(best[index], time.perf_counter() - began)
    return best
