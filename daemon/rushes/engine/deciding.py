"""Commands that change a film, or decide about its takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from rushes.engine import cleaning
from rushes.engine.changing import add_to_film, copy_entry, scene_level, set_intent, shot_levels
from rushes.engine.choosing import Decisions, decide, list_takes
from rushes.engine.conforming import conform
from rushes.engine.forking import fork
from rushes.engine.newfilm import create_film
from rushes.engine.prompts import set_prompts
from rushes.engine.studio import Desk
from rushes.engine.undoing import Change, redo, undo
from rushes.messages import commands
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film
from rushes_otio.setting import Level
from rushes_otio.text import printable

Result = dict[str, Any]


def new(desk: Desk, command: commands.New) -> Result:
    path = desk.places.film
    source = Path(command.source) if command.source else None
    film, warnings = create_film(path, source, command.rate)
    return {**_made(command.film, film), "warnings": warnings}


def add(desk: Desk, command: commands.Add) -> Result:
    film, shot = add_to_film(desk, command.scene, command.after, command.frames, command.assignments)
    return {**_made(command.film, film), "shots": [{"shot": shot.block.shot, "name": shot.block.name}]}


def _made(path: str, film: Film) -> Result:
    return {
        "film": path,
        "scenes": [{"scene": s.id, "code": s.code, "name": s.name} for s in film.block.scenes],
        "shots": [{"shot": s.block.shot, "name": s.block.name} for s in film.shots.values()],
        "external": film.external_count(),
    }


def set_(desk: Desk, command: commands.Set) -> Result:
    if command.table:
        _check_alone(command)
        return changed_shape(desk, *set_prompts(desk, desk.here / command.table))
    targets = _targets(command)
    if command.source:
        film, changes = copy_entry(desk, _entry(command), Path(command.source))
    elif not command.assignments:
        raise BadRequest("nothing to set", remedy='say what, like prompt="…"; KEY= unsets')
    else:
        film, changes = set_intent(desk, targets, command.assignments)
    return changed_shape(desk, film, changes)


def _check_alone(command: commands.Set) -> None:
    if commands.Set(film=command.film, table=command.table, folder=command.folder) != command:
        raise BadRequest(
            "a table says itself what to set on which shots", remedy="rushes set FILM --from-csv shots.csv"
        )


def changed_shape(desk: Desk, film: Film, changes: list[Change]) -> Result:
    """What was changed, and how the film stands after it."""
    plan = desk.plan(film)
    counts = plan.counts()
    invalid = [
        {"shot": s.block.shot, "name": printable(s.block.name, 60), **s.fault.as_dict()}
        for s in plan.shots.values()
        if s.fault is not None
    ]
    return {
        "changed": [msgspec.to_builtins(change) for change in changes],
        "stale": counts.get("stale", 0),
        "missing": counts.get("missing", 0),
        "invalid": invalid,
    }


def _entry(command: commands.Set) -> Level:
    """The library entry that is meant."""
    kinds = ("character", "style", "location")
    asked = [Level(kind, getattr(command, kind)) for kind in kinds if getattr(command, kind)]
    if len(asked) != 1:
        raise BadRequest("one library entry at a time", remedy="say --character, --style or --location once")
    return asked[0]


def _targets(command: commands.Set) -> Callable[[Film], list[Level]]:
    library = bool(command.character or command.style or command.location)
    if sum((bool(command.shots), bool(command.scene), library, command.whole_film)) != 1:
        raise BadRequest(
            "say where to set it: shots, or one of --scene, --character, --style, --location, --film",
            remedy="rushes set --help shows an example of each",
        )
    if library:
        entry = _entry(command)
        return lambda _: [entry]
    if command.scene:
        return lambda film: [scene_level(film, command.scene)]
    return (lambda film: shot_levels(film, command.shots)) if command.shots else (lambda _: [Level("film")])


def takes(desk: Desk, command: commands.Takes) -> Result:
    decisions = Decisions(
        command.choose,
        command.restore,
        command.circle,
        command.uncircle,
        command.approve,
        command.note,
        command.lock,
    )
    film = decide(desk, command.shot, decisions) if decisions.any() else desk.read()
    block, rows = list_takes(desk, film, command.shot)
    return {
        "shot": block.shot,
        "name": block.name,
        "locked": block.locked,
        "waiting": block.waiting,
        "takes": rows,
    }


def undo_(desk: Desk, command: commands.Undo) -> Result:
    label, film, changes = undo(desk, skip=command.skip)
    return {"undone": label, **changed_shape(desk, film, changes)}


def redo_(desk: Desk, command: commands.Redo) -> Result:
    label, film, changes = redo(desk, skip=command.skip)
    return {"redone": label, **changed_shape(desk, film, changes)}


def clean(desk: Desk, command: commands.Clean) -> Result:
    found = cleaning.survey(desk)
    if command.yes:
        found = cleaning.clean(desk, found)
    return found.shape(command.film, dry_run=not command.yes)


def conform_(desk: Desk, command: commands.Conform) -> Result:
    out = Path(command.out) if command.out else None
    return {"film": command.out or command.film, **conform(desk, Path(command.cut), out, accept=command.accept)}


def fork_(desk: Desk, command: commands.Fork) -> Result:
    made = fork(desk, command.use)
    return {**asdict(made), "path": str(made.path) if made.path else ""}


ACTS: dict[type, Callable[[Desk, Any], Result]] = {
    commands.New: new,
    commands.Add: add,
    commands.Set: set_,
    commands.Takes: takes,
    commands.Undo: undo_,
    commands.Redo: redo_,
    commands.Clean: clean,
    commands.Conform: conform_,
    commands.Fork: fork_,
}
