"""`rushes export`: the film for others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.edge import FilmPath, Json, command, emit, say, show, shown

if TYPE_CHECKING:
    from rushes.engine.studio import Desk


def register(app: typer.Typer) -> None:
    app.command("export")(export)


@command
def export(
    film: FilmPath,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A file: .otio, .mp4, .mov or .png.")],
    json: Json = False,
) -> None:
    """Export the film: .otio for other programs, .mp4 or .mov to watch, .png as a contact sheet.

    What has no picture yet is a slate. What the format cannot hold is listed.

    \b
        rushes export film.otio cut.mp4
        rushes export film.otio for_the_editor.otio
    """
    from rushes.engine.studio import Studio

    lost = export_to(Studio.of_user().desk(film), out)
    if json:
        emit({"path": str(out), "lost": [{"use": use, "what": what} for use, what in lost]})
        return
    for use, what in lost:
        show(f"{shown(use, 40)}: {shown(what, 300)}" if use else shown(what, 300))
    show(str(out))


def export_to(desk: Desk, out: Path) -> list[tuple[str, str]]:
    """Export a film, with progress on a terminal."""
    from rushes.export.exporting import export_film

    said = -1

    def progress(done: int, total: int) -> None:
        nonlocal said
        percent = 100 * done // total
        if percent != said and sys.stderr.isatty():
            said = percent
            sys.stderr.write(f"\r{out.name}: {percent} %")

    lost = export_film(desk, out, progress)
    if said >= 0:
        say("\r" + " " * (len(out.name) + 8) + "\r" if sys.stderr.isatty() else "")
    return lost
