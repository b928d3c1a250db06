"""What people switched on or off and expect to find so after a restart."""

from __future__ import annotations

from rushes.store.db import Database


class Switches:
    """Names and their states; "" where nothing was said."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> str:
        rows = self._database.read("SELECT state FROM switches WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""

    def put(self, name: str, state: str) -> None:
        """On disk when this returns."""
        with self._database.writing() as connection:
            connection.execute("REPLACE INTO switches VALUES (?, ?)", (name, state))
