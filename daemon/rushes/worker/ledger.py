"""The requests a worker has not answered, and by when something must be heard of them. No threads, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rushes.worker.protocol import LaneName, Work


@dataclass(frozen=True)
class Patience:
    """Seconds until a worker is ended: that does not get ready, that runs a request in silence, that does not
    answer a cancel."""

    start: float = 60.0
    silence: float = 60.0
    cancel: float = 0.5


@dataclass
class Pending:
    """One request without an answer. `cancelled`: when it was cancelled, or None."""

    work: Work
    cancelled: float | None = None


@dataclass(frozen=True)
class Overdue:
    """A deadline that passes at `at`. `suspects`: the requests that may be the cause."""

    at: float
    why: str
    suspects: frozenset[int]


class Ledger:
    """The book of one worker process. Moments are seconds of one clock that never goes back."""

    def __init__(self, patience: Patience, now: float) -> None:
        self._patience = patience
        self._began = now
        self._ready: float | None = None
        self._pending: dict[int, Pending] = {}
        self._heard: dict[LaneName, float] = {}

    @property
    def is_ready(self) -> bool:
        return self._ready is not None

    def ready(self, now: float) -> None:
        self._ready = now

    def add(self, work: Work, now: float) -> None:
        if self.head(work.lane) is None:
            self._heard[work.lane] = now
        self._pending[work.id] = Pending(work)

    def get(self, request_id: int) -> Pending | None:
        return self._pending.get(request_id)

    def is_head(self, request_id: int) -> bool:
        """Whether the request is the one that its lane works on."""
        pending = self._pending.get(request_id)
        return pending is not None and self.head(pending.work.lane) == request_id

    def head(self, lane: LaneName) -> int | None:
        """A lane answers in order, so it works on the oldest of its requests."""
        return next((n for n, pending in self._pending.items() if pending.work.lane == lane), None)

    def heads(self) -> frozenset[int]:
        """The requests that run: those that can be the cause when the process dies."""
        found = (self.head("generate"), self.head("encode"))
        return frozenset(n for n in found if n is not None)

    def heard(self, request_id: int, now: float) -> None:
        """Progress was made."""
        self._heard[self._pending[request_id].work.lane] = now

    def cancel(self, request_id: int, now: float) -> bool:
        """Note a cancel; False where there is nothing to cancel or it was noted before."""
        pending = self._pending.get(request_id)
        if pending is None or pending.cancelled is not None:
            return False
        pending.cancelled = now
        return True

    def close(self, request_id: int, now: float) -> None:
        """The request was answered; the next of its lane begins."""
        self._heard[self._pending.pop(request_id).work.lane] = now

    def clear(self) -> list[tuple[int, Pending]]:
        """Everything unanswered, taken out."""
        left = list(self._pending.items())
        self._pending.clear()
        return left

    def next_deadline(self) -> Overdue | None:
        """What has to happen first, or None while nothing has to."""
        return min(self._deadlines(), key=lambda due: due.at, default=None)

    def _deadlines(self) -> Iterator[Overdue]:
        patience = self._patience
        if self._ready is None:
            yield Overdue(
                self._began + patience.start, f"it was not ready after {patience.start:g} s", frozenset()
            )
            return
        heads = self.heads()
        for head in heads:
            at = self._quiet_since(head) + patience.silence
            # One that holds the interpreter silences the other lane too: which of them it was is not known.
            quiet = frozenset(n for n in heads if self._quiet_since(n) <= at - patience.silence / 2)
            yield Overdue(at, f"it said nothing of its work for {patience.silence:g} s", quiet)
        for request_id, pending in self._pending.items():
            if pending.cancelled is not None:
                at = max(pending.cancelled, self._ready) + patience.cancel
                why = f"it did not stop within {patience.cancel:g} s of a cancel"
                yield Overdue(at, why, frozenset({request_id}))

    def _quiet_since(self, head: int) -> float:
        return max(self._heard[self._pending[head].work.lane], self._ready or 0.0)
