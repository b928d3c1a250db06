"""The link of a host: the daemon's messages as JSON lines, commands on stdin, answers and events on stdout.

    python -m rushes.pipe        or        rushes client --pipe

A line in is {"id": …, "body": {"type": …}}; a line out is a message as it came over the wire. A `snapshot` makes
the pipe follow that film, `leave` ends that. The daemon is started when it is needed. The pipe leaves when its
stdin closes or its parent dies.
"""

from __future__ import annotations

import os
import queue
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from rushes import protocol
from rushes.client import Client
from rushes.connection import default_path
from rushes.messages import commands, events
from rushes.messages.answers import Answers, Error
from rushes.messages.faults import error_of
from rushes.protocol import Told, new_id
from rushes.starting import linked
from rushes_otio.errors import RushesError, Unreachable

BETWEEN_TRIES_S = 5.0
"""How often a daemon that is gone is looked for, and started."""

_LOOK_S = 1.0

Line = bytes | None
"""None: stdin was closed."""


class _Host(msgspec.Struct):
    """A line of the host. What else a message has it may leave out."""

    body: commands.Commands
    id: str = ""


class _Named(msgspec.Struct):
    id: str = ""


class Pipe:
    """Passes messages on until the host is gone."""

    def __init__(self, connection: Path, lines: BinaryIO, out: BinaryIO) -> None:
        self._connection = connection
        self._lines = lines
        self._out = out
        self._read: queue.SimpleQueue[Line] = queue.SimpleQueue()
        self._bell, self._ring = socket.socketpair()
        self._client: Client | None = None
        self._is_lost = True
        self._tried = float("-inf")
        self._parent = os.getppid() if hasattr(os, "getppid") else 0

    def run(self) -> None:
        """Until stdin closes, stdout breaks, or the parent is gone."""
        threading.Thread(target=self._listen, name="stdin", daemon=True).start()
        self._link()
        self._tried = float("-inf")
        with suppress(BrokenPipeError):
            while self._turn():
                pass
        if self._client is not None:
            self._client.close()

    def _turn(self) -> bool:
        """Pass on what there is; whether to go on."""
        if self._is_lost and time.monotonic() - self._tried >= BETWEEN_TRIES_S:
            self._link()
        self._hear()
        while not self._read.empty():
            line = self._read.get()
            if line is None:
                return False
            self._pass_on(line)
        return not hasattr(os, "getppid") or os.getppid() == self._parent

    def _hear(self) -> None:
        """Wait a moment for the daemon or the host, and pass on what the daemon says."""
        if self._client is None:
            self._bell.settimeout(_LOOK_S)
        else:
            for told in self._client.poll(_LOOK_S):
                self._say(told)
                if isinstance(told.body, events.Linked | events.Unlinked):
                    self._is_lost = isinstance(told.body, events.Unlinked)
            self._bell.settimeout(0.0)
        with suppress(BlockingIOError, TimeoutError):
            self._bell.recv(4096)

    def _link(self) -> None:
        """Find the daemon, or start it: a client that has lost it finds the new one by itself, and what it missed.
        Without one the host is told why, and it is tried again."""
        self._tried = time.monotonic()
        try:
            found = linked(self._connection, "pipe")
        except Unreachable as error:
            self._tell(events.Unlinked(why=f"{error.text}; {error.remedy}"))
            return
        self._is_lost = False
        if self._client is None:
            self._client = found
            found.wake_on(self._bell.fileno())
        else:
            found.close()

    # -- the host --------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Lines of the host, in a thread: where stdin cannot be polled this is the only way."""
        with suppress(OSError, ValueError):
            while line := self._lines.readline(protocol.MAX_FRAME + 1):
                self._read.put(line)
                self._ring.send(b".")
        self._read.put(None)
        with suppress(OSError):
            self._ring.send(b".")

    def _pass_on(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            asked = msgspec.json.decode(line, type=_Host)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            remedy = "write one message a line, as docs/protocol.md says"
            self._tell(Error(kind="protocol", text=f"no command: {error}", remedy=remedy), _id_in(line))
            return
        id_ = asked.id or new_id()
        try:
            if self._client is None:
                raise Unreachable("no daemon runs, and none can be started", remedy="rushes daemon start")
            self._ask(self._client, asked.body, id_)
        except RushesError as error:
            self._tell(error_of(error), id_)

    def _ask(self, client: Client, command: commands.Commands, id_: str) -> None:
        match command:
            case commands.Snapshot():
                client.follow(command.film, id_)
            case commands.Leave():
                client.unfollow(command.film)
                client.send(command, id_)
            case _:
                client.send(command, id_)

    def _tell(self, body: Answers | events.Unlinked, parent: str = "") -> None:
        self._say(Told(v=protocol.VERSION, id=new_id(), session="pipe", parent=parent, body=body))

    def _say(self, told: Told) -> None:
        self._out.write(protocol.encode(told) + b"\n")
        self._out.flush()


def _id_in(line: bytes) -> str:
    try:
        return msgspec.json.decode(line, type=_Named).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def main() -> None:
    """Serve the host on this process's stdin and stdout."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no message
    Pipe(default_path(), sys.stdin.buffer, out).run()
    os._exit(0)  # the thread that reads stdin may hang there


if __name__ == "__main__":
    main()
