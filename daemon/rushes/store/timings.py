"""How long stages take on this machine, so that a plan can say what it will cost."""

from __future__ import annotations

from statistics import median

from rushes.store.db import Database

_REMEMBERED = 20
"""The last so many runs count: enough to calm one odd run, few enough to follow a new graphics card."""


class Timings:
    """Seconds per frame of each stage of each generator."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, generator: str, stage: str, frames: int, seconds: float) -> None:
        """Remember one run of `frames` frames (at least 1) in `seconds`."""
        with self._database.noting() as connection:
            connection.execute(
                "INSERT INTO timings (generator, stage, per_frame) VALUES (?, ?, ?)",
                (generator, stage, seconds / max(frames, 1)),
            )
            connection.execute(
                "DELETE FROM timings WHERE generator = ? AND stage = ? AND id NOT IN"
                " (SELECT id FROM timings WHERE generator = ? AND stage = ? ORDER BY id DESC LIMIT ?)",
                (generator, stage, generator, stage, _REMEMBERED),
            )

    def estimate(self, generator: str, stage: str, frames: int) -> float | None:
        """Seconds that `frames` frames will take; None before the first run."""
        rows = self._database.read(
            "SELECT per_frame FROM timings WHERE generator = ? AND stage = ?", (generator, stage)
        )
        return median(row[0] for row in rows) * frames if rows else None
