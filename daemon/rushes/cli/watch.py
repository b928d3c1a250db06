"""`rushes watch`: render what becomes stale, as it does."""

from __future__ import annotations

import typer

from rushes.cli.edge import FilmPath, Json, command, say, show
from rushes.cli.link import real, works_alone


def register(app: typer.Typer) -> None:
    app.command("watch")(watch)


@command
def watch(film: FilmPath, json: Json = False) -> None:
    """Render what is stale or missing, and from then on whatever becomes so, until Ctrl-C.

    Edit the film with rushes set, in a text editor or by script: each saved change is noticed. A take that you
    chose by hand stays in the cut; the new one waits to be chosen. With --json, one object a line.

    \b
        rushes watch film.otio
    """
    import msgspec

    from rushes.cli.news import lines_of
    from rushes.cli.waiting import watch_by_daemon
    from rushes_otio.errors import BadRequest

    if works_alone(False):
        raise BadRequest("watch needs the daemon", remedy="unset RUSHES_NO_DAEMON")
    try:
        for told in watch_by_daemon(real(film)):
            if json:
                show(msgspec.json.encode(told).decode())
            else:
                for line in lines_of(told):
                    show(line)
    except KeyboardInterrupt:
        say("the watch ends; what is being made is finished")
