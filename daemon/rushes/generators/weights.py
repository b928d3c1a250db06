"""Where the weights of registered models are on this machine, and which bytes they are.

A model is what its files hold, wherever they lie: the same folder copied elsewhere, or found in the Hub's cache,
has the same fingerprint. Large files are read once in their life, or never: the Hub's cache names each after its
sha256, a download into a folder writes it down beside it, and every other digest is remembered until the file
changes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rushes.generators import hub
from rushes.generators.folders import Component, Folder, blobs_of, check_inside, read_folder, readable
from rushes.generators.models import Model
from rushes.generators.safetensors_files import SUFFIX, check
from rushes_otio.errors import FileFault, RushesError

INSTALL = "pip install 'rushes[diffusers]'"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"[0-9a-f]{64}|[0-9a-f]{40}")
_BITS = {"bfloat16": 16, "float16": 16, "float32": 32}
_PRECISE = ("vae", "image_encoder")
"""Components that mostly work in float32, whatever the model's type."""

_CLOCKS_NS = 2_000_000_000
"""How much later than its note a downloaded file may seem to have changed: two clocks, one of 2 s ticks."""


class Digests(Protocol):
    """sha256 of the content of files, remembered somewhere."""

    def of(self, path: Path) -> str:
        """64 hexadecimal digits; FileFault."""


@dataclass(frozen=True, slots=True)
class Located:
    """A model on this machine. `files` are the sha256 of each file that the pipeline loads, by its path within the
    folder; `sizes` the bytes that the weights of each component take once loaded in the model's type; `disk` the
    bytes of all files."""

    folder: Path
    files: dict[str, str]
    sizes: dict[str, int]
    disk: int = 0

    def fingerprint(self) -> str:
        """Digest of everything that is loaded."""
        return _digest(self.files.items())

    def of(self, components: Collection[str]) -> str:
        """Digest of what these components load."""
        return _digest(pair for pair in self.files.items() if pair[0].partition("/")[0] in components)


def _digest(files: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(files))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


class Weights:
    """Finds the weights of models. `hub_cache` is the user's cache of the Hub, None for where it usually is."""

    def __init__(self, digests: Digests, hub_cache: Path | None = None) -> None:
        self.digests = digests
        self.cache = hub_cache if hub_cache is not None else hub.cache_folder()
        self._known: dict[tuple[str, str, str, str], tuple[_Stamps, Located]] = {}

    def locate(self, model: Model) -> Located | None:
        """Where a model is, None where it is not on this machine or cannot be used: `fault` says why. A second
        call costs a look at the dates of its files; the first one reads what has never been read."""
        try:
            return self.located(model)
        except (RushesError, OSError):
            return None

    def fault(self, model: Model) -> RushesError | None:
        """What is missing or wrong, and the remedy; None where the model can be used."""
        try:
            self.located(model)
        except RushesError as fault:
            return fault
        except OSError as error:
            return FileFault(
                error.strerror or str(error), where=model.source, remedy="check the folder of the model"
            )
        return None

    def folder(self, model: Model) -> Path:
        """The folder of a model. FileFault where there is none."""
        return find(model.source, model.revision, self.cache)

    def located(self, model: Model) -> Located:
        """As `locate`, but FileFault says what is missing or wrong."""
        path = self.folder(model)
        key = (str(path), model.pipeline, model.dtype, model.adapter)
        known = self._known.get(key)
        if known is not None and known[0].hold():
            return known[1]
        folder = read_folder(path)
        if model.pipeline and folder.pipeline != model.pipeline:
            raise FileFault(
                f"the folder holds another pipeline now: {folder.pipeline}, and {model.pipeline} was registered",
                where=str(path),
                remedy="remove the model and add it again, under another name if films use this one",
            )
        adapter = _adapter(model)
        paths = {file: path / file for file in folder.files} | adapter
        stamps = _Stamps.of(path, paths.values())
        files = {file: digest_of(folder, file, self.digests) for file in folder.files}
        files |= {file: self.digests.of(real) for file, real in adapter.items()}
        weighed = [part for part in folder.components.values() if part.weights]
        sizes = {part.name: _loaded(folder, part, model.dtype) for part in weighed}
        found = Located(path, files, sizes, sum(real.stat().st_size for real in paths.values()))
        self._known[key] = (stamps, found)
        return found


