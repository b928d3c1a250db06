"""How commands reach the engine: through the daemon, or, with --no-daemon, in this process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rushes.cli.edge import say

if TYPE_CHECKING:
    from rushes.client import Client
    from rushes.messages import commands

NO_DAEMON = "RUSHES_NO_DAEMON"
"""The environment variable that means --no-daemon everywhere: for farms."""

ANSWER_S = 600.0
"""A film of ten thousand shots on a slow disk takes its time; a daemon that is gone is noticed much earlier."""


def real(film: Path) -> str:
    """How the daemon knows a film."""
    return os.path.realpath(film)


def works_alone(no_daemon: bool) -> bool:
    """Whether the engine is to run in this process."""
    return no_daemon or os.environ.get(NO_DAEMON, "") not in ("", "0")


def perform(command: commands.FilmCommands, no_daemon: bool) -> dict[str, Any]:
    """Have a command carried out: the object that it prints with --json."""
    if works_alone(no_daemon):
        return alone(command)
    with link() as client:
        return client.ask(command, ANSWER_S)


def glance(command: commands.FilmCommands) -> dict[str, Any]:
    """The answer to a command that only reads: from the daemon if one runs, else worked out here."""
    from rushes.connection import default_path

    path = default_path()
    if works_alone(False) or not path.exists():
        return alone(command)
    from rushes.client import Client
    from rushes.starting import is_running
    from rushes_otio.errors import Unreachable

    if not is_running(path):
        return alone(command)

    try:
        with Client(path, "rushes") as client:
            return client.ask(command, ANSWER_S)
    except Unreachable:
        return alone(command)


def alone(command: commands.FilmCommands) -> dict[str, Any]:
    """Carry it out in this process."""
    from rushes.engine.answering import answer
    from rushes.engine.studio import Studio

    return answer(Studio.of_user().desk(Path(command.film)), command)


def link() -> Client:
    """The daemon, started if none runs, which is said."""
    from rushes.connection import default_path
    from rushes.starting import is_running, linked

    path = default_path()
    if not is_running(path):
        say("starting the daemon (rushes daemon stop ends it; it leaves by itself when idle)")
    return linked(path, "rushes")
