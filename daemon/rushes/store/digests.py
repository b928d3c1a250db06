"""What a file holds, as a digest that is only worked out again when the file may have changed."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path

from rushes.store.db import Database
from rushes.store.durable import fault_of
from rushes.store.places import path_key
from rushes_otio.errors import FileFault

SIZE_LIMIT = 64 * 1024**3
"""Largest file that is read, in bytes (64 GiB)."""

_SETTLED_NS = 2_000_000_000
"""A file younger than this may change again within one tick of its file system's clock (2 s on FAT) and keep its
size and time: it is not remembered. Git calls such an entry racy."""


class FileDigests:
    """sha256 of files' contents, remembered in the database by real path, size, time and inode."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, path: Path) -> str:
        """64 hexadecimal digits. FileFault for what is no readable regular file or is over `SIZE_LIMIT`."""
        key = path_key(path)
        try:
            stamp = _stamp(_checked(path.stat(), path))
            return self._remembered(key, stamp) or self._read(path, key)
        except OSError as error:
            raise fault_of(error, path) from error

    def _remembered(self, key: str, stamp: str) -> str | None:
        rows = self._database.read("SELECT digest FROM digests WHERE path = ? AND stamp = ?", (key, stamp))
        return str(rows[0][0]) if rows else None

    def _read(self, path: Path, key: str) -> str:
        with path.open("rb") as file:
            before = _checked(os.fstat(file.fileno()), path)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            after = os.fstat(file.fileno())
        settled = time.time_ns() - after.st_mtime_ns > _SETTLED_NS
        if settled and _stamp(before) == _stamp(after):
            with self._database.noting() as connection:
                connection.execute("REPLACE INTO digests VALUES (?, ?, ?)", (key, _stamp(after), digest))
        return digest


def _stamp(found: os.stat_result) -> str:
    return f"{found.st_size}:{found.st_mtime_ns}:{found.st_ino}"


def _checked(found: os.stat_result, path: Path) -> os.stat_result:
    if not stat.S_ISREG(found.st_mode):
        raise FileFault("this is not a file", where=str(path), remedy="name a picture, a movie or a LoRA file")
    if found.st_size > SIZE_LIMIT:
        raise FileFault(
            f"the file is over {SIZE_LIMIT // 1024**3} GiB", where=str(path), remedy="use a smaller file"
        )
    return found
