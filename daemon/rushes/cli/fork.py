"""`rushes fork`: one of several uses of a shot made a shot of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from rushes.cli.edge import FilmPath, Json, NoDaemon, command, emit, show, shown


def register(app: typer.Typer) -> None:
    app.command("fork")(fork)


@command
def fork(
    film: FilmPath,
    use: Annotated[str, typer.Argument(metavar="USE", help="A use's id, or V1@120: what stands at that frame.")],
    no_daemon: NoDaemon = False,
    json: Json = False,
) -> None:
    """Make one of several uses of a shot a shot of its own, to be changed apart from the others.

    It keeps its intent and its take: the movie is copied under the new shot's id, and nothing is rendered. What
    continues from this use goes on doing so. Where the uses of a shot say different things, each keeps its own.
    Undo makes it a use of its old shot again.

    \b
        rushes fork film.otio V1@120
    """
    from rushes.cli.link import perform, real
    from rushes.messages.commands import Fork

    made = perform(Fork(film=real(film), use=use), no_daemon)
    if json:
        emit(made)
        return
    take = f", with its take as {made['take']}" if made["take"] else ", without a take"
    show(f"{shown(made['name'])} ({made['shot']}) is a shot of its own{take}")
    show(f'next: rushes set {film} {shown(made["name"])} prompt="…"')
