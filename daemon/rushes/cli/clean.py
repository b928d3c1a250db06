"""`rushes clean`: free takes that nothing needs any more."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.edge import FilmPath, Json, command, emit, say, show, shown

if TYPE_CHECKING:
    from rushes.engine.cleaning import Cleaning, Row


def register(app: typer.Typer) -> None:
    app.command("clean")(clean)


@command
def clean(
    film: FilmPath,
    yes: Annotated[bool, typer.Option("--yes", help="Free them; without it nothing is removed.")] = False,
    json: Json = False,
) -> None:
    """List the takes that nothing needs any more, or free them.

    Kept is what is chosen, circled, approved, noted or waiting; what the film, a cut beside it, an open
    timeline of a host or a render that is to come still names; and what is younger than ten minutes.

    \b
        rushes clean film.otio
        rushes clean film.otio --yes
    """
    from rushes.engine import cleaning
    from rushes.engine.studio import Studio

    desk = Studio.of_user().desk(film)
    found = cleaning.survey(desk)
    if yes:
        found = cleaning.clean(desk, found)
    if json:
        emit(shape(found, str(film), dry_run=not yes))
        return
    for line in lines(found, str(film), dry_run=not yes):
        show(line)
    if found.leftovers:
        say(f"note: {len(found.leftovers)} unfinished files were swept as well")


def shape(found: Cleaning, film: str, *, dry_run: bool) -> dict[str, object]:
    """The JSON of a cleaning."""
    return {
        "film": film,
        "freed": [
            {"shot": row.shot, "name": row.name, "take": row.take, "path": str(row.path), "bytes": row.bytes}
            for row in found.free
        ],
        "kept": [{"shot": row.shot, "take": row.take, "because": row.keep} for row in found.kept],
        "bytes": found.bytes,
        "dry_run": dry_run,
        "leftovers": [str(path) for path in found.leftovers],
    }


def lines(found: Cleaning, film: str, *, dry_run: bool) -> list[str]:
    """What is freed of each shot, what is kept and why, and the sum of it."""
    shots: dict[str, list[Row]] = {}
    for row in found.free:
        shots.setdefault(row.shot, []).append(row)
    said = [_line(shot, rows) for shot, rows in shots.items()]
    reasons = Counter(row.keep for row in found.kept).most_common()
    said += [f"  kept: {count:>4} {shown(reason)}" for reason, count in reasons]
    would = "would be " if dry_run else ""
    said.append(f"{len(found.free)} {would}freed, {size(found.bytes)}; {len(found.kept)} are kept")
    if dry_run and found.free:
        said.append(f"free them: rushes clean {film} --yes")
    return said


def _line(shot: str, rows: list[Row]) -> str:
    name = shown(rows[0].name, 28) or f"{shot}, in no cut"
    takes = " ".join(row.take for row in rows)
    return f"{name:<28} {size(sum(row.bytes for row in rows)):>9}  {takes}"


def size(count: int) -> str:
    """Bytes as people read them, in powers of 1000 as disks are sold."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}" if amount < 10 and unit != "B" else f"{amount:.0f} {unit}"
