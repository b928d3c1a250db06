"""The child process that links this Blender to the daemon: lines out, lines in, and never a wait.

It is `rushes client --pipe`; docs/protocol.md says what the lines are. A child that dies is started again, later
and later. No thread: Blender does not bear any. Standard library only.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from ..texts import printable
from .pipe_ends import Ends, ends_of

CHUNK = 1 << 18
"""Bytes read at once."""

MOST_LINE = 64 << 20
"""Bytes of a line. A longer one is thrown away: no message of the daemon comes near. A child that goes on with it
as long again is given up."""

PAUSES_S = (0.2, 1.0, 3.0, 10.0, 30.0)
"""Between the death of a child and the next one, when it died again and again."""

STEADY_S = 20.0
"""A child that lived so long has not died at its start."""

GOODBYE_S = 1.0
"""A child that was told to end and has not done so by then is killed."""

_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""On Windows. There, as with a session of its own elsewhere, Ctrl-C in Blender's terminal is not for the child."""

BREATH_S = 0.5
"""A child that says nothing for so long in the middle of a line is not waited for: the rest may never come."""

_NAP_S = 0.0005
_TAIL = 2000


class CannotStart(Exception):
    """There is no program to start. `text` says why, `remedy` what helps."""

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


class Pipe:
    """Lines to and from a child that runs `command`, started by the first `look_after`."""

    def __init__(self, command: list[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.children = 0
        self.why = ""
        self._command = command
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._ends: Ends | None = None
        self._errors: IO[bytes] | None = None
        self._lines: deque[bytes] = deque()
        self._part: list[bytes] = []
        self._part_size = 0
        self._is_too_long = False
        self._unwritten: deque[memoryview] = deque()
        self._started = self._due = self._heard = self._clock()
        self._deaths = 0

    @property
    def is_up(self) -> bool:
        """Whether there is a child, as far as is known: its last lines may not be read yet."""
        return self._process is not None

    @property
    def is_writing(self) -> bool:
        """Whether lines wait for the child to take them."""
        return bool(self._unwritten)

    def look_after(self, until: float) -> None:
        """Write what waits, not past `until`. See whether the child has died, and start the next one when it is
        time."""
        if self._process is None:
            if self._clock() >= self._due:
                self._start()
            return
        while not self._write() and self._clock() < until:
            time.sleep(_NAP_S)
        if self._process.poll() is not None and not self._lines and not self._read():
            self._bury(self._last_words(self._process.returncode))

    def next_line(self, until: float) -> bytes | None:
        """A line without its end; None while there is none. In the middle of a line it waits for the rest, but not
        past `until`: a long one comes in pieces of what the system's pipe holds."""
        while not self._lines:
            if not self._read():
                if not self._is_talking() or self._clock() >= until:
                    return None
                time.sleep(_NAP_S)
            elif self._clock() >= until:
                break
        return self._lines.popleft() if self._lines else None

    def send(self, line: bytes) -> None:
        """Hand a line on, its end included. What the child does not take now it gets by `look_after`; what it has
        not taken when it dies is lost."""
        if self._process is not None:
            self._unwritten.append(memoryview(line))
            self._write()

    def give_up(self, why: str) -> None:
        """Kill the child: what it says cannot be understood. The next one is started when it is time."""
        if self._process is not None:
            self._process.kill()
            self._bury(printable(why))

    def close(self) -> None:
        """Let the child end: its stdin is closed. Waits for that a moment, then kills it."""
        if self._process is None:
            return
        process = self._process
        self._close_ends()
        try:
            process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._forget()
        self._due = float("inf")

    # -- the child -------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._started = self._clock()
        self.children += 1
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the child)
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
                env=_environment(),
                start_new_session=True,
                creationflags=_NO_WINDOW,
            )
        except (OSError, ValueError) as error:
            self.why = printable(f"{self._command[0]} cannot be started: {error}")
            self._wait_longer()
            self._forget()
            return
        self._ends = ends_of(self._process)

    def _bury(self, why: str) -> None:
        """The child is dead, or dies now, and nothing more that it said counts."""
        assert self._process is not None
        self._process.wait()
        self.why = why
        self._wait_longer()
        self._close_ends()
        self._forget()

    def _wait_longer(self) -> None:
        now = self._clock()
        self._deaths = 0 if now - self._started >= STEADY_S else self._deaths
        self._due = now + PAUSES_S[min(self._deaths, len(PAUSES_S) - 1)]
        self._deaths += 1

    def _last_words(self, code: int) -> str:
        assert self._errors is not None
        said = ""
        with suppress(OSError, ValueError):
            self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - _TAIL))
            said = self._errors.read().decode("utf-8", "replace").strip()
        last = said.splitlines()[-1] if said else "it said nothing"
        return printable(f"the link ended with {code}: {last}")

    def _close_ends(self) -> None:
        """Its stdin first: that is how it is told to end."""
        if self._process is not None:
            for stream in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    if stream is not None:
                        stream.close()

    def _forget(self) -> None:
        if self._errors is not None:
            self._errors.close()
        self._process = self._ends = self._errors = None
        self._lines.clear()
        self._unwritten.clear()
        self._part, self._part_size, self._is_too_long = [], 0, False

    # -- bytes -----------------------------------------------------------------------------------------------

    def _read(self) -> bool:
        """Take what is there, up to one chunk; whether there was any. The end of the stream ends the child: it may
        still run, but says no more."""
        if self._ends is None or self._process is None:
            return False
        data = self._ends.read(CHUNK)
        if data is None:
            return False
        if not data:
            if self._process.poll() is None:
                self._process.kill()
            return False
        self._heard = self._clock()
        *whole, rest = data.split(b"\n")
        for each in whole:
            self._end_line(each)
        self._add(rest)
        if self._part_size > 2 * MOST_LINE:
            self.give_up("the program that was started is not Rushes: its lines have no end")
        return True

    def _is_talking(self) -> bool:
        """Whether it is in the middle of a line, of which more has come just now."""
        return self._process is not None and bool(self._part) and self._clock() - self._heard < BREATH_S

    def _end_line(self, last: bytes) -> None:
        self._add(last)
        if not self._is_too_long:
            self._lines.append(b"".join(self._part))
        self._part, self._part_size, self._is_too_long = [], 0, False

    def _add(self, part: bytes) -> None:
        if not part:
            return
        self._part_size += len(part)
        if self._part_size > MOST_LINE:
            self._part, self._is_too_long = [], True
        else:
            self._part.append(part)

    def _write(self) -> bool:
        """As much as the child takes now; whether that was all."""
        while self._unwritten and self._ends is not None:
            written = self._ends.write(self._unwritten[0])
            if written is None:
                return False
            if written < len(self._unwritten[0]):
                self._unwritten[0] = self._unwritten[0][written:]
            else:
                self._unwritten.popleft()
        return True


def _environment() -> dict[str, str]:
    """Ours, without what Blender's own Python needs and another one breaks on."""
    ours = ("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")
    return {name: value for name, value in os.environ.items() if name not in ours}
