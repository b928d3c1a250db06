"""The client of the daemon: for commands, panel and hosts. Standard library, pyzmq and msgspec; no thread.

    with Client(connection.default_path(), "my tool") as client:
        client.request(commands.Status(film=path))     # blocks until the answer is there
        client.follow(path)                            # from now on `poll` gives the film's state and events
        for told in client.poll(0.1): ...              # or add `client.fds` to a loop, and poll(0) when readable

Blocking and polled use mix freely. A daemon that is killed and started again is found again by itself: what may
be repeated is asked again, and every film followed gets the events that were missed, or its whole state.
"""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import zmq

from rushes import protocol
from rushes.connection import Connection, read_connection
from rushes.following import Following
from rushes.messages import answers, commands, events
from rushes.messages.base import Body
from rushes.messages.faults import raised
from rushes.protocol import Asked, Told, new_id
from rushes.store.alive import exists
from rushes_otio.errors import Unreachable

PING_S = 5.0
"""How often the daemon is told that we are there."""

SILENT_S = 2.0
"""Seconds of silence, after something was asked, until it is looked what became of the daemon."""

GONE_S = 10.0
"""Seconds without a sign of life until the daemon counts as gone."""


class Client:
    """One session with the daemon whose connection file is `path`. Use it from one thread at a time."""

    def __init__(self, path: Path, name: str) -> None:
        """Unreachable when no daemon is published there; whether it answers is seen by the first request."""
        self._path = path
        self._name = name
        self._session = new_id()
        self._context = zmq.Context()
        self._pid = os.getpid()
        self._pending: dict[str, commands.Commands] = {}  # commands without an answer, in the order of asking
        self._own: set[str] = set()  # those that this client asks by itself
        self._inbox: deque[Told] = deque()
        self._followed: dict[str, Following] = {}  # by topic
        self._also: int | None = None
        self._daemon = ""
        self._heard = self._pinged = self._looked = time.monotonic()
        self._linked = self._lost = False
        try:
            self._open(read_connection(path))
        except BaseException:
            self._context.destroy(linger=0)
            raise

    # -- asking ----------------------------------------------------------------------------------------------

    def send(self, command: commands.Commands, id_: str = "") -> str:
        """Ask, without waiting; the answer, whose `parent` is the id returned, comes by `poll`."""
        message = Asked(v=protocol.VERSION, id=id_ or new_id(), session=self._session, body=command)
        self._heard = self._heard if self._pending else time.monotonic()  # silence begins when something is asked
        if self._lost:
            self._look_for_another()
        self._pending[message.id] = command
        self._put(message)
        return message.id

    def request(self, command: commands.Commands, timeout: float = 60.0) -> Body:
        """Ask and wait for the answer: Welcome, Pong, State or Answer. What else arrives meanwhile is kept for
        `poll`. An error is raised as the RushesError it was; Unreachable when the daemon is gone, or silent for
        `timeout` seconds.
        """
        asked = self.send(command)
        deadline = time.monotonic() + timeout
        while True:
            self._take(min(1.0, max(0.0, deadline - time.monotonic())))
            body = self._answer_to(asked)
            if isinstance(body, answers.Error):
                raise raised(body)
            if body is not None:
                return body
            if time.monotonic() >= deadline or self._lost:
                self._pending.pop(asked, None)
                raise _gone("it ended" if self._lost else "it does not answer")

    def ask(self, command: commands.Commands, timeout: float = 60.0) -> dict[str, Any]:
        """`request` for commands whose answer is an object: the object."""
        body = self.request(command, timeout)
        if not isinstance(body, answers.Answer):
            raise TypeError(f"{type(command).__name__} is answered by {type(body).__name__}")
        decoded: dict[str, Any] = msgspec.json.decode(body.result)
        return decoded

    def _answer_to(self, asked: str) -> Body | None:
        for told in self._inbox:
            if told.parent == asked and isinstance(told.body, answers.Answers):
                self._inbox.remove(told)
                return told.body
        return None

    # -- following -------------------------------------------------------------------------------------------

    def follow(self, film: str, id_: str = "") -> None:
        """Hear of a film (its real, absolute path): its `state` first, the answer to a snapshot of that id, then
        its events, none left out."""
        self._followed[topic := protocol.topic(film)] = Following(film)
        self._events.subscribe(topic)
        self._catch_up(topic, id_)

    def unfollow(self, film: str) -> None:
        if self._followed.pop(topic := protocol.topic(film), None) is not None:
            self._events.unsubscribe(topic)

    def poll(self, timeout: float = 0.0) -> list[Told]:
        """What arrived, in order: answers, errors, states, events, and Linked or Unlinked when the daemon is found
        or lost. Waits up to `timeout` seconds for the first. Call it at least every few seconds: it also tells
        the daemon that this client is there.
        """
        if not self._inbox:
            self._take(timeout)
        found = list(self._inbox)
        self._inbox.clear()
        return found

    def wake_on(self, fd: int) -> None:
        """Have `poll` return when this file descriptor (on Windows a socket's) is readable too."""
        self._also = fd
        self._poller.register(fd, zmq.POLLIN)

    @property
    def fds(self) -> tuple[int, int]:
        """Readable when `poll(0)` may have something. Edge-triggered: poll now and then without, too."""
        return int(self._commands.get(zmq.FD)), int(self._events.get(zmq.FD))

    # -- the wire --------------------------------------------------------------------------------------------

    def _open(self, found: Connection) -> None:
        self._commands = self._socket(zmq.DEALER, found.commands, found)
        self._events = self._socket(zmq.SUB, found.events, found)
        self._events.subscribe(protocol.DAEMON)
        for topic in self._followed:
            self._events.subscribe(topic)
        self._poller = zmq.Poller()
        self._poller.register(self._commands, zmq.POLLIN)
        self._poller.register(self._events, zmq.POLLIN)
        if self._also is not None:
            self._poller.register(self._also, zmq.POLLIN)
        self._published = found
        self._heard = self._pinged = time.monotonic()
        self._own.add(self.send(commands.Hello(client=self._name, pid=self._pid, version=found.version)))

    def _socket(self, kind: int, endpoint: str, found: Connection) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.linger = 200
        socket.curve_serverkey = found.server_key.encode()
        socket.curve_publickey = found.client_key.encode()
        socket.curve_secretkey = found.client_secret.encode()
        socket.sndhwm = socket.rcvhwm = 100_000
        socket.connect(endpoint)
        return socket

    def _put(self, message: Asked) -> None:
        try:
            self._commands.send(protocol.encode(message), zmq.NOBLOCK)
        except zmq.Again:
            raise _gone("it takes no more commands") from None

    def _take(self, timeout: float) -> None:
        """Read what is there, waiting up to `timeout` seconds; look after the link."""
        waited = min(timeout, self._patience())
        if self._poller.poll(int(waited * 1000) + 1):
            self._drain()
        self._look_after()

    def _drain(self) -> None:
        for socket in (self._commands, self._events):
            while True:
                try:
                    frames = socket.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                self._heard = time.monotonic()
                self._read(frames[-1])

    def _read(self, raw: bytes) -> None:
        try:
            told = protocol.read_told(raw)
        except msgspec.DecodeError:
            return  # a kind of message that a newer daemon has
        body = told.body
        if self._daemon not in ("", told.session):
            self._daemon = told.session
            self._link(again=True)
        if told.parent in self._pending and isinstance(body, answers.Answers):
            if isinstance(body, answers.Busy):
                return
            command = self._pending.pop(told.parent)
            following = self._followed.get(protocol.topic(getattr(command, "film", "")))
            if following and isinstance(command, commands.Snapshot):
                following.asked = False  # after an error, the film's next event makes us ask again
            self._greeted(body)
            if told.parent in self._own:
                self._own.discard(told.parent)
                return
        if isinstance(body, answers.State):
            self._on_state(told, body)
        elif isinstance(body, events.FilmEvent) and body.counted:
            self._on_event(told, body.film)
        elif not isinstance(body, answers.Busy | answers.Idle):
            self._inbox.append(told)

    def _on_state(self, told: Told, state: answers.State) -> None:
        following = self._followed.get(protocol.topic(state.film))
        if following is None:
            self._inbox.append(told)
            return
        missed = [protocol.read_told(raw) for raw in state.missed] if state.missed is not None else None
        self._inbox += following.caught_up(told, state.seq, missed)

    def _on_event(self, told: Told, film: str) -> None:
        following = self._followed.get(protocol.topic(film))
        if following is None:
            return
        self._inbox += following.next(told)
        if following.lacks:
            self._catch_up(protocol.topic(film))

    def _catch_up(self, topic: str, id_: str = "") -> None:
        following = self._followed[topic]
        if not following.asked:
            following.asked = True
            self.send(commands.Snapshot(film=following.film, since=following.since(self._daemon)), id_)

    # -- the link --------------------------------------------------------------------------------------------

    def _patience(self) -> float:
        due = self._pinged + PING_S
        if self._pending:
            due = min(due, max(self._looked, self._heard) + SILENT_S)
        return max(0.0, due - time.monotonic())

    def _look_after(self) -> None:
        now = time.monotonic()
        if now - self._pinged >= PING_S:
            self._pinged = now
            if self._own.isdisjoint(self._pending):
                films = [following.film for following in self._followed.values()]
                self._own.add(self.send(commands.Ping(films=films)))
        if self._pending and now - max(self._looked, self._heard) >= SILENT_S:
            self._looked = now
            self._look_for_another()

    def _look_for_another(self) -> None:
        """The daemon says nothing: see whether it was replaced, or is gone."""
        try:
            found = read_connection(self._path)
        except Unreachable as error:
            self._lose(error.text)
            return
        if found.daemon == self._daemon:
            self._published = found  # ZeroMQ has found the new one at the old place
        if found != self._published:
            self._reopen(found)
        elif not exists(found.pid):
            self._lose("it ended")
        elif time.monotonic() - self._heard >= GONE_S:
            self._lose("it does not answer")

    def _reopen(self, found: Connection) -> None:
        """Talk to the daemon that is published now; ask again what may be asked twice."""
        self._lose("another daemon took its place")
        for socket in (self._commands, self._events):
            socket.close(linger=0)
        again = [(asked, command) for asked, command in self._pending.items() if asked not in self._own]
        self._pending.clear()
        self._own.clear()
        self._lost = False
        self._open(found)
        for asked, command in again:
            self._pending[asked] = command
            self._put(Asked(v=protocol.VERSION, id=asked, session=self._session, body=command))

    def _lose(self, why: str) -> None:
        """The daemon is gone. What must not be done twice is given up: nobody knows whether it was done."""
        if not self._lost:
            self._linked, self._lost = False, True
            self._say(events.Unlinked(why=why))
        for asked, command in list(self._pending.items()):
            if not getattr(command, "repeatable", True):
                del self._pending[asked]
                lost = answers.Error(
                    kind="leaving",
                    text=f"the daemon was lost while it did this: {why}",
                    remedy="look whether it was done, then ask again",
                )
                self._say(lost, parent=asked)

    def _greeted(self, body: Body) -> None:
        if isinstance(body, answers.Welcome):
            self._daemon = body.daemon
            self._link(again=False)
        elif isinstance(body, answers.Pong):
            self._link(again=False)
            for topic, following in self._followed.items():
                if following.is_behind(body.last.get(topic, 0)):
                    self._catch_up(topic)

    def _link(self, again: bool) -> None:
        """The daemon is there; `again`: it is another one than before."""
        if self._linked and not again:
            return
        self._linked, self._lost = True, False
        self._say(events.Linked(daemon=self._daemon, again=again))
        for topic, following in self._followed.items():
            following.asked = False
            self._catch_up(topic)

    def _say(self, body: Any, parent: str = "") -> None:  # noqa: ANN401 (one of the bodies of Told)
        self._inbox.append(Told(v=protocol.VERSION, id=new_id(), session=self._session, parent=parent, body=body))

    # -- the end ---------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Leave. What was sent still arrives."""
        self._context.destroy(linger=200)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _gone(why: str) -> Unreachable:
    remedy = "rushes daemon status; --no-daemon works without it"
    return Unreachable(f"the daemon cannot be reached: {why}", remedy=remedy)
