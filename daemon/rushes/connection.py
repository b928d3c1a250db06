"""The connection file: where the daemon can be reached, and the keys to be let in. Written by the daemon when its
sockets are bound, 0600, removed when it ends.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import msgspec

from rushes_otio.errors import Unreachable

LARGEST = 64 << 10


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """Two endpoints as ZeroMQ writes them, and CURVE keys in Z85 (40 characters)."""

    v: int
    daemon: str
    pid: int
    version: str
    commands: str
    events: str
    server_key: str
    client_key: str
    client_secret: str


def default_path() -> Path:
    """Where the user's daemon publishes itself."""
    from rushes.store.places import Places

    return Places.of_user().connection


def read_connection(path: Path) -> Connection:
    """What is published there. Unreachable when there is nothing, or nothing that can be trusted."""
    try:
        return msgspec.json.decode(_read(path), type=Connection)
    except FileNotFoundError:
        raise Unreachable("no daemon runs", remedy="rushes daemon start") from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreachable(
            f"the connection file cannot be used: {error}",
            where=str(path),
            remedy="rushes daemon stop, then rushes daemon start",
        ) from None


def _read(path: Path) -> bytes:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
            raise OSError("it is no connection file")
        if sys.platform != "win32" and (found.st_uid != os.geteuid() or found.st_mode & 0o077):
            raise PermissionError("another user may have written it, or may read its keys")
        return file.read(LARGEST)
