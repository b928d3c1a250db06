"""`rushes export` and `rushes freeze`: the film for others, and cuts kept by name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.edge import FilmPath, Json, command, emit, say, show, shown

if TYPE_CHECKING:
    from rushes.engine.studio import Desk
    from rushes.export.exporting import Wanted


def register(app: typer.Typer) -> None:
    app.command("export")(export)
    app.command("freeze")(freeze)


@command
def export(
    film: FilmPath,
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="A file: .otio, .edl, .xml, .mp4, .mov, .csv or .png.")
    ],
    program: Annotated[
        str, typer.Option("--for", metavar="PROGRAM", help="Shape a timeline for resolve or premiere.")
    ] = "",
    markers: Annotated[
        bool, typer.Option("--markers", help="Give each shot a marker by which it is known again.")
    ] = False,
    burn_in: Annotated[
        bool, typer.Option("--burn-in", help="Write shot, take and timecode into the picture of a movie.")
    ] = False,
    json: Json = False,
) -> None:
    """Export the film: a timeline for other programs, a movie to watch, a shot list, a contact sheet.

    \b
        rushes export film.otio cut.otio --for resolve
        rushes export film.otio cut.xml
        rushes export film.otio cut.edl
        rushes export film.otio cut.mp4 --burn-in
        rushes export film.otio shots.csv
        rushes export film.otio contact.png

    .xml is what Premiere and most others read; an .edl holds one track of cuts and dissolves; .mov is ProRes; a
    .csv of prompts goes back in by rushes set --from-csv.

    What has no picture yet is a slate. What the format cannot hold is listed, clip by clip. A timeline that comes
    back, changed, in any format: rushes conform.
    """
    from rushes.engine.studio import Studio
    from rushes.export.exporting import Wanted

    desk = Studio.of_user().desk(film)
    _answer(desk, out, export_to(desk, out, Wanted(program, markers, burn_in)), json)


@command
def freeze(
    film: FilmPath,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the cut is to be called.")],
    json: Json = False,
) -> None:
    """Keep the cut as it is now under a name: a read-only timeline in the film's folder.

    Its takes are never cleaned. Compare with it, or bring it back, whenever you like:

    \b
        rushes freeze film.otio v3_locked
        rushes diff film.rushes/frozen/v3_locked.otio film.otio
        rushes conform film.otio film.rushes/frozen/v3_locked.otio
    """
    from rushes.engine.studio import Studio
    from rushes.export.cuts import freeze

    desk = Studio.of_user().desk(film)
    _answer(desk, *freeze(desk, name), json)


def _answer(desk: Desk, out: Path, lost: list[tuple[str, str]], json: bool) -> None:
    if json:
        emit({"path": str(out), "lost": [{"use": use, "what": what} for use, what in lost]})
        return
    names = {i.use: s.block.name for s in desk.read().shots.values() for i in s.items} if lost else {}
    if lost:
        show(f"not as in the film, in {out.name}:")
    for use, what in lost:
        name = names.get(use) or use
        show(f"    {shown(name, 40)}: {shown(what, 300)}" if use else f"    {shown(what, 300)}")
    show(str(out))


def export_to(desk: Desk, out: Path, wanted: Wanted | None = None) -> list[tuple[str, str]]:
    """Export a film, with progress on a terminal."""
    from rushes.export.exporting import Wanted, export_film

    said = -1

    def progress(done: int, total: int) -> None:
        nonlocal said
        percent = 100 * done // total
        if percent != said and sys.stderr.isatty():
            said = percent
            sys.stderr.write(f"\r{out.name}: {percent} %")

    lost = export_film(desk, out, progress, wanted or Wanted())
    if said >= 0:
        say("\r" + " " * (len(out.name) + 8) + "\r" if sys.stderr.isatty() else "")
    return lost
