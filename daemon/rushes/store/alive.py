"""Which process made a file, and whether that process is certainly gone."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path

MARK = r"[0-9a-f]{6}-\d+-\d+"
"""Pattern of a mark: machine, PID, start of the process."""


def mark() -> str:
    """A name for this process that no other process has, now or later, on any machine sharing the folder."""
    return f"{_machine()}-{os.getpid()}-{_start(os.getpid())}"


def is_gone(made_by: str) -> bool:
    """Whether the process of that mark has ended. False when it cannot be known: another machine's, no mark."""
    if not re.fullmatch(MARK, made_by):
        return False
    machine, pid, start = made_by.split("-")
    if machine != _machine():
        return False
    return not exists(int(pid)) or _start(int(pid)) != int(start)


def _machine() -> str:
    """Films lie on shared folders, where another machine's PIDs mean nothing here."""
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return hashlib.sha256(name.encode()).hexdigest()[:6]


def _start(pid: int) -> int:
    """When the process began, in clock ticks since boot: PIDs are used again. 0 where there is no /proc."""
    try:
        # The second field is the program's name in parentheses and may hold spaces and parentheses itself.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[19])
    except (OSError, IndexError, ValueError):
        return 0


def exists(pid: int) -> bool:
    """Whether a process with this PID runs on this machine. One that has ended does not, though its parent may not
    have heard of it yet."""
    if sys.platform == "win32":
        # os.kill(pid, 0) would end the process there.
        import ctypes

        query_limited_information = 0x1000
        handle = ctypes.windll.kernel32.OpenProcess(query_limited_information, False, pid)
        return bool(handle and ctypes.windll.kernel32.CloseHandle(handle))
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return not _has_ended(pid)


def _has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z"
    except (OSError, IndexError):
        return False
