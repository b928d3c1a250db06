"""A take in the making: the job, how far its stages are, and what they wait for."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from rushes.engine.backlog import Waiting
from rushes.engine.edges import ShotPlan
from rushes.engine.orders import Order
from rushes.engine.stagework import Answer, Ask
from rushes.engine.taking import Made
from rushes.store.jobs import Job


@dataclass(slots=True, eq=False)
class Active:
    """`plan` is the shot as it was when the take was begun, `frames` how many it is made for; `ask` what the floor
    has of it, under `number`."""

    waiting: Waiting
    plan: ShotPlan
    steps: Generator[Ask, Answer, Made]
    frames: int
    ask: Ask | None = None
    number: int = 0

    @property
    def job(self) -> Job:
        return self.waiting.job

    @property
    def order(self) -> Order:
        return self.waiting.order

    def is_still_right(self, now: ShotPlan | None) -> bool:
        """Whether the shot still asks for this take."""
        return now is not None and now.recipe == self.plan.recipe and now.needed <= self.frames
