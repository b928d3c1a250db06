"""Downloads from the Hugging Face Hub into the user's cache of it, only when a person asks for one.

Taken are the files that a diffusers pipeline loads, of one commit: no variants, no pickles, no programs. Large
files go on where an earlier download stopped, and are checked against the Hub's sha256 before they get their name.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rushes.generators.folders import INDEX, read_json
from rushes.generators.hub import repository
from rushes_otio.errors import BadRequest, FileFault, RushesError

HUB = "https://huggingface.co"
GIB = 1024**3
SPARE = GIB
"""Bytes that a download leaves free on the disk."""

Progress = Callable[[str, int, int], None]
"""Told what is being done, and how many bytes of how many are done."""

_WANTED = re.compile(r"[^/]+\.(json|txt|model|jinja|safetensors)")
_VARIANT = re.compile(r"\.(fp16|fp32|bf16|fp8|int8|non_ema|ema)[.-]")


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a repository. `digest` is its sha256, empty for small files."""

    name: str
    size: int
    digest: str


def download(name: str, revision: str, cache: Path, progress: Progress) -> Path:
    """Have a model in the cache: the folder of its snapshot, of the commit that `revision` is now. BadRequest for
    a repository that cannot be had, FileFault where the disk has no room."""
    try:
        import huggingface_hub
    except ImportError:
        raise BadRequest(
            "huggingface_hub, which downloads, is not installed",
            where=name,
            remedy="pip install 'rushes[diffusers]', or add a folder that holds the model",
        ) from None
    with _online():
        try:
            return _Download(huggingface_hub, name, cache, progress).run(revision or "main")
        except RushesError:
            raise
        except Exception as error:
            raise _explained(error, name, revision) from error


