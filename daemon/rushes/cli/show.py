"""`rushes show`: one shot's resolved recipe, each field with the level it came from."""

from __future__ import annotations

from typing import Annotated, Any

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

    The last lines say which registered models make it, why, and why not the others.

    \b
        rushes show film.otio SC010_SH020
    """
    from rushes.cli.link import glance, real
    from rushes.messages.commands import Show
    from rushes_otio.errors import ShotFault

    found = glance(Show(film=real(film), shot=shot))
    if "fault" in found:
        raise ShotFault(**found["fault"])
    if json:
        emit(found)
        return
    origin = found["origin"]
    head = f"{shown(found['name'])} ({found['shot']})"
    show(f"{head}, {found['state']}, {found['needed']} frames shown")
    for field, value in found["recipe"].items():
        parts = [level for key, level in origin.items() if key == field or key.startswith(f"{field}.")]
        show(f"  {field:<14} {shown(value, 300)}")
        show(f"  {'':<14}   from {', '.join(dict.fromkeys(parts)) or _default(field)}")
    _routing(found.get("routing", {}))


def _routing(routing: dict[str, Any]) -> None:
    """Which model, and why; nothing where there is only one way."""
    if not routing or not (routing["others"] or routing["still"] or "now" in routing):
        return
    still = f", with a still by {shown(routing['still'])}" if routing["still"] else ""
    show(f"  {'made by':<14} {shown(routing['model'])}{still}: {shown(routing['why'], 200)}")
    if "now" in routing:
        show(f"  {'':<14}   made anew it would not be: {shown(routing['now'], 300)}")
    for name, why in routing["others"].items():
        show(f"  {'':<14}   not {shown(name)}: {shown(why, 200)}")


def _default(field: str) -> str:
    return {"model": "the registry", "caption": "shot", "cast": "library", "rate": "film"}.get(field, "default")
