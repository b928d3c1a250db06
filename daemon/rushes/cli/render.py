"""`rushes render`: make what is missing or stale, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rushes.cli.edge import FilmPath, Json, NoDaemon, command, emit, show, shown
from rushes.cli.link import real, works_alone

if TYPE_CHECKING:
    from rushes.cli.progress import Watching
    from rushes.engine.outcome import Outcome
    from rushes.engine.studio import Desk
    from rushes.engine.wishes import Wishes, Worklist
    from rushes.messages.events import FilmEvents


def register(app: typer.Typer) -> None:
    app.command("render")(render)


@command
def render(
    film: FilmPath,
    shots: Annotated[
        list[str] | None, typer.Argument(metavar="[SHOT …]", help="Only these; a fresh one is made once more.")
    ] = None,
    until: Annotated[str, typer.Option(help="keyframe: make a still and stop there.")] = "",
    another: Annotated[int, typer.Option(help="Make so many variations; choose none.", min=0, max=99)] = 0,
    model: Annotated[
        str, typer.Option(help="Use this model, or draft or final, whatever the film asks for.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be made, and why.")] = False,
    no_daemon: NoDaemon = False,
    json: Json = False,
) -> None:
    """Render what is missing or stale: the whole film, or the shots you name.

    What a shot continues from is rendered first. Takes are never overwritten: each render is a new take, and
    the one it made is chosen. Ctrl-C cancels what is not made yet. The daemon does the work, and goes on if this
    terminal is closed.

    \b
        rushes render film.otio
        rushes render film.otio --dry-run
        rushes render film.otio SC010_SH020 --another 4
        rushes render film.otio SC010_SH020 --until keyframe --another 8
        rushes render film.otio --model draft
    """
    asked = (film, shots or [], another, until, model)
    if dry_run:
        _say_what_would(*asked, json)
        return
    outcome = _alone(*asked) if works_alone(no_daemon) else _by_daemon(*asked)
    if json:
        emit(outcome.shape(str(film)))
    else:
        show(summary(outcome, str(film)))
    if outcome.failed:
        raise typer.Exit(1)


def _alone(film: Path, shots: list[str], another: int, until: str, model: str) -> Outcome:
    from rushes.cli.progress import watching
    from rushes.engine.rendering import render_film, wishes_for
    from rushes.engine.studio import Studio

    desk = Studio.of_user().desk(film)
    wishes = wishes_for(desk, shots, another, until, model)
    with watching() as tell:
        heard = _Heard(tell)
        return heard.rest_of(render_film(desk, wishes, heard))


def _by_daemon(film: Path, shots: list[str], another: int, until: str, model: str) -> Outcome:
    from rushes.cli.progress import watching
    from rushes.cli.waiting import render_by_daemon
    from rushes.messages.commands import Render

    with watching() as tell:
        asked = Render(film=real(film), shots=shots, another=another, until=stage(until), model=model)
        heard = _Heard(tell)
        return heard.rest_of(render_by_daemon(asked, heard))


class _Heard:
    """Passes on what happens, and says at the end why shots were not made of which nothing was heard: an invalid
    one never gets into the queue, and a job may end before anybody listens."""

    def __init__(self, tell: Watching) -> None:
        self._tell = tell
        self._shots: set[str] = set()

    def __call__(self, event: FilmEvents) -> None:
        from rushes.messages import events

        if isinstance(event, events.Failed | events.Dropped):
            self._shots.add(event.shot)
        self._tell(event)

    def rest_of(self, outcome: Outcome) -> Outcome:
        for kind, refusals in (("not made", outcome.failed), ("skipped", outcome.skipped)):
            for refusal in refusals:
                if refusal.shot not in self._shots:
                    self._tell.line(f"{shown(refusal.name, 28):<28} {kind}: {shown(refusal.text, 300)}")
                    if refusal.remedy:
                        self._tell.line(f"{'':<28} do: {shown(refusal.remedy, 300)}")
        return outcome


def stage(until: str) -> Literal["", "keyframe"]:
    """The stage to stop at; BadRequest for one where nothing can be stopped."""
    from rushes_otio.errors import BadRequest

    stages: dict[str, Literal["", "keyframe"]] = {"": "", "keyframe": "keyframe"}
    if until in stages:
        return stages[until]
    raise BadRequest(f"a render cannot stop at {until!r}", remedy="--until keyframe makes stills")


def summary(outcome: Outcome, film: str) -> str:
    """One line of what became of a render."""
    said = f"{len(outcome.rendered)} rendered, {outcome.fresh} were fresh"
    said += f", {len(outcome.skipped)} skipped" if outcome.skipped else ""
    said += f", {len(outcome.failed)} failed" if outcome.failed else ""
    if not outcome.rendered or outcome.failed:
        return said
    last = outcome.rendered[-1]
    if last.take.startswith("k"):
        return (
            f"{said}\nnext: rushes takes {film} {shown(last.name)} --sheet stills.png, then --choose {last.take}"
        )
    return f"{said}\nnext: rushes export {film} cut.mp4"


def _say_what_would(film: Path, shots: list[str], another: int, until: str, model: str, json: bool) -> None:
    from rushes.cli.status import reasons
    from rushes.engine.rendering import wishes_for
    from rushes.engine.statusing import reason_row
    from rushes.engine.studio import Studio
    from rushes.engine.wishes import worklist

    desk = Studio.of_user().desk(film)
    wishes = wishes_for(desk, shots, another, until, model)
    plan = desk.plan(desk.read())
    found = worklist(plan, wishes, desk.shelf())
    if json:
        emit(_dry_shape(found, desk, wishes))
        return
    for shot_id, order in found.orders:
        shot = plan.shots[shot_id]
        kind = "variation" if order.kind == "another" else shot.state if shot.state != "fresh" else "once more"
        show(f"{shown(shot.block.name, 28):<28} {kind}, {shot.needed} frames")
        for line in reasons([reason_row(reason) for reason in shot.reasons]):
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
