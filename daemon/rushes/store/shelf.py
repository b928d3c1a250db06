"""The takes of one film: its folder, with the index of it in the database kept true to what lies there."""

from __future__ import annotations

from pathlib import Path

from rushes.store.durable import fault_of
from rushes.store.index import IndexedTake, TakeIndex, indexed
from rushes.store.places import FilmPlaces
from rushes.store.takes import FoundTake, TakeRecord, next_take_number, read_record, scan, take_stem
from rushes_otio.errors import BadRequest, FileFault
from rushes_otio.film import Film
from rushes_otio.schema import ShotBlock


class Shelf:
    """What lies in the folder is read once, then kept up by `put`; `look` reads it again."""

    def __init__(self, places: FilmPlaces, index: TakeIndex) -> None:
        self._places = places
        self._index = index
        self._given: dict[tuple[str, str], list[int]] = {}
        self.look()

    def look(self) -> None:
        """Read the folder. `warnings` are lines on records that could not be used."""
        self._found: dict[str, dict[str, FoundTake]] = {}
        self.warnings: list[str] = []
        found = scan(self._places.takes)
        for take in found:
            self._found.setdefault(take.shot, {})[take.take] = take
        whole = {(t.shot, t.take) for t in found if t.record is not None}
        if whole != self._index.names(self._places.key):
            self.warnings = self._index.rebuild(self._places.key, [t for t in found if t.record is not None])

    def takes(self, shot: str) -> list[FoundTake]:
        """The shot's takes in the folder, in order; keyframes come first."""
        return sorted(self._found.get(shot, {}).values(), key=lambda t: (t.take[0], int(t.take[1:])))

    def found(self, shot: str, take: str) -> FoundTake | None:
        """One take of a shot, by its id; None when it is not in the folder."""
        return self._found.get(shot, {}).get(take)

    def find(self, shot: ShotBlock, take: str) -> FoundTake:
        """One take; BadRequest, with those there are, when it is not in the folder."""
        found = self.found(shot.shot, take)
        if found is None:
            there = ", ".join(t.take for t in self.takes(shot.shot)) or "none yet"
            raise BadRequest(f"{shot.name} has no take {take}", remedy=f"its takes: {there}")
        return found

    def record(self, shot: ShotBlock, take: str) -> TakeRecord:
        """The record of one take; FileFault when it was lost."""
        found = self.find(shot, take)
        if found.record is None:
            raise FileFault(
                f"the take {take} has lost its record",
                where=str(found.movie.with_suffix(".json")),
                remedy="bring that file back from a backup, or render the shot again",
            )
        return read_record(found.record)

    def with_key(self, key: str, shot: str) -> IndexedTake | None:
        """A complete take of this shot whose movie has the encode key `key`."""
        for row in self._index.of_shot(self._places.key, shot):
            if row.key == key and Path(row.path).is_file():
                return row
        return None

    def rows(self, shot: str) -> list[IndexedTake]:
        return self._index.of_shot(self._places.key, shot)

    def new_number(self, block: ShotBlock, letter: str = "t") -> int:
        """A take number that the shot never had, given out once: several takes may be in the making. See
        `nothing_is_made`."""
        on_disk = [int(t.take[1:]) for t in self.takes(block.shot) if t.take[0] == letter]
        rows = [int(r.take[1:]) for r in self.rows(block.shot) if r.take[0] == letter]
        given = self._given.setdefault((block.shot, letter), [])
        given.append(next_take_number(block.next_take if letter == "t" else 1, [*on_disk, *given], rows))
        return given[-1]

    def nothing_is_made(self) -> None:
        """No take is in the making: numbers that were given out for nothing are free again."""
        self._given.clear()

    def path_for(self, film: Film, block: ShotBlock, take: str, suffix: str) -> Path:
        """Where a new take of the shot goes: a file in a folder that is there. FileFault when it cannot be."""
        scene = film.scene(block.scene)
        stem = take_stem(scene.code if scene else "", block.name, block.shot, take)
        path = self._places.takes / f"{stem}{suffix}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise fault_of(error, path.parent) from error
        return path

    def put(self, movie: Path, record: TakeRecord) -> None:
        """Enter a take that has just got its name."""
        found = FoundTake(record.shot, record.take, movie, movie.with_suffix(".json"))
        self._found.setdefault(record.shot, {})[record.take] = found
        self._index.add(indexed(self._places.key, movie, record))

    def relative(self, movie: Path) -> str:
        """How the film calls a take's movie: relative to the film's folder."""
        return movie.relative_to(self._places.film.parent).as_posix()
