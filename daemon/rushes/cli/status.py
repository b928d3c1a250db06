"""`rushes status`: what is fresh, stale, missing or invalid, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from rushes.cli.edge import FilmPath, Json, command, emit, show, shown

if TYPE_CHECKING:
    from rushes.engine.edges import ShotPlan
    from rushes.engine.reasons import Reason
    from rushes_otio.film import Film

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
    from rushes.engine.statusing import film_status

    found = film_status(film)
    if json:
        emit(found.shape(str(film)))
        return
    _print(found.film, list(found.plan.shots.values()), found.states)
    show(_summary(found.counts(), str(film)))


def _print(film: Film, shots: list[ShotPlan], states: dict[str, str]) -> None:
    scene = None
    for shot in shots:
        if shot.block.scene != scene:
            scene = shot.block.scene
            row = film.scene(scene)
            show(f"{shown(row.code)} {shown(row.name)}" if row else "no scene")
        for line in _lines(shot, states[shot.block.shot]):
            show(f"  {line}")


def _lines(shot: ShotPlan, state: str) -> list[str]:
    block = shot.block
    take = block.chosen.take if block.chosen else "    "
    extras = [
        "locked" if block.locked else "",
        f"{block.waiting} waits to be chosen" if block.waiting else "",
        f"{len(shot.uses)} uses" if len(shot.uses) > 1 else "",
    ]
    remarks = ", ".join(e for e in extras if e)
    head = f"{MARKS[state]} {shown(block.name, 28):<28} {take}  {state}" + (f"  ({remarks})" if remarks else "")
    lines = [head, *(f"      {line}" for line in reasons(shot.reasons))]
    if shot.fault is not None:
        lines += [f"      {shown(shot.fault.text, 300)}", f"      do: {shown(shot.fault.remedy, 300)}"]
    return [*lines, *(f"      {shown(note, 200)}" for note in shot.notes)]


def reasons(found: tuple[Reason, ...]) -> list[str]:
    """Reasons as lines a person reads."""
    lines = []
    for reason in found:
        via = f" (through {', '.join(shown(v) for v in reason.via)})" if reason.via else ""
        now = "not known until that is rendered" if reason.now is None else shown(reason.now)
        if reason.input == "frames":
            lines.append(f"the cut shows {reason.now} frames; the take has {reason.was}")
        elif reason.via:
            lines.append(f"{reason.input}: {now}{via}")
        else:
            lines.append(f"{reason.input}: {_both(reason.was, reason.now)}")
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