def find(source: str, revision: str, cache: Path) -> Path:
    """The folder that a source names: itself, by its whole path, or a snapshot in the Hub's cache. FileFault."""
    path = Path(source).expanduser()
    with readable(path):
        if path.is_absolute() and path.is_dir():
            return path
    if hub.is_name(source):
        return hub.find(source, revision, cache)
    raise FileFault(
        "the folder of the model is not there",
        where=source,
        remedy="connect the disk it is on, or write its whole path",
    )


def digest_of(folder: Folder, file: str, digests: Digests) -> str:
    """sha256 of a file of a model. What the Hub knows of its large files is believed without reading them."""
    real = check_inside(folder.path, file)
    return promised(folder.path, file) or digests.of(real)


def promised(folder: Path, file: str) -> str | None:
    """The sha256 that the Hub gave for a file, None for a small file, which the Hub knows by another digest."""
    digest = hub_digest(folder, file)
    return digest if digest and _SHA256.fullmatch(digest) else None


def hub_digest(folder: Path, file: str) -> str | None:
    """What the Hub knows a file by, sha256 or for small files git's sha1: its name in the cache, or the note that
    a download into a folder left. None for files that are not from there or were changed since."""
    path = folder / file
    blobs = blobs_of(folder)
    if blobs is None or not path.is_symlink():
        return _noted(folder, file)
    # Only the first link has this name: where repositories share blobs, those are called by something else.
    target = Path(os.path.normpath(path.parent / path.readlink()))
    return (
        target.name if target.parent == Path(os.path.normpath(blobs)) and _DIGEST.fullmatch(target.name) else None
    )


def _noted(folder: Path, file: str) -> str | None:
    """From `.cache/huggingface/download/FILE.metadata`: the commit, the digest, the time in seconds."""
    try:
        note = folder / ".cache" / "huggingface" / "download" / f"{file}.metadata"
        _, etag, when = note.read_text(encoding="ascii").split()[:3]
        found = (folder / file).stat()
        changed = max(found.st_mtime_ns, found.st_ctime_ns)
        fresh = changed <= float(when) * 1e9 + _CLOCKS_NS
    except (OSError, ValueError):
        return None
    return etag if fresh and _DIGEST.fullmatch(etag) else None


def _loaded(folder: Folder, component: Component, dtype: str) -> int:
    """Bytes of a component in memory: those on disk, more or fewer where they are stored in another type."""
    dtype = "float32" if component.name in _PRECISE else dtype
    on_disk = sum((folder.path / file).stat().st_size for file in component.weights)
    tensors = check(folder.path / component.weights[0]).tensors.values()
    floats = [tensor.bits for tensor in tensors if "F" in tensor.dtype]
    stored = max(set(floats), key=floats.count) if floats else _BITS[dtype]
    return on_disk * _BITS[dtype] // stored


def _adapter(model: Model) -> dict[str, Path]:
    """The files of an IP-Adapter, its image encoder's too, under names among the files of a model."""
    if not model.adapter:
        return {}
    path = Path(model.adapter).expanduser()
    if path.suffix != SUFFIX or not path.is_file():
        raise FileFault(
            "the IP-Adapter is no safetensors file that is there", where=model.adapter, remedy="correct `adapter`"
        )
    beside = path.with_name("image_encoder").glob("*")
    encoder = sorted(file for file in beside if file.suffix in {".json", SUFFIX})
    return {f"adapter/{file.relative_to(path.parent).as_posix()}": file for file in (path, *encoder)}


@dataclass(frozen=True, slots=True)
class _Stamps:
    """How files and their folders looked: anything replaced, added or removed since is seen."""

    seen: tuple[tuple[Path, str], ...]

    @classmethod
    def of(cls, folder: Path, files: Iterable[Path]) -> _Stamps:
        paths = sorted({folder, *files, *(file.parent for file in files)})
        return cls(tuple((path, _stamp(path)) for path in paths))

    def hold(self) -> bool:
        return all(_stamp(path) == stamp for path, stamp in self.seen)


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_ino}"
