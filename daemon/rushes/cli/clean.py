"""`rushes clean`: free takes that nothing needs any more."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from rushes.cli.edge import FilmPath, Json, NoDaemon, command, emit, say, show, shown


def register(app: typer.Typer) -> None:
    app.command("clean")(clean)


@command
def clean(
    film: FilmPath,
    yes: Annotated[bool, typer.Option("--yes", help="Free them; without it nothing is removed.")] = False,
    no_daemon: NoDaemon = False,
    json: Json = False,
) -> None:
    """List the takes that nothing needs any more, or free them.

    Kept is what is chosen, circled, approved, noted or waiting; what the film, a cut beside it, an open
    timeline of a host or a render that is to come still names; and what is younger than ten minutes.

    \b
        rushes clean film.otio
        rushes clean film.otio --yes
    """
    from rushes.cli.link import glance, perform, real
    from rushes.messages.commands import Clean

    asked = Clean(film=real(film), yes=yes)
    found = (perform(asked, no_daemon) if yes else glance(asked)) | {"film": str(film)}
    if json:
        emit(found)
        return
    for line in lines(found):
        show(line)
    if found["leftovers"]:
        say(f"note: {len(found['leftovers'])} unfinished files were swept as well")


def lines(found: dict[str, Any]) -> list[str]:
    """What is freed of each shot, what is kept and why, and the sum of it."""
    shots: dict[str, list[dict[str, Any]]] = {}
    for row in found["freed"]:
        shots.setdefault(row["shot"], []).append(row)
    said = [_line(shot, rows) for shot, rows in shots.items()]
    reasons = Counter(row["because"] for row in found["kept"]).most_common()
    said += [f"  kept: {count:>4} {shown(reason)}" for reason, count in reasons]
    would = "would be " if found["dry_run"] else ""
    kept = len(found["kept"])
    said.append(f"{len(found['freed'])} {would}freed, {size(found['bytes'])}; {kept} are kept")
    if found["dry_run"] and found["freed"]:
        said.append(f"free them: rushes clean {found['film']} --yes")
    return said


def _line(shot: str, rows: list[dict[str, Any]]) -> str:
    name = shown(rows[0]["name"], 28) or f"{shot}, in no cut"
    takes = " ".join(row["take"] for row in rows)
    return f"{name:<28} {size(sum(row['bytes'] for row in rows)):>9}  {takes}"


def size(count: int) -> str:
    """Bytes as people read them, in powers of 1000 as disks are sold."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}" if amount < 10 and unit != "B" else f"{amount:.0f} {unit}"
