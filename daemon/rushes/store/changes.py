"""Changes of intent that can be taken back, per film. Lost without harm."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Raw

from rushes.store.db import Database

KEPT = 200
"""Changes of a film that are remembered."""

State = Literal["done", "undone", "skipped"]


class FieldChange(msgspec.Struct, frozen=True):
    """A field's value before and after, as JSON; null where it was not set."""

    was: Raw
    now: Raw


class LevelChange(msgspec.Struct, frozen=True):
    """What was changed on one level. `kind` and `key` name it; `made`: the level, a library entry, was new."""

    kind: str
    key: str
    fields: dict[str, FieldChange]
    made: bool = False


class Remembered(msgspec.Struct, frozen=True):
    """One change that a person made."""

    id: int
    label: str
    levels: list[LevelChange]


class Changes:
    """The changes of films, by `FilmPlaces.key`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, film: str, label: str, levels: list[LevelChange]) -> None:
        """Remember a change. What had been undone before it can be made again no more."""
        text = msgspec.json.encode(levels).decode()
        with self._database.noting() as connection:
            connection.execute("DELETE FROM changes WHERE film = ? AND state = 'undone'", (film,))
            connection.execute(
                "INSERT INTO changes (film, label, levels, state) VALUES (?, ?, ?, 'done')", (film, label, text)
            )
            connection.execute(
                "DELETE FROM changes WHERE film = ? AND id NOT IN"
                " (SELECT id FROM changes WHERE film = ? ORDER BY id DESC LIMIT ?)",
                (film, film, KEPT),
            )

    def to_undo(self, film: str) -> Remembered | None:
        """The last change that is not undone."""
        return self._one(film, "state = 'done' ORDER BY id DESC")

    def to_redo(self, film: str) -> Remembered | None:
        """The change that was undone last."""
        return self._one(film, "state = 'undone' ORDER BY id")

    def mark(self, change: Remembered, state: State) -> None:
        with self._database.noting() as connection:
            connection.execute("UPDATE changes SET state = ? WHERE id = ?", (state, change.id))

    def _one(self, film: str, which: str) -> Remembered | None:
        rows = self._database.read(
            f"SELECT id, label, levels FROM changes WHERE film = ? AND {which} LIMIT 1",  # noqa: S608
            (film,),
        )
        if not rows:
            return None
        number, label, levels = rows[0]
        return Remembered(number, label, msgspec.json.decode(levels, type=list[LevelChange]))
