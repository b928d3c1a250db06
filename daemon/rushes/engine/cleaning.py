"""Takes that nothing needs any more: found, shown to a person, and freed.

To free a take, its movie goes first and its record last: killed in between, what is left is no take, and the next
run finds the record and frees that. The index needs no step of its own, for it is made from the files.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rushes.engine.needed import Key, Needs, folders_in, listed, named_in, needs, omitted
from rushes.engine.studio import Desk
from rushes.store.durable import fault_of, sync_folder, tidy, tidy_parts
from rushes.store.locks import render_lock
from rushes.store.places import FilmPlaces
from rushes.store.takes import RECORD_LIMIT, FoundTake, parse_take_name, read_record, scan
from rushes_otio import rawjson
from rushes_otio.errors import BadRequest, RushesError
from rushes_otio.film import Film

ARRIVING_S = 600.0
"""A take younger than this may be on its way from another machine, ahead of the film that names it."""

_LAST_NUMBER = 999_999


@dataclass(frozen=True, slots=True)
class Row:
    """One take in the folder. `path` is its movie, or the record of one whose movie is gone; `name` its shot's,
    empty when the film does not know the shot; `bytes` counts movie and record. `keep` says why it stays, empty
    when it may go.
    """

    shot: str
    name: str
    take: str
    path: Path
    bytes: int
    keep: str


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What may be freed, or was. `at` is when the film was looked at, in seconds since 1970; `leftovers` are the
    unfinished files that were swept with it.
    """

    at: float
    rows: tuple[Row, ...]
    leftovers: tuple[Path, ...] = ()

    def shape(self, film: str, *, dry_run: bool) -> dict[str, Any]:
        """The JSON of `rushes clean`."""
        return {
            "film": film,
            "freed": [
                {"shot": row.shot, "name": row.name, "take": row.take, "path": str(row.path), "bytes": row.bytes}
                for row in self.free
            ],
            "kept": [{"shot": row.shot, "take": row.take, "because": row.keep} for row in self.kept],
            "bytes": self.bytes,
            "dry_run": dry_run,
            "leftovers": [str(path) for path in self.leftovers],
        }

    @property
    def free(self) -> list[Row]:
        return [row for row in self.rows if not row.keep]

    @property
    def kept(self) -> list[Row]:
        return [row for row in self.rows if row.keep]

    @property
    def bytes(self) -> int:
        """What the free takes hold."""
        return sum(row.bytes for row in self.free)


def survey(desk: Desk, at: float | None = None) -> Cleaning:
    """Look at every take of the film; nothing is changed. `at` is the time to look from, now if it is not given.

    FileFault when a cut beside the film cannot be read: it may need any take.
    """
    return _surveyed(desk, desk.read(), time.time() if at is None else at)


def clean(desk: Desk, seen: Cleaning) -> Cleaning:
    """Free what `seen` shows as free and is so still; returns what was freed, and why the rest stays.

    Busy while the film is rendered. The film is held meanwhile, so nobody chooses a take that is just going.
    """
    with render_lock(desk.studio.places, desk.places.film):
        with desk.changing() as film:
            _count_past(film, seen.free)  # saved before anything is gone: no number is given out again
        with desk.changing() as film:
            rows = _removed(_agreed(_surveyed(desk, film, seen.at), seen))
        leftovers = _swept(desk.places)
        desk.shelf()
    return Cleaning(seen.at, rows, leftovers)


# -- what there is -------------------------------------------------------------------------------------------


def _surveyed(desk: Desk, film: Film, at: float) -> Cleaning:
    _refuse_links(desk.places)
    needed = needs(desk, film)
    found = scan(desk.places.takes)
    found += _lone_records(desk.places.takes, found)
    place = {shot: number for number, shot in enumerate(needed.names)}
    found.sort(key=lambda t: (place.get(t.shot, len(place)), t.shot, t.take[0], int(t.take[1:])))
    doubts = _doubts(found, needed)
    rows = []
    for take in found:
        key = (take.shot, take.take)
        rows.append(_row(take, needed.names.get(take.shot, ""), needed.reason(key) or doubts.get(key, ""), at))
    return Cleaning(at, tuple(_with_what_they_name(rows)))


def _doubts(found: list[FoundTake], needed: Needs) -> dict[Key, str]:
    """Takes that stay for what lies beside them; `found` is in the order of their numbers."""
    keys = [(take.shot, take.take) for take in found]
    # Nothing else remembers which number a keyframe gets next.
    newest = {shot: take for shot, take in keys if take[0] == "k" and shot in needed.names}
    doubts = dict.fromkeys(newest.items(), "the newest keyframe")
    return doubts | {key: "there are several files of it" for key, count in Counter(keys).items() if count > 1}


