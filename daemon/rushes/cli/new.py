"""`rushes new`: an empty film, a film of a script, or a film of somebody's cut."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rushes.cli.edge import FilmPath, Json, NoDaemon, command, emit, say, show, shown


def register(app: typer.Typer) -> None:
    app.command("new")(new)


@command
def new(
    film: FilmPath,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="A script (.fountain) or a cut (.otio, .edl, .xml, .aaf)."),
    ] = None,
    rate: Annotated[str, typer.Option(help="Frames per second, where it is not said: scripts, EDLs.")] = "24/1",
    no_daemon: NoDaemon = False,
    json: Json = False,
) -> None:
    """Make a film: empty, from a Fountain script, or from a cut.

    A script's scenes, characters and action paragraphs become scenes, library entries and shots. A cut is kept
    as it is: its clips are external until you give one a prompt.

    \b
        rushes new film.otio --from script.fountain
        rushes new film.otio --from cut.otio
        rushes new film.otio --from cut.edl --rate 25
    """
    from rushes.cli.link import perform, real
    from rushes.messages.commands import New

    asked = New(film=real(film), source=real(source) if source else "", rate=rate)
    made = perform(asked, no_daemon) | {"film": str(film)}
    for warning in made.pop("warnings"):
        say(f"note: {shown(warning, 300)}")
    if json:
        emit(made)
        return
    scenes, shots, external = len(made["scenes"]), len(made["shots"]), made["external"]
    show(f"{film}: {scenes} scenes, {shots} shots, {external} external clips")
    show(f"next: {_next(film, shots, external)}")


def _next(path: Path, shots: int, external: int) -> str:
    if shots:
        return f"rushes render {path}"
    if external:
        return f'rushes set {path} V1@0 prompt="…" makes a shot of what stands there'
    return f'rushes add {path} --scene "INT. KITCHEN" --frames 48 prompt="…"'
