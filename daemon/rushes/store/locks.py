"""Who may change a film, and who may render it: one holder each, by the film's real path.

The locks are the operating system's (`filelock`: one well-kept library for three platforms), so they are free the
moment their holder ends, however it ends. They lie in the state folder, for films lie on disks that cannot lock.
The holder's PID is written beside the lock, for messages only.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rushes.store.places import Places, path_key, private
from rushes_otio.errors import Busy

_POLL_SECONDS = 0.02


@contextmanager
def film_lock(places: Places, film: Path, wait: float = 5.0) -> Iterator[None]:
    """Hold the film for one read, change and save. Waits up to `wait` seconds, then Busy with the PID."""
    with hold(places, _name(film, "film"), wait, f"{film.name} is being changed"):
        yield


@contextmanager
def render_lock(places: Places, film: Path) -> Iterator[None]:
    """Hold the right to render the film. Busy at once, with the PID, when somebody else has it."""
    with hold(places, _name(film, "render"), 0.0, f"{film.name} is being rendered"):
        yield


@contextmanager
def hold(places: Places, name: str, wait: float, what: str) -> Iterator[None]:
    """Hold the lock `name` of this user. `what` begins the sentence of the Busy error: "the daemon is running".

    `name` becomes a file name: letters, digits, `.` and `-`. Not re-entrant: a holder that asks again waits.
    """
    from filelock import FileLock, Timeout

    path = private(places.locks) / f"{name}.lock"
    lock = FileLock(path, timeout=wait, poll_interval=_POLL_SECONDS, thread_local=False, mode=0o600)
    holder = path.with_suffix(".pid")
    try:
        lock.acquire()
    except Timeout as error:
        raise _busy(what, _pid_in(holder)) from error
    try:
        with suppress(OSError):
            holder.write_text(str(os.getpid()))
        yield
    finally:
        lock.release()


def _name(film: Path, kind: str) -> str:
    return f"{hashlib.sha256(path_key(film).encode()).hexdigest()[:24]}.{kind}"


def _pid_in(holder: Path) -> int | None:
    try:
        return int(holder.read_text())
    except (OSError, ValueError):
        return None


def _busy(what: str, pid: int | None) -> Busy:
    who = f"process {pid}" if pid else "another process"
    remedy = f"wait until it is done, or end that process (PID {pid})" if pid else "wait until it is done"
    return Busy(f"{what} by {who}", remedy=remedy)
