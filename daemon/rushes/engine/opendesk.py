"""A film that stays open: read and planned once, then kept true to the file, which others may change too.

Everything that works on a `Desk` works on this one. Finished takes are entered at once and saved together, at the
latest with the next change that somebody makes. Used by one thread.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rushes.engine.edges import ShotPlan
from rushes.engine.marks import Marks, changed, marks
from rushes.engine.plan import Plan, Planner
from rushes.engine.studio import Desk, Studio
from rushes.store import films
from rushes.store.locks import film_lock
from rushes.store.places import FilmPlaces
from rushes_otio.errors import RushesError
from rushes_otio.film import Film
from rushes_otio.tracks import without_gc

if TYPE_CHECKING:
    from rushes.store.shelf import Shelf

_SETTLED_NS, _COARSE_NS = 100_000_000, 2_000_000_000
"""A file younger than this may change again within one tick of its file system's clock and keep size and time. FAT
and HFS+ know whole seconds only."""

_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A take, say: how it enters a film, also one that was read again meanwhile, and what follows once it is on
    disk."""

    apply: Callable[[Film], None]
    saved: Callable[[], None]


class OpenDesk(Desk):
    """One film, open. `version` counts up with every change of the film or of its plan."""

    def __init__(self, studio: Studio, places: FilmPlaces) -> None:
        super().__init__(studio, places)
        self.version = 0
        self.arrivals: list[Arrival] = []  # in the film in memory and not on disk yet
        self._film: Film | None = None
        self._plan: Plan | None = None
        self._marks: Marks | None = None
        self._planned_at = -1
        self._digest = b""
        self._stamp: _Stamp = None
        self._shelf: Shelf | None = None
        self._shelf_stamp: tuple[tuple[str, int], ...] = ()

    # -- reading ---------------------------------------------------------------------------------------------

    def read(self) -> Film:
        """The film as the file is now. FileFault when it cannot be read: what was read before is forgotten."""
        try:
            self._look()
        except RushesError:
            self.forget()
            raise
        assert self._film is not None
        return self._film

    def forget(self) -> None:
        """Read and plan everything anew when it is asked for next."""
        self._film, self._plan, self._stamp, self._digest = None, None, None, b""
        self.version += 1

    def replan(self) -> None:
        """Plan anew: a picture, the registry or the settings may have changed."""
        self._plan = None
        self.version += 1

    def plan(self, film: Film) -> Plan:
        if film is not self._film:
            return super().plan(film)
        if self._plan is None or self._planned_at != self.version:
            self._plan, self._marks = self._plan_again(film, self._plan, marks(film))
            self._planned_at = self.version
        return self._plan

    def _plan_again(self, film: Film, before: Plan | None, now: Marks) -> tuple[Plan, Marks]:
        """A take that arrives, or a prompt that is edited, must not cost a plan of the whole film."""
        different = changed(self._marks, now) if before and self._marks else None
        self.__dict__.pop("files", None)  # it remembers what pictures held
        if before is None or different is None:
            return super().plan(film), now
        with without_gc():
            return Planner(film, self.sources).again(before, different), now

    def known(self, shot: str) -> ShotPlan | None:
        """How a shot was planned last; None where it was not."""
        return self._plan.shots.get(shot) if self._plan else None

    def mentioned(self) -> list[Path]:
        """The files that the plan rests on, as far as it was made."""
        return self.files.looked_for() if self._plan else []

    def shelf(self) -> Shelf:
        """One for all who ask, so that a take which one of them puts there is known to the others."""
        stamp = _folders(self.places.takes)
        if self._shelf is None:
            self._shelf = super().shelf()
        elif stamp != self._shelf_stamp:
            self._shelf.look()
        self._shelf_stamp = stamp
        return self._shelf

    def shelf_is_known(self) -> None:
        """The takes folder changed by what this desk's own shelf was told of: it need not be read again."""
        self._shelf_stamp = _folders(self.places.takes)

    def _look(self) -> None:
        stamp = _stamp(self.places.film)
        if self._film is not None and stamp is not None and stamp == self._stamp:
            return
        self._load(films.read_bytes(self.places.film))
        self._stamp = stamp

    def _load(self, data: bytes) -> Film:
        """The film in `data`: the one in memory, where it is that."""
        digest = hashlib.sha256(data).digest()
        if self._film is None or digest != self._digest:
            self._film = Film(data, str(self.places.film))
            self._digest = digest
            for arrival in self.arrivals:
                arrival.apply(self._film)
            self.version += 1
        return self._film

    # -- changing --------------------------------------------------------------------------------------------

    @contextmanager
    def changing(self) -> Iterator[Film]:
        with self._saving() as film:
            yield film
            if film.changed:
                self.version += 1

    @contextmanager
    def _saving(self) -> Iterator[Film]:
        path = self.places.film
        with film_lock(self.studio.places, path):
            data = films.read_bytes(path)
            film = self._load(data)
            try:
                yield film
                if film.changed:
                    self._save(film, data)
            except BaseException:
                self.forget()  # what is in memory may be changed by half
                raise
        self._all_saved()

    def arrive(self, arrival: Arrival) -> None:
        """Enter it into the film in memory now; on disk with the next `changing`, or `flush`."""
        self.arrivals.append(arrival)
        if self._film is not None:
            arrival.apply(self._film)
            self.version += 1

    def flush(self) -> None:
        """Save what arrived."""
        if self.arrivals:
            with self._saving():
                pass  # they are in it already

    def _save(self, film: Film, previous: bytes) -> None:
        saved = film.encode()
        films.save(self.places.film, saved, previous)
        film.was_saved(saved)
        self._digest = hashlib.sha256(saved).digest()
        self._stamp = _stamp(self.places.film)

    def _all_saved(self) -> None:
        arrived, self.arrivals[:] = list(self.arrivals), []
        for arrival in arrived:
            arrival.saved()


def _stamp(path: Path) -> _Stamp:
    """What changes when the file does; None where that cannot be relied on."""
    try:
        found = path.stat()
    except OSError:
        return None
    coarse = found.st_mtime_ns % 1_000_000_000 == 0
    if time.time_ns() - found.st_mtime_ns < (_COARSE_NS if coarse else _SETTLED_NS):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _folders(takes: Path) -> tuple[tuple[str, int], ...]:
    """The takes folder and those in it, with the times of their last change."""
    try:
        with os.scandir(takes) as entries:
            inner = [(e.name, e.stat(follow_symlinks=False).st_mtime_ns) for e in entries if e.is_dir()]
        return (("", takes.stat().st_mtime_ns), *sorted(inner))
    except OSError:
        return ()
