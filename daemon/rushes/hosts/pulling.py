"""A `pull` answered: the cut of a host's open timeline taken into the film, and what the host lacks offered to it.

No take is switched by it and nothing is noted to be undone: the host's own undo is followed by another pull. A
film that says the same afterwards is not saved.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from rushes.engine.studio import Desk
from rushes.export.cuts import delivery_size
from rushes.hosts.files import Files
from rushes.hosts.making import make_shots
from rushes.hosts.showing import Showings
from rushes.messages import commands
from rushes_otio.errors import RushesError
from rushes_otio.film import Film
from rushes_otio.hosts.lanes import lanes_of
from rushes_otio.hosts.laying import Laid, laid, scenes, tracks
from rushes_otio.hosts.rows import Row, Sequence
from rushes_otio.hosts.taking import TakenIn, take_in
from rushes_otio.ids import is_id

MOST_KNOWN = 100_000

_FULL_HD = (1920, 1080)

Result = dict[str, Any]


def pull(desk: Desk, command: commands.Pull) -> Result:
    """Carry it out. BadRequest when the timeline cannot be a film's, or a row cannot become a shot; nothing is
    changed then."""
    sequence = command.sequence
    with desk.changing() as film:
        taken = take_in(film, sequence, {making.key for making in command.make})
        if command.make:
            make_shots(film, command.make, taken.uses, sequence.rows)
            taken.changed = True
            taken.lanes = lanes_of(film)
    return _Answer(desk, film, taken, sequence).result()


class _Answer:
    def __init__(self, desk: Desk, film: Film, taken: TakenIn, sequence: Sequence) -> None:
        self._desk = desk
        self._film = film
        self._taken = taken
        self._sequence = sequence
        items = (item for track in film.tracks for item in track.items if item.use)
        self._shots = {item.use: item.block.shot for item in items if item.block is not None}

    def result(self) -> Result:
        film, taken, done = self._film, self._taken, self._taken.done
        ids, offered = self._ids(), self._offered()
        shots = dict.fromkeys(
            shot for shot in (*(row["shot"] for row in ids), *(r.shot for r in offered.rows)) if shot
        )
        return {
            "changed": taken.changed,
            "ids": ids,
            "add": msgspec.to_builtins(offered.rows),
            "dissolves": msgspec.to_builtins(offered.dissolves),
            "media": msgspec.to_builtins(Showings(self._desk, film).of(shots)) if shots else [],
            "known": self._known(offered.rows),
            "rate": str(film.rate),
            "size": _size(film),
            "length": film.length,
            "tracks": tracks(taken.lanes, taken.channels),
            "scenes": scenes(film),
            "new": done.new,
            "omitted": done.omitted,
            "reinstated": done.reinstated,
            "external": film.external_count(),
            "notes": taken.notes,
        }

    def _ids(self) -> list[Result]:
        """The rows that are another use or shot than they said."""
        found = []
        for row in self._sequence.rows:
            use = self._taken.uses.get(row.key, row.use)
            shot = self._shots.get(use, "")
            if row.key in self._taken.uses and (use, shot) != (row.use, row.shot):
                found.append({"key": row.key, "use": use, "shot": shot})
        return found

    def _offered(self) -> Laid:
        """What the host lacks. Sound that lies nowhere here stays in the film, and no host is told of it."""
        offer = self._taken.offer
        if not offer.channels:
            return Laid([], [])
        found = laid(self._film, self._taken.lanes, offer.channels, Files(self._desk, self._film).shown)
        return Laid([row for row in found.rows if row.path], found.dissolves)

    def _known(self, offered: Iterable[Row]) -> list[str]:
        """All that the host was ever given. Far more than a timeline holds: what the film has no more is
        dropped."""
        there = (*self._sequence.known, *self._taken.uses.values(), *(row.use for row in offered))
        known = [use for use in dict.fromkeys(there) if is_id(use)]
        return known if len(known) <= MOST_KNOWN else [use for use in known if use in self._taken.lanes.by_use]


def _size(film: Film) -> tuple[int, int]:
    """Width and height of the film's pictures; a delivery that cannot be read makes shots invalid, not
    timelines."""
    try:
        return delivery_size(film)
    except RushesError:
        return _FULL_HD
