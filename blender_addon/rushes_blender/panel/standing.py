"""How shots stand: what the film's status says of them, and what the queue does with them since. Plain Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..link.films import Film

Row = dict[str, Any]

_URGENT = ("rendering", "queued", "failed", "invalid", "missing", "stale", "fresh")
"""States, from the one that most needs a look."""

_MADE = frozenset({"stale", "missing", "failed"})
"""States of which a render makes something, where the shot is not locked."""


def busy(film: Film) -> dict[str, str]:
    """The shots that the queue has work for: "queued" or "rendering"."""
    found = {str(job.get("shot")): "queued" for job in film.jobs.values()}
    running = (str(job.get("shot")) for job in film.jobs.values() if job.get("state") == "running")
    return found | dict.fromkeys([*running, *film.progress], "rendering")


def row_of(film: Film, shot: str) -> Row:
    """A row of `status`, with what the queue does with the shot now as its state. Empty where the film has no such
    shot."""
    row = film.rows.get(shot, {})
    state = busy(film).get(shot) if row else None
    return {**row, "state": state} if state else row


def to_render(film: Film) -> int:
    """How many shots a render of the film would make."""
    waiting = busy(film)
    open_ = (row for shot, row in film.rows.items() if shot not in waiting and not row.get("locked"))
    return sum(str(row.get("state")) in _MADE for row in open_)


def worst(film: Film, busy: Mapping[str, str], shots: Iterable[str]) -> str:
    """Of some shots, the one whose state most needs a look; "" where the film has none of them."""
    found = {shot: busy.get(shot) or str(film.rows[shot].get("state")) for shot in shots if shot in film.rows}
    return min(found, key=lambda shot: _rank(found[shot]), default="")


def _rank(state: str) -> int:
    return _URGENT.index(state) if state in _URGENT else len(_URGENT)


def counts_of(film: Film) -> dict[str, int]:
    """How many shots are in each state."""
    counts = dict(film.counts)
    for shot, state in busy(film).items():
        was = str(film.rows.get(shot, {}).get("state", ""))
        if was in counts and was != state:
            counts[was] -= 1
            counts[state] = counts.get(state, 0) + 1
    return counts
