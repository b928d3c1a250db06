"""The office: commands about no single film. A thread of its own, for they read the database."""

from __future__ import annotations

import logging
import queue
import threading
from pathlib import Path

from rushes.engine.outcome import row_of
from rushes.messages import commands, events
from rushes.messages.answers import Answer, Error
from rushes.messages.faults import error_of
from rushes.server.hall import Hall
from rushes.server.handling import result
from rushes.server.room import Reply
from rushes.server.rooms import Rooms
from rushes_otio.errors import RushesError
from rushes_otio.text import printable

PAUSED = "paused"
"""The switch in the database: a person's pause outlives the daemon."""

CANCEL_S = 5.0

log = logging.getLogger(__name__)

OfficeCommands = commands.Jobs | commands.Queue | commands.Pause | commands.Resume | commands.Cancel


class Office:
    """`put` from any thread."""

    def __init__(self, hall: Hall, rooms: Rooms) -> None:
        self._hall = hall
        self._rooms = rooms
        self._inbox: queue.SimpleQueue[tuple[OfficeCommands, Reply] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="office", daemon=True)
        self._thread.start()

    def put(self, command: OfficeCommands, reply: Reply) -> None:
        self._inbox.put((command, reply))

    def close(self) -> None:
        self._inbox.put(None)
        self._thread.join(2.0)

    def _run(self) -> None:
        while (item := self._inbox.get()) is not None:
            command, reply = item
            try:
                reply(self._answer(command))
            except RushesError as error:
                reply(error_of(error))
            except Exception as error:
                log.exception("office: %s", type(command).__name__)
                text = printable(f"something went wrong: {error}", 500)
                reply(Error(kind="internal", text=text, remedy="see the log: rushes daemon log"))

    def _answer(self, command: OfficeCommands) -> Answer:
        studio = self._hall.studio
        match command:
            case commands.Jobs():
                return result({"jobs": [row_of(job) for job in studio.jobs.some(command.jobs)]})
            case commands.Queue():
                return self._queue(command.film)
            case commands.Cancel():
                return result({"cancelled": self._rooms.cancel(command, CANCEL_S)})
            case commands.Pause():
                studio.switches.put(PAUSED, "on")
                self._hall.floor.pause()
                return self._switched(paused=True)
            case commands.Resume():
                studio.switches.put(PAUSED, "")
                self._hall.floor.resume()
                return self._switched(paused=False)

    def _queue(self, film: str) -> Answer:
        jobs = self._hall.studio.jobs
        films = [str(Path(film))] if film else jobs.films()
        rows = [row_of(job) for each in films for job in jobs.pending(each)]
        return result({"paused": self._hall.floor.is_paused, "jobs": rows})

    def _switched(self, *, paused: bool) -> Answer:
        self._hall.post.tell(events.QueueState(paused=paused))
        return result({"paused": paused})
