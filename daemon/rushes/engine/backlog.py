"""The jobs of one film that wait for their turn: the most urgent first, those of one model together, none before
what it continues from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from rushes.engine.floor import Rank
from rushes.engine.orders import Order
from rushes.store.jobs import Job

_CLASS = 1 << 40
"""More than any priority: whatever is at the playhead comes before whatever was put first by hand."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job in the queue, with its shot's name and the model that is to make it."""

    job: Job
    order: Order
    name: str
    model: str

    def now(self, job: Job) -> Waiting:
        """The same with the job as it is now."""
        return replace(self, job=job)


class Backlog:
    """Waiting jobs. `renders` counts those of each shot that will change its take."""

    def __init__(self) -> None:
        self._jobs: list[Waiting] = []
        self._sorted = True
        self._playhead: frozenset[str] = frozenset()
        self._selection: frozenset[str] = frozenset()
        self.renders: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._jobs)

    def clear(self) -> None:
        """Forget the jobs, not what a person looks at."""
        self._jobs.clear()
        self.renders.clear()

    def add(self, waiting: Iterable[Waiting]) -> None:
        for one in waiting:
            self._jobs.append(one)
            self.renders[one.job.shot] += one.order.kind == "render"
        self._sorted = False

    def take(self, may_start: Callable[[str], bool], above: Rank | None = None) -> Waiting | None:
        """Take out the first job whose shot may start; with `above`, only one that is more urgent."""
        self._sort()
        for index, one in enumerate(self._jobs):
            if above is not None and self.rank(one).urgency >= above.urgency:
                return None
            if may_start(one.job.shot):
                return self._taken(index)
        return None

    def _taken(self, index: int) -> Waiting:
        one = self._jobs.pop(index)
        self.renders[one.job.shot] -= one.order.kind == "render"
        return one

    def remove(self, ids: set[int]) -> list[Waiting]:
        """Take out these jobs, as far as they wait."""
        places = [index for index, one in enumerate(self._jobs) if one.job.id in ids]
        return [self._taken(index) for index in reversed(places)][::-1]

    def focus(self, playhead: Iterable[str], selection: Iterable[str]) -> None:
        """The shots that a person looks at."""
        self._playhead, self._selection = frozenset(playhead), frozenset(selection)
        self._sorted = False

    def rank(self, one: Waiting) -> Rank:
        """A job's place among those of all films."""
        looked_at = 2 if one.job.shot in self._playhead else 1 if one.job.shot in self._selection else 0
        return Rank(-looked_at * _CLASS - one.job.priority, one.job.id)

    def _sort(self) -> None:
        if self._sorted:
            return
        first: dict[str, int] = {}  # model -> the first job that asked for it
        for one in self._jobs:
            first[one.model] = min(first.get(one.model, one.job.id), one.job.id)
        self._jobs.sort(key=lambda one: (self.rank(one).urgency, first[one.model], one.job.id))
        self._sorted = True
