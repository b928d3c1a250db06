"""Who is there: one session for each client, gone when it says nothing for a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field

LEASE_S = 20.0
"""Clients say something every five seconds."""

REMEMBERED = 512
"""Commands of a session that are known again when they come twice."""

MOST_AT_ONCE = 256
"""Commands of a session that wait for their answer."""

LONGEST_KEPT = 64 << 10
"""Bytes of an answer that is kept for the case that it was lost; a longer one is worked out anew."""


@dataclass(slots=True)
class Session:
    """One client. `who` is where its answers go."""

    id: str
    who: bytes
    heard: float
    client: str = ""
    pid: int = 0
    films: frozenset[str] = frozenset()
    answered: OrderedDict[str, bytes | None] = field(default_factory=OrderedDict)
    open: int = 0


class Sessions:
    """Used by the thread of the sockets only."""

    def __init__(self) -> None:
        self._all: dict[str, Session] = {}
        self._open: dict[str, Session] = {}  # by command
        self.heard = time.monotonic()

    def __len__(self) -> int:
        return len(self._all)

    def of(self, id_: str, who: bytes) -> Session:
        """The session, which has just been heard of."""
        self.heard = time.monotonic()
        session = self._all.get(id_)
        if session is None:
            session = self._all[id_] = Session(id_, who, self.heard)
        session.who, session.heard = who, self.heard
        return session

    def began(self, session: Session, command: str) -> None:
        """A command was taken up."""
        self._open[command] = session
        session.open += 1
        session.answered[command] = None
        while len(session.answered) > REMEMBERED:
            session.answered.popitem(last=False)

    def answered(self, command: str, text: bytes) -> None:
        """It was answered."""
        session = self._open.pop(command, None)
        if session is None:
            return
        session.open -= 1
        if len(text) <= LONGEST_KEPT:
            session.answered[command] = text
        else:
            session.answered.pop(command, None)

    def left(self) -> list[Session]:
        """Those that have said nothing for too long; they are forgotten."""
        now = time.monotonic()
        gone = [session for session in self._all.values() if now - session.heard > LEASE_S]
        for session in gone:
            del self._all[session.id]
        return gone

    def followed(self) -> set[str]:
        """Films that somebody follows."""
        return {film for session in self._all.values() for film in session.films}
