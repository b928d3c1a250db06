"""A `pull` answered: the cut of a host's open timeline taken into the film, and what the host lacks offered to it.

No take is switched by it and nothing is noted to be undone: the host's own undo is followed by another pull. A
film that says the same afterwards is not saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from rushes_otio.hosts.rows import Row, Showing
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
    return _Answer(desk, film, taken, command).result()


class _Answer:
    def __init__(self, desk: Desk, film: Film, taken: TakenIn, command: commands.Pull) -> None:
        self._desk = desk
        self._film = film
        self._taken = taken
        self._sequence = command.sequence
        self._bring = command.bring
        self._files = Files(desk, film)
        items = (item for track in film.tracks for item in track.items if item.use)
        self._shots = {item.use: item.block.shot for item in items if item.block is not None}

    def result(self) -> Result:
        film, taken, done = self._film, self._taken, self._taken.done
        ids, lacking = self._ids(), self._lacking()
        offered, media = self._drawn([row["shot"] for row in ids], lacking if self._bring else {})
        return {
            "changed": taken.changed,
            "ids": ids,
            "lacking": len(lacking),
            "add": msgspec.to_builtins(offered.rows),
            "dissolves": msgspec.to_builtins(offered.dissolves),
            "media": msgspec.to_builtins(media),
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

    def _lacking(self) -> dict[str, int]:
        """The uses that the host was never given, with the channels of their lanes. Sound that lies nowhere here
        stays in the film, and no host is told of it."""
        clips = self._taken.lanes.by_use
        channels = self._taken.offer.channels.items()
        return {use: channel for use, channel in channels if self._files.is_shown(clips[use])}

    def _drawn(self, told: Iterable[str], lacking: Mapping[str, int]) -> tuple[Laid, list[Showing]]:
        """What the host is to make, and what the shots of that and those it is told show. The film has the cut by
        now, so slates that cannot be drawn are no error: they are asked for again."""
        try:
            offered = laid(self._film, self._taken.lanes, lacking, self._files.shown)
            shots = dict.fromkeys(filter(None, (*told, *(row.shot for row in offered.rows))))
            return offered, Showings(self._desk, self._film).of(shots) if shots else []
        except RushesError as error:
            self._taken.notes.append(f"{error.text}: {error.remedy}" if error.remedy else error.text)
            return Laid([], []), []

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
