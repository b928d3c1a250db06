"""`rushes takes`: the takes of a shot, and what people decide about them."""

from __future__ import annotations

from typing import Annotated

import typer

from rushes.cli.edge import FilmPath, Json, NoDaemon, command, emit, show, shown


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
    no_daemon: NoDaemon = False,
    json: Json = False,
) -> None:
    """List a shot's takes, or decide about them. Takes are never overwritten.

    Choosing an older take accepts it as it is: the shot is fresh. --restore also brings its prompt back.

    \b
        rushes takes film.otio SC010_SH020
        rushes takes film.otio SC010_SH020 --choose t001
    """
    from rushes.cli.link import glance, perform, real
    from rushes.messages.commands import Takes

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
