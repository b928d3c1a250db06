"""Which takes of a film are needed, and by whom. In doubt one is: a lost take cannot always be made again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rushes.engine.studio import Desk
from rushes.store import films
from rushes.store.durable import fault_of
from rushes.store.held import HeldTakes
from rushes.store.places import FilmPlaces
from rushes_otio import rawjson
from rushes_otio.cut import conflict
from rushes_otio.film import Film
from rushes_otio.ids import ALPHABET
from rushes_otio.schema import ShotBlock
from rushes_otio.text import printable

Key = tuple[str, str]
"""Shot id and take."""

CUTS = frozenset({".otio", ".edl", ".xml", ".fcpxml"})
"""Endings of files that may be cuts of a film, or other versions of it."""

_TOKEN = re.compile(rb"(?<=([%b]{8}))_([tk][0-9]{3,6})" % ALPHABET.encode(), re.IGNORECASE)
_ESCAPED = re.compile(rb"\\u00([2-7][0-9a-fA-F])")


@dataclass(frozen=True, slots=True)
class Needs:
    """Why takes stay, one by one or all those of a shot; and the names of the shots that the film knows, those of
    the cut first and in its order.
    """

    takes: dict[Key, str]
    shots: dict[str, str]
    names: dict[str, str]

    def reason(self, key: Key) -> str:
        """Why this take stays; empty when nobody needs it."""
        return self.takes.get(key) or self.shots.get(key[0], "")


def needs(desk: Desk, film: Film) -> Needs:
    """Ask the film, the cuts beside it, the hosts and the queue.

    FileFault when a cut cannot be read, for it may need any take, or an omitted shot is not as the format says.
    """
    blocks = [*(shot.block for shot in film.shots.values()), *omitted(film)]
    takes = {(block.shot, take): why for block in reversed(blocks) for take, why in _decided(block)}
    for key, hosts in HeldTakes(desk.studio.database).of(desk.places.key).items():
        takes.setdefault(key, f"held by {printable(', '.join(hosts), 60)}")
    for key in named_in(film.encode()):
        takes.setdefault(key, "named in the film")
    for cut in _other_cuts(desk.places):
        for key in named_in(films.read_bytes(cut)):
            takes.setdefault(key, f"named in {printable(cut.name, 60)}")
    shots = {
        shot_id: "the uses of its shot differ" for shot_id, shot in film.shots.items() if conflict(film, shot)
    }
    shots |= {job.shot: "its shot is to be rendered" for job in desk.studio.jobs.pending(desk.places.key)}
    return Needs(takes, shots, {block.shot: block.name for block in blocks})


def omitted(film: Film) -> list[ShotBlock]:
    """The shots that are in no cut any more; FileFault when one of them cannot be read."""
    where = f"{film.where}: metadata.rushes.omitted"
    return [rawjson.read(raw, ShotBlock, where) for raw in film.block.omitted]


def named_in(text: bytes) -> set[Key]:
    """Every take that a text calls by the token in our files' names, in any case. Rather too many than too few."""
    if b"\\u00" in text:
        text = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), text)
    return {(shot.decode().lower(), take.decode().lower()) for shot, take in _TOKEN.findall(text)}


def listed(folder: Path) -> list[Path]:
    """What is in a folder, by name; nothing when there is none. FileFault when it cannot be read."""
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise fault_of(error, folder) from error


def folders_in(folder: Path) -> list[Path]:
    """The folders directly inside one, links left out."""
    return [entry for entry in listed(folder) if entry.is_dir() and not entry.is_symlink()]


def _decided(block: ShotBlock) -> Iterator[tuple[str, str]]:
    """Takes that somebody decided something about, and what; the strongest word of each last."""
    for take, mark in block.takes.items():
        yield take, "circled" if mark.circled else "approved" if mark.approved else "has a note"
    if block.waiting:
        yield block.waiting, "waits to be chosen"
    if block.chosen:
        yield block.chosen.take, "chosen"


def _other_cuts(places: FilmPlaces) -> list[Path]:
    """Beside the film, and anywhere in its folder: its previous version, copies, frozen and exported cuts."""
    folders = [places.folder]
    for folder in folders:
        folders += folders_in(folder)
    files = [file for folder in (places.film.parent, *folders) for file in listed(folder)]
    return [f for f in files if f.suffix.lower() in CUTS and f != places.film and f.is_file()]
