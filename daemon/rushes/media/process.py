"""Running ffmpeg: no shell, never stuck on its own messages, gone when its owner is done with it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from queue import SimpleQueue
from typing import IO

from rushes_otio.errors import MediaFault
from rushes_otio.text import printable

_TAIL_LINES = 6
_LAST_WORDS_SECONDS = 5
_PIPE_BYTES = 1 << 20
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ, which `fcntl` names on Linux only


def run(command: Sequence[str], timeout: float = 60) -> bytes:
    """Run a command that is fed nothing; its standard output. MediaFault when it fails or takes too long."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise _fault(f"ffmpeg did not run: {type(fault).__name__}", []) from fault
    if done.returncode:
        raise _fault(f"ffmpeg ended with code {done.returncode}", done.stderr.splitlines())
    return done.stdout


class Feed:
    """A running ffmpeg that is fed through standard input. Threads read what it says and, in pieces of
    `output_chunk` bytes, what it makes, so it never waits for its reader; its last messages are in the error.

    `output` gives the pieces, then an empty one. It grows while nobody takes them.
    """

    def __init__(self, command: Sequence[str], *, output_chunk: int = 0) -> None:
        pipe = subprocess.PIPE
        out = pipe if output_chunk else subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(command, stdin=pipe, stdout=out, stderr=pipe)
        except OSError as fault:
            raise _fault(f"ffmpeg did not start: {fault.strerror}", []) from fault
        assert self._process.stdin is not None
        self._stdin = self._process.stdin
        self._tail: deque[bytes] = deque(maxlen=_TAIL_LINES)
        self.output: SimpleQueue[bytes] = SimpleQueue()
        self._readers = [threading.Thread(target=self._listen, daemon=True)]
        if output_chunk:
            self._readers.append(threading.Thread(target=self._collect, args=(output_chunk,), daemon=True))
        for reader in self._readers:
            reader.start()
        widen(self._stdin)

    @property
    def pid(self) -> int:
        return self._process.pid

    def _listen(self) -> None:
        assert self._process.stderr is not None
        self._tail.extend(self._process.stderr)

    def _collect(self, size: int) -> None:
        assert self._process.stdout is not None
        while len(piece := self._process.stdout.read(size)) == size:
            self.output.put(piece)
        self.output.put(b"")

    def write(self, data: memoryview) -> None:
        """All of `data`; blocks while ffmpeg is busy. MediaFault when it has ended."""
        try:
            self._stdin.write(data)
        except OSError as broken:
            raise self._ended() from broken

    def end_input(self) -> None:
        """Tell ffmpeg that nothing more comes."""
        try:
            self._stdin.close()
        except OSError as broken:
            raise self._ended() from broken

    def finish(self) -> None:
        """End the input and wait until ffmpeg is done. MediaFault when it failed."""
        self.end_input()
        if self._process.wait():
            raise self._ended()
        self._release()

    def kill(self) -> None:
        """End ffmpeg at once; nothing it leaves behind is removed. Harmless when it has ended."""
        self._process.kill()
        self._process.wait()
        self._release()

    def _ended(self) -> MediaFault:
        with contextlib.suppress(subprocess.TimeoutExpired):  # time to say why and to end with its own code
            self._process.wait(_LAST_WORDS_SECONDS)
        self.kill()
        return _fault(f"ffmpeg ended with code {self._process.returncode}", list(self._tail))

    def _release(self) -> None:
        for reader in self._readers:
            reader.join()
        for stream in (self._stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):  # what was still in the buffer of a broken pipe
                if stream is not None:
                    stream.close()


def widen(pipe: IO[bytes]) -> None:
    """Give Linux pipes 1 MiB: the default of 64 KiB halves the speed of raw frames (measured)."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):  # the user's pipe allowance is spent; it works without
            fcntl.fcntl(pipe.fileno(), _SET_PIPE_SIZE, _PIPE_BYTES)


def _fault(text: str, lines: Sequence[bytes]) -> MediaFault:
    said = " / ".join(printable(line.decode(errors="replace").strip()) for line in lines[-_TAIL_LINES:])
    return MediaFault(
        f"{text}: {said}" if said else text,
        remedy="see whether the disk is full; `rushes doctor` says whether ffmpeg works",
    )
