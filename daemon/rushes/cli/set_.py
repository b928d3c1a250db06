"""`rushes set`: change what is asked for, on one level."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rushes.cli.edge import FilmPath, Json, NoDaemon, command, emit, say, show, shown


def register(app: typer.Typer) -> None:
    app.command("set")(set_)


@command
def set_(
    film: FilmPath,
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SHOT …] KEY=VALUE …", help="Shots (id, name, V1@120) and what to set on them."),
    ] = None,
    scene: Annotated[str, typer.Option(help="Set it on this scene.")] = "",
    character: Annotated[str, typer.Option(help="Set it on this character, made if new.")] = "",
    style: Annotated[str, typer.Option(help="Set it on this style, made if new.")] = "",
    location: Annotated[str, typer.Option(help="Set it on this location, made if new.")] = "",
    whole_film: Annotated[bool, typer.Option("--film", help="Set it on the whole film.")] = False,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="OTHER.otio", help="Copy the library entry from another film.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option("--from-csv", metavar="SHOTS.csv", help="Set what was changed in a shot list, on its shots."),
    ] = None,
    no_daemon: NoDaemon = False,
    json: Json = False,
) -> None:
    """Change the intent of shots, a scene, a library entry or the film. KEY= unsets. Nothing is rendered.

    A clip or gap of somebody's cut becomes a shot when you set something on it. Or change prompts in a
    spreadsheet, in a shot list that rushes export made, and give it back.

    \b
        rushes set film.otio SC010_SH020 prompt="@mara turns away" camera="push in"
        rushes set film.otio --character mara description="a woman of thirty in a blue coat"
        rushes set film.otio --film style=noir delivery.codec=dnxhr
        rushes set film.otio V1@120 prompt="a lighthouse in the fog"
        rushes set film.otio SC010_SH030 first_frame.from=SC010_SH020
        rushes set film.otio --from-csv shots.csv
    """
    from rushes.cli.link import perform, real
    from rushes.messages.commands import Set

    shots, assignments = _sorted(what or [])
    asked = Set(
        film=real(film),
        shots=shots,
        assignments=assignments,
        scene=scene,
        character=character,
        style=style,
        location=location,
        whole_film=whole_film,
        source=real(source) if source else "",
        table=real(table) if table else "",
        folder=str(Path.cwd()),
    )
    answer(perform(asked, no_daemon), json)


def _sorted(what: list[str]) -> tuple[list[str], list[str]]:
    """Shots and assignments, by how they are written."""
    from rushes.engine.assign import is_assignment

    assignments = [text for text in what if is_assignment(text)]
    return [text for text in what if text not in assignments], assignments


def answer(changed: dict[str, Any], json: bool) -> None:
    """Say what was changed, which shots are invalid, and how many there are to render."""
    for shot in changed["invalid"]:
        say(f"invalid: {shown(shot['name'])}: {shown(shot['text'], 300)}")
        say(f"     do: {shown(shot['remedy'], 300)}")
    if json:
        emit(changed)
        return
    for change in changed["changed"]:
        was, now = shown(change["was"]), shown(change["now"])
        show(f"{shown(change['where'])}: {shown(change['field'])}: {was} → {now}")
    to_make = changed["stale"] + changed["missing"]
    shots = "1 shot" if to_make == 1 else f"{to_make} shots"
    show(f"{shots} to render" if changed["changed"] else "nothing changed")
