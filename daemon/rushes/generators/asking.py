"""Asking a program of this machine something, without ever waiting longer than was meant.

A program that hangs in a driver cannot even be killed, so nothing here waits for an end without a limit, as
`subprocess.run` does after its timeout.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from rushes_otio.text import printable

MOST_SAID = 1 << 16
"""Bytes that are read of what a program says."""

_REAP_S = 0.5


class NoAnswer(Exception):
    """The program is there and tells nothing that can be used; str() is why, fit for a person."""


def answer(command: Sequence[str], timeout: float, environment: Mapping[str, str] | None = None) -> str:
    """What `command` says, errors among it. `NoAnswer` where it fails or says nothing for `timeout` seconds."""
    name = Path(command[0]).stem
    process = _started(command, environment)
    answers: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(process, answers), daemon=True).start()
    try:
        said = answers.get(timeout=timeout).decode(errors="replace")
        code = process.wait(timeout=_REAP_S)
    except (Empty, subprocess.TimeoutExpired):
        raise NoAnswer(f"{name} does not answer within {timeout:g} s") from None
    finally:
        _kill(process)
    if code:
        raise NoAnswer(f"{name} ended with code {code}: {first_line(said)}")
    return said


def first_line(said: str) -> str:
    """The first line that is not empty, harmless; "nothing" where there is none."""
    return printable(next((line.strip() for line in said.splitlines() if line.strip()), "nothing"), 200)


def _started(command: Sequence[str], environment: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise NoAnswer(f"{Path(command[0]).stem} does not start: {error.strerror}") from error


def _listen(process: subprocess.Popen[bytes], answers: SimpleQueue[bytes]) -> None:
    assert process.stdout is not None
    with process.stdout as stdout:
        answers.put(stdout.read(MOST_SAID))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Whatever still runs of it, where it can be killed at all."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        if process.poll() is not None:
            return
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=_REAP_S)