def _lone_records(takes: Path, found: list[FoundTake]) -> list[FoundTake]:
    """Records without a movie, as a run that was killed leaves them. One with a link beside it has a movie."""
    known = {take.record for take in found}
    lone = []
    for folder in (takes, *folders_in(takes)):
        files = listed(folder)
        stems = Counter(file.name.split(".")[0] for file in files)
        for file in files:
            named = parse_take_name(file.name) if file.suffix == ".json" and file not in known else None
            if named and stems[file.stem] == 1 and file.is_file() and not file.is_symlink():
                lone.append(FoundTake(*named, file, file))
    return lone


def _row(take: FoundTake, name: str, keep: str, at: float) -> Row:
    try:
        stats = [file.lstat() for file in {take.movie, take.record or take.movie}]
    except OSError:
        return Row(take.shot, name, take.take, take.movie, 0, keep or "it is on the move")
    # A file that is copied here may bring an old time of its own; its inode's is of today.
    touched = max(max(stat.st_mtime, stat.st_ctime) for stat in stats)
    keep = keep or ("it is new" if at - touched < ARRIVING_S else _unsound(take))
    return Row(take.shot, name, take.take, take.movie, sum(stat.st_size for stat in stats), keep)


def _unsound(take: FoundTake) -> str:
    """Why a take does not look like one of ours; empty when it does."""
    if take.record is None:
        return "it has no record"
    try:
        record = read_record(take.record)
    except RushesError:
        return "its record cannot be read"
    ours = (record.shot, record.take) == (take.shot, take.take)
    return "" if ours and take.movie.name in (record.movie, take.record.name) else "its record is of another file"


def _with_what_they_name(rows: list[Row]) -> list[Row]:
    """Also keep what the records of kept takes name: a take is restored with its intent, pictures included."""
    free = {(row.shot, row.take): row for row in rows if not row.keep}
    kept, because = [row for row in rows if row.keep], dict[Path, str]()
    while kept and free:
        by = kept.pop()
        for key in named_in(_record_text(by)) & free.keys():
            kept.append(free.pop(key))
            because[kept[-1].path] = f"named by a take that stays: {by.take}"
    return [replace(row, keep=row.keep or because.get(row.path, "")) for row in rows]


def _record_text(row: Row) -> bytes:
    try:
        with row.path.with_suffix(".json").open("rb") as file:
            return file.read(RECORD_LIMIT)
    except OSError:
        return b""


def _refuse_links(places: FilmPlaces) -> None:
    for folder in (places.folder, places.takes):
        if folder.is_symlink():
            raise BadRequest(
                "the folder is a link, and takes are only removed from folders of the film's own",
                where=str(folder),
                remedy="put the folder itself there",
            )


# -- what goes -----------------------------------------------------------------------------------------------


def _count_past(film: Film, rows: Iterable[Row]) -> None:
    """Let the next number of each shot lie beyond the takes that go: an older copy of a film knows fewer."""
    after: dict[str, int] = {}
    for row in rows:
        if row.take[0] == "t":
            after[row.shot] = max(after.get(row.shot, 1), min(int(row.take[1:]) + 1, _LAST_NUMBER))
    for shot_id in after.keys() & film.shots.keys():
        if film.shots[shot_id].block.next_take < after[shot_id]:
            film.patch_shot(shot_id, next_take=after[shot_id])
    blocks = omitted(film)
    if any(block.next_take < after.get(block.shot, 1) for block in blocks):
        counts = [rawjson.encode(max(block.next_take, after.get(block.shot, 1))) for block in blocks]
        pairs = zip(film.block.omitted, counts, strict=True)
        film.patch_block(omitted=[rawjson.patch(raw, {"next_take": count}, film.where) for raw, count in pairs])


def _agreed(now: Cleaning, seen: Cleaning) -> Iterator[Row]:
    """The rows as they are now; free is what was free before as well."""
    shown = {row.path for row in seen.free}
    for row in now.rows:
        yield row if row.keep or row.path in shown else replace(row, keep="it was needed a moment ago")


def _removed(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Remove the free takes. Returns all rows; those that cannot be removed say why."""
    done = tuple(row if row.keep else _without_movie(row) for row in rows)
    gone = [row for row in done if not row.keep]
    for folder in {row.path.parent for row in gone}:
        try:
            sync_folder(folder)  # a power cut must not bring a movie back whose record is gone
        except OSError as error:
            raise fault_of(error, folder) from error
    for row in gone:
        with suppress(OSError):  # the next run finds it without its movie
            row.path.with_suffix(".json").unlink(missing_ok=True)
    return done


def _without_movie(row: Row) -> Row:
    try:
        row.path.unlink(missing_ok=True)
    except OSError as error:
        return replace(row, keep=f"it cannot be removed: {error.strerror}")
    return row


def _swept(places: FilmPlaces) -> tuple[Path, ...]:
    """Remove what renders and saves that were killed left unfinished, and folders of scenes that are empty."""
    scenes = folders_in(places.takes)
    leftovers = tidy_parts(places.takes)
    for folder in (places.film.parent, places.folder, places.takes, *scenes):
        leftovers += tidy(folder)
    for folder in scenes:
        with suppress(OSError):
            folder.rmdir()
    return tuple(leftovers)
