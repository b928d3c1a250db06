"""What a person reads of a film's messages while it is watched."""

from __future__ import annotations

import msgspec

from rushes.cli.edge import shown
from rushes.cli.progress import lines
from rushes.cli.status import reasons
from rushes.messages import answers, events
from rushes.protocol import Told

_QUIET = (events.Progress, events.Preview, answers.Answer, events.Linked, events.Watched)


def lines_of(told: Told) -> list[str]:
    """Nothing, mostly."""
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
