"""Which outputs leave the stage cache when it grows over its bound: those whose last use is longest ago."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rushes.store.durable import temporary_beside, tidy

_QUARANTINED = 16
_KEY_LETTERS = 62  # of a file's name: the key without the two letters of its folder


@dataclass(frozen=True, slots=True)
class Group:
    """The files of one key. `used` is the time of its sidecar; of its output where the sidecar is lost."""

    used: float  # seconds since 1970
    size: int  # bytes
    sidecar: Path | None
    outputs: list[Path]


def trim(stages: Path, limit_bytes: int, keep_seconds: float) -> int:
    """Remove outputs until `limit_bytes` are left or the rest was used in the last `keep_seconds`; returns the
    bytes freed."""
    before = time.time() - keep_seconds
    found = sorted(groups(stages), key=lambda group: group.used)
    held = sum(group.size for group in found)
    freed = 0
    for group in found:
        if held - freed <= limit_bytes or group.used > before:
            break
        if evict(group, before):
            freed += group.size
    return freed


def sweep(stages: Path, quarantine: Path) -> None:
    """Remove what ended processes left half-written, and all but the latest files in quarantine."""
    for shard in _listed(stages):
        tidy(shard)
    with suppress(OSError):
        damaged = sorted(_listed(quarantine), key=lambda file: file.stat().st_mtime)
        for old in damaged[:-_QUARANTINED]:
            old.unlink()


def evict(group: Group, before: float) -> bool:
    """Remove a key's files, unless it was used after `before`; whether they are removed.

    The sidecar's name is taken away first. A reader marks its use before it reads, so a use that came after the
    list was made is either seen here, and the name given back, or that reader finds nothing."""
    with suppress(OSError):
        if group.sidecar:
            grave = temporary_beside(group.sidecar)
            group.sidecar.rename(grave)
            if grave.stat().st_mtime > before:
                grave.rename(group.sidecar)
                return False
            grave.unlink()
        for output in group.outputs:
            output.unlink(missing_ok=True)
        return True
    return False


def groups(stages: Path) -> Iterator[Group]:
    """The keys there are, in no order."""
    for shard in _listed(stages):
        by_key: dict[str, list[Path]] = {}
        for file in _listed(shard):
            if not file.name.startswith("."):  # somebody is writing it
                by_key.setdefault(file.name[:_KEY_LETTERS], []).append(file)
        for files in by_key.values():
            with suppress(FileNotFoundError):  # another process evicts as well
                yield _group(files)


def _group(files: list[Path]) -> Group:
    found = {file: file.stat() for file in files}
    sidecar = next((file for file in files if file.suffix == ".json"), None)
    outputs = [file for file in files if file != sidecar]
    used = found[sidecar].st_mtime if sidecar else max(found[file].st_mtime for file in outputs)
    return Group(used, sum(stat.st_size for stat in found.values()), sidecar, outputs)


def _listed(folder: Path) -> list[Path]:
    try:
        return [Path(entry) for entry in os.scandir(folder)]
    except OSError:
        return []
