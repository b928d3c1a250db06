"""`rushes set`: change what is asked for, on one level."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.edge import FilmPath, Json, command, emit, say, show, shown

if TYPE_CHECKING:
    from rushes.engine.changing import Change
    from rushes.engine.studio import Desk
    from rushes_otio.film import Film
    from rushes_otio.setting import Level


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
    json: Json = False,
) -> None:
    """Change the intent of shots, a scene, a library entry or the film. KEY= unsets. Nothing is rendered.

    A clip or gap of somebody's cut becomes a shot when you set something on it.

    \b
        rushes set film.otio SC010_SH020 prompt="@mara turns away" camera="push in"
        rushes set film.otio --character mara description="a woman of thirty in a blue coat"
        rushes set film.otio --film style=noir delivery.codec=dnxhr
        rushes set film.otio V1@120 prompt="a lighthouse in the fog"
        rushes set film.otio SC010_SH030 first_frame.from=SC010_SH020
    """
    from rushes.engine.changing import copy_entry, set_intent
    from rushes.engine.studio import Studio

    desk = Studio.of_user().desk(film)
    entry = _entry(character, style, location)
    if source is not None and entry is not None:
        changed, changes = copy_entry(desk, entry, source)
    else:
        shots, assignments = _sorted(what or [])
        changed, changes = set_intent(desk, _targets(shots, scene, entry, whole_film), assignments)
    _answer(desk, changed, changes, json)


def _sorted(what: list[str]) -> tuple[list[str], list[str]]:
    from rushes.engine.assign import is_assignment
    from rushes_otio.errors import BadRequest

    assignments = [text for text in what if is_assignment(text)]
    if not assignments:
        raise BadRequest("nothing to set", remedy='say what, like prompt="…"; KEY= unsets')
    return [text for text in what if not is_assignment(text)], assignments


def _entry(character: str, style: str, location: str) -> Level | None:
    from rushes_otio.errors import BadRequest
    from rushes_otio.setting import Level

    asked = [Level(k, n) for k, n in (("character", character), ("style", style), ("location", location)) if n]
    if len(asked) > 1:
        raise BadRequest("one library entry at a time", remedy="run rushes set once for each")
    return asked[0] if asked else None


def _targets(shots: list[str], scene: str, entry: Level | None, whole_film: bool) -> Callable[[Film], list[Level]]:
    from rushes.engine.changing import scene_level, shot_levels
    from rushes_otio.errors import BadRequest
    from rushes_otio.setting import Level

    if sum((bool(shots), bool(scene), entry is not None, whole_film)) != 1:
        raise BadRequest(
            "say where to set it: shots, or one of --scene, --character, --style, --location, --film",
            remedy="rushes set --help shows an example of each",
        )
    if entry is not None:
        return lambda _: [entry]
    if scene:
        return lambda film: [scene_level(film, scene)]
    return (lambda film: shot_levels(film, shots)) if shots else (lambda _: [Level("film")])


def _answer(desk: Desk, film: Film, changes: list[Change], json: bool) -> None:
    import msgspec

    found = desk.plan(film)
    counts = found.counts()
    for shot in found.shots.values():
        if shot.fault is not None:
            say(f"invalid: {shown(shot.block.name)}: {shown(shot.fault.text, 300)}")
            say(f"     do: {shown(shot.fault.remedy, 300)}")
    if json:
        emit({"changed": [msgspec.to_builtins(c) for c in changes], "stale": counts.get("stale", 0)})
        return
    for change in changes:
        show(f"{shown(change.where)}: {change.field}: {shown(change.was)} → {shown(change.now)}")
    to_make = counts.get("stale", 0) + counts.get("missing", 0)
    show(f"{'nothing changed' if not changes else f'{to_make} shots to render'}")
