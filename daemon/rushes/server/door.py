"""The daemon's door: two sockets with a lock on each. Whoever has no key, or talks what is no ZeroMQ, never gets
in; what those inside send is checked before it is passed on. Everything refused is counted, and logged once.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import parse_monitor_message

from rushes import protocol
from rushes.server.keys import Keys
from rushes.store.places import Places
from rushes_otio.errors import RushesError

DOMAIN = "rushes"

LONGEST_PATH = 104
"""Bytes of a socket's path on macOS, its end included; Linux has four more."""

_HANDSHAKE_MS = 5_000
_ALIVE_MS = 10_000
_WAITING = 20_000
"""Messages that wait for one peer; what comes after is dropped for that peer, and its numbers tell it so."""

_FAILURES: dict[int, str] = {
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "handshake",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "protocol",
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "key",
}

log = logging.getLogger(__name__)


class AllowList:
    """The keys that are let in. `callback` is what pyzmq's authenticator asks, in its own thread."""

    def __init__(self, keys: set[bytes]) -> None:
        self._keys = keys

    def callback(self, domain: str, key: bytes) -> bool:
        return domain == DOMAIN and key in self._keys


class Door:
    """Bound sockets. `commands` and `events` are where they are."""

    def __init__(self, places: Places, keys: Keys, use_tcp: bool) -> None:
        self.refused: Counter[str] = Counter()
        self._context = zmq.Context()
        try:
            self._guard = _guard(self._context, keys)
            self._commands = self._socket(zmq.ROUTER, keys)
            self._events = self._socket(zmq.XPUB, keys)
            self._monitors = [s.get_monitor_socket(sum(_FAILURES)) for s in (self._commands, self._events)]
            self.commands = _bind(self._commands, places, "commands", use_tcp)
            self.events = _bind(self._events, places, "events", use_tcp)
        except BaseException:
            self.close()
            raise

    def watch(self, poller: zmq.Poller) -> None:
        """Have `poller` wake up when there is something to do here."""
        for socket in (self._commands, self._events, *self._monitors):
            poller.register(socket, zmq.POLLIN)

    def arrivals(self, most: int = 200) -> Iterator[tuple[bytes, bytes]]:
        """Messages that wait, as (who, text), `most` at a time so that answers are not kept waiting."""
        for _ in range(most):
            try:
                frames, count = self._receive()
            except zmq.Again:
                break
            if count == 2:
                yield frames[0], frames[1]
            else:
                self.refuse("frames", f"a message of {count} frames")
        self._count_failures()
        self._drop_subscriptions()

    def _receive(self) -> tuple[list[bytes], int]:
        """The first frames of a message and how many it had: more than the limit are read and thrown away."""
        frames, count = [self._commands.recv(zmq.NOBLOCK)], 1
        while self._commands.rcvmore:
            frame = self._commands.recv(zmq.NOBLOCK)
            count += 1
            if count <= protocol.MAX_FRAMES:
                frames.append(frame)
        return frames, count

    def answer(self, who: bytes, text: bytes) -> None:
        """To one peer; dropped where it is gone or takes nothing."""
        try:
            self._commands.send_multipart((who, text), zmq.NOBLOCK)
        except zmq.ZMQError:
            self.refuse("silent", "a client that takes no answers")

    def publish(self, topic: bytes, text: bytes) -> None:
        """To whoever follows the topic. Who is too slow misses it, and sees so by its number."""
        self._events.send_multipart((topic, text), zmq.NOBLOCK)

    def refuse(self, kind: str, what: str) -> None:
        """Count it; the first of each kind is logged."""
        self.refused[kind] += 1
        if self.refused[kind] == 1:
            log.warning("refused %s; more of the kind are only counted", what)

    def _count_failures(self) -> None:
        for monitor in self._monitors:
            while monitor.poll(0):
                event = parse_monitor_message(monitor.recv_multipart(zmq.NOBLOCK))
                kind = _FAILURES.get(int(event["event"]), "handshake")
                self.refuse(kind, f"a connection at the handshake ({kind})")

    def _drop_subscriptions(self) -> None:
        """ZeroMQ keeps the subscriptions; it only wants the news of them to be read."""
        while self._events.poll(0):
            self._events.recv_multipart(zmq.NOBLOCK)

    def _socket(self, kind: int, keys: Keys) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.linger = 300
        socket.curve_server = True
        socket.curve_publickey = keys.server_public.encode()
        socket.curve_secretkey = keys.server_secret.encode()
        # Without the domain enforced, libzmq lets everybody in once the handler is gone.
        socket.zap_domain = DOMAIN.encode()
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        socket.maxmsgsize = protocol.MAX_FRAME
        socket.handshake_ivl = _HANDSHAKE_MS
        socket.heartbeat_ivl = _ALIVE_MS
        socket.heartbeat_timeout = _ALIVE_MS * 3
        socket.sndhwm = socket.rcvhwm = _WAITING
        return socket

    def close(self) -> None:
        """Send what waits, for a moment, and unbind."""
        for monitored in ("_commands", "_events"):
            if hasattr(self, monitored):
                getattr(self, monitored).disable_monitor()
        if hasattr(self, "_guard"):
            self._guard.stop()
        self._context.destroy(linger=300)


def _guard(context: zmq.Context[zmq.Socket[bytes]], keys: Keys) -> ThreadAuthenticator:
    """Answers libzmq's question whether a key may come in. When it is gone, nobody may."""
    quiet = logging.getLogger("rushes.zap")
    quiet.setLevel(logging.CRITICAL)  # it would write a line for every attempt
    guard = ThreadAuthenticator(context, log=quiet)
    guard.start()
    guard.configure_curve_callback(DOMAIN, AllowList({keys.client_public.encode()}))
    return guard


def _bind(socket: zmq.Socket[bytes], places: Places, name: str, use_tcp: bool) -> str:
    if use_tcp or sys.platform == "win32":
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        return f"tcp://127.0.0.1:{port}"
    path = places.sockets() / f"{name}.sock"
    if len(os.fsencode(path)) >= LONGEST_PATH:
        raise RushesError(
            f"a socket's path has {LONGEST_PATH - 1} bytes at most",
            where=str(path),
            remedy="set XDG_RUNTIME_DIR to a shorter folder, or start with: rushes daemon start --tcp",
        )
    Path(path).unlink(missing_ok=True)  # of a daemon that was killed: the lock says that none runs
    socket.bind(f"ipc://{path}")
    return f"ipc://{path}"
