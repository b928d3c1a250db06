"""Files that are either the old ones or the new ones, whatever happens in between.

A new version is written beside the old one, synced, renamed over it, and the folder synced: after `kill -9`, a
power cut or a full disk, a reader finds one or the other, whole.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from rushes.store import alive
from rushes.store.failpoints import reach
from rushes_otio.errors import FileFault

if sys.platform == "darwin":
    import fcntl

_TEMPORARY = re.compile(rf"\.rushes-({alive.MARK})-\d+\.tmp")
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK}
_counter = itertools.count()

_FULL = ("the disk is full", "free some space and run the command again")
_CLOSED = ("writing there is not allowed", "check who may write to the folder and the file")
_REASONS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: ("your share of the disk is full", _FULL[1]),
    errno.EFBIG: ("the file is larger than the disk or a limit allows", _FULL[1]),
    errno.EACCES: _CLOSED,
    errno.EPERM: _CLOSED,
    errno.EROFS: ("the disk is read-only", "make it writable, or move the film to a disk that is"),
    errno.ENOENT: ("the folder is not there", "make the folder, or connect the disk it is on"),
    errno.EIO: ("the disk reports an error", "check the disk and its cable, then run the command again"),
}


def fault_of(error: OSError, path: Path) -> FileFault:
    """What a person is told when the system refuses to write or read `path`."""
    text, remedy = _REASONS.get(
        error.errno or 0, (error.strerror or str(error), "check the file and the disk it is on")
    )
    return FileFault(text, where=str(path), remedy=remedy)


def write_atomic(
    path: Path, data: bytes, *, label: str, mode: int = 0o666, check: Callable[[], None] = lambda: None
) -> None:
    """Make `data` the content of `path`, on disk when this returns.

    The permissions of an existing file are kept; a new one gets `mode` less the umask. A link is replaced, not
    followed. `label` names the failpoints; `check` is called at the last moment and may raise. FileFault when it
    cannot be done; the old file is then untouched.
    """
    temporary = temporary_beside(path)
    try:
        _fill(temporary, data, _mode_of(path), mode, label)
        reach(f"{label}.before_rename")
        check()
        temporary.replace(path)
        reach(f"{label}.after_rename")
        sync_folder(path.parent)
    except OSError as error:
        raise fault_of(error, path) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def publish(part: Path, final: Path, *, label: str) -> None:
    """Give the finished file `part` its name `final`, on disk when this returns. What has a name keeps it:
    FileFault when `final` exists (then `part` stays) or when the system refuses.
    """
    try:
        reach(f"{label}.before_sync")
        with part.open("rb+") as file:
            _sync(file)
        reach(f"{label}.before_rename")
        _name_once(part, final, label)
        reach(f"{label}.after_rename")
        sync_folder(final.parent)
    except FileExistsError as error:
        raise FileFault(
            "a file of this name exists, and takes are never overwritten",
            where=str(final),
            remedy="render again: the next free number is used",
        ) from error
    except OSError as error:
        raise fault_of(error, final) from error


def replace_with(part: Path, final: Path) -> None:
    """Give the finished file `part` the name `final` in place of what had it, on disk when this returns."""
    try:
        with part.open("rb+") as file:
            _sync(file)
        part.replace(final)
        sync_folder(final.parent)
    except OSError as error:
        raise fault_of(error, final) from error


def temporary_beside(path: Path) -> Path:
    """A fresh hidden name in the folder of `path` that says which process made it."""
    return path.with_name(f".rushes-{alive.mark()}-{next(_counter)}.tmp")


def tidy(folder: Path) -> list[Path]:
    """Remove the temporary files that ended processes of this machine left in `folder`; returns them."""
    return _remove(entry for entry in _files(folder) if _is_leftover(entry))


_PARTS = (".part", ".part.tags")


def tidy_parts(folder: Path) -> list[Path]:
    """Remove every `.part`, the tags an encoder keeps beside it, and what ended processes left, in `folder` and
    one level below. Only for who holds the film's render lock: nobody else writes takes then."""
    try:
        with os.scandir(folder) as entries:
            below = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    files = (file for place in (folder, *below) for file in _files(place))
    return _remove(file for file in files if file.name.endswith(_PARTS) or _is_leftover(file))


def sync_folder(folder: Path) -> None:
    """Make names in `folder` durable. Windows and some network disks have no way to ask for it."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def _fill(temporary: Path, data: bytes, old_mode: int | None, mode: int, label: str) -> None:
    reach(f"{label}.before_write")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(temporary, flags, mode if old_mode is None else old_mode), "wb") as file:
        half = len(data) // 2
        file.write(data[:half])
        file.flush()
        reach(f"{label}.half_written")
        file.write(data[half:])
        _sync(file)
    if old_mode is not None:
        temporary.chmod(old_mode)


def _mode_of(path: Path) -> int | None:
    try:
        found = path.stat().st_mode & 0o777
    except FileNotFoundError:
        return None
    if not os.access(path, os.W_OK):  # a rename would replace a file that somebody has made read-only
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return found


def _sync(file: BinaryIO) -> None:
    file.flush()
    if sys.platform == "darwin":
        # fsync leaves the data in the drive's own memory there; a network disk may not know the stronger form.
        with suppress(OSError):
            fcntl.fcntl(file.fileno(), fcntl.F_FULLFSYNC)
    os.fsync(file.fileno())


def _name_once(part: Path, final: Path, label: str) -> None:
    """A rename that refuses an existing name. `os.rename` replaces it on POSIX, so a second link is made."""
    try:
        os.link(part, final)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # exFAT and some network disks know no links: the render lock keeps our own processes out meanwhile.
        if final.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final)) from error
        part.rename(final)
        return
    reach(f"{label}.linked")
    part.unlink()


def _is_leftover(file: Path) -> bool:
    found = _TEMPORARY.fullmatch(file.name)
    return found is not None and alive.is_gone(found[1])


def _files(folder: Path) -> list[Path]:
    """Files and links that look unfinished. Folders of takes hold thousands of others."""
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.name.endswith((*_PARTS, ".tmp"))]
            return [Path(entry.path) for entry in found if not entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _remove(files: Iterable[Path]) -> list[Path]:
    removed = []
    for file in files:
        with suppress(OSError):
            file.unlink()
            removed.append(file)
    return removed
