"""`rushes conform`: a cut that came back, its clips given their intent and takes again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rushes.cli.edge import FilmPath, Json, NoDaemon, command, emit, say, show, shown

_MOST = 40


def register(app: typer.Typer) -> None:
    app.command("conform")(conform)


@command
def conform(
    film: FilmPath,
    cut: Annotated[Path, typer.Argument(metavar="CUT", help="What came back: .otio, .edl, .xml or .aaf.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="OUT", help="Write a film of its own, beside FILM, and leave FILM."),
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Also take what is only proposed.")] = False,
    no_daemon: NoDaemon = False,
    json: Json = False,
) -> None:
    """Take over a cut that came back from an editor: its order, trims and tracks; intent and takes stay.

    Clips are known again by marks that exports leave in metadata, markers, names, reels and comments. A clip that
    was cut in two or copied becomes a further use of its shot; footage stays external; shots that are not in the
    cut any more are kept, and come back when a later cut has them. A clip that only its name or its place speaks
    for is proposed, and left external until you say --accept. The cut before is one rushes undo away.

    \b
        rushes conform film.otio from_the_editor.xml
        rushes conform film.otio from_the_editor.edl -o trial.otio
    """
    from rushes.cli.link import perform, real
    from rushes.messages.commands import Conform

    asked = Conform(film=real(film), cut=real(cut), out=real(out) if out else "", accept=accept)
    result = perform(asked, no_daemon)
    for note in result["notes"]:
        say(f"note: {shown(note, 300)}")
    if json:
        emit(result)
    else:
        _show(out or film, result)


def _show(film: Path, result: dict[str, Any]) -> None:
    stages: dict[str, int] = {}
    for row in result["matched"]:
        stages[row["by"]] = stages.get(row["by"], 0) + 1
    told = ", ".join(f"{count} by {stage}" for stage, count in stages.items())
    show(f"{len(result['matched'])} clips are shots of the film" + (f": {told}" if told else ""))
    _list("further uses of shots", result["new"], lambda r: r["name"])
    _list("reinstated", result["reinstated"], lambda r: r["name"])
    _list("omitted, kept in the film", result["omitted"], lambda r: r["name"])
    _list("takes switched", result["switched"], lambda r: f"{r['name']} {r['was']} → {r['take']}")
    show(f"{len(result['external'])} external clips")
    _list("proposed, not taken (--accept takes all of them)", result["proposed"], _proposal)
    show(f"next: rushes status {film}")


def _proposal(row: dict[str, Any]) -> str:
    if "take" in row:
        return f"{row['name']}: take {row['take']} in place of {row['was'] or 'none'} ({row['because']})"
    return f"{row['place']} {row['clip']} as {row['name'] or row['shot']} ({row['because']})"


def _list(title: str, rows: list[dict[str, Any]], words: Any) -> None:  # noqa: ANN401 (a function of a row)
    if not rows:
        return
    show(f"{title} ({len(rows)}):")
    for row in rows[:_MOST]:
        show(f"    {shown(words(row), 200)}")
    if len(rows) > _MOST:
        show(f"    and {len(rows) - _MOST} more (--json lists all)")
