"""`rushes new`: an empty film, a film of a script, or a film of somebody's cut."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.edge import FilmPath, Json, command, emit, say, show

if TYPE_CHECKING:
    from rushes_otio.film import Film


def register(app: typer.Typer) -> None:
    app.command("new")(new)


@command
def new(
    film: FilmPath,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="A script (.fountain) or a cut (.otio) to start from."),
    ] = None,
    rate: Annotated[str, typer.Option(help="Frames per second, for a film that starts from no cut.")] = "24/1",
    json: Json = False,
) -> None:
    """Make a film: empty, from a Fountain script, or from a cut.

    A script's scenes, characters and action paragraphs become scenes, library entries and shots. A cut is kept
    as it is: its clips are external until you give one a prompt.

    \b
        rushes new film.otio --from script.fountain
        rushes new film.otio --from cut.otio
    """
    from rushes.engine.newfilm import create_film

    made, warnings = create_film(film, source, rate)
    for warning in warnings:
        say(f"note: {warning}")
    if json:
        emit(created(film, made))
        return
    count = len(made.shots)
    show(f"{film}: {len(made.block.scenes)} scenes, {count} shots, {made.external_count()} external clips")
    show(f"next: {_next(film, made)}")


def _next(path: Path, film: Film) -> str:
    if film.shots:
        return f"rushes render {path}"
    if film.external_count():
        return f'rushes set {path} V1@0 prompt="…" makes a shot of what stands there'
    return f'rushes add {path} --scene "INT. KITCHEN" --frames 48 prompt="…"'


def created(path: Path, film: Film) -> dict[str, object]:
    """The JSON shape of `new` and `add`."""
    return {
        "film": str(path),
        "scenes": [{"scene": s.id, "code": s.code, "name": s.name} for s in film.block.scenes],
        "shots": [{"shot": s.block.shot, "name": s.block.name} for s in film.shots.values()],
        "external": film.external_count(),
    }
