"""`rushes diff`: what changed between two cuts, in the words that editors use."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.edge import Json, command, emit, say, show, shown

if TYPE_CHECKING:
    from rushes_otio.conforming.returned import Cut
    from rushes_otio.diffing.compare import Change, Difference

_COLOURS = {
    "new": "green",
    "reinstated": "green",
    "enabled": "green",
    "omitted": "red",
    "disabled": "red",
    "moved": "blue",
    "trimmed": "yellow",
    "extended": "yellow",
    "transition": "yellow",
    "slipped": "cyan",
    "retimed": "magenta",
    "switched": "magenta",
    "changed": "magenta",
}


def register(app: typer.Typer) -> None:
    app.command("diff")(diff)


@command
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A film or a cut: .otio, .edl, .xml or .aaf.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Another one, of any of these formats.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="OUT", help="Also write NEW to an .otio, its changes as markers."),
    ] = None,
    rate: Annotated[str, typer.Option(help="Frames per second of EDLs, which do not say.")] = "",
    json: Json = False,
) -> None:
    """Show what changed from one cut to another: new, omitted, moved, trimmed, extended, slipped, retimed.

    Clips are known again as rushes conform knows them; nothing is changed. A clip that only gave way to others is
    not listed as moved.

    \b
        rushes diff film.rushes/frozen/v3_locked.otio film.otio
        rushes diff monday.edl tuesday.edl -o marked.otio
    """
    from rushes.engine.diffing import difference, shape, write_marked

    found, notes = difference(old, new, rate)
    if out is not None:
        write_marked(found, out)
    if json:
        emit(shape(found, notes))
        return
    for note in notes:
        say(f"note: {shown(note, 300)}")
    _show(found)
    if out is not None:
        show(str(out))


def _show(found: Difference) -> None:
    cut, before = found.matching.new, found.matching.old
    _heading(before, cut)
    for change in found.changes:
        _row(cut if change.kind != "omitted" else before, change)
    counts = Counter(str(change.kind) for change in found.changes)
    told = [f"{counts[kind]} {kind}" for kind in _COLOURS if counts[kind]]
    show(", ".join([*told, f"{found.same} unchanged"]))


def _heading(before: Cut, after: Cut) -> None:
    longer = after.length - before.length
    change = f", {abs(longer)} frames {'longer' if longer > 0 else 'shorter'}" if longer else ""
    names = [shown(cut.name or Path(cut.where).name, 60) for cut in (before, after)]
    show(f"{names[0]} → {names[1]}: {len(before.clips)} clips → {len(after.clips)}{change}")


def _row(cut: Cut, change: Change) -> None:
    when = cut.timecode(change.record) if change.place else " " * 11
    track = change.place.partition("@")[0]
    kind = f"{change.kind:<10}"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        kind = typer.style(kind, fg=_COLOURS[change.kind])
    show(f"{when} {track:<3} {kind} {shown(change.name, 44):<28} {shown(change.detail, 160)}".rstrip())
