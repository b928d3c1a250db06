"""A room: one film that is open, with a thread of its own. What it is asked it does one after the other, so
whoever changes a film waits for the one before; a film on a disk that hangs keeps nobody else waiting.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Raw

from rushes.engine.floor import Delivery
from rushes.engine.opendesk import OpenDesk
from rushes.engine.shooting import Shooting
from rushes.messages import commands, events
from rushes.messages.answers import Answer, Answers, Error, State
from rushes.messages.events import FilmEvents, JobEvent
from rushes.messages.faults import error_of
from rushes.server import handling
from rushes.server.announcing import Announcer
from rushes.server.hall import Hall
from rushes.server.watch import Watch
from rushes.store.places import FilmPlaces
from rushes_otio.errors import Busy, FileFault, Overtaken, RushesError
from rushes_otio.text import printable

GONE_S = 30.0
"""A film that is not there for this long is gone; shorter, somebody is saving it."""

_RETRY_S = 2.0

log = logging.getLogger(__name__)

Reply = Callable[[Answers], None]


@dataclass(frozen=True, slots=True)
class Call:
    """A command and where its answer goes. `session` and `id` are those of the message."""

    command: commands.FilmCommands
    session: str
    id: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class Touched:
    """A file that the film rests on may have changed."""

    path: Path


@dataclass(frozen=True, slots=True)
class Left:
    """A session has left."""

    session: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Cancel these jobs, all where none is named; `dropped` is told which were there."""

    jobs: frozenset[int]
    dropped: Callable[[list[int]], None]


class GoOn:
    """Take up what is left in the queue."""


class Close:
    """Put everything in order and end."""


Item = Call | Touched | Left | Drop | GoOn | Close | Delivery


