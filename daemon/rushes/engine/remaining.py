"""How long a queue will take, from how long stages took on this machine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping

from rushes.engine.backlog import Waiting
from rushes.engine.edges import ShotPlan
from rushes.engine.stagework import Ask
from rushes.store.timings import Timings
from rushes.worker.protocol import Done

_EVERY_S = 1.0
"""A queue of thousands is not summed up with each step of a progress bar."""

LOADING = "loading"
"""What is noted of a model beside its stages: the time until it is ready to work."""


class Remaining:
    """Seconds until a queue is done. The two lanes of a worker run side by side, so the longer one counts."""

    def __init__(self, timings: Timings) -> None:
        self._timings = timings
        self._loaded = ""
        self._summed_at = 0.0
        self.seconds: float | None = None

    def note(self, model: str, ask: Ask | None, done: Done) -> None:
        """Remember how long a stage took."""
        if ask is None:
            return
        if done.loading:
            self._timings.note(model, LOADING, 1, done.loading)
            self._loaded = model
        self._timings.note(model, ask.stage, max(1, done.frames), max(0.0, done.seconds - done.loading))

    def is_due(self) -> bool:
        """Whether what `seconds` says is older than a second."""
        return time.monotonic() - self._summed_at >= _EVERY_S

    def sum_up(self, waiting: Iterable[Waiting], plans: Mapping[str, ShotPlan]) -> None:
        """Work out how long this queue takes; `seconds` is None while some stage of it has never run here."""
        self._summed_at = time.monotonic()
        self.seconds = self._sum(waiting, plans)

    def _sum(self, waiting: Iterable[Waiting], plans: Mapping[str, ShotPlan]) -> float | None:
        shots: Counter[str] = Counter()
        frames: Counter[str] = Counter()
        for one in waiting:
            shots[one.model] += 1
            if not one.order.until:
                plan = plans.get(one.job.shot)
                frames[one.model] += plan.needed if plan else 0
        generating, encoding = 0.0, 0.0
        for model, count in shots.items():
            wanted = {"text": count, "keyframe": count, "motion": frames[model], "encode": frames[model]}
            stages = {stage: self._timings.estimate(model, stage, many) for stage, many in wanted.items() if many}
            # Not every model has a stage for words, or draws a still first.
            sure = [stages[stage] for stage in ("motion", "encode") if stage in stages] or [stages["keyframe"]]
            if None in sure:
                return None
            loading = self._timings.estimate(model, LOADING, 1) if model != self._loaded else None
            encoding += stages.pop("encode", None) or 0.0
            generating += sum(seconds or 0.0 for seconds in stages.values()) + (loading or 0.0)
        return round(max(generating, encoding), 1)
