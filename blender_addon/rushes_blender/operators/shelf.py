"""The takes of shots, as far as they were asked for: which there are, and which is chosen.

A list is asked for again when what the film says of the shot changes: its take, what waits, its jobs.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import running
from ..edits import swaps

if TYPE_CHECKING:
    from ..link.films import Film

MOST = 64
"""Shots whose takes are kept: who comes back to an older one waits for an answer."""

Key = tuple[str, str]
"""A film's path and a shot's id."""

Row = dict[str, Any]


@dataclass
class _Kept:
    rows: list[Row] = field(default_factory=list)
    mark: tuple[object, ...] | None = None
    is_asked: bool = False
    is_known: bool = False


_kept: OrderedDict[Key, _Kept] = OrderedDict()


def takes_of(path: str, shot: str) -> list[Row] | None:
    """The rows of `rushes takes`, oldest first, stills left out. None while they are not known: they are asked
    for, and the sequencer is drawn again when they come."""
    film = running.session().film(path)
    if film is None:
        return None
    kept = _kept.setdefault((path, shot), _Kept())
    _kept.move_to_end((path, shot))
    while len(_kept) > MOST:
        _kept.popitem(last=False)
    mark = _mark(film, shot)
    if kept.mark != mark and not kept.is_asked:
        kept.is_asked, kept.mark = True, mark
        running.session().ask({"type": "takes", "film": path, "shot": shot}, partial(_came, (path, shot)))
    return kept.rows if kept.is_known else None


def keep(path: str, shot: str, result: Row) -> list[Row]:
    """Remember an answer to `takes`; its rows without the stills."""
    kept = _kept.setdefault((path, shot), _Kept())
    kept.rows = [row for row in result.get("takes", []) if str(row.get("take", "")).startswith("t")]
    kept.is_known = True
    return kept.rows


def chosen_of(path: str, shot: str) -> str:
    """The take that is in the cut, or was asked for just now and will be; "" where the shot has none."""
    film = running.session().film(path)
    row = film.rows.get(shot, {}) if film is not None else {}
    return swaps.expected.take(path, shot) or str(row.get("take") or "")


def beside(rows: list[Row], chosen: str, by: int) -> str:
    """The take so many places further, "" past either end. Where none is chosen it is the first or the last."""
    names = [str(row["take"]) for row in rows]
    if chosen not in names:
        return (names[0] if by > 0 else names[-1]) if names else ""
    at = names.index(chosen) + by
    return names[at] if 0 <= at < len(names) else ""


def forget() -> None:
    """Nothing is known any more."""
    _kept.clear()


def _came(key: Key, result: Row | None, error: Row | None) -> None:
    kept = _kept.get(key)
    if kept is None:
        return
    kept.is_asked = False
    if result is None or error is not None:
        kept.mark = None  # asked again when it is wanted again
    else:
        keep(*key, result)
        running.redraw()


def _mark(film: Film, shot: str) -> tuple[object, ...]:
    """What is different when there may be another list."""
    row = film.rows.get(shot, {})
    jobs = sorted((number, str(job.get("state"))) for number, job in film.jobs.items() if job.get("shot") == shot)
    return row.get("take"), row.get("waiting"), tuple(jobs)
