"""Real daemons for tests: processes of their own, over real sockets, in the test's own user folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rushes import starting
from rushes.client import Client
from rushes.connection import read_connection
from rushes.messages import events
from rushes.messages.base import Body
from rushes.store.places import Places


def connection() -> Path:
    return Places.of_user().connection


def pid() -> int:
    return read_connection(connection()).pid


@contextmanager
def daemon(*options: str, failpoint: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A daemon that is there; killed at the end with its workers, if it still runs."""
    process = start(*options, failpoint=failpoint)
    try:
        yield process
    finally:
        stop()
        process.kill()
        process.wait()


def start(*options: str, failpoint: str = "") -> subprocess.Popen[bytes]:
    """Start one, and wait until it answers, or has died at its failpoint."""
    os.environ["RUSHES_FAILPOINT"] = failpoint
    try:
        process = starting.start(connection().parent, *options)
    finally:
        del os.environ["RUSHES_FAILPOINT"]
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        if starting.is_running(connection()) and pid() == process.pid:
            return process
        time.sleep(0.02)
    return process


def stop() -> None:
    """End whatever daemon runs for this test, also one that a command has started."""
    if starting.is_running(connection()):
        found = pid()
        try:
            starting.stop(connection())
        except Exception:
            os.kill(found, signal.SIGKILL)
            raise


def client(name: str = "test") -> Client:
    return starting.linked(connection(), name)


def wait(clients: Client, until: Callable[[Body], bool], seconds: float = 30.0) -> list[Body]:
    """Everything heard up to the first that fits."""
    heard: list[Body] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        heard += [told.body for told in clients.poll(0.2)]
        if any(until(body) for body in heard):
            return heard
    raise AssertionError(f"not heard in {seconds} s; heard: {[type(body).__name__ for body in heard]}")


def is_ready(shot: str = "") -> Callable[[Body], bool]:
    return lambda body: isinstance(body, events.Ready) and body.name.endswith(shot)


def cli(*args: object, **environment: str) -> subprocess.Popen[str]:
    """A command in a process of its own, through the daemon."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    command = [sys.executable, "-m", "rushes.cli.main", *map(str, args)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def workers() -> list[int]:
    """Worker processes of this test that run."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"rushes.worker.main" in (entry / "cmdline").read_bytes():
                if os.environ["XDG_STATE_HOME"].encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        except OSError:
            continue
    return found
