"""`rushes render`: make what is missing or stale, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.edge import FilmPath, Json, NoDaemon, command, emit, say, show, shown

if TYPE_CHECKING:
    from rushes.engine.outcome import Outcome
    from rushes.engine.studio import Desk
    from rushes.engine.wishes import Wishes, Worklist


def register(app: typer.Typer) -> None:
    app.command("render")(render)


@command
def render(
    film: FilmPath,
    shots: Annotated[
        list[str] | None, typer.Argument(metavar="[SHOT …]", help="Only these; a fresh one is made once more.")
    ] = None,
    until: Annotated[str, typer.Option(help="Stop after this stage: keyframe.")] = "",
    another: Annotated[int, typer.Option(help="Make so many variations; choose none.", min=0, max=99)] = 0,
    model: Annotated[str, typer.Option(help="Use this model, whatever the film asks for.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be made, and why.")] = False,
    no_daemon: NoDaemon = False,
    json: Json = False,
) -> None:
    """Render what is missing or stale: the whole film, or the shots you name.

    What a shot continues from is rendered first. Takes are never overwritten: each render is a new take, and
    the one it made is chosen. Ctrl-C at any time; the next render goes on from there.

    \b
        rushes render film.otio
        rushes render film.otio SC010_SH020 --another 4
    """
    del no_daemon  # rendering happens in this process; the option is there for scripts that will run beside one
    from rushes.engine.rendering import render_film, wishes_for
    from rushes.engine.studio import Studio

    desk = Studio.of_user().desk(film)
    wishes = wishes_for(desk, shots or [], another, until, model)
    if dry_run:
        _say_what_would(desk, wishes, json)
        return
    from rushes.cli.progress import reporter

    with reporter() as watching:
        outcome = render_film(desk, wishes, watching)
    for warning in outcome.warnings:
        say(f"note: {shown(warning, 300)}")
    if json:
        emit(shape(outcome, str(film)))
    else:
        show(summary(outcome, str(film)))
    if outcome.failed:
        raise typer.Exit(1)


def shape(outcome: Outcome, film: str) -> dict[str, object]:
    """The JSON of a render."""
    return {
        "film": film,
        "rendered": [
            {
                "shot": made.shot,
                "name": name,
                "take": made.take,
                "path": str(made.movie),
                "seconds": round(made.seconds, 3),
                "stages": made.stages,
            }
            for name, made in outcome.rendered
        ],
        "failed": [{"shot": r.shot, "name": r.name, "error": r.text, "remedy": r.remedy} for r in outcome.failed],
        "skipped": [{"shot": r.shot, "name": r.name, "because": r.text} for r in outcome.skipped],
        "fresh": outcome.fresh,
    }


def summary(outcome: Outcome, film: str) -> str:
    """One line of what became of a render."""
    said = f"{len(outcome.rendered)} rendered, {outcome.fresh} were fresh"
    said += f", {len(outcome.skipped)} skipped" if outcome.skipped else ""
    said += f", {len(outcome.failed)} failed" if outcome.failed else ""
    return said + (f"\nnext: rushes export {film} cut.mp4" if outcome.rendered and not outcome.failed else "")


def _say_what_would(desk: Desk, wishes: Wishes, json: bool) -> None:
    from rushes.cli.status import reasons
    from rushes.engine.wishes import worklist

    film = desk.read()
    plan = desk.plan(film)
    found = worklist(plan, wishes, desk.shelf())
    if json:
        emit(_dry_shape(found, desk, wishes))
        return
    for shot_id, order in found.orders:
        shot = plan.shots[shot_id]
        kind = "variation" if order.kind == "another" else shot.state if shot.state != "fresh" else "once more"
        show(f"{shown(shot.block.name, 28):<28} {kind}, {shot.needed} frames")
        for line in reasons(shot.reasons):
            show(f"      {line}")
    for refusal in [*found.failed, *found.skipped]:
        show(f"{refusal.name:<28} not: {shown(refusal.text, 200)}")
    show(f"{len(found.orders)} would be rendered, {found.fresh} are fresh")


def _dry_shape(found: Worklist, desk: Desk, wishes: Wishes) -> dict[str, object]:
    film = desk.read()
    names = {s.block.shot: s.block.name for s in film.shots.values()}
    return {
        "film": str(desk.places.film),
        "dry_run": True,
        "rendered": [],
        "would_render": [
            {"shot": shot, "name": names[shot], "kind": order.kind, "until": wishes.until}
            for shot, order in found.orders
        ],
        "failed": [{"shot": r.shot, "name": r.name, "error": r.text, "remedy": r.remedy} for r in found.failed],
        "skipped": [{"shot": r.shot, "name": r.name, "because": r.text} for r in found.skipped],
        "fresh": found.fresh,
    }
