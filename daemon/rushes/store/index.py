"""The index of takes: which finished take has which key, without opening every record of a film.

The files are the truth. `TakeIndex.rebuild` makes the same rows from them at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from rushes.store.canonical import digest_of
from rushes.store.db import Database
from rushes.store.takes import FoundTake, TakeRecord, read_record
from rushes_otio.errors import RushesError


@dataclass(frozen=True, slots=True)
class IndexedTake:
    """One take. `key` is of its encode stage: same key, same movie. The file may be gone."""

    film: str  # FilmPlaces.key
    shot: str
    take: str
    path: str  # of the movie
    key: str
    recipe: str  # digest
    motion: str  # digest
    seed: str
    n: int
    frames: int
    made: str


def indexed(film: str, movie: Path, record: TakeRecord) -> IndexedTake:
    """The row of a take. BadRequest when its recipe is none."""
    marks = {stage: (mark.key, mark.digest) for stage, mark in record.stages.items()}
    return IndexedTake(
        film=film,
        shot=record.shot,
        take=record.take,
        path=str(movie),
        key=marks.get("encode", ("", ""))[0],
        recipe=digest_of(record.recipe),
        motion=marks.get("motion", ("", ""))[1],
        seed=record.seed,
        n=record.n,
        frames=record.window.frames,
        made=record.made,
    )


class TakeIndex:
    """The rows in the database, by film."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, take: IndexedTake) -> None:
        """Enter a finished take; an older row of the same take is replaced."""
        with self._database.noting() as connection:
            connection.execute(_ENTER, astuple(take))

    def by_key(self, film: str, key: str) -> IndexedTake | None:
        """The first take of the film with that key."""
        rows = self._database.read(f"{_SELECT} AND key = ? ORDER BY shot, take LIMIT 1", (film, key))
        return IndexedTake(*rows[0]) if rows else None

    def of_shot(self, film: str, shot: str) -> list[IndexedTake]:
        """The takes of a shot, in order."""
        rows = self._database.read(f"{_SELECT} AND shot = ? ORDER BY length(take), take", (film, shot))
        return [IndexedTake(*row) for row in rows]

    def names(self, film: str) -> set[tuple[str, str]]:
        """Shot and take of every row of the film."""
        rows = self._database.read("SELECT shot, take FROM takes WHERE film = ?", (film,))
        return {(shot, take) for shot, take in rows}

    def rebuild(self, film: str, found: Iterable[FoundTake]) -> list[str]:
        """Make the film's rows anew from its files. Returns a line for each record that could not be used."""
        rows, faults = [], []
        for take in found:
            try:
                rows.append(_row(film, take))
            except RushesError as error:
                faults.append(f"{error.where or take.movie}: {error.text}")
        with self._database.noting() as connection:
            connection.execute("DELETE FROM takes WHERE film = ?", (film,))
            connection.executemany(_ENTER, [astuple(row) for row in rows])
        return faults


_ENTER = "REPLACE INTO takes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT = "SELECT film, shot, take, path, key, recipe, motion, seed, n, frames, made FROM takes WHERE film = ?"


def _row(film: str, take: FoundTake) -> IndexedTake:
    if take.record is None:
        raise RushesError("the movie has no record beside it", where=str(take.movie))
    record = read_record(take.record)
    if (record.shot, record.take) != (take.shot, take.take):
        raise RushesError("the record speaks of another take than its name", where=str(take.record))
    return indexed(film, take.movie, record)
