"""The conversation with the daemon: films followed, questions asked, answers handed to who asked.

No bpy and no thread: `poll` is called by a timer, does what there is to do within its time, and never waits.
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from ..texts import printable
from .asking import Ask, Asks, Done
from .films import Film
from .keeping import Keeper
from .pipe import CannotStart
from .shapes import wrong_answer

Json = dict[str, Any]

VERSION = 1
"""The newest version of the protocol that is read here."""

TRY_AGAIN_S = 10.0
"""Between looks for a program that was not found: it may be installed meanwhile."""

MOST_LINE = 8 << 20
"""Bytes of a command. The daemon takes no longer one."""

MOST_NONSENSE = 100
"""Lines in a row that are no messages. What says more of them is not Rushes."""

UPDATE = "pip install -U rushes"


class Link(Protocol):
    """The pipe to the daemon. `children` counts the processes that were started; `why` says what became of the
    last one."""

    children: int
    why: str

    @property
    def is_up(self) -> bool:
        """Whether there is a process, as far as is known."""

    @property
    def is_writing(self) -> bool:
        """Whether lines wait to be written."""

    def look_after(self, until: float) -> None:
        """Write what waits, not past `until`; start again what has died."""

    def next_line(self, until: float) -> bytes | None:
        """A line without its end; None while there is none. In the middle of a line it waits, but not past
        `until`."""

    def send(self, line: bytes) -> None:
        """Hand a line on, its end included."""

    def give_up(self, why: str) -> None:
        """End the process, which says what cannot be understood; another one is started later."""

    def close(self) -> None:
        """End it."""


class Session:
    """With one daemon, about any number of films. Its pipe is made when a film is followed or something is asked.

    `link_state` is "off" (nothing runs), "starting", "linked" or "lost"; `why` says why it is not linked, `remedy`
    what helps. `has_more`: the last `poll` had not the time for all.
    """

    def __init__(self, pipe: Callable[[], Link], clock: Callable[[], float] = time.monotonic) -> None:
        self._make = pipe
        self._clock = clock
        self._pipe: Link | None = None
        self._children = 0
        self.link_state = "off"
        self.why = self.remedy = self.daemon_version = ""
        self.has_more = False
        self._try_again = 0.0
        self._nonsense = 0  # lines since the last message
        self._asks = Asks()
        self._keeper = Keeper(self.ask)
        self._on_media: list[Callable[[str, set[str]], None]] = []
        self._on_change: list[Callable[[str], None]] = []

    # -- for everybody ---------------------------------------------------------------------------------------

    @property
    def followed(self) -> set[str]:
        """The paths of the films that are followed."""
        return set(self._keeper.films)

    def film(self, path: str) -> Film | None:
        """What is known of a film that is followed."""
        return self._keeper.films.get(path)

    def follow(self, path: str) -> Film:
        """From now on know how the film stands. `path` is absolute and real."""
        self.start()
        return self._keeper.follow(path)

    def leave(self, path: str) -> None:
        """Follow the film no more."""
        self._keeper.leave(path)

    def look_up(self, path: str) -> None:
        """Ask anew which names can be used in a film: `Film.library`."""
        self._keeper.look_up(path)

    def ask(self, body: Json, done: Done | None = None) -> str:
        """Send a command (docs/protocol.md). `done` is called, once, with what came of it: an object, or an error,
        of kind "lost" where the daemon was not there for half a minute. The id of the message."""
        self.start()
        id_ = self._asks.put(body, done, self._clock() if self._pipe else float("-inf"))
        if self.link_state == "linked":
            self._send_asks()
        return id_

    def on_media(self, listener: Callable[[str, set[str]], None]) -> None:
        """Have it called with a film's path and the shots that show something else now, at the end of a poll, once
        for all that this brought."""
        if listener not in self._on_media:
            self._on_media.append(listener)

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Have it called with a film's path when anything of it changed, and with "" when the link did, at the end
        of a poll, once."""
        if listener not in self._on_change:
            self._on_change.append(listener)

    def start(self) -> None:
        """Make the pipe, unless there is one. Where that cannot be, `why` says why, and the next call tries
        again."""
        if self._pipe is not None:
            return
        try:
            self._pipe, self._children = self._make(), 0
        except CannotStart as error:
            self._try_again = self._clock() + TRY_AGAIN_S
            self._is_now("off", printable(error.text), error.remedy)
        else:
            self._is_now("starting")

    def stop(self) -> None:
        """End the child process and follow nothing any more. Who waits for an answer is told that none comes."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        self._is_now("off")
        self._keeper.films.clear()
        self._keeper.started_anew()
        self._give_up(self._asks.all())

    # -- the timer -------------------------------------------------------------------------------------------

    def poll(self, budget_s: float) -> int:
        """Hear what the daemon says, for so many seconds; how many messages that were."""
        until = self._clock() + budget_s
        if self._pipe is None and self._keeper.films and self._clock() >= self._try_again:
            self.start()
        heard = self._hear_all(self._pipe, until) if self._pipe is not None else 0
        now = self._clock()
        self._keeper.tick(now)
        self._give_up(self._asks.given_up(now))
        self._tell()
        return heard

    def _hear_all(self, pipe: Link, until: float) -> int:
        pipe.look_after(until)
        if pipe.children != self._children:
            self._children = pipe.children
            self._started_anew()
        heard, ran_out = 0, False
        while not ran_out and (line := pipe.next_line(until)) is not None:
            self._hear_line(pipe, line)
            heard += 1
            ran_out = self._clock() >= until
        if self._pipe is not pipe:
            return heard  # somebody who was told something has stopped it
        if not pipe.is_up and self.link_state != "lost":
            self._lose(pipe.why, "")
            self._give_up(self._asks.sent())
        self.has_more = ran_out or pipe.is_writing
        return heard

    def _tell(self) -> None:
        shown, changed = self._keeper.news()
        for path, shots in shown.items():
            for listener in list(self._on_media):
                _guarded(listener, path, set(shots))
        for path in sorted(changed):
            for on_change in list(self._on_change):
                _guarded(on_change, path)

    # -- what comes ------------------------------------------------------------------------------------------

    def _hear_line(self, pipe: Link, line: bytes) -> None:
        """What is no message is passed over, but not for ever."""
        try:
            message = json.loads(line)
            body = message["body"]
            str(body["type"])
        except (ValueError, LookupError, TypeError, RecursionError):
            self._nonsense += 1
            if self._nonsense >= MOST_NONSENSE:
                said = line[:80].decode("utf-8", "replace")
                pipe.give_up(f"the program that was started is not Rushes: it said {said}")
        else:
            self._nonsense = 0
            self._hear(message, body)

    def _hear(self, message: Json, body: Json) -> None:
        version, kind = message.get("v", VERSION), str(body["type"])
        if isinstance(version, int | float) and version > VERSION:
            self._is_too_new(version)
        elif kind == "linked":
            self._link()
        elif kind == "unlinked":
            self._lose(printable(body.get("why", "")), "rushes daemon status")
        elif kind in ("answer", "error"):
            self._on_answer(self._asks.answered(message.get("parent")), body)
        else:
            if kind == "state":
                self._asks.answered(message.get("parent"))
            self._keeper.hear(body)

    def _on_answer(self, ask: Ask | None, body: Json) -> None:
        if ask is None:
            return
        if body["type"] == "error":
            self._fail(ask, {**body, "remedy": UPDATE} if body.get("kind") == "protocol" else body)
            return
        command = str(ask.body["type"])
        result: Any = body.get("result")
        wrong = wrong_answer(command, result)
        if wrong:
            self._fail(ask, _senseless(f"what Rushes answers to {command} makes no sense here: {wrong}"))
            return
        self._keeper.answered(ask, result)
        if ask.done is not None:
            _guarded(ask.done, result, None)

    # -- the link --------------------------------------------------------------------------------------------

    def _link(self) -> None:
        self._is_now("linked")
        self._keeper.linked()
        self.ask({"type": "daemon"}, self._on_daemon)

    def _on_daemon(self, result: Json | None, error: Json | None) -> None:
        self.daemon_version = printable((result or {}).get("version", ""), 40)
        self._keeper.changed.add("")

    def _lose(self, why: str, remedy: str) -> None:
        self._is_now("lost", why or "the daemon is not there", remedy)
        self._keeper.lost()
        self._asks.lost(self._clock())

    def _started_anew(self) -> None:
        """The child is another one: nobody will answer what the last one was asked."""
        self._nonsense = 0
        self._keeper.started_anew()
        self._give_up(self._asks.sent())
        self._is_now("starting", self.why, self.remedy)

    def _is_too_new(self, version: float) -> None:
        text, remedy = f"this Rushes speaks version {version}, the add-on version {VERSION}", "update the add-on"
        self._is_now("lost", text, remedy)
        self._keeper.lost()
        self._keeper.fault(text, remedy)
        self._give_up(self._asks.all())

    def _is_now(self, state: str, why: str = "", remedy: str = "") -> None:
        if (state, why, remedy) != (self.link_state, self.why, self.remedy):
            self.link_state, self.why, self.remedy = state, why, remedy
            self._keeper.changed.add("")

    # -- asking ----------------------------------------------------------------------------------------------

    def _send_asks(self) -> None:
        for id_, ask in self._asks.to_send():
            line = json.dumps({"id": id_, "body": ask.body}, separators=(",", ":")).encode() + b"\n"
            if self._pipe is not None and len(line) <= MOST_LINE:
                self._pipe.send(line)
            else:
                self._asks.answered(id_)
                self._fail(ask, _too_long(len(line)))

    def _give_up(self, asks: Iterable[Ask]) -> None:
        text = "Rushes cannot be reached" + (f": {self.why}" if self.why else "")
        for ask in asks:
            self._fail(ask, {"kind": "lost", "text": text, "where": "", "remedy": self.remedy})

    def _fail(self, ask: Ask, error: Json) -> None:
        self._keeper.failed(ask, error, self._clock())
        if ask.done is not None:
            _guarded(ask.done, None, error)


def _too_long(size: int) -> Json:
    text = f"this would be a message of {size >> 20} MiB, and one has {MOST_LINE >> 20} at most"
    return {"kind": "limit", "text": text, "where": "", "remedy": "ask about fewer shots or strips"}


def _senseless(text: str) -> Json:
    return {"kind": "internal", "text": printable(text), "where": "", "remedy": UPDATE}


def _guarded(call: Callable[..., object], *arguments: object) -> None:
    """A fault of one listener is printed, and is nobody else's."""
    try:
        call(*arguments)
    except Exception:
        traceback.print_exc()
