"""Commands that only look at a film. Apart from those that change one, for they begin at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rushes.engine.plan import Planner
from rushes.engine.reasons import UNKNOWN
from rushes.engine.statusing import film_status
from rushes.engine.studio import Desk
from rushes.messages import commands
from rushes_otio.pointing import find_shot

Result = dict[str, Any]


def status(desk: Desk, command: commands.Status) -> Result:
    return film_status(desk).shape(command.film)


def show(desk: Desk, command: commands.Show) -> Result:
    """The recipe and where each field of it comes from; values that rest on unrendered shots are null."""
    film = desk.read()
    found = find_shot(film, command.shot)
    planned = Planner(film, desk.sources).some({found.block.shot})[found.block.shot]
    if planned.fault is not None:
        raise planned.fault
    recipe = {key: None if value is UNKNOWN else value for key, value in (planned.today or {}).items()}
    return {
        "shot": found.block.shot,
        "name": found.block.name,
        "state": planned.state,
        "needed": planned.needed,
        "recipe": recipe,
        "origin": dict(planned.resolved.origin) if planned.resolved else {},
    }


ACTS: dict[type, Callable[[Desk, Any], Result]] = {commands.Status: status, commands.Show: show}
