"""`rushes export` and `rushes freeze`: the film for others, and cuts kept by name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.edge import FilmPath, Json, command, emit, say, show, shown

if TYPE_CHECKING:
    from rushes.engine.studio import Desk
    from rushes.export.exporting import Progress, Wanted


def register(app: typer.Typer) -> None:
    app.command("export")(export)
    app.command("freeze")(freeze)


@command
def export(
    film: FilmPath,
    out: Annotated[
        str,
        typer.Argument(
            metavar="OUT|SHOT", help="A file: .otio, .edl, .xml, .mp4, .mov, .csv or .png. A shot, with --frames."
        ),
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
    frames: Annotated[
        Path | None,
        typer.Option(
            "--frames",
            metavar="OUT.%04d.exr",
            help="Write a shot's chosen take as linear half-float EXRs, the first of them 1001.",
        ),
    ] = None,
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
        rushes export film.otio SC010_SH020 --frames comp/sh020.%04d.exr

    .xml is what Premiere and most others read; an .edl holds one track of cuts and dissolves; .mov is ProRes; a
    .csv of prompts goes back in by rushes set --from-csv.

    What has no picture yet is a slate. What the format cannot hold is listed, clip by clip. A timeline that comes
    back, changed, in any format: rushes conform.

    Frame 1001 is shot frame 0; a comp goes back in by rushes takes --add.
    """
    from rushes.engine.studio import Studio
    from rushes.export.exporting import Wanted

    desk, wanted = Studio.of_user().desk(film), Wanted(program, markers, burn_in)
    if frames is not None:
        _frames(desk, out, frames, wanted, json)
        return
    _answer(desk, Path(out), export_to(desk, Path(out), wanted), json)


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


def _frames(desk: Desk, shot: str, pattern: Path, wanted: Wanted, json: bool) -> None:
    from rushes.export.exporting import check_wanted
    from rushes.export.frames import export_frames

    check_wanted(".exr", wanted)
    with percent(pattern.name) as progress:
        made = export_frames(desk, shot, pattern, progress)
    _answer(desk, pattern, made.lost, json, frames=[made.first, made.last])


def _answer(desk: Desk, out: Path, lost: list[tuple[str, str]], json: bool, **more: object) -> None:
    if json:
        emit({"path": str(out), "lost": [{"use": use, "what": what} for use, what in lost], **more})
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

    with percent(out.name) as progress:
        return export_film(desk, out, progress, wanted or Wanted())


@contextmanager
def percent(name: str) -> Iterator[Progress]:
    """Per cent on a terminal, gone again in the end."""
    said = -1

    def progress(done: int, total: int) -> None:
        nonlocal said
        percent = 100 * done // total
        if percent != said and sys.stderr.isatty():
            said = percent
            sys.stderr.write(f"\r{name}: {percent} %")

    yield progress
    if said >= 0:
        say("\r" + " " * (len(name) + 8) + "\r" if sys.stderr.isatty() else "")
