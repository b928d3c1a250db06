"""`rushes add`: one shot more."""

from __future__ import annotations

from typing import Annotated

import typer

from rushes.cli.edge import FilmPath, Json, command, emit, show
from rushes.cli.new import created


def register(app: typer.Typer) -> None:
    app.command("add")(add)


@command
def add(
    film: FilmPath,
    assignments: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE …]", help='Intent, like prompt="…".')
    ] = None,
    scene: Annotated[str, typer.Option(help="Code, name or id of a scene; a new name makes a new scene.")] = "",
    frames: Annotated[int, typer.Option(help="Length of the shot in the cut, in frames.")] = 48,
    after: Annotated[str, typer.Option(help="Put it after this shot, instead of last in its scene.")] = "",
    json: Json = False,
) -> None:
    """Add a shot to the film. Nothing is rendered until you ask for it.

    \b
        rushes add film.otio --scene SC010 --frames 48 prompt="@mara opens the door" camera="push in"
    """
    from rushes.engine.changing import add_to_film
    from rushes.engine.studio import Studio

    desk = Studio.of_user().desk(film)
    made, shot = add_to_film(desk, scene, after, frames, assignments or [])
    if json:
        emit({**created(film, made), "shots": [{"shot": shot.block.shot, "name": shot.block.name}]})
        return
    show(f"{shot.block.name} ({shot.block.shot}), {frames} frames")
    show(f"next: rushes render {film}")
