"""`rushes undo` and `rushes redo`: changes of intent, taken back and made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.edge import FilmPath, Json, NoDaemon, command, say, shown
from rushes.cli.link import perform, real
from rushes.cli.set_ import answer

if TYPE_CHECKING:
    from rushes.messages.commands import Redo, Undo

Skip = Annotated[bool, typer.Option("--skip", help="Pass over a change that somebody has gone over since.")]


def register(app: typer.Typer) -> None:
    app.command("undo")(undo)
    app.command("redo")(redo)


@command
def undo(film: FilmPath, skip: Skip = False, no_daemon: NoDaemon = False, json: Json = False) -> None:
    """Take the last change back: what set, takes --restore and choosing a still changed, or a conform or a fork.

    Takes stay; shots that were fresh before the change are fresh again.

    \b
        rushes undo film.otio
    """
    from rushes.messages.commands import Undo

    _do(Undo(film=real(film), skip=skip), no_daemon, json)


@command
def redo(film: FilmPath, skip: Skip = False, no_daemon: NoDaemon = False, json: Json = False) -> None:
    """Make the change again that was undone last."""
    from rushes.messages.commands import Redo

    _do(Redo(film=real(film), skip=skip), no_daemon, json)


def _do(asked: Undo | Redo, no_daemon: bool, json: bool) -> None:
    changed = perform(asked, no_daemon)
    for word in ("undone", "redone"):
        if word in changed:
            say(f"{word}: {shown(changed[word], 120)}")
    answer(changed, json)
