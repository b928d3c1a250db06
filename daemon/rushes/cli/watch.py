"""`rushes watch`: render what becomes stale, as it does."""

from __future__ import annotations

import msgspec
import typer

from rushes.cli.edge import FilmPath, Json, command, say, show, shown
from rushes.cli.link import real, works_alone
from rushes.cli.progress import lines
from rushes.cli.status import reasons
from rushes.messages import answers, events
from rushes.protocol import Told

_QUIET = (events.Progress, events.Preview, answers.Answer, events.Linked, events.Watched)


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
    from rushes.cli.waiting import watch_by_daemon
    from rushes_otio.errors import BadRequest

    if works_alone(False):
        raise BadRequest("watch needs the daemon", remedy="unset RUSHES_NO_DAEMON")
    try:
        for told in watch_by_daemon(real(film)):
            if json:
                show(msgspec.json.encode(told).decode())
            else:
                for line in _lines(told):
                    show(line)
    except KeyboardInterrupt:
        say("the watch ends; what is being made is finished")


def _lines(told: Told) -> list[str]:
    body = told.body
    if isinstance(body, _QUIET):
        return []
    match body:
        case answers.State():
            counts = msgspec.json.decode(body.status)["counts"]
            said = ", ".join(f"{count} {state}" for state, count in counts.items()) or "no shots yet"
            return [f"watching {shown(body.film, 200)}: {said}"]
        case events.Shots():
            rows = [row for row in body.rows if row["state"] in ("stale", "missing", "invalid")]
            return [line for row in rows for line in _changed(row)]
        case answers.Error():
            return [f"error: {shown(body.text, 300)}", f"   do: {shown(body.remedy, 300)}"]
        case events.Unreadable():
            return [f"the film cannot be read: {shown(body.error.text, 300)}"]
        case events.Leaving():
            return [f"the daemon leaves: {shown(body.why)}"]
        case events.Queued(jobs=[]):
            return []
        case events.FilmEvent():
            return lines(body)
        case _:
            return []


def _changed(row: dict[str, object]) -> list[str]:
    fault = row.get("fault")
    if isinstance(fault, dict):
        return [f"{shown(row['name'], 28):<28} invalid: {shown(fault['text'], 300)}"]
    why = reasons(row["reasons"])  # type: ignore[arg-type]
    return [f"{shown(row['name'], 28):<28} {row['state']}", *(f"      {line}" for line in why)]
