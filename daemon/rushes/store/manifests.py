"""What was exported: one file an export, in the film's folder. It tells what an editor changed from what the film
has changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from rushes.store.durable import fault_of, write_atomic
from rushes.store.places import FilmPlaces
from rushes_otio.ids import new_id
from rushes_otio.text import readable_token

KEPT = 100
"""Exports that are remembered; the oldest go first."""

LARGEST = 64 * 1024 * 1024
"""Bytes of a manifest that is read."""


class Sent(msgspec.Struct, frozen=True):
    """A clip as it was exported. `first` is the in-point as its file counts, `record` the record frame, in frames
    of the film; `file` is the name of its media."""

    use: str
    shot: str
    take: str
    name: str
    file: str
    track: str
    record: int
    first: int
    frames: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One export."""

    v: int = 1
    export: str
    film: str
    name: str
    made: str  # ISO 8601, UTC
    clips: list[Sent]

    @property
    def takes(self) -> dict[str, str]:
        """The take that each shot was shown with; empty for a slate."""
        return {clip.shot: clip.take for clip in self.clips if clip.shot}


def remember(places: FilmPlaces, film: str, name: str, clips: list[Sent]) -> None:
    """Keep what was exported. FileFault when it cannot be written."""
    now = datetime.now(UTC)
    manifest = Manifest(export=new_id(), film=film, name=name, made=now.isoformat(timespec="seconds"), clips=clips)
    folder = places.exports
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fault_of(error, folder) from error
    stem = f"{now:%Y%m%dT%H%M%S%f}_{readable_token(Path(name).stem) or 'cut'}_{manifest.export}"
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    write_atomic(folder / f"{stem}.json", text, label="manifest")
    for old in _files(places)[KEPT:]:
        old.unlink(missing_ok=True)


def sent_from(places: FilmPlaces, shown: Mapping[str, str]) -> Manifest | None:
    """The export that a cut with these takes (shot → take) came from: the one that most of them agree with, the
    newest of equals. None where none agrees."""
    best: Manifest | None = None
    most = 0
    for path in _files(places):
        manifest = _read(path)
        agreed = sum(shown.get(shot) == take for shot, take in manifest.takes.items()) if manifest else 0
        if agreed > most:
            best, most = manifest, agreed
    return best


def _files(places: FilmPlaces) -> list[Path]:
    """From the newest to the oldest: their names begin with the time."""
    try:
        return sorted((f for f in places.exports.iterdir() if f.suffix == ".json"), reverse=True)
    except OSError:
        return []


def _read(path: Path) -> Manifest | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest) if path.stat().st_size <= LARGEST else None
    except (OSError, msgspec.DecodeError):
        return None
