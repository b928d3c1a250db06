"""Real processes for tests: code that runs on its own and may be killed at a failpoint."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from rushes.store.alive import exists


def started(code: str, *args: object, failpoint: str = "") -> subprocess.Popen[str]:
    """A process running `code` with `args`, its three streams piped."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RUSHES_FAILPOINT": failpoint}
    command = [sys.executable, "-c", code, *map(str, args)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit status (negative: killed by that signal), output and errors of a process that is waited for."""
    with process:
        try:
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, output, errors


def run(code: str, *args: object, failpoint: str = "") -> tuple[int, str, str]:
    """`ended(started(…))`."""
    return ended(started(code, *args, failpoint=failpoint))


def all_ended(processes: Iterable[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    """The ends of processes that run side by side."""
    return [ended(process) for process in list(processes)]


def children() -> list[int]:
    """PIDs of the processes that this one has started and that still run, but for the one that `multiprocessing`
    keeps for itself. Linux only."""
    pids: list[int] = []
    for listed in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that has just ended
            pids += map(int, listed.read_text().split())
    return [pid for pid in pids if exists(pid) and b"resource_tracker" not in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
