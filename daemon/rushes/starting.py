"""Starting the daemon, and ending it: for commands, and for the pipe of a host."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import rushes
import rushes_otio
from rushes.client import Client
from rushes.connection import read_connection
from rushes.messages import commands
from rushes.store.alive import exists
from rushes_otio.errors import Unreachable
from rushes_otio.text import printable

START_S = 10.0
STOP_S = 15.0

_started: list[subprocess.Popen[bytes]] = []
"""Daemons that this process started: it hears of their end, and lets them go on after its own."""

_POLL_S = 0.02
_LAST_WORDS = 600


def is_running(connection: Path) -> bool:
    """Whether a daemon is published there whose process lives."""
    try:
        return exists(read_connection(connection).pid)
    except Unreachable:
        return False


def linked(connection: Path, name: str) -> Client:
    """A client of the daemon that runs, or of one that is started now. Unreachable, with the daemon's last words,
    when none answers within ten seconds."""
    deadline = time.monotonic() + START_S
    process = None if is_running(connection) else start(connection.parent)
    while True:
        with contextlib.suppress(Unreachable):
            client = Client(connection, name)
            if _answers(client, deadline):
                return client
            client.close()
        if time.monotonic() >= deadline:
            raise Unreachable("the daemon does not start", remedy=_remedy(connection.parent))
        if process is not None and process.poll() is not None and not is_running(connection):
            said = _last_words(connection.parent)
            raise Unreachable(f"the daemon does not start: {said}", remedy=_remedy(connection.parent))
        time.sleep(_POLL_S)


def start(state: Path, *options: str) -> subprocess.Popen[bytes]:
    """A daemon, on its own from here on: it outlives this process and its terminal. One that runs already lets
    this one end."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _words(state).open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "rushes.server.main", *options],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            cwd=state,
            env={**os.environ, **_sources()},
            start_new_session=True,
        )
    _forget_ended()
    _started.append(process)
    return process


def _forget_ended() -> None:
    _started[:] = [one for one in _started if one.poll() is None]


def stop(connection: Path) -> int | None:
    """Have the daemon end, and wait for it: its PID, or None when none ran. Unreachable when it stays."""
    if not is_running(connection):
        return None
    pid = read_connection(connection).pid
    with contextlib.suppress(Unreachable), Client(connection, "stop") as client:
        client.ask(commands.Stop(), timeout=5.0)
    deadline = time.monotonic() + STOP_S
    while exists(pid):
        if time.monotonic() >= deadline:
            raise Unreachable(f"the daemon (PID {pid}) does not end", remedy=f"end it: kill {pid}")
        time.sleep(_POLL_S)
    _forget_ended()
    return pid


def _answers(client: Client, deadline: float) -> bool:
    try:
        client.request(commands.Ping(), timeout=max(0.1, deadline - time.monotonic()))
    except Unreachable:
        return False
    return True


def _sources() -> dict[str, str]:
    """Where our packages are when they are not installed: the daemon does not run in this folder."""
    folders = {str(Path(str(package.__file__)).resolve().parents[1]) for package in (rushes, rushes_otio)}
    return {} if all("site-packages" in folder for folder in folders) else {"PYTHONPATH": os.pathsep.join(folders)}


def _words(state: Path) -> Path:
    return state / "daemon.out"


def _last_words(state: Path) -> str:
    try:
        said = _words(state).read_bytes()[-_LAST_WORDS:].decode("utf-8", "replace").strip()
    except OSError:
        said = ""
    return printable(said.splitlines()[-1] if said else "it says nothing", _LAST_WORDS)


def _remedy(state: Path) -> str:
    return f"look into {state / 'rushes.log'}; --no-daemon works without it"
