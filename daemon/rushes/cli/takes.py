"""`rushes takes`: the takes of a shot, and what people decide about them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from rushes.cli.edge import FilmPath, Json, NoDaemon, command, emit, say, show, shown


def register(app: typer.Typer) -> None:
    app.command("takes")(takes)


@command
def takes(
    film: FilmPath,
    shot: Annotated[str, typer.Argument(metavar="SHOT", help="An id, a name, a part of one, or V1@120.")],
    choose: Annotated[str, typer.Option(metavar="TAKE", help="Put this take into the cut.")] = "",
    restore: Annotated[bool, typer.Option("--restore", help="With --choose: bring its intent back too.")] = False,
    circle: Annotated[str, typer.Option(metavar="TAKE", help="Circle a take: kept at hand in the film.")] = "",
    uncircle: Annotated[str, typer.Option(metavar="TAKE", help="Take the circle away.")] = "",
    approve: Annotated[str, typer.Option(metavar="TAKE", help="Mark a take as approved.")] = "",
    note: Annotated[str | None, typer.Option(help="Write a note on the shot; empty removes it.")] = None,
    lock: Annotated[bool | None, typer.Option("--lock/--unlock", help="A locked shot is never rendered.")] = None,
    add: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Bring a movie in as the next take, and choose it.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Make a take again, here, and compare every bit.")
    ] = False,
    take: Annotated[str, typer.Option(metavar="TAKE", help="The one to verify, in place of the chosen one.")] = "",
    sheet: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="Write a contact sheet of its stills and takes.")
    ] = None,
    no_daemon: NoDaemon = False,
    json: Json = False,
) -> None:
    """List a shot's takes, or decide about them. Takes are never overwritten.

    Choosing an older take accepts it as it is: the shot is fresh. --restore also brings its prompt back. What was
    made elsewhere, a comp or a paint fix, comes in with --add: conformed to the shot's window, and chosen.

    Stills are k001, k002 …: choosing one makes it the picture that the shot starts from. --verify makes a take
    once more, past everything that was kept; exit code 1 when something came out otherwise.

    \b
        rushes takes film.otio SC010_SH020
        rushes takes film.otio SC010_SH020 --choose t001
        rushes takes film.otio SC010_SH020 --sheet candidates.png
        rushes takes film.otio SC010_SH020 --choose k002
        rushes takes film.otio SC010_SH020 --add comp_v003.mov
        rushes takes film.otio SC010_SH020 --verify --take t001
    """
    from rushes.cli.link import glance, perform, real
    from rushes.messages.commands import Takes

    if verify:
        _verify(film, shot, take, json)
        return
    if add is not None:
        _add(film, shot, add)
    asked = Takes(
        film=real(film),
        shot=shot,
        choose=choose,
        restore=restore,
        circle=circle,
        uncircle=uncircle,
        approve=approve,
        note=note,
        lock=lock,
    )
    only_looks = asked == Takes(film=asked.film, shot=shot, restore=restore)
    found = glance(asked) if only_looks else perform(asked, no_daemon)
    if sheet is not None:
        _draw(film, found["shot"], sheet)
        found["sheet"] = str(sheet)
    if json:
        emit(found)
        return
    show(f"{shown(found['name'])} ({found['shot']})" + (", locked" if found["locked"] else ""))
    for row in found["takes"]:
        marks = [name for name in ("chosen", "circled", "approved") if row[name]]
        waits = ["waits to be chosen"] if row["take"] == found["waiting"] else []
        show(f"  {row['take']}  {row['frames']:>5} frames  {row['made']}  {', '.join(marks + waits)}")
    if not found["takes"]:
        show(f"  none yet: rushes render {film} {shown(found['name'])}")
    if sheet is not None:
        show(str(sheet))


def _draw(film: Path, shot: str, sheet: Path) -> None:
    from rushes.cli.export import percent
    from rushes.engine.studio import Studio
    from rushes.export.candidates import export_candidates

    with percent(sheet.name) as progress:
        export_candidates(Studio.of_user().desk(film), shot, sheet, progress)


def _add(film: Path, shot: str, file: Path) -> None:
    from rushes.cli.progress import watching
    from rushes.engine.alone import Alone
    from rushes.engine.bringing import bring
    from rushes.engine.rendering import worker_of
    from rushes.engine.studio import Studio

    studio = Studio.of_user()
    with watching() as tell, Alone(studio, worker_of(studio), tell) as alone:
        made = bring(studio.desk(film), shot, file, alone)
    say(f"{shown(file.name, 80)} is {made.take}, {made.frames} frames, and chosen")


def _verify(film: Path, shot: str, take: str, json: bool) -> None:
    from rushes.cli.progress import watching
    from rushes.engine.alone import Alone
    from rushes.engine.rendering import worker_of
    from rushes.engine.studio import Studio
    from rushes.engine.verifying import verify

    studio = Studio.of_user()
    with watching() as tell, Alone(studio, worker_of(studio), tell) as alone:
        verdict = verify(studio.desk(film), shot, take, alone)
    if json:
        emit(asdict(verdict))
    elif verdict.same:
        show(f"{verdict.take} was made again: the same, bit for bit")
    else:
        show(f"{verdict.take} was made again, and its {' and '.join(verdict.differs)} came out otherwise")
        for name, (then, now) in sorted(verdict.environment.items()):
            show(f"  {shown(name):<14} was {shown(then, 60)}, is {shown(now, 60)}")
    if not verdict.same:
        raise typer.Exit(1)