class _Download:
    """One model on its way."""

    def __init__(self, library: Any, name: str, cache: Path, progress: Progress) -> None:  # noqa: ANN401
        self._library = library
        self._name = name
        self._cache = cache
        self._progress = progress
        self._endpoint = os.environ.get("HF_ENDPOINT") or HUB
        self._commit = ""
        self._doing = ""
        self._done = self._total = 0

    def run(self, revision: str) -> Path:
        api = self._library.HfApi(endpoint=self._endpoint)
        found = api.model_info(self._name, revision=revision, files_metadata=True)
        self._commit = found.sha
        there = [_File(s.rfilename, s.size or 0, s.lfs.sha256 if s.lfs else "") for s in found.siblings]
        if all(file.name != INDEX for file in there):
            raise BadRequest(
                f"{self._name} holds no diffusers pipeline: it has no {INDEX}",
                where=f"{HUB}/{self._name}",
                remedy="name the repository in diffusers' form; its name often ends in -Diffusers",
            )
        index = self._fetched(INDEX)
        missing = [file for file in _wanted(there, index) if not (index.parent / file.name).exists()]
        self._total = sum(file.size for file in missing)
        self._check_room(missing, index.parent)
        for file in missing:
            self._take(file)
        return index.parent

    def _take(self, file: _File) -> None:
        self._doing = f"downloading {file.name}"
        before = self._done
        if file.digest:
            self._fetch_large(file)
        self._fetched(file.name)
        self._done = before + file.size
        self._progress(self._doing, self._done, self._total)

    def _fetched(self, file: str) -> Path:
        """A file by the library's own way, which leaves alone what is there."""
        at = {"revision": self._commit, "cache_dir": str(self._cache), "endpoint": self._endpoint}
        return Path(self._library.hf_hub_download(self._name, file, tqdm_class=self._bar(), **at))

    def _fetch_large(self, file: _File) -> None:
        """A file of weights under its name among the blobs. The library's own way begins anew each time it is
        interrupted (huggingface_hub 2.4); a shard of weights has 10 GB."""
        from filelock import FileLock

        folder = repository(self._name, self._cache)
        blob, part = folder / "blobs" / file.digest, self._part(file)
        lock = self._cache / ".locks" / folder.name / f"{file.digest}.lock"  # the library's own
        for place in (blob.parent, lock.parent):
            place.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            if not blob.exists():
                self._go_on(file, part)
                part.replace(blob)

    def _go_on(self, file: _File, part: Path) -> None:
        from huggingface_hub.file_download import hf_hub_url, http_get
        from huggingface_hub.utils import build_hf_headers

        url = hf_hub_url(self._name, file.name, revision=self._commit, endpoint=self._endpoint)
        part.touch()
        with part.open("r+b") as out:
            begun = out.seek(0, os.SEEK_END)
            at = {"resume_size": begun, "expected_size": file.size, "tqdm_class": self._bar()}
            if begun < file.size:
                http_get(url, out, headers=build_hf_headers(), **at)
        with part.open("rb") as whole:
            digest = hashlib.file_digest(whole, "sha256").hexdigest()
        if digest != file.digest:
            part.unlink()
            raise BadRequest(
                f"{file.name} did not arrive as the Hub has it",
                where=f"{HUB}/{self._name}",
                remedy="run the command again: this file is downloaded anew",
            )

    def _part(self, file: _File) -> Path:
        return repository(self._name, self._cache) / "blobs" / f"{file.digest}.rushes.incomplete"

    def _bar(self) -> type:
        """A class that the library takes for a progress bar: it shows nothing and passes on what is counted."""
        parent = self._library.utils.tqdm
        more = self._more

        def begin(bar: Any, *args: object, **settings: Any) -> None:  # noqa: ANN401
            parent.__init__(bar, *args, **settings | {"disable": True})
            more(settings.get("initial") or 0)

        def update(_: object, count: float = 1) -> None:
            more(count)

        return type("Bar", (parent,), {"__init__": begin, "update": update})

    def _more(self, count: float) -> None:
        self._done += int(count)
        if self._total:
            self._progress(self._doing, min(self._done, self._total), self._total)

    def _check_room(self, files: list[_File], folder: Path) -> None:
        needed = self._total - sum(_size(self._part(file)) for file in files if file.digest)
        free = shutil.disk_usage(folder).free
        if needed + SPARE > free:
            raise FileFault(
                f"the model takes {needed / GIB:.1f} GiB more and {free / GIB:.1f} GiB are free",
                where=str(self._cache),
                remedy="free some space, or name a folder on a larger disk in HF_HOME and run the command again",
            )


def _wanted(files: list[_File], index: Path) -> Iterator[_File]:
    """The files that the pipeline loads: those of its components, no variants, nothing that is no data."""
    components = {name for name, value in read_json(index).items() if isinstance(value, list) and any(value)}
    for file in files:
        folder, _, rest = file.name.partition("/")
        if folder in components and _WANTED.fullmatch(rest) and not _VARIANT.search(rest):
            yield file


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@contextmanager
def _online() -> Iterator[None]:
    """A person has asked for a download: for its length, HF_HUB_OFFLINE does not count."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _explained(error: Exception, name: str, revision: str) -> RushesError:
    from huggingface_hub import errors

    where = f"{HUB}/{name}"
    if isinstance(error, errors.GatedRepoError):
        text = f"{name} is only given to those who have accepted its licence"
        remedy = f"accept it at {where}, then log in (hf auth login, or HF_TOKEN) and run the command again"
    elif isinstance(error, errors.RepositoryNotFoundError):
        text = f"the Hub has no repository {name}, or it is private"
        remedy = "check the name; for a private one log in first: hf auth login"
    elif isinstance(error, errors.RevisionNotFoundError):
        text, remedy = f"{name} has no revision {revision[:60]}", "leave --revision out, or give a commit of it"
    elif isinstance(error, OSError) and error.errno is not None:
        text, remedy = f"the download could not be kept: {error.strerror}", "check the disk of the Hub's cache"
    else:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        text = f"the Hub cannot be reached, or broke off: {said[:200]}"
        remedy = "check the network and run the command again: it goes on where it stopped"
    return BadRequest(text, where=where, remedy=remedy)
