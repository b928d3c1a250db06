"""`rushes show`: one shot's resolved recipe, each field with the level it came from."""

from __future__ import annotations

from typing import Annotated

import typer

from rushes.cli.edge import FilmPath, Json, command, emit, show, shown


def register(app: typer.Typer) -> None:
    app.command("show")(show_)


@command
def show_(
    film: FilmPath,
    shot: Annotated[str, typer.Argument(metavar="SHOT", help="An id, a name, a part of one, or V1@120.")],
    json: Json = False,
) -> None:
    """Show what a shot is made from: every field, and whether film, scene, library or shot set it.

    \b
        rushes show film.otio SC010_SH020
    """
    from rushes.engine.plan import Planner
    from rushes.engine.reasons import UNKNOWN
    from rushes.engine.studio import Studio
    from rushes_otio.pointing import find_shot

    desk = Studio.of_user().desk(film)
    loaded = desk.read()
    found = find_shot(loaded, shot)
    planned = Planner(loaded, desk.sources).some({found.block.shot})[found.block.shot]
    if planned.fault is not None:
        raise planned.fault
    known = planned.today or {}
    recipe = {key: None if value is UNKNOWN else value for key, value in known.items()}
    origin = dict(planned.resolved.origin) if planned.resolved else {}
    if json:
        emit({"shot": found.block.shot, "name": found.block.name, "recipe": recipe, "origin": origin})
        return
    show(f"{shown(found.block.name)} ({found.block.shot}), {planned.state}, {planned.needed} frames shown")
    for field, value in recipe.items():
        parts = [level for key, level in origin.items() if key == field or key.startswith(f"{field}.")]
        show(f"  {field:<14} {shown(value, 300)}")
        show(f"  {'':<14}   from {', '.join(dict.fromkeys(parts)) or _default(field)}")


def _default(field: str) -> str:
    return {"model": "the registry", "caption": "shot", "cast": "library", "rate": "film"}.get(field, "default")
