"""A limited child as its parent sees it: started clean, heard with patience, believed nothing, gone after."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import msgspec

from rushes.limited.environment import clean_environment
from rushes.limited.tasks import MAX_HEAD, Answer, End, Fault, Limits, Order, Part, Task
from rushes.media.process import widen
from rushes_otio.errors import BadRequest, FileFault, MediaFault, RushesError, ShotFault
from rushes_otio.text import printable

REAP_S = 1.5
"""Seconds to wait for a child that ends or was killed. Longer means the kernel holds it."""

GIB = 1 << 30

_COMMAND = (sys.executable, "-P", "-B", "-m", "rushes.limited.child")

# One thread for sums that nobody does, and few heaps: on a machine of many cores both reserve much address space.
_SPARING = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}

_ERRORS: dict[str, type[RushesError]] = {e.__name__: e for e in (FileFault, BadRequest, ShotFault, MediaFault)}

_answer: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


def parts(task: Task, limits: Limits) -> Generator[tuple[Part, bytearray], None, None]:
    """What a limited child answers to `task`, part by part. It is never far ahead: it waits for the pipe.

    The errors of the task are raised here as they are. A child that goes over a limit, or dies, is the task's
    `fault`. Closing this kills the child; on Linux so does the end of the thread that took the first part.
    """
    child = _Child(task, limits)
    try:
        patience = limits.silence + _size(task.path) / limits.pace
        while (answer := child.answer(patience)) is not None:
            yield answer
            patience = limits.silence
    finally:
        child.end()


class _Child:
    """Started by its making; `end` must be called."""

    def __init__(self, task: Task, limits: Limits) -> None:
        self._task = task
        self._limits = limits
        self._waited = 0.0  # seconds after which it was killed
        order = self._order()
        pipe = subprocess.PIPE
        environment = clean_environment() | _SPARING
        try:
            self._process = subprocess.Popen(_COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
        except OSError as error:
            raise self._fault(f"no process could be started that reads it: {error.strerror}") from error
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._answers, self._words = self._process.stdout, self._process.stderr
        widen(self._answers)
        with contextlib.suppress(OSError), self._process.stdin as orders:  # if it has ended, its answer will tell
            orders.write(order)

    def answer(self, patience: float) -> tuple[Part, bytearray] | None:
        """The next part and its bytes, None after the last."""
        watch = threading.Timer(patience, self._lose_patience, [patience])
        watch.daemon = True
        watch.start()
        try:
            return self._answer()
        finally:
            watch.cancel()

    def end(self) -> None:
        """Kill it, where it still runs, and let go of it."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(REAP_S)
        self._answers.close()
        self._words.close()

    def _order(self) -> bytes:
        try:
            return msgspec.json.encode(Order(self._task, self._limits, os.getpid())) + b"\n"
        except UnicodeEncodeError:  # copied from a system with another code page
            where = printable(self._task.path, 4096)
            raise self._task.fault("its name is not UTF-8", where=where, remedy="rename the file") from None

    def _answer(self) -> tuple[Part, bytearray] | None:
        head = self._head()
        if isinstance(head, End):
            return None
        if isinstance(head, Fault):
            raise self._told(head)
        body = bytearray(head.size)
        if self._answers.readinto(body) != head.size:  # type: ignore[attr-defined]
            raise self._fault(self._why())
        return head, body

    def _head(self) -> Answer:
        line = self._answers.readline(MAX_HEAD)
        if not line.endswith(b"\n"):
            raise self._fault(self._why())
        try:
            return _answer.decode(line)
        except msgspec.DecodeError as error:
            raise self._fault("the process that read it said something else than an answer") from error

    def _lose_patience(self, patience: float) -> None:
        self._waited = patience
        self._process.kill()

    def _told(self, fault: Fault) -> RushesError:
        if fault.kind == "memory":
            memory = self._limits.memory / GIB
            return self._fault(f"reading it takes more than {memory:.3g} GiB of memory; that is the limit")
        if fault.kind == "unknown":
            return self._fault(f"reading it failed: {printable(fault.text)}")
        return _ERRORS[fault.kind](fault.text, where=fault.where, remedy=fault.remedy)

    def _why(self) -> str:
        """Why it ended without a last word."""
        try:
            code = self._process.wait(REAP_S)
        except subprocess.TimeoutExpired:
            return "the process that read it is stuck"
        if self._waited:
            return f"reading it gave nothing for {self._waited:.3g} seconds; that is the limit"
        if code >= 0:
            said = printable(self._words.read(4096).decode(errors="replace").strip())
            return f"the process that read it ended with exit code {code}: {said}"
        if code == -signal.SIGXCPU:
            return f"reading it takes more than {self._limits.computing} seconds of computing; that is the limit"
        return f"it made the process that read it crash ({signal.Signals(-code).name})"

    def _fault(self, why: str) -> RushesError:
        name = printable(Path(self._task.path).name)
        return self._task.fault(f"{name} cannot be used: {why}", where=self._task.path, remedy=self._task.remedy)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
