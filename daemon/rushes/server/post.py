"""What leaves the daemon, from any of its threads: answers to one, numbered events to all who follow a film.

Of progress and previews only the latest of each job goes out, a few times a second. All other events are numbered
within their topic and kept for a while, for those who missed some.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from msgspec import Raw

from rushes import protocol
from rushes.messages.answers import Answers, Busy, Error, Idle
from rushes.messages.events import Events, FilmEvent, JobEvent
from rushes.protocol import Told, new_id

LATEST_EVERY_S = 0.1
KEPT_EVENTS = 5_000
KEPT_BYTES = 16 << 20
"""Of one topic."""


@dataclass(slots=True)
class _Topic:
    last: int = 0
    size: int = 0
    kept: deque[tuple[int, bytes]] = field(default_factory=deque)

    def keep(self, text: bytes) -> None:
        self.kept.append((self.last, text))
        self.size += len(text)
        while len(self.kept) > KEPT_EVENTS or (self.size > KEPT_BYTES and len(self.kept) > 1):
            self.size -= len(self.kept.popleft()[1])


@dataclass(frozen=True, slots=True)
class Letter:
    """For one peer, or, where `who` is None, for all who follow the topic. `answers` is the command that it is the
    answer to."""

    who: bytes | None
    topic: bytes
    text: bytes
    answers: str = ""


class Post:
    """Thread-safe. `bell` becomes readable when there is something to take."""

    def __init__(self, daemon: str) -> None:
        self._daemon = daemon
        self._lock = threading.Lock()
        self._out: deque[Letter] = deque()
        self._topics: dict[str, _Topic] = {}
        self._latest: dict[tuple[str, int, type], Letter] = {}
        self._latest_at = 0.0
        self.bell, self._wake = socket.socketpair()  # a pipe cannot be polled on Windows
        self.bell.setblocking(False)
        self._wake.setblocking(False)

    def bracket(self, who: bytes, parent: str, body: Busy | Idle | Error) -> None:
        """To one peer, about a command that is not answered by it."""
        self._put(Letter(who, b"", self._encoded(body, parent, 0)))

    def answer(self, who: bytes, parent: str, body: Answers) -> None:
        """The answer to a command, to who asked."""
        self._put(Letter(who, b"", self._encoded(body, parent, 0), parent))

    def again(self, who: bytes, text: bytes) -> None:
        """To one peer, what was sent to it before."""
        self._put(Letter(who, b"", text))

    def _put(self, letter: Letter) -> None:
        with self._lock:
            self._out.append(letter)
        self.wake()

    def tell(self, event: Events, parent: str = "") -> None:
        """To all who follow the event's film; `parent` is the command that caused it."""
        topic = protocol.topic(event.film) if isinstance(event, FilmEvent) else protocol.DAEMON
        with self._lock:
            if isinstance(event, JobEvent) and not event.counted:
                text = self._encoded(event, parent, 0)
                self._latest[topic, event.job, type(event)] = Letter(None, topic.encode(), text)
            else:
                found = self._topics.setdefault(topic, _Topic())
                found.last += 1
                text = self._encoded(event, parent, found.last)
                found.keep(text)
                self._out.append(Letter(None, topic.encode(), text))
        self.wake()

    def last(self, film: str) -> int:
        """The number of the film's last event."""
        with self._lock:
            return self._topics.get(protocol.topic(film), _Topic()).last

    def lasts(self, films: list[str]) -> dict[str, int]:
        """The same by topic, with that of the daemon."""
        with self._lock:
            topics = [protocol.DAEMON, *map(protocol.topic, films)]
            return {topic: self._topics[topic].last for topic in topics if topic in self._topics}

    def missed(self, film: str, since: int) -> list[Raw] | None:
        """The film's events after that number; None where they are not kept any more."""
        with self._lock:
            topic = self._topics.get(protocol.topic(film), _Topic())
            if since > topic.last or since + 1 < (topic.kept[0][0] if topic.kept else topic.last + 1):
                return None
            return [Raw(text) for number, text in topic.kept if number > since]

    def take(self) -> list[Letter]:
        """What is to be sent now."""
        with self._lock:
            with suppress(BlockingIOError):
                self.bell.recv(65536)
            found = list(self._out)
            self._out.clear()
            if self._latest and time.monotonic() - self._latest_at >= LATEST_EVERY_S:
                found += self._latest.values()
                self._latest.clear()
                self._latest_at = time.monotonic()
            return found

    def patience(self) -> float | None:
        """Seconds until `take` is due again though nobody calls; None where it is not."""
        if not self._latest:
            return None
        return max(0.0, self._latest_at + LATEST_EVERY_S - time.monotonic())

    def close(self) -> None:
        self.bell.close()
        self._wake.close()

    def _encoded(self, body: Answers | Events, parent: str, seq: int) -> bytes:
        told = Told(v=protocol.VERSION, id=new_id(), session=self._daemon, parent=parent, seq=seq, body=body)
        return protocol.encode(told)

    def wake(self) -> None:
        """Have the reader look."""
        with suppress(OSError):  # it is full: the reader is awake
            self._wake.send(b".")
