"""Takes that a film was just told to choose: until it has, what it said before is no news.

When Blender's undo has put the earlier take back, the film learns it a moment later. A strip that was put right in
that moment would show the take that was undone, and then flicker back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

PATIENCE_S = 3.0
"""Seconds from an answer until it counts that the film shows something else, for somebody else chose meanwhile."""

MOST_TAKES = 8
"""Of a shot, what they look like is remembered."""

_Key = tuple[str, str]


class Expected:
    """By film and shot, the take that will be shown. The clock is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._takes: dict[_Key, tuple[str, int]] = {}
        self._ends: dict[_Key, float] = {}
        self._seen: dict[_Key, dict[str, Json]] = {}
        self._count = 0

    def expect(self, film: str, shot: str, take: str) -> Callable[[bool], None]:
        """From now on `take` is what the shot will show. Call what is returned when the film has answered, with
        whether it did so."""
        self._count += 1
        key, entry = (film, shot), (take, self._count)
        self._takes[key] = entry
        self._ends.pop(key, None)

        def answered(is_done: bool) -> None:
            if self._takes.get(key) != entry:
                return  # another one was expected since
            if is_done:
                self._ends[key] = self._clock() + PATIENCE_S
            else:
                self._forget(key)

        return answered

    def take(self, film: str, shot: str) -> str | None:
        """The take that the shot will show; None where nothing else than what the film says is expected."""
        key = (film, shot)
        if key in self._ends and self._ends[key] < self._clock():
            self._forget(key)
        return self._takes[key][0] if key in self._takes else None

    def shown(self, film: str, showing: Json) -> None:
        """The film says that a shot shows this now."""
        shot, take = showing["shot"], showing["take"]
        seen = self._seen.setdefault((film, shot), {})
        seen.pop(take, None)
        seen[take] = showing
        if len(seen) > MOST_TAKES:
            del seen[next(iter(seen))]
        if self.take(film, shot) == take:
            self._forget((film, shot))

    def instead(self, film: str, showing: Json) -> Json | None:
        """What a shot is to show where the film says `showing`: that, or the take that is expected. None where it
        has yet to be said what that looks like."""
        key = (film, showing["shot"])
        take = self.take(*key)
        if take == showing["take"] and key in self._ends:
            self._forget(key)
        if take in (None, showing["take"]):
            return showing
        return self._seen.get(key, {}).get(str(take))

    def clear(self) -> None:
        self._takes.clear()
        self._ends.clear()
        self._seen.clear()

    def _forget(self, key: _Key) -> None:
        self._takes.pop(key, None)
        self._ends.pop(key, None)
