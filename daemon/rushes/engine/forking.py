"""A use made a shot of its own: its take is copied under the new shot's id, packet by packet, so every picture
stays bit for bit and nothing is generated. From then on the two shots go their own ways.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rushes.engine.studio import Desk
from rushes.engine.taking import identity
from rushes.engine.undoing import remembering_cut
from rushes.media.join import remux
from rushes.media.probe import probe
from rushes.store.durable import publish, temporary_beside
from rushes.store.shelf import Shelf
from rushes.store.takes import TakeRecord, take_name, write_record
from rushes_otio import choosing
from rushes_otio.errors import BadRequest, MediaFault
from rushes_otio.film import Film
from rushes_otio.forking import find_shared_use, make_own, own_block
from rushes_otio.ids import new_id
from rushes_otio.schema import ShotBlock, TakeMark
from rushes_otio.text import printable


@dataclass(frozen=True, slots=True)
class Fork:
    """What a use has become. `of` is the shot that it was a use of; `path` is its take's, None without one."""

    use: str
    shot: str
    name: str
    of: str
    take: str
    path: Path | None


def fork(desk: Desk, use: str) -> Fork:
    """Make a use, by its id or as `V1@120`, a shot of its own. BadRequest when it is one already or none, and when
    its take is not in the film's folder; FileFault and MediaFault when that cannot be copied."""
    with remembering_cut(desk, printable(f"fork {use}", 120)) as film:
        place = find_shared_use(film, use)
        block = place[0].items[place[1]].block
        assert block is not None
        own, shelf = own_block(film, block, new_id()), desk.shelf()
        copied = _copied(film, shelf, block, own)
        chosen = block.chosen and msgspec.structs.replace(block.chosen, take=take_name(1))
        make_own(film, place, own, chosen)
        if copied is None or chosen is None or block.chosen is None:
            return Fork(block.use, own.shot, own.name, block.shot, "", None)
        movie, frames = copied
        choosing.choose(film, own.shot, chosen, shelf.relative(movie), frames)
        mark = block.takes.get(block.chosen.take, TakeMark())
        choosing.mark_take(film, own.shot, chosen.take, mark, shelf.relative(movie), frames)
        return Fork(block.use, own.shot, own.name, block.shot, chosen.take, movie)


def _copied(film: Film, shelf: Shelf, block: ShotBlock, own: ShotBlock) -> tuple[Path, int] | None:
    """The chosen take of a use as the first take of the shot `own`, and its frames; None where it has none."""
    if block.chosen is None:
        return None
    found = shelf.found(block.shot, block.chosen.take)
    if found is None:
        raise BadRequest(
            f"the take {block.chosen.take} of {printable(block.name, 60)} is not in the film's folder",
            where=film.where,
            remedy="bring its files back, or render the shot again",
        )
    was = shelf.record(block, block.chosen.take)
    movie = shelf.path_for(film, own, take_name(1), found.movie.suffix)
    record = msgspec.structs.replace(
        was,
        shot=own.shot,
        take=take_name(1),
        name=own.name,
        movie=movie.name,
        log=[*was.log, f"a copy of {was.take} of {was.name}"],
    )
    _copy(film, found.movie, movie, record)
    shelf.put(movie, record)
    return movie, record.window.frames


def _copy(film: Film, old: Path, movie: Path, record: TakeRecord) -> None:
    """The movie and its record, in the order in which takes come to be. Its unfinished file has a name that no
    render of another process takes for one that was left behind."""
    part = temporary_beside(movie)
    try:
        remux(old, part, identity(film.block.film, record).to_metadata(), record.shot)
        found = probe(part).frames
        if found != record.window.frames:
            raise MediaFault(
                f"the take has {found} frames, and its record says {record.window.frames}",
                where=str(old),
                remedy="render the shot again: --another 1",
            )
        write_record(movie.with_suffix(".json"), record)
        publish(part, movie, label="take")
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
