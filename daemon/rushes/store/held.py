"""Takes that projects of hosts use: the media of an open timeline is not in the film, so nobody else knows of it.

A host says all that it holds, each time anew. What it said stays when it is closed: its project still needs it.
"""

from __future__ import annotations

from collections.abc import Iterable

from rushes.store.db import Database


class HeldTakes:
    """What each host holds of each film. `film` is FilmPlaces.key, `host` a name like "resolve"."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def say(self, film: str, host: str, takes: Iterable[tuple[str, str]]) -> None:
        """These (shot, take) pairs are all that the host holds of the film now. On disk when this returns: a take
        whose holder was forgotten would be freed."""
        held = set(takes)
        before = self._database.read("SELECT shot, take FROM held WHERE film = ? AND host = ?", (film, host))
        if held == set(before):
            return  # hosts repeat themselves often, and most times nothing changed
        with self._database.writing() as connection:
            connection.execute("DELETE FROM held WHERE film = ? AND host = ?", (film, host))
            connection.executemany(
                "INSERT INTO held (film, host, shot, take) VALUES (?, ?, ?, ?)",
                [(film, host, shot, take) for shot, take in sorted(held)],
            )

    def of(self, film: str) -> dict[tuple[str, str], list[str]]:
        """The hosts that hold each (shot, take) of a film, by name."""
        rows = self._database.read("SELECT shot, take, host FROM held WHERE film = ? ORDER BY host", (film,))
        found: dict[tuple[str, str], list[str]] = {}
        for shot, take, host in rows:
            found.setdefault((shot, take), []).append(host)
        return found

    def forget(self, film: str, host: str) -> None:
        """The host does not work on the film any more."""
        self.say(film, host, ())
