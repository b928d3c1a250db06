"""What hosts show of a film: each shot's chosen take, else the footage that it was made of, else a slate.

Takes are told from their records, which never change, so nothing is opened for them. Slates are drawn once, small,
and kept in the film's folder.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from rushes.engine.studio import Desk
from rushes.export.cuts import delivery_size
from rushes.export.otio import slate_length
from rushes.export.slates import Card, SlateMovie
from rushes.limited import foreign
from rushes.media.probe import Probe
from rushes.messages import commands
from rushes.store.durable import fault_of
from rushes.store.takes import FoundTake, Window, read_record
from rushes_otio.choosing import ORIGINAL
from rushes_otio.errors import RushesError
from rushes_otio.film import Film, Shot
from rushes_otio.hosts.rows import Showing
from rushes_otio.items import Item, Media
from rushes_otio.paths import local_path
from rushes_otio.resolve import DELIVERY, Resolver

SLATE_SIDE = 640
"""Pixels of a slate's longer side: it is read, not looked at, and hosts scale it."""

SLATE_S = 60
"""Seconds of the longest slate: a clip may begin hours into a file that is not there. Beyond its end Blender
holds the last picture, also where the whole strip lies there (seen in 4.2, 5.0, 5.2)."""

_ALMOST = 1e-3  # files write times at other rates with few digits
_FULL_HD = (1920, 1080)


class Shown(NamedTuple):
    """A movie that a clip shows: its absolute path, how many frames it has, width and height."""

    path: str
    frames: int
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Footage:
    """A file that a shot was made of. `zero` is its frame that is the shot's frame 0, `length` its frames as far
    as the film knows them."""

    path: Path
    zero: int
    length: int


def media(desk: Desk, command: commands.Media) -> dict[str, Any]:
    """The answer to `media`."""
    film = desk.read()
    found = Showings(desk, film).of(command.shots or film.shots)
    return {"media": msgspec.to_builtins(found)}


class Showings:
    """What a film's clips show, as it is now."""

    def __init__(self, desk: Desk, film: Film) -> None:
        self._desk = desk
        self._film = film
        self._shelf = desk.shelf()
        self._resolver = Resolver(film)

    def of(self, shots: Iterable[str]) -> list[Showing]:
        """What these shots show, by their ids. Ids that are none of a shot in the cut are passed over."""
        return [self.shot(self._film.shots[shot_id]) for shot_id in shots if shot_id in self._film.shots]

    def shot(self, shot: Shot) -> Showing:
        """What one shot shows."""
        chosen, footage = shot.block.chosen, self._footage(shot)
        found = self._shelf.found(shot.block.shot, chosen.take) if chosen else None
        take = _of_take(found) if found else None
        plate = self._of_footage(footage) if footage and not chosen else None
        shown = take or plate or self.slate_for(shot.items[0], slate_length(self._film, shot) + self._handles)
        return Showing(
            shot=shot.block.shot,
            take=chosen.take if chosen and take else "",
            path=shown.path,
            frames=shown.frames,
            size=shown.size,
            zero=footage.zero if footage and plate else 0,
            footage=(str(footage.path), footage.zero) if footage else None,
        )

    def slate_for(self, item: Item, frames: int) -> Shown:
        """A slate of so many frames, or of `SLATE_S`, for an item, a shot's or an external clip that is offline:
        drawn when it is asked for first. It says what is to be seen there. FileFault or MediaFault when it
        cannot be written."""
        card = Card.of(item, self._resolver, self._slate_size)
        length = min(max(1, frames), SLATE_S * self._film.rate.nominal)
        movie = SlateMovie.of(item, card, length, self._film, self._desk.places)
        return Shown(str(movie.made()), length, card.size)

    # -- slates ----------------------------------------------------------------------------------------------

    @functools.cached_property
    def _handles(self) -> int:
        try:
            return int(self._resolver.delivery()["handles"])
        except RushesError:
            return int(str(DELIVERY["handles"]))

    @functools.cached_property
    def _size(self) -> tuple[int, int]:
        """The delivery's; a malformed one makes shots invalid, and they are shown too."""
        try:
            return delivery_size(self._film)
        except RushesError:
            return _FULL_HD

    @functools.cached_property
    def _slate_size(self) -> tuple[int, int]:
        width, height = self._size
        scale = min(1.0, SLATE_SIDE / max(width, height))
        return max(16, round(width * scale / 2) * 2), max(16, round(height * scale / 2) * 2)

    # -- footage ---------------------------------------------------------------------------------------------

    def _footage(self, shot: Shot) -> _Footage | None:
        """The file that a shot was made of; None without one, and for one that lies on another machine: that is
        not even looked for."""
        item = shot.items[0]
        found = item.media.get(ORIGINAL) if shot.block.chosen else item.default_media
        url = local_path(found.target_url or "") if found is not None and found.online else ""
        if found is None or not url or "\0" in url or "://" in url or url.startswith(("\\\\", "//")):
            return None
        path = Path(os.path.normpath(self._desk.places.film.parent / url))
        return _Footage(path, self._zero(shot, found), _length(found))

    def _zero(self, shot: Shot, found: Media) -> int:
        rate, known = self._film.rate, found.available_range
        if known is None:
            return rate.shot_zero - shot.block.shift
        own = float(rate) if known.start_time.is_at(float(rate)) else known.start_time.rate
        return math.floor(rate.shot_zero * own / float(rate) - known.start_time.value + _ALMOST)

    def _of_footage(self, footage: _Footage) -> Shown | None:
        """None where the file is not there. Of one that the film may not read, what the film says: the host opens
        it, not we."""
        if not os.path.isfile(footage.path):  # noqa: PTH113 (False of a name too long for the system)
            return None
        try:
            probe = _looked_into(self._desk.files.locate(str(footage.path), ""))
        except RushesError:
            return Shown(str(footage.path), footage.length, self._size)
        return Shown(str(footage.path), probe.frames, probe.size)


def _length(found: Media) -> int:
    return math.floor(found.available_range.duration.value + _ALMOST) if found.available_range else 0


def _of_take(take: FoundTake) -> Shown | None:
    """A take as its record tells; a movie that has lost it is looked into. None where neither can be read."""
    with suppress(RushesError):
        if take.record is not None:
            window = _window(take.record)
            return Shown(str(take.movie), window.frames, window.size)
    with suppress(RushesError):
        probe = _looked_into(take.movie)
        return Shown(str(take.movie), probe.frames, probe.size)
    return None


@functools.lru_cache(maxsize=65_536)
def _window(record: Path) -> Window:
    """Of a take: its record never changes."""
    return read_record(record).window


def _looked_into(path: Path) -> Probe:
    """What a movie is. MediaFault or FileFault where it is none."""
    try:
        found = path.stat()
    except OSError as error:
        raise fault_of(error, path) from error
    return _probed(path, found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=4096)
def _probed(path: Path, *stamp: int) -> Probe:
    del stamp  # another time or size is another file
    return foreign.probe(path)
