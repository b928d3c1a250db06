"""Commands that only look at a film. Apart from those that change one, for they begin at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rushes.engine.edges import ShotPlan
from rushes.engine.models_of import Models
from rushes.engine.names import names
from rushes.engine.plan import Planner
from rushes.engine.reasons import UNKNOWN
from rushes.engine.statusing import film_status
from rushes.engine.studio import Desk
from rushes.messages import commands
from rushes_otio.errors import ShotFault
from rushes_otio.film import Shot
from rushes_otio.inherited import inherited, own_values
from rushes_otio.pointing import find_shot

Result = dict[str, Any]


def status(desk: Desk, command: commands.Status) -> Result:
    return film_status(desk).shape(command.film)


def show(desk: Desk, command: commands.Show) -> Result:
    """The recipe and where each field of it comes from; values that rest on unrendered shots are null. What the
    shot and other levels say is told of an invalid shot too, with its fault: that is what mends it."""
    film = desk.read()
    found = find_shot(film, command.shot)
    planned = Planner(film, desk.sources).some({found.block.shot})[found.block.shot]
    recipe = {key: None if value is UNKNOWN else value for key, value in (planned.today or {}).items()}
    said = inherited(film, found.block)
    return {
        "shot": found.block.shot,
        "name": found.block.name,
        "state": planned.state,
        "needed": planned.needed,
        "recipe": recipe,
        "origin": dict(planned.resolved.origin) if planned.resolved else {},
        "routing": _routing(desk, planned),
        "own": own_values(found.block),
        "inherits": {name: [asdict(level) for level in levels] for name, levels in said.items()},
        "seed": _seed(desk, found),
        **({"fault": planned.fault.as_dict()} if planned.fault is not None else {}),
    }


def _seed(desk: Desk, shot: Shot) -> str:
    """The seed that the chosen take was made with; empty without a take, or where nothing here knows it."""
    chosen = shot.block.chosen
    if chosen is None or not desk.studio.places.database.exists():
        return ""
    rows = desk.shelf().rows(shot.block.shot)
    return next((row.seed for row in rows if row.take == chosen.take), "")


def _routing(desk: Desk, planned: ShotPlan) -> Result:
    """Which model makes the shot, why, and why not the others. What was rendered keeps its model while what it
    asks for and needs is the same."""
    recipe, resolved, registry = planned.today, planned.resolved, desk.studio.registry
    if recipe is None or resolved is None:
        return {}
    name, still = recipe["model"]["name"], ((recipe.get("keyframe") or {}).get("model") or {}).get("name")
    try:
        route = Models(registry, desk.files, planned.block.name).explained(resolved.values)
    except ShotFault as fault:
        return {
            "model": name,
            "still": still,
            "why": "the shot was rendered with it",
            "others": {},
            "now": fault.text,
        }
    if (route.name, route.still) == (name, still) or route.name == name:
        return {"model": name, "still": still, "why": route.why, "others": dict(route.others)}
    others = {**route.others, route.name: "it would be used now, but the shot was rendered before"}
    others.pop(name, None)
    return {"model": name, "still": still, "why": "the shot was rendered with it", "others": others}


def library(desk: Desk, command: commands.Library) -> Result:
    """The names that a person can use in this film."""
    del command
    return names(desk)


ACTS: dict[type, Callable[[Desk, Any], Result]] = {
    commands.Status: status,
    commands.Show: show,
    commands.Library: library,
}
