"""The rooms of all films that are open."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from rushes.messages import commands
from rushes.messages.answers import Error
from rushes.messages.faults import error_of
from rushes.server.hall import Hall
from rushes.server.room import Call, Close, Drop, GoOn, Left, Reply, Room, Touched
from rushes.store.places import FilmPlaces
from rushes_otio.errors import BadRequest, RushesError
from rushes_otio.text import printable

MOST_FILMS = 200
"""Rooms, each with a thread."""

UNUSED_S = 120.0
CLOSING_S = 8.0


class Rooms:
    """Opens a room when a film is spoken of. Thread-safe."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._rooms: dict[str, Room] = {}
        self._known: dict[str, str] = {}  # path as clients write it -> the film's key
        self._coming: dict[str, list[Call]] = {}  # path that is being looked up -> who waits for that
        self._lock = threading.Lock()

    @property
    def are_busy(self) -> bool:
        return any(room.is_busy for room in self._all())

    def go_on(self) -> None:
        """Take up the queue of every film that has one."""
        for film in self._hall.studio.jobs.films():
            self._room(film).put(GoOn())

    def ask(self, command: commands.FilmCommands, session: str, id_: str, reply: Reply) -> None:
        """Hand a command to the room of its film. Which room that is, the disk says, and a disk may hang: a path
        that is not known yet is looked up beside, and what comes for it meanwhile waits in order."""
        call, path = Call(command, session, id_, reply), command.film
        with self._lock:
            room = self._rooms.get(self._known.get(path, ""))
            if room is not None:
                room.put(call)
            elif path in self._coming:
                self._coming[path].append(call)
            elif len(self._rooms) + len(self._coming) >= MOST_FILMS:
                remedy = "close films in your hosts, or restart the daemon"
                reply(Error(kind="limit", text=f"{MOST_FILMS} films are open", remedy=remedy))
            else:
                self._coming[path] = [call]
                threading.Thread(target=self._let_in, args=(path,), name="usher", daemon=True).start()

    def _let_in(self, path: str) -> None:
        """Find, or open, the room that a path leads to, for those who wait."""
        try:
            places = _places(path)
        except RushesError as error:
            with self._lock:
                waiting = self._coming.pop(path)
            for call in waiting:
                call.reply(error_of(error))
            return
        with self._lock:
            room = self._opened(places)
            self._known[path] = places.key
            for call in self._coming.pop(path):
                room.put(call)

    def cancel(self, command: commands.Cancel, patience: float) -> list[int]:
        """Drop jobs in whatever rooms they are; the jobs that were there."""
        films = (
            [command.film] if command.film else {*self._hall.studio.jobs.films(), *(r.film for r in self._all())}
        )
        rooms = [self._room(film) for film in films]
        dropped: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
        for room in rooms:
            room.put(Drop(frozenset(command.jobs), dropped.put))
        found: list[int] = []
        deadline = time.monotonic() + patience
        for _ in rooms:
            with suppress(queue.Empty):  # a film on a disk that hangs
                found += dropped.get(timeout=max(0.0, deadline - time.monotonic()))
        return found

    def touched(self, path: Path) -> None:
        for room in self._all():
            room.put(Touched(path))

    def left(self, session: str) -> None:
        for room in self._all():
            room.put(Left(session))

    def close_unused(self, followed: set[str]) -> None:
        """Close the rooms that nobody follows and that have nothing to do."""
        now = time.monotonic()
        for film, room in list(self._rooms.items()):
            if not room.is_busy and film not in followed and now - room.used > UNUSED_S:
                with self._lock:
                    del self._rooms[film]
                    self._known = {path: key for path, key in self._known.items() if key != film}
                room.put(Close())

    def close(self) -> None:
        """Put every film in order, all of them at once; a disk that hangs is not waited for."""
        rooms = self._all()
        for room in rooms:
            room.put(Close())
        deadline = time.monotonic() + CLOSING_S
        for room in rooms:
            room.ended.wait(max(0.0, deadline - time.monotonic()))

    def described(self) -> list[dict[str, Any]]:
        return [{"film": room.film, "busy": room.is_busy, "watched": room.watch.is_on} for room in self._all()]

    def jobs(self) -> int:
        """How many wait or run."""
        return sum(room.jobs for room in self._all())

    def _room(self, film: str) -> Room:
        with self._lock:
            return self._opened(_places(film))

    def _opened(self, places: FilmPlaces) -> Room:
        """The room of a film. Lock held."""
        if places.key not in self._rooms:
            self._rooms[places.key] = Room(self._hall, places.film)
        return self._rooms[places.key]

    def _all(self) -> list[Room]:
        with self._lock:
            return list(self._rooms.values())


def _places(path: str) -> FilmPlaces:
    """Where a film lies; BadRequest for what is no path of a film here."""
    try:
        if Path(path).is_absolute():
            return FilmPlaces.of(Path(path))
        fault = "it is not absolute"
    except (OSError, ValueError) as error:
        fault = str(error)
    shown = printable(path, 200)
    raise BadRequest(f"{shown!r} is no path of a film: {fault}", remedy="give the film's full path")
