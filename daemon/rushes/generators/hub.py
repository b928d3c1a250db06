"""Models in the user's cache of the Hugging Face Hub. Nothing here reaches the network (`downloads` does)."""

from __future__ import annotations

import os
import re
from pathlib import Path

from rushes_otio.errors import FileFault

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REVISION = re.compile(r"[\w][\w./-]{0,199}")


def is_name(source: str) -> bool:
    """Whether this can be the name of a repository, "owner/model"."""
    return _NAME.fullmatch(source) is not None and ".." not in source


def cache_folder() -> Path:
    """The user's cache, where the variables of the Hub's own tools say, else ~/.cache/huggingface/hub."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = os.environ.get("HF_HOME") or caches / "huggingface"
    return Path(named or Path(home) / "hub").expanduser().absolute()


def find(name: str, revision: str, cache: Path) -> Path:
    """The snapshot of a repository in the cache. `revision` is a commit, a branch or a tag; empty for the branch
    `main`, or the only snapshot there is. FileFault where it is not there."""
    folder = repository(name, cache)
    commit = revision if _COMMIT.fullmatch(revision) else _commit_of(folder, revision)
    if commit is not None and (folder / "snapshots" / commit).is_dir():
        return folder / "snapshots" / commit
    there = _snapshots(folder)
    if not revision and len(there) == 1:
        return there[0]
    said = f"revision {revision[:60]} of {name}" if revision else name
    has = f"; there is {', '.join(path.name[:12] for path in there)}" if there else ""
    raise FileFault(
        f"{said} is not in this machine's cache of the Hub{has}",
        where=str(cache),
        remedy=f"download it: rushes models add {name} --download; or add a folder that holds it",
    )


def repository(name: str, cache: Path) -> Path:
    """Where the cache keeps everything of a repository."""
    return cache / f"models--{name.replace('/', '--')}"


def _commit_of(folder: Path, revision: str) -> str | None:
    name = revision or "main"
    if not _REVISION.fullmatch(name) or ".." in name:
        return None
    try:
        commit = (folder / "refs" / name).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return commit if _COMMIT.fullmatch(commit) else None


def _snapshots(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in (folder / "snapshots").iterdir() if _COMMIT.fullmatch(path.name))
    except OSError:
        return []
