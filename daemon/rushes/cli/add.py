"""`rushes add`: one shot more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rushes.cli.edge import FilmPath, Json, NoDaemon, command, emit, show, shown


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
    no_daemon: NoDaemon = False,
    json: Json = False,
) -> None:
    """Add a shot to the film. Nothing is rendered until you ask for it.

    \b
        rushes add film.otio --scene SC010 --frames 48 prompt="@mara opens the door" camera="push in"
    """
    from rushes.cli.link import perform, real
    from rushes.messages.commands import Add

    asked = Add(
        film=real(film),
        scene=scene,
        after=after,
        frames=frames,
        assignments=assignments or [],
        folder=str(Path.cwd()),
    )
    made = perform(asked, no_daemon) | {"film": str(film)}
    if json:
        emit(made)
        return
    (shot,) = made["shots"]
    show(f"{shown(shot['name'])} ({shot['shot']}), {frames} frames")
    show(f"next: rushes render {film}")
