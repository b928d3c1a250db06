"""`rushes daemon`: the background process that renders, watches, and is the only one to change films."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from rushes.cli.edge import Json, command, emit, say, show, shown


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="The background daemon: it renders, watches, keeps the queue. Commands start it when they need it."
    )
    group.callback(invoke_without_command=True)(daemon)
    for name, run in (("start", start), ("stop", stop), ("restart", restart), ("status", status), ("log", log)):
        group.command(name)(run)
    app.add_typer(group, name="daemon")


def daemon(context: typer.Context) -> None:
    """The background daemon."""
    if context.invoked_subcommand is None:
        status()


Tcp = Annotated[bool, typer.Option("--tcp", help="Listen on 127.0.0.1 instead of sockets in a private folder.")]


@command
def start(tcp: Tcp = False, json: Json = False) -> None:
    """Start the daemon. It goes on with what is left in the queue."""
    from rushes import starting
    from rushes.connection import default_path, read_connection
    from rushes_otio.errors import Busy

    path = default_path()
    if starting.is_running(path):
        pid = read_connection(path).pid
        raise Busy(f"the daemon runs already, as process {pid}", remedy="rushes daemon restart starts it anew")
    starting.start(path.parent, *(["--tcp"] if tcp else []))
    starting.linked(path, "start").close()
    _say_pid(read_connection(path).pid, json)


@command
def stop(json: Json = False) -> None:
    """Stop the daemon: takes are saved, jobs stay in the queue for the next one."""
    from rushes import starting
    from rushes.connection import default_path

    pid = starting.stop(default_path())
    if json:
        emit({"pid": None, "stopped": pid})
    else:
        show(f"stopped, it was process {pid}" if pid else "no daemon ran")


@command
def restart(tcp: Tcp = False, json: Json = False) -> None:
    """Stop the daemon and start it again, for example after an update."""
    from rushes import starting
    from rushes.connection import default_path

    starting.stop(default_path())
    start(tcp=tcp, json=json)


@command
def status(json: Json = False) -> None:
    """Say whether the daemon runs, which films it has open, and what waits in its queue."""
    from rushes import starting
    from rushes.client import Client
    from rushes.connection import default_path
    from rushes.messages import commands

    path = default_path()
    if not starting.is_running(path):
        emit({"pid": None}) if json else show("no daemon runs; commands start it when they need it")
        return
    with Client(path, "status") as client:
        found = client.ask(commands.Daemon(), timeout=10.0)
    if json:
        emit(found)
        return
    queue = found["queue"]
    paused = ", paused: rushes queue --resume" if queue["paused"] else ""
    show(f"process {found['pid']}, version {shown(found['version'])}, {found['clients']} clients")
    show(f"queue: {queue['jobs']} jobs{paused}")
    for film in found["films"]:
        marks = [word for word in ("busy", "watched") if film[word]]
        show(f"  {shown(film['film'], 200)}{'  (' + ', '.join(marks) + ')' if marks else ''}")


@command
def log(
    lines: Annotated[int, typer.Option(help="So many lines from the end.", min=1, max=100_000)] = 40,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what is added; Ctrl-C ends it.")] = False,
) -> None:
    """Print the end of the daemon's log."""
    from rushes.store.places import Places
    from rushes_otio.text import printable

    path = Places.of_user().log
    if not path.exists():
        say(f"there is no log yet: {path}")
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file.readlines()[-lines:]:
            show(printable(line.rstrip("\n"), 4000))
        while follow:
            sys.stdout.flush()
            for line in file.readlines():
                show(printable(line.rstrip("\n"), 4000))
            time.sleep(0.3)


def _say_pid(pid: int, json: bool) -> None:
    emit({"pid": pid}) if json else show(f"the daemon runs, process {pid}")
