"""`rushes status`: what is fresh, stale, missing or invalid, and why."""

from __future__ import annotations

from typing import Any

import typer

from rushes.cli.edge import FilmPath, Json, command, emit, show, shown

MARKS = {
    "fresh": "✓",
    "stale": "~",
    "missing": "·",
    "invalid": "!",
    "queued": "…",
    "rendering": "▸",
    "failed": "✗",
}


def register(app: typer.Typer) -> None:
    app.command("status")(status)


@command
def status(film: FilmPath, json: Json = False) -> None:
    """Show what is fresh, stale, missing or invalid, and why. Reads the film and nothing else.

    \b
        rushes status film.otio
    """
    import gc

    from rushes.cli.link import glance, real
    from rushes.messages.commands import Status

    gc.disable()  # one pass over a large film makes no garbage worth the walks over it
    found = glance(Status(film=real(film))) | {"film": str(film)}
    if json:
        emit(found)
        return
    _print(found)
    show(_summary(found["counts"], str(film)))


def _print(found: dict[str, Any]) -> None:
    names = {scene["scene"]: f"{shown(scene['code'])} {shown(scene['name'])}" for scene in found["scenes"]}
    scene = None
    for row in found["shots"]:
        if row["scene"] != scene:
            scene = row["scene"]
            show(names.get(scene, "no scene"))
        for line in _lines(row):
            show(f"  {line}")


def _lines(row: dict[str, Any]) -> list[str]:
    state = row["state"]
    extras = [
        "locked" if row["locked"] else "",
        f"{row['waiting']} waits to be chosen" if row["waiting"] else "",
        f"{len(row['uses'])} uses" if len(row["uses"]) > 1 else "",
    ]
    remarks = ", ".join(e for e in extras if e)
    head = f"{MARKS[state]} {shown(row['name'], 28):<28} {row['take'] or '    '}  {state}"
    lines = [head + (f"  ({remarks})" if remarks else ""), *(f"      {line}" for line in reasons(row["reasons"]))]
    fault = row.get("fault")
    if fault:
        lines += [f"      {shown(fault['text'], 300)}", f"      do: {shown(fault['remedy'], 300)}"]
    return [*lines, *(f"      {shown(note, 200)}" for note in row.get("notes", ()))]


def reasons(found: list[dict[str, Any]]) -> list[str]:
    """Reasons, as `status` has them, as lines a person reads."""
    lines = []
    for reason in found:
        changed, was, now = reason["input"], reason["was"], reason["now"]
        via = f" (through {', '.join(shown(v) for v in reason['via'])})" if reason["via"] else ""
        if changed == "frames":
            lines.append(f"the cut shows {now} frames; the take has {was}")
        elif reason["via"]:
            lines.append(f"{changed}: {'not known until that is rendered' if now is None else shown(now)}{via}")
        else:
            lines.append(f"{changed}: {_both(was, now)}")
    return lines


def _both(was: object, now: object) -> str:
    """Two values with the words they begin with left out, so that the difference is what is seen."""
    if not isinstance(was, str) or not isinstance(now, str):
        return f"{shown(was)} → {shown(now)}"
    same = 0
    for same, (left, right) in enumerate(zip(was.split(), now.split(), strict=False)):  # noqa: B007
        if left != right:
            break
    if same < 4:
        return f"{shown(was, 70)} → {shown(now, 70)}"
    return f"… {shown(' '.join(was.split()[same:]), 66)} → … {shown(' '.join(now.split()[same:]), 66)}"


def _summary(counts: dict[str, int], film: str) -> str:
    total = sum(counts.values())
    said = ", ".join(f"{count} {state}" for state, count in counts.items()) or "no shots"
    todo = counts.get("stale", 0) + counts.get("missing", 0)
    return f"{total} shots: {said}" + (f"\nnext: rushes render {film}" if todo else "")
