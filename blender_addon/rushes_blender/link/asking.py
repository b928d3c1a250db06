"""Questions that were asked of the daemon and not answered yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

Json = dict[str, Any]
Done = Callable[[Json | None, Json | None], None]
"""Called with the result, or with an error {"kind", "text", "where", "remedy"}."""

PATIENCE_S = 30.0
"""Seconds that a question waits for a link."""

_NEVER = float("inf")


@dataclass
class Ask:
    """One question. It waits until `due`, for ever while it is with a daemon that is there."""

    body: Json
    done: Done | None
    due: float
    was_sent: bool = False


class Asks:
    """In the order of asking. Each leaves once: answered or given up."""

    def __init__(self) -> None:
        self._open: dict[str, Ask] = {}
        self._prefix = token_hex(8)
        self._count = 0

    def put(self, body: Json, done: Done | None, now: float) -> str:
        """Take in a question, asked `now`. Its id."""
        self._count += 1
        id_ = f"{self._prefix}.{self._count}"
        self._open[id_] = Ask(body, done, now + PATIENCE_S)
        return id_

    def to_send(self) -> list[tuple[str, Ask]]:
        """Those that no daemon was told, which now are with it."""
        unsent = [(id_, ask) for id_, ask in self._open.items() if not ask.was_sent]
        for ask in self._open.values():
            ask.was_sent, ask.due = True, _NEVER
        return unsent

    def answered(self, id_: object) -> Ask | None:
        """The question that an answer is of; None where it is none of ours, or was given up."""
        return self._open.pop(id_, None) if isinstance(id_, str) else None

    def lost(self, now: float) -> None:
        """The link is lost. What was sent may still be answered, when the daemon or another one is there again."""
        for ask in self._open.values():
            ask.due = min(ask.due, now + PATIENCE_S)

    def given_up(self, now: float) -> list[Ask]:
        """Those that have waited too long."""
        return self._take(lambda ask: ask.due <= now)

    def sent(self) -> list[Ask]:
        """Those that went with the process that died: nobody will answer them."""
        return self._take(lambda ask: ask.was_sent)

    def all(self) -> list[Ask]:
        return self._take(lambda _: True)

    def _take(self, which: Callable[[Ask], bool]) -> list[Ask]:
        taken = {id_: ask for id_, ask in self._open.items() if which(ask)}
        for id_ in taken:
            del self._open[id_]
        return list(taken.values())
