"""The two ends of a child's pipes that are ours, read and written without ever waiting."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import Protocol

_F_SETPIPE_SZ = 1031
_ROOM = 1 << 20
"""What a pipe of Linux is made to hold, in bytes: 64 KiB are little for the state of a feature film."""


class Ends(Protocol):
    """What can be told apart: nothing now (None), the end (empty), and data."""

    def read(self, most: int) -> bytes | None:
        """What the child has said, up to `most` bytes; None when nothing is there now, empty when it says no
        more."""

    def write(self, data: memoryview) -> int | None:
        """How much of it the child's pipe has taken; None when it takes none now. All, when nobody will read
        it."""


class PosixEnds:
    """Of Linux and macOS: file descriptors that do not block."""

    def __init__(self, out: int, into: int) -> None:
        self._out = out
        self._into = into
        for fd in (out, into):
            os.set_blocking(fd, False)
        with suppress(ImportError, OSError):
            import fcntl

            if sys.platform == "linux":
                fcntl.fcntl(out, _F_SETPIPE_SZ, _ROOM)

    def read(self, most: int) -> bytes | None:
        try:
            return os.read(self._out, most)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def write(self, data: memoryview) -> int | None:
        try:
            return os.write(self._into, data)
        except BlockingIOError:
            return None
        except OSError:
            return len(data)


def ends_of(process: subprocess.Popen[bytes]) -> Ends:
    """Those of a child that was started with pipes as stdin and stdout, unbuffered."""
    assert process.stdin is not None
    assert process.stdout is not None
    out, into = process.stdout.fileno(), process.stdin.fileno()
    if sys.platform == "win32":
        from .pipe_windows import WindowsEnds, handle_of, kernel32

        return WindowsEnds(kernel32(), handle_of(out), handle_of(into))
    return PosixEnds(out, into)
