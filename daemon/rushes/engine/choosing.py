"""What people decide about takes: choosing, restoring, circling, approving, locking, notes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from rushes.engine.plan import Planner
from rushes.engine.recipe import moving_as
from rushes.engine.studio import Desk
from rushes.engine.taking import pictured
from rushes.engine.undoing import remembering
from rushes.store.shelf import Shelf
from rushes.store.takes import FoundTake, TakeRecord, read_record
from rushes_otio import choosing as film_takes
from rushes_otio import rawjson
from rushes_otio.errors import RushesError
from rushes_otio.film import Film
from rushes_otio.pointing import find_shot
from rushes_otio.schema import Chosen, ShotBlock, TakeMark
from rushes_otio.setting import Level, intent_at, put_intent


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is decided about one shot; empty strings and None mean nothing is."""

    choose: str = ""
    restore: bool = False
    circle: str = ""
    uncircle: str = ""
    approve: str = ""
    note: str | None = None
    lock: bool | None = None

    def any(self) -> bool:
        return self != Decisions(restore=self.restore)


def decide(desk: Desk, shot: str, decisions: Decisions) -> Film:
    """Carry the decisions out, in one change of the film. BadRequest when there is no such take."""
    with remembering(desk) as film:
        shelf = desk.shelf()  # while the film is held: a clean frees nothing meanwhile
        block = find_shot(film, shot).block
        if decisions.lock is not None:
            film.patch_shot(block.shot, locked=decisions.lock)
        if decisions.note is not None:
            film.patch_shot(block.shot, note=decisions.note)
        for take, mark in _marks(block, decisions):
            found = shelf.find(block, take)
            record = shelf.record(block, take)
            film_takes.mark_take(film, block.shot, take, mark, shelf.relative(found.movie), record.window.frames)
        if decisions.choose.startswith("k"):
            _choose_keyframe(film, shelf, block, decisions.choose)
        elif decisions.choose:
            if decisions.restore:
                intent = shelf.record(block, decisions.choose).intent
                raw = {key: rawjson.encode(value) for key, value in intent.items()}
                put_intent(film, Level("shot", block.shot), raw)
            choose_by_hand(desk, film, shelf, block, decisions.choose)
        return film


def _marks(block: ShotBlock, decisions: Decisions) -> list[tuple[str, TakeMark]]:
    said: dict[str, TakeMark] = {}
    for take, change in (
        (decisions.circle, {"circled": True}),
        (decisions.uncircle, {"circled": False}),
        (decisions.approve, {"approved": True}),
    ):
        if take:
            before = said.get(take) or block.takes.get(take) or TakeMark()
            said[take] = msgspec.structs.replace(before, **change)
    return list(said.items())


def choose_by_hand(desk: Desk, film: Film, shelf: Shelf, block: ShotBlock, take: str) -> None:
    """Put a take into the cut, accepted for today's recipe. BadRequest when it is not in the folder."""
    record = shelf.record(block, take)
    movie = shelf.find(block, take).movie
    motion = record.stages["motion"].digest
    accepted, made = dict(record.recipe), pictured(record)
    chosen = Chosen(record.take, "hand", motion, accepted)
    film_takes.choose(film, block.shot, chosen, shelf.relative(movie), record.window.frames)
    # Planned with the take in place, so that its recorded model counts; then accepted for today's recipe.
    today = Planner(film, desk.sources).some({block.shot})[block.shot].recipe
    if today is not None:
        recipe = moving_as(today, made)
        film.patch_shot(block.shot, chosen=msgspec.structs.replace(chosen, recipe=recipe))


def _choose_keyframe(film: Film, shelf: Shelf, block: ShotBlock, take: str) -> None:
    """A still is chosen by asking for it: one mechanism for made, painted and found pictures."""
    picture = shelf.relative(shelf.find(block, take).movie)
    level = Level("shot", block.shot)
    put_intent(film, level, {**intent_at(film, level), "keyframe": rawjson.encode({"image": picture})})


def list_takes(desk: Desk, film: Film, shot: str) -> tuple[ShotBlock, list[dict[str, Any]]]:
    """The shot's block and a row for each take in the folder, oldest first."""
    block = find_shot(film, shot).block
    shelf, still = desk.shelf(), _still(film, block)
    takes = shelf.takes(block.shot)
    chosen = {take.take for take in takes if shelf.relative(take.movie) == still}
    if block.chosen is not None:
        chosen.add(block.chosen.take)
    return block, [_row(block, take, chosen) for take in takes]


def _still(film: Film, block: ShotBlock) -> str:
    """The picture that the shot's intent asks to start from, as the film calls it; empty without one."""
    raw = intent_at(film, Level("shot", block.shot)).get("keyframe")
    keyframe = msgspec.json.decode(raw) if raw is not None else None
    return str(keyframe.get("image", "")) if isinstance(keyframe, dict) else ""


def _row(block: ShotBlock, take: FoundTake, chosen: set[str]) -> dict[str, Any]:
    mark = block.takes.get(take.take, TakeMark())
    record = _record(take.record)
    return {
        "take": take.take,
        "path": str(take.movie),
        "chosen": take.take in chosen,
        "circled": mark.circled,
        "approved": mark.approved,
        "frames": record.window.frames if record else 0,
        "size": list(record.window.size) if record else None,
        "made": record.made if record else "",
        "seed": record.seed if record else "",
        "model": record.generator.name if record else "",
    }


def _record(path: Path | None) -> TakeRecord | None:
    """A record that was lost or damaged does not hide its movie."""
    try:
        return read_record(path) if path else None
    except RushesError:
        return None