class Room:
    """One film. `put` from any thread; everything else happens in the room's own."""

    def __init__(self, hall: Hall, film: Path) -> None:
        self.hall = hall
        self.desk = OpenDesk(hall.studio, FilmPlaces.of(film))
        self.film = self.desk.places.key
        self.shooting = Shooting(self.desk, hall.floor.booth(self.put), self._tell)
        self.watch = Watch(self.desk, self.shooting)
        self.progress: dict[int, events.Progress] = {}
        self.used = time.monotonic()
        self.is_busy = False
        self.jobs = 0
        self.ended = threading.Event()
        self._announcer = Announcer(self.desk)
        self._inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._asked_by: dict[int, str] = {}  # job -> the command that asked for it
        self._caller = ""
        self._gone_since: float | None = None
        self._fault: Error | None = None
        self._picks_up = False
        self._busy = ""
        self._version = -1
        self._thread = threading.Thread(target=self._run, name=f"room {film.name}", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        self._inbox.put(item)

    # -- the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not isinstance(item := self._next(), Close):
                self._guarded(partial(self._handle, item))
                self._guarded(self._go_on)
            self._guarded(self.shooting.close)
        finally:
            self.hall.watcher.keep(self.film, ())
            self.ended.set()

    def _next(self) -> Item | None:
        patience = _RETRY_S if self._fault else self.shooting.patience()
        try:
            return self._inbox.get(timeout=patience)
        except queue.Empty:
            return None

    def _guarded(self, act: Callable[[], None]) -> None:
        """Nothing that goes wrong in one film ends its room."""
        try:
            act()
        except RushesError as error:
            self._on_fault(error)
        except Exception:
            log.exception("%s: something went wrong", printable(self.film))
            self.shooting.abandon()
            self._picks_up = True

    def _handle(self, item: Item | None) -> None:
        match item:
            case None | Close():
                pass
            case Call():
                self.used = time.monotonic()
                self._answer(item)
            case GoOn():
                self.shooting.open()
                jobs = self.shooting.book.rows()
                self._tell(events.Queued(film=self.film, jobs=jobs, picked_up=len(jobs)))
            case Touched():
                if item.path != self.desk.places.film:
                    self.desk.replan()
            case Drop():
                item.dropped(self._drop(item.jobs))
            case Left():
                self._switch(item.session, on=False)
            case _:
                self.shooting.on(item)

    def _go_on(self) -> None:
        """Whatever happened: look at the film, start what can be started, say what is new."""
        if self._gone_since is None or self.desk.places.film.exists():
            self._follow()
        elif time.monotonic() - self._gone_since >= GONE_S:
            self._give_up()
        self.jobs = len(self.shooting)
        self.is_busy = self.shooting.is_busy or self.shooting.is_open or self.watch.is_on

    def _follow(self) -> None:
        self.desk.read()
        was, self._fault, self._gone_since = self._fault, None, None
        if was is not None:
            self._tell(self._announcer.again())
        if self.desk.version != self._version and self._version != -1:
            self.shooting.film_changed()
        self._version = self.desk.version
        if self._picks_up:
            self.shooting.open()
            self._picks_up = False
        self.watch.go_on()
        self.shooting.turn()
        self._announce()
        self._busy = ""

    # -- commands --------------------------------------------------------------------------------------------

    def _answer(self, call: Call) -> None:
        self._caller = call.id
        try:
            call.reply(self._answered(call))
        except RushesError as error:
            call.reply(error_of(error))
        except Exception as error:
            log.exception("%s: %s", printable(self.film), type(call.command).__name__)
            said = printable(f"{type(error).__name__}: {error}", 500)
            remedy = "see the log: rushes daemon log"
            call.reply(Error(kind="internal", text=f"something went wrong: {said}", remedy=remedy))
        finally:
            self._guarded(self._announce)
            self._caller = ""

    def _answered(self, call: Call) -> Answer | State:
        command = call.command
        match command:
            case commands.Snapshot():
                return self._state(command.since)
            case commands.Watch():
                self._switch(call.session, on=command.on)
                return handling.result({"film": self.film, "watched": self.watch.is_on})
            case commands.Render():
                asked = handling.render(self.desk, self.shooting, command)
                self._asked_by.update((row.job, call.id) for row in asked.jobs)
                return handling.result(asked)
            case commands.Status():
                return Answer(result=self._announcer.status(command.film))
            case _:
                return handling.answer(self.desk, self.shooting, command)

    def _state(self, since: int | None) -> State:
        status = self._announcer.status(self.film)
        self._announce()
        post = self.hall.post
        return State(
            film=self.film,
            seq=post.last(self.film),
            status=status,
            jobs=self.shooting.book.rows(),
            progress=[Raw(msgspec.json.encode(said)) for said in self.progress.values()],
            paused=self.hall.floor.is_paused,
            watched=self.watch.is_on,
            missed=post.missed(self.film, since) if since is not None else None,
        )

    def _drop(self, jobs: frozenset[int]) -> list[int]:
        self.shooting.open()  # what an earlier daemon left is in the queue only
        why = "somebody cancelled it"
        return self.shooting.cancel(jobs, why) if jobs else self.shooting.cancel_all(why)

    def _switch(self, session: str, *, on: bool) -> None:
        if self.watch.switch(session, on=on):
            self._tell(events.Watched(film=self.film, on=self.watch.is_on))

    # -- events ----------------------------------------------------------------------------------------------

    def _tell(self, event: FilmEvents) -> None:
        parent = self._caller
        if isinstance(event, JobEvent):
            parent = self._asked_by.get(event.job, parent)
            if isinstance(event, events.Progress):
                self.progress[event.job] = event
            elif not isinstance(event, events.Preview):
                self.progress.pop(event.job, None)
                self._asked_by.pop(event.job, None)
                self.watch.ended(event)
        self.hall.post.tell(event, parent)

    def _announce(self) -> None:
        """Say which shots changed, and have the files watched that the film rests on."""
        if self._fault is None:
            changed = self._announcer.changed()
            if changed is not None:
                self._tell(changed)
            self.hall.watcher.keep(self.film, self._announcer.files())

    # -- when the film is not there ----------------------------------------------------------------------------

    def _on_fault(self, error: RushesError) -> None:
        """The film cannot be read or written now. What is in the making goes on; takes wait to be saved."""
        said = error_of(error)
        if isinstance(error, Busy):
            self._on_busy(error)
            return
        if said != self._fault:
            self._fault = said
            log.warning("%s: %s", printable(self.film), printable(error.text))
            self.hall.post.tell(events.Unreadable(film=self.film, error=said))
        if isinstance(error, FileFault) and not self.desk.places.film.exists():
            self._gone_since = self._gone_since or time.monotonic()
        elif error.where != str(self.desk.places.film):
            self.shooting.abandon()  # the database, most likely: what it has not noted down is taken up again
            self._picks_up = True

    def _on_busy(self, error: Busy) -> None:
        """Somebody else renders the film, or has just changed it: it is tried again when something happens."""
        if error.text != self._busy and not isinstance(error, Overtaken):
            self._busy = error.text
            self._tell(events.Warned(film=self.film, text=printable(error.text)))

    def _give_up(self) -> None:
        """The film is gone: nothing more is made for it. Finished takes lie in its folder."""
        self.desk.arrivals.clear()
        self.watch.off()
        self.shooting.give_up("the film is gone")
        self._gone_since = time.monotonic()
