"""The stage cache: what stages made, by key. Shared by all films, bounded, disposable, never trusted.

    stages/ab/cdef…-0123….data     an output; the end of its name is the beginning of its digest
    stages/ab/cdef….json           which output the key stands for: named last, from then on the key has one
    quarantine/                    what did not hold what it should, for whoever wants to know why

Two writers of one key do each other no harm: each output has its own file and is whole before it is named.
Nothing is synced: what a power cut damages is found when it is read, and made again.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rushes.store import alive, eviction
from rushes.store.durable import fault_of, temporary_beside
from rushes.store.failpoints import reach
from rushes.store.places import private
from rushes_otio.errors import BadRequest, RushesError

_DIGEST = re.compile(r"[0-9a-f]{64}")


class _Sidecar(msgspec.Struct, frozen=True):
    key: str
    digest: str
    size: int
    stage: str
    made_by: str  # the process, as `alive.mark` writes it


@dataclass(frozen=True, slots=True)
class Entry:
    """A stage's output: the file `path` with the sha256 `digest`.

    `warning` is empty, or says for people why the cache did not keep it. Then `path` is the file given, or a
    temporary one that is there as long as the `StageCache` is.
    """

    key: str
    path: Path
    digest: str
    warning: str = ""


class StageCache:
    """Outputs below `root`, about `limit_bytes` of them at most. What was used in the last `keep_seconds` may be
    in use, and stays whatever the bound says."""

    def __init__(self, root: Path, limit_bytes: int, keep_seconds: float = 3600.0) -> None:
        self._root = root
        self._limit = limit_bytes
        self._keep = keep_seconds
        self._since_trim = limit_bytes  # the first `put` looks at what there is
        self._verified: dict[Path, tuple[int, int, str]] = {}
        self._spill: Path | None = None

    def get(self, key: str) -> Entry | None:
        """The output of a key, its content verified. None when there is none, or when what there was is damaged
        and now in quarantine. Counts as a use."""
        sidecar = self._sidecar(key)
        damaged = [sidecar]
        try:
            os.utime(sidecar)  # before reading: an eviction that has begun either sees it or has taken the file
            made = msgspec.json.decode(sidecar.read_bytes(), type=_Sidecar)
            path = _content(sidecar, made.digest)
            damaged.append(path)
            if made.key == key and self._measured_once(path) == (made.size, made.digest):
                return Entry(key, path, made.digest)
        except OSError:
            return None
        except ValueError:  # no JSON, no record, no digest: msgspec's errors are ValueErrors too
            pass
        self._quarantine(damaged)
        return None

    def put(self, key: str, output: Path | bytes, stage: str) -> Entry:
        """Keep what `stage` made for `key`. A file is moved in. If the key has a sound output already, that one
        stays and is returned: what comes after has perhaps used it.

        The cache is a convenience. When it cannot keep the output (full disk, not writable), the entry carries a
        warning and points to the file given or to a temporary one, and the render goes on. FileFault only when
        there is no room for that either.
        """
        there = self.get(key)
        if there is not None:
            if isinstance(output, Path):
                output.unlink(missing_ok=True)
            return there
        try:
            entry = self._store(key, output, stage)
        except (OSError, RushesError) as error:
            return self._outside(key, output, _not_kept(error))
        self._count(entry)
        return entry

    def trim(self) -> int:
        """Evict the least recently used outputs until the rest is within the bound; returns the bytes freed."""
        self._since_trim = 0
        eviction.sweep(self._root / "stages", self._quarantine_folder)
        return eviction.trim(self._root / "stages", self._limit, self._keep)

    @property
    def _quarantine_folder(self) -> Path:
        return self._root / "quarantine"

    def _sidecar(self, key: str) -> Path:
        if not _DIGEST.fullmatch(key):
            raise BadRequest(f"{key!r} is no stage key", remedy="a key is 64 hexadecimal digits")
        return self._root / "stages" / key[:2] / f"{key[2:]}.json"

    def _store(self, key: str, output: Path | bytes, stage: str) -> Entry:
        sidecar = self._sidecar(key)
        private(self._root)
        private(sidecar.parent)
        size, digest = _measured(output)
        path = _content(sidecar, digest)
        reach("cache.before_output")
        _place(output, path)
        reach("cache.output_named")
        try:
            _place(msgspec.json.encode(_Sidecar(key, digest, size, stage, alive.mark())), sidecar)
        except OSError as error:
            return Entry(key, path, digest, _not_kept(error))
        reach("cache.sidecar_named")
        return Entry(key, path, digest)

    def _outside(self, key: str, output: Path | bytes, warning: str) -> Entry:
        try:
            digest = _measured(output)[1]
            if isinstance(output, Path):
                return Entry(key, output, digest, warning)
            path = self._spill_folder() / key
            path.write_bytes(output)
        except OSError as error:
            raise fault_of(error, self._root) from error
        return Entry(key, path, digest, warning)

    def _spill_folder(self) -> Path:
        if self._spill is None:
            self._spill = Path(tempfile.mkdtemp(prefix="rushes-"))
            weakref.finalize(self, shutil.rmtree, self._spill, ignore_errors=True)
        return self._spill

    def _count(self, entry: Entry) -> None:
        """A trim looks at every entry: one in so many bytes is enough to stay near the bound."""
        with suppress(OSError):
            self._since_trim += entry.path.stat().st_size
        if self._since_trim > self._limit // 16:
            self.trim()

    def _measured_once(self, path: Path) -> tuple[int, str]:
        """Size and digest; worked out again only when the file has another size or time than last looked at."""
        found = path.stat()
        known = self._verified.get(path)
        if known is None or known[:2] != (found.st_mtime_ns, found.st_size):
            known = self._verified[path] = (found.st_mtime_ns, *_measured(path))
        return known[1:]

    def _quarantine(self, files: list[Path]) -> None:
        for file in files:
            with suppress(OSError, RushesError):
                file.replace(private(self._quarantine_folder) / f"{file.parent.name}{file.name}")


def _content(sidecar: Path, digest: str) -> Path:
    """ValueError for a digest that is none: it came from a file, and becomes part of a path."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError(digest)
    return sidecar.with_name(f"{sidecar.stem}-{digest[:16]}.data")


def _measured(output: Path | bytes) -> tuple[int, str]:
    """Size in bytes and sha256."""
    if isinstance(output, bytes):
        return len(output), hashlib.sha256(output).hexdigest()
    with output.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def _place(output: Path | bytes, final: Path) -> None:
    """Give `output` the name `final`, whole or not at all; `output`, if a file, is gone afterwards."""
    if isinstance(output, Path):
        with suppress(OSError):  # another disk: copied below
            output.replace(final)
            return
    temporary = temporary_beside(final)
    try:
        if isinstance(output, Path):
            shutil.copyfile(output, temporary)
        else:
            temporary.write_bytes(output)
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)
    if isinstance(output, Path):
        output.unlink()


def _not_kept(error: OSError | RushesError) -> str:
    reason = error.text if isinstance(error, RushesError) else error.strerror or str(error)
    return f"the stage cache could not keep an output ({reason}); it will be made again when it is next needed"
