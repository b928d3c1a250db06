"""One worker process from its start to its end: its pipes, its last words, its certain death."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from rushes_otio.text import printable

REAP_S = 1.5
"""Seconds to wait for a killed process. Longer means the kernel holds it; nobody can do more."""

OnLine = Callable[["Child", bytes], None]
OnEnd = Callable[["Child", str], None]


class Child:
    """Starts `command` in a session of its own and calls, in one thread of its own, `on_line(child, line)` for
    each line it says and `on_end(child, why)` once, when nothing of it is left.

    That thread also starts the process and outlives it, because Linux ties a child's death signal to the
    thread that started it. Lines longer than `limit` bytes arrive cut, without a line end.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        limit: int,
        on_line: OnLine,
        on_end: OnEnd,
    ) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._limit = limit
        self._on_line = on_line
        self._on_end = on_end
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._words: deque[str] = deque(maxlen=40)
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._reaped = False
        self._lock = threading.Lock()
        self._keeper = threading.Thread(target=self._keep, name="worker-keeper", daemon=True)
        self._keeper.start()

    def send(self, raw: bytes) -> None:
        """Queue `raw` for its stdin. Never blocks, even where the process reads nothing."""
        self._outbox.put(raw)

    def kill(self) -> None:
        """Kill it and every process it started, now. Safe at any time, also before it runs."""
        with self._lock:
            self._killed = True
            if self._process is not None and not self._reaped:
                _kill_group(self._process)

    def join(self, timeout: float) -> None:
        """Wait until `on_end` has returned, at most `timeout` seconds."""
        self._keeper.join(timeout)

    def _keep(self) -> None:
        try:
            process = self._start()
        except OSError as error:
            self._on_end(self, f"it could not be started: {error}")
            return
        helpers = [
            threading.Thread(target=self._write, args=(process.stdin,), name="worker-stdin", daemon=True),
            threading.Thread(target=self._listen, args=(process.stderr,), name="worker-stderr", daemon=True),
        ]
        for helper in helpers:
            helper.start()
        try:
            self._read(process.stdout)
        finally:
            code = self._reap(process)
            for helper in helpers:
                helper.join(0.5)
            self._on_end(self, _why(code) + self._last_words())

    def _start(self) -> subprocess.Popen[bytes]:
        """Start it; a kill that came before is made up for."""
        process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with self._lock:
            self._process = process
            if self._killed:
                _kill_group(process)
        return process

    def _read(self, stdout: IO[bytes] | None) -> None:
        if stdout is None:
            return
        with stdout:
            while raw := stdout.readline(self._limit):
                self._on_line(self, raw)

    def _write(self, stdin: IO[bytes] | None) -> None:
        try:
            while stdin is not None and (raw := self._outbox.get()) is not None:
                stdin.write(raw)
                stdin.flush()
        except OSError:
            return  # the process is gone; its keeper knows
        finally:
            with contextlib.suppress(OSError):
                if stdin is not None:
                    stdin.close()

    def _listen(self, stderr: IO[bytes] | None) -> None:
        if stderr is None:
            return
        with stderr:
            while raw := stderr.readline(4096):
                text = raw.decode("utf-8", "replace").strip()
                if text:
                    self._words.append(text)

    def _last_words(self) -> str:
        """The end of its stderr, harmless and on one line; it may quote a film."""
        said = " | ".join(list(self._words))[-2000:]
        return f": {printable(said, 2000)}" if said else ""

    def _reap(self, process: subprocess.Popen[bytes]) -> int | None:
        """Kill what is left of the group while the leader's PID is still ours, then collect the leader."""
        with self._lock:
            _kill_group(process)
            self._reaped = True
        self._outbox.put(None)
        try:
            return process.wait(REAP_S)
        except subprocess.TimeoutExpired:
            return None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the session of `process`; where there are no sessions, to the process: its children end
    when their pipes close."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _why(code: int | None) -> str:
    if code is None:
        return "it was killed and does not end"
    if code >= 0:
        return f"it ended with exit code {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was ended by signal {-code}"
