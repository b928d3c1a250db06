"""`rushes queue`: what waits and runs, and what people do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rushes.cli.edge import Json, command, emit, show, shown
from rushes.cli.link import link, real

if TYPE_CHECKING:
    from rushes.messages.commands import Commands


def register(app: typer.Typer) -> None:
    app.command("queue")(queue)


@command
def queue(
    film: Annotated[Path | None, typer.Argument(metavar="[FILM]", help="Only the jobs of this film.")] = None,
    pause: Annotated[bool, typer.Option("--pause", help="Begin nothing more; what runs is finished.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after --pause.")] = False,
    cancel: Annotated[list[int] | None, typer.Option(metavar="JOB", help="Drop this job.")] = None,
    cancel_all: Annotated[bool, typer.Option("--cancel-all", help="Drop every job.")] = False,
    first: Annotated[list[int] | None, typer.Option(metavar="JOB", help="Make this job next.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Queue again what failed in the film.")] = False,
    json: Json = False,
) -> None:
    """List the jobs that wait or run, or change the queue. It outlives the daemon and the machine's restarts.

    --cancel and --first may be given several times.

    \b
        rushes queue
        rushes queue film.otio --first 17
        rushes queue --pause
    """
    asked = _asked(real(film) if film else "", pause, resume, cancel or [], cancel_all, first or [], retry)
    with link() as client:
        for each in asked:
            client.ask(each)
        found = client.ask(_list(real(film) if film else ""))
    if json:
        emit(found)
        return
    for row in found["jobs"]:
        name = shown(row.get("name") or row["shot"], 28)
        show(f"{row['job']:>6}  {row['state']:<8} {name:<28} {shown(row['film'], 200)}")
    paused = "; the queue is paused: rushes queue --resume" if found["paused"] else ""
    show(f"{len(found['jobs'])} jobs{paused}")


def _list(film: str) -> Commands:
    from rushes.messages.commands import Queue

    return Queue(film=film)


def _asked(
    film: str, pause: bool, resume: bool, cancel: list[int], cancel_all: bool, first: list[int], retry: bool
) -> list[Any]:
    from rushes.messages import commands
    from rushes_otio.errors import BadRequest

    if (retry or first) and not film:
        raise BadRequest("say of which film", remedy="rushes queue FILM --retry")
    asked: list[Any] = []
    if pause or resume:
        asked.append(commands.Pause() if pause else commands.Resume())
    if cancel or cancel_all:
        asked.append(commands.Cancel(film=film, jobs=cancel))
    if first:
        asked.append(commands.Reorder(film=film, jobs=first))
    if retry:
        asked.append(commands.Retry(film=film))
    return asked
