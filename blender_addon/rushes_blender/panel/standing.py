"""How shots stand: what the film's status says of them, and what the queue does with them since. Plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..link.films import Film

Row = dict[str, Any]


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


def counts_of(film: Film) -> dict[str, int]:
    """How many shots are in each state."""
    counts = dict(film.counts)
    for shot, state in busy(film).items():
        was = str(film.rows.get(shot, {}).get("state", ""))
        if was in counts and was != state:
            counts[was] -= 1
            counts[state] = counts.get(state, 0) + 1
    return counts
