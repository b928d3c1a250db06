"""Commands that are sent one after another: each when the one before is answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from .. import running

Json = dict[str, Any]
Done = Callable[[Json | None, Json | None], None]


class Line:
    """Those that wait when the daemon is lost are not kept any longer: each is answered with that."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Json, Done]] = deque()
        self._is_out = False

    def put(self, body: Json, done: Done) -> None:
        """Send it when all before it are answered."""
        self._waiting.append((body, done))
        self._next()

    def put_first(self, body: Json, done: Done) -> None:
        """Send it before all that wait: for what belongs to the one that is being answered."""
        self._waiting.appendleft((body, done))
        self._next()

    def _next(self) -> None:
        if self._waiting and not self._is_out:
            body, done = self._waiting.popleft()
            self._is_out = True
            running.session().ask(body, partial(self._answered, done))

    def _answered(self, done: Done, result: Json | None, error: Json | None) -> None:
        is_lost = error is not None and error.get("kind") == "lost"
        dropped = list(self._waiting) if is_lost else []
        if is_lost:
            self._waiting.clear()
        try:
            done(result, error)
            for _, other in dropped:
                other(None, error)
        finally:
            self._is_out = False
            self._next()
