"""Takes on disk: the names of their files, the record beside each movie, and what a folder holds.

A take is its movie. The record is written first, then the movie gets its name: from then on the take exists.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rushes.store.durable import fault_of, write_atomic
from rushes_otio.errors import BadRequest, FileFault
from rushes_otio.ids import ALPHABET, is_id
from rushes_otio.text import readable_token

VERSION = 1
"""Of the record. Keys are added without raising it; readers keep going on keys they do not know."""

RECORD_LIMIT = 4 * 1024 * 1024
"""Largest record that is read, in bytes."""

MOVIES = frozenset({".mov", ".mp4", ".png"})
"""Endings of what a take can be; a keyframe's take is a PNG."""

_TAKE = re.compile(r"[tk]\d{3,6}")
_NAMED = re.compile(rf"(?:.*_)?_([{ALPHABET}]{{8}})_([tk]\d{{3,6}})", re.IGNORECASE | re.ASCII)
_DEVICES = {"CON", "PRN", "AUX", "NUL"} | {f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)}


class StageMark(msgspec.Struct, frozen=True):
    """What a stage was keyed by, and the sha256 of what came out."""

    key: str
    digest: str


class Piece(msgspec.Struct, frozen=True):
    """One stored part of the motion: `frames` frames from shot frame `start` on, at the generator's rate. It goes
    over `overlap` frames of the piece before once more; `ends`: the take that it was made for ended with it.
    """

    start: int
    frames: int
    key: str
    digest: str
    overlap: int = 0
    ends: bool = True


class Window(msgspec.Struct, frozen=True):
    """What a plain swap compares: frame count, rate ("24/1"), size (width, height) in pixels."""

    frames: int
    rate: str
    size: tuple[int, int]


class MadeBy(msgspec.Struct, frozen=True):
    """The generator and its version."""

    name: str
    version: int


class TakeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one take: the JSON beside its movie."""

    shot: str
    take: str
    name: str  # of the shot, when the take was made
    movie: str  # file name beside the record
    recipe: dict[str, object]
    seed: str
    n: int  # the seed counter
    asked: dict[str, object]
    stages: dict[str, StageMark]
    window: Window
    codec: str
    frames_digest: str
    generator: MadeBy
    made: str  # ISO 8601, UTC
    intent: dict[str, object] = {}  # what the shot itself set then
    pieces: list[Piece] = []
    environment: dict[str, object] = {}  # versions, platform, device
    seconds: dict[str, float] = {}  # by stage
    checks: dict[str, object] = {}
    log: list[str] = []
    pictured: dict[str, object] = {}  # the recipe its pictures were made by, where that is another than `recipe`
    added: str = ""  # the file that stands for the motion of a take that was made elsewhere, as the film calls it
    v: int = VERSION


@dataclass(frozen=True, slots=True)
class FoundTake:
    """A take as its files say: `record` is the path of the JSON, None for a movie that has lost it."""

    shot: str
    take: str
    movie: Path
    record: Path | None


def read_record(path: Path) -> TakeRecord:
    """The record at `path`. FileFault when it cannot be read, is no record, or is of a newer version."""
    try:
        if path.stat().st_size > RECORD_LIMIT:
            raise FileFault(f"the record is over {RECORD_LIMIT} bytes", where=str(path), remedy=_LOST)
        record = msgspec.json.decode(path.read_bytes(), type=TakeRecord)
    except OSError as error:
        raise fault_of(error, path) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileFault(f"the record is damaged: {error}", where=str(path), remedy=_LOST) from error
    if record.v > VERSION:
        raise FileFault(
            f"the record is of version {record.v}, and this Rushes knows up to {VERSION}",
            where=str(path),
            remedy="use the newer Rushes that wrote it",
        )
    return record


_LOST = "the movie can still be used; remove the record, or bring it back from a backup"


def write_record(path: Path, record: TakeRecord) -> None:
    """Write the record, on disk when this returns. FileFault when it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n", label="record")


def take_name(number: int) -> str:
    """`t003` for 3."""
    return f"t{number:03d}"


def take_stem(scene_code: str, shot_name: str, shot_id: str, take: str) -> str:
    """Folder and name, without ending, of a take's files: `SC010/SC010_SH020__7kq3m9ab_t003`.

    Only the id and the take mean something; the rest is for people. BadRequest for an id or a take that is none.
    """
    if not is_id(shot_id) or not _TAKE.fullmatch(take):
        raise BadRequest(
            f"{shot_id!r}, {take!r} names no take", remedy="an id has 8 letters or digits, a take is t001"
        )
    scene, name = readable_token(scene_code), readable_token(shot_name)
    if not f"{name}_".casefold().startswith(f"{scene}_".casefold()):
        name = f"{scene}_{name}"
    return f"{_folder(scene)}/{readable_token(name) or 'shot'}__{shot_id}_{take}"


def parse_take_name(filename: str) -> tuple[str, str] | None:
    """Shot id and take of a file name or path that `take_stem` made, any ending, also in capitals."""
    found = _NAMED.fullmatch(re.split(r"[/\\]", filename)[-1].split(".")[0])
    return (found[1].lower(), found[2].lower()) if found else None


def scan(folder: Path) -> list[FoundTake]:
    """The takes in a film's takes folder, by name; links are not followed. Empty when there is no folder."""
    files = list(_files(folder))
    records = {file.with_suffix("") for file in files if file.suffix == ".json"}
    found = []
    for movie in files:
        named = parse_take_name(movie.name)
        if named and movie.suffix.lower() in MOVIES:
            record = movie.with_suffix(".json") if movie.with_suffix("") in records else None
            found.append(FoundTake(*named, movie, record))
    return sorted(found, key=lambda take: (take.shot, take.take, take.movie))


def next_take_number(block_next: int, on_disk: Iterable[int], indexed: Iterable[int]) -> int:
    """A number that no take of the shot has or had: the film may be an older copy than its folder, and the
    folder may have been cleaned since."""
    return max(block_next, 1, *(number + 1 for number in (*on_disk, *indexed)))


def _folder(scene: str) -> str:
    """Windows takes CON and its kind for devices, so nobody gets such a folder: films travel."""
    return f"{scene}_" if scene.upper() in _DEVICES else scene or "film"


def _files(folder: Path) -> Iterator[Path]:
    """Files in `folder` and one level below."""
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from (Path(inner) for inner in _entries(entry) if inner.is_file(follow_symlinks=False))
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry)


def _entries(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise fault_of(error, Path(folder)) from error
