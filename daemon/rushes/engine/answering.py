"""Commands about one film, answered: the same for a command line that works alone and for the daemon.

Each answer is the object that the command of that name prints with --json.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from rushes.engine import looking
from rushes.engine.studio import Desk
from rushes.messages import commands
from rushes_otio.errors import BadRequest, Overtaken

TRIES = 4
"""A command that another program got ahead of is carried out on what that program wrote."""

_Command = TypeVar("_Command")


def answer(desk: Desk, command: commands.FilmCommands) -> dict[str, Any]:
    """Carry a command out. RushesError where it cannot be; BadRequest for one that needs the daemon."""
    act = looking.ACTS.get(type(command))
    if act is None:
        from rushes.engine import deciding  # whoever only looks does not wait for it

        act = deciding.ACTS.get(type(command))
    if act is None:
        raise BadRequest(f"{type(command).__name__.lower()} is for the daemon", remedy="rushes daemon start")
    folder = getattr(command, "folder", "")
    if folder:
        desk.here = Path(folder)
    return carried_out(act, desk, command)


def carried_out(act: Callable[[Desk, _Command], dict[str, Any]], desk: Desk, command: _Command) -> dict[str, Any]:
    """Do it, and again where another program got ahead of it."""
    for _ in range(TRIES - 1):
        try:
            return act(desk, command)
        except Overtaken:
            continue
    return act(desk, command)
