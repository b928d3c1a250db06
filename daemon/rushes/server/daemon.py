"""The daemon: its sockets' thread. It reads messages, checks them, hands them to the rooms and sends what they
answer; nothing it does itself takes long.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import msgspec
import zmq

from rushes import protocol
from rushes.connection import Connection
from rushes.engine.floor import Floor
from rushes.engine.rendering import worker_of
from rushes.engine.studio import Studio
from rushes.messages import commands, events
from rushes.messages.answers import Answer, Answers, Busy, Error, Idle, Pong, Welcome
from rushes.messages.commands import FilmCommands
from rushes.protocol import Asked, new_id
from rushes.server.door import Door
from rushes.server.hall import Hall
from rushes.server.handling import result
from rushes.server.keys import Keys, user_keys
from rushes.server.office import PAUSED, Office, OfficeCommands
from rushes.server.post import Post
from rushes.server.rooms import Rooms
from rushes.server.sessions import MOST_AT_ONCE, Session, Sessions
from rushes.server.watching import Watcher
from rushes.store.durable import write_atomic
from rushes.version import version
from rushes_otio.text import printable

CHECK_EVERY_S = 1.0

log = logging.getLogger(__name__)


class Daemon:
    """Made by who holds the single-instance lock. `run` returns when it was told to stop, or nobody needs it."""

    def __init__(self, studio: Studio, use_tcp: bool) -> None:
        self.id = new_id()
        self._studio = studio
        self._keys = user_keys(studio.places)
        self._post = Post(self.id)
        self._door = Door(studio.places, self._keys, use_tcp)
        floor = Floor(worker_of(studio), studio.places.cache, studio.settings.rest_s)
        watcher = Watcher(self._touched)
        self._hall = Hall(studio, floor, self._post, watcher)
        self._rooms = Rooms(self._hall)
        self._office = Office(self._hall, self._rooms)
        self._sessions = Sessions()
        files = (studio.places.settings, studio.places.models)
        self._users_files = {Path(os.path.realpath(file.parent)) / file.name for file in files}
        self._stopping = ""
        self._used = time.monotonic()

    def run(self) -> None:
        """Serve until it is over. What was queued is taken up first."""
        self._hall.watcher.keep("user", self._users_files)
        if self._studio.switches.get(PAUSED):
            self._hall.floor.pause()
        self._rooms.go_on()
        self._publish()
        try:
            self._serve()
        finally:
            self._leave()

    def stop(self, why: str) -> None:
        """End soon; from any thread or signal handler."""
        self._stopping = self._stopping or why
        self._post.wake()

    # -- the loop --------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        poller = zmq.Poller()
        self._door.watch(poller)
        poller.register(self._post.bell, zmq.POLLIN)
        checked = time.monotonic()
        while not self._stopping:
            patience = self._post.patience()
            poller.poll(int(1000 * (CHECK_EVERY_S * 5 if patience is None else patience)) + 1)
            for who, text in self._door.arrivals():
                self._receive(who, text)
            self._send()
            if time.monotonic() - checked >= CHECK_EVERY_S:
                checked = time.monotonic()
                self._look_around()

    def _send(self) -> None:
        for letter in self._post.take():
            if letter.who is None:
                self._door.publish(letter.topic, letter.text)
                continue
            self._door.answer(letter.who, letter.text)
            if letter.answers:
                self._sessions.answered(letter.answers, letter.text)

    def _look_around(self) -> None:
        """Let go of who left, close what nobody uses, and leave when nobody needs us."""
        for session in self._sessions.left():
            self._rooms.left(session.id)
        self._rooms.close_unused(self._sessions.followed())
        if len(self._sessions) or self._rooms.are_busy:
            self._used = time.monotonic()
        elif time.monotonic() - self._used >= self._studio.settings.idle_s:
            self.stop("nobody needs it")

    # -- messages --------------------------------------------------------------------------------------------

    def _receive(self, who: bytes, text: bytes) -> None:
        try:
            asked = protocol.read_asked(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._refuse(who, text, error)
            return
        session = self._sessions.of(asked.session, who)
        if asked.id in session.answered:
            self._again(session, asked)
        elif session.open >= MOST_AT_ONCE:
            remedy = "wait for the answers before you ask on"
            limit = Error(kind="limit", text=f"{MOST_AT_ONCE} commands wait for their answer", remedy=remedy)
            self._post.bracket(who, asked.id, limit)
        else:
            self._do(session, asked)

    def _refuse(self, who: bytes, text: bytes, error: Exception) -> None:
        """What is no command of ours. Who sent it is told why, if it said who it is."""
        self._door.refuse("message", "a message that is no command")
        try:
            parent = protocol.read_envelope(text).id
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            parent = ""
        why = printable(str(error), 500)
        remedy = f"this daemon speaks version {protocol.VERSION}: docs/protocol.md; or update Rushes"
        self._post.bracket(who, parent, Error(kind="protocol", text=f"no command: {why}", remedy=remedy))

    def _again(self, session: Session, asked: Asked) -> None:
        """A command that came before: it is not done twice, its answer is sent again."""
        self._door.refuse("replay", "a command that came twice")
        text = session.answered[asked.id]
        if text is not None:
            self._post.again(session.who, text)

    def _do(self, session: Session, asked: Asked) -> None:
        self._sessions.began(session, asked.id)
        who = session.who
        self._post.bracket(who, asked.id, Busy())

        def reply(body: Answers) -> None:
            self._post.answer(who, asked.id, body)
            self._post.bracket(who, asked.id, Idle())

        body = self._at_once(session, asked.body)
        if body is not None:
            reply(body)
        elif isinstance(asked.body, FilmCommands):
            self._rooms.ask(asked.body, session.id, asked.id, reply)
        elif isinstance(asked.body, OfficeCommands):
            self._office.put(asked.body, reply)

    def _at_once(self, session: Session, command: commands.Commands) -> Answers | None:
        """The answer to what needs neither a film nor the database."""
        match command:
            case commands.Hello():
                session.client, session.pid = command.client, command.pid
                return Welcome(daemon=self.id, pid=os.getpid(), version=version(), protocol=1, oldest=1)
            case commands.Ping():
                session.films = frozenset(command.films)
                return Pong(daemon=self.id, last=self._post.lasts(command.films))
            case commands.Leave():
                session.films -= {command.film}
                return result({})
            case commands.Daemon():
                return self._described()
            case commands.Stop():
                self.stop("somebody asked it to")
                return result({"stopping": True})
            case _:
                return None

    def _described(self) -> Answer:
        return result(
            {
                "pid": os.getpid(),
                "version": version(),
                "daemon": self.id,
                "films": self._rooms.described(),
                "queue": {"paused": self._hall.floor.is_paused, "jobs": self._rooms.jobs()},
                "clients": len(self._sessions),
                "refused": dict(self._door.refused),
                "endpoint": self._door.commands,
            }
        )

    def _touched(self, path: Path) -> None:
        if path in self._users_files:
            for fault in self._studio.reload():
                log.warning("%s, at %s; what was known before stays", printable(fault.text, 500), fault.where)
        self._rooms.touched(path)

    # -- beginning and end -------------------------------------------------------------------------------------

    def _publish(self) -> None:
        """Say where we are, now that the sockets are bound."""
        keys: Keys = self._keys
        found = Connection(
            v=protocol.VERSION,
            daemon=self.id,
            pid=os.getpid(),
            version=version(),
            commands=self._door.commands,
            events=self._door.events,
            server_key=keys.server_public,
            client_key=keys.client_public,
            client_secret=keys.client_secret,
        )
        path = self._studio.places.connection
        path.unlink(missing_ok=True)  # an old one may have other permissions
        write_atomic(path, msgspec.json.encode(found), label="connection", mode=0o600)
        log.info("pid %d, version %s, at %s", os.getpid(), version(), self._door.commands)

    def _leave(self) -> None:
        """Everything in order: jobs back in the queue, takes saved, workers ended."""
        log.info("leaving: %s", self._stopping or "something went wrong")
        self._studio.places.connection.unlink(missing_ok=True)
        self._post.tell(events.Leaving(why=self._stopping or "something went wrong"))
        self._send()
        self._hall.watcher.stop()
        self._rooms.close()
        self._office.close()
        self._hall.floor.stop()
        self._send()
        self._door.close()
        self._post.close()
        self._studio.database.close()
