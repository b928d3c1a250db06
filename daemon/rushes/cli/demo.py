"""`rushes demo`: the main job in two minutes. A film is made, rendered, changed twice, and each time only the
shots that the change touches are made again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.edge import Json, command, emit, say, shown
from rushes.cli.status import reasons

if TYPE_CHECKING:
    from rushes.engine.studio import Desk
    from rushes_otio.film import Film
    from rushes_otio.setting import Level

SIZE = "1280x720"
RETOLD = ("SC020_SH040", "Wide. @ida runs up to @old_tom under the dark lamp and holds up the glowing jam jar.")
RECAST = ("ida", "a small round girl of eight in a bright red raincoat, hood up, blue rubber boots, freckles")


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


@command
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to put it; a new folder.")] = Path("demo"),
    json: Json = False,
) -> None:
    """Make a small film and show what Rushes does: render it, change one shot, change one character.

    Leaves DIR/film.otio, DIR/cut.mp4 and DIR/contact.png for you to go on with.
    """
    from rushes.engine.changing import shot_levels
    from rushes.engine.studio import Studio
    from rushes_otio.setting import Level

    began = time.monotonic()
    folder = _free(folder)
    desk = Studio.of_user().desk(_film(folder))
    say(f"1. A script becomes a film: {folder / 'film.otio'}")
    _describe(desk)
    say("\n2. Everything is missing, so everything is rendered")
    steps = [_render(desk)]
    say(f"\n3. One shot is told differently: {RETOLD[0]}")
    steps.append(_changed(desk, lambda film: shot_levels(film, [RETOLD[0]]), f"prompt={RETOLD[1]}"))
    say(f"\n4. One character is described differently: @{RECAST[0]}")
    steps.append(_changed(desk, lambda _: [Level("character", RECAST[0])], f"description={RECAST[1]}"))
    say("\n5. The cut and a contact sheet")
    outputs = [_export(desk, folder / name) for name in ("cut.mp4", "contact.png")]
    film = folder / "film.otio"
    if json:
        seconds = round(time.monotonic() - began, 1)
        emit({"film": str(film), "rendered": steps, "outputs": outputs, "seconds": seconds})
    _invite(folder, film, time.monotonic() - began)


def _free(folder: Path) -> Path:
    """The folder, or one with a number behind its name: an earlier demo may have been worked on."""
    number, free = 2, folder
    while (free / "film.otio").exists():
        free = folder.with_name(f"{folder.name}-{number}")
        number += 1
    if free != folder:
        say(f"{folder} has a film already; this one goes to {free}")
    free.mkdir(parents=True, exist_ok=True)
    return free


def _film(folder: Path) -> Path:
    from rushes.demo import script_text
    from rushes.engine.changing import set_intent
    from rushes.engine.newfilm import create_film
    from rushes.engine.studio import Studio
    from rushes_otio.setting import Level

    script = folder / "script.fountain"
    script.write_text(script_text(), encoding="utf-8")
    film = folder / "film.otio"
    create_film(film, script, "24/1")
    studio = Studio.of_user()
    # Whatever else is registered would take its time: a demo is to be over soon.
    drawn = ["model=animatic"] if studio.registry.has_weights else []
    set_intent(studio.desk(film), lambda _: [Level("film")], [f"delivery.size={SIZE}", *drawn])
    return film


def _describe(desk: Desk) -> None:
    film = desk.read()
    library = film.block.library
    named = [*library.characters, *library.locations, *library.styles]
    seconds = film.length / float(film.rate)
    say(f"   {len(film.block.scenes)} scenes, {len(film.shots)} shots, {seconds:.0f} seconds")
    say(f"   library: {', '.join('@' + shown(name) for name in named)}")


def _changed(desk: Desk, targets: Callable[[Film], list[Level]], assignment: str) -> list[str]:
    from rushes.engine.changing import set_intent

    set_intent(desk, targets, [assignment])
    return _render(desk)


def _render(desk: Desk) -> list[str]:
    """Render, and say what was made, what was not, and why."""
    from rushes.cli.progress import watching
    from rushes.engine.rendering import render_film
    from rushes.engine.statusing import reason_row
    from rushes.engine.wishes import Wishes

    for shot in desk.plan(desk.read()).shots.values():
        if shot.state == "stale":
            say(f"   {shown(shot.block.name)} is stale")
            for line in reasons([reason_row(reason) for reason in shot.reasons]):
                say(f"      {line}")
    with watching() as tell:
        outcome = render_film(desk, Wishes(), tell)
    names = [row.name for row in outcome.rendered]
    say(f"   rendered: {', '.join(names) or 'nothing'}")
    if outcome.fresh:
        others = [shown(s.block.name) for s in desk.read().shots.values() if s.block.name not in names]
        say(f"   not rendered, nothing they are made from changed: {', '.join(others)}")
    return names


def _export(desk: Desk, out: Path) -> str:
    from rushes.cli.export import export_to

    export_to(desk, out)
    say(f"   {out}")
    return str(out)


def _invite(folder: Path, film: Path, seconds: float) -> None:
    say(f"\nDone in {seconds:.0f} seconds. Look at {folder / 'cut.mp4'} and {folder / 'contact.png'}. Then try:")
    say(f"   rushes status {film}")
    say(f'   rushes set {film} SC010_SH030 prompt="Close on a match. It catches." camera="push in"')
    say(f"   rushes render {film}")
    say(f"   rushes takes {film} SC020_SH040 --choose t001")
    say(f"   rushes export {film} {folder / 'cut.mp4'}")
