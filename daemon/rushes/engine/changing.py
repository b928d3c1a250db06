"""Changes to a film on disk: a shot added, intent set, an entry copied. Each is one read, change and save."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from msgspec import Raw

from rushes.engine.assign import Assigner, parse
from rushes.engine.studio import Desk
from rushes.engine.undoing import Change, place, remembering
from rushes_otio.adding import add_scene, add_shot, make_shot
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film, Shot
from rushes_otio.library import KINDS
from rushes_otio.pointing import find_place, find_scene, find_shot
from rushes_otio.setting import Level, entry_name, intent_at, put_intent


def add_to_film(desk: Desk, scene: str, after: str, frames: int, assignments: list[str]) -> tuple[Film, Shot]:
    """Add a shot with its intent to a scene, which is made if it is new."""
    with desk.changing() as film:
        follows = find_shot(film, after) if after else None
        found = find_scene(film, scene) if scene else film.scene(follows.block.scene) if follows else None
        if found is None and not scene:
            raise BadRequest("a shot needs a scene", remedy="--scene SC010, or a new name")
        shot = add_shot(film, found or add_scene(film, scene), frames, {}, follows)
        _assign(desk, film, Level("shot", shot.block.shot), assignments)
        return film, film.shots[shot.block.shot]


def set_intent(
    desk: Desk, targets: Callable[[Film], list[Level]], assignments: list[str]
) -> tuple[Film, list[Change]]:
    """Make the same assignments on every level that `targets` finds in the film."""
    with remembering(desk) as film:
        changes = [c for level in targets(film) for c in _assign(desk, film, level, assignments)]
        return film, changes


def shot_levels(film: Film, shots: Iterable[str]) -> list[Level]:
    """The shots that people point at; an external clip or a gap becomes a shot by being given intent."""
    levels = []
    for text in shots:
        place = find_place(film, text)
        if place is not None and place[0].items[place[1]].block is None:
            levels.append(Level("shot", make_shot(film, *place).block.shot))
        else:
            levels.append(Level("shot", find_shot(film, text).block.shot))
    return levels


def scene_level(film: Film, text: str) -> Level:
    """The scene with this code, name or id; BadRequest when there is none."""
    scene = find_scene(film, text)
    if scene is None:
        codes = ", ".join(f"{s.code} {s.name}" for s in film.block.scenes[:8]) or "none yet"
        raise BadRequest(f"there is no scene {text!r}", where=film.where, remedy=f"scenes: {codes}")
    return Level("scene", scene.id)


def copy_entry(desk: Desk, level: Level, other: Path) -> tuple[Film, list[Change]]:
    """Copy a library entry from another film, with the pictures it mentions."""
    source = desk.studio.desk(other)
    lending = source.read()
    entry = intent_at(lending, level)
    if not entry:
        raise BadRequest(
            f"{other} has no {level.kind} {level.key!r}", where=str(other), remedy="check the name in that film"
        )
    copied = {key: _with_files(raw, source, desk) for key, raw in entry.items()}
    with remembering(desk) as film:
        before = intent_at(film, level)
        put_intent(film, level, copied)
        return film, _changes(film, level, before, copied)


def _with_files(raw: Raw, source: Desk, desk: Desk) -> Raw:
    value = msgspec.json.decode(raw)
    if not isinstance(value, list):
        return raw
    for row in value:
        for key in {"image", "file"} & row.keys():
            row[key] = desk.files.adopt(source.files.locate(row[key], str(source.places.film)))
    return Raw(msgspec.json.encode(value))


def _assign(desk: Desk, film: Film, level: Level, assignments: list[str]) -> list[Change]:
    before = intent_at(film, level)
    after = before
    for text in assignments:
        assigner = Assigner(film, level, desk.files.adopt, desk.here)
        after = assigner.apply(after, parse(text, level.kind))
    if after != before or level.kind not in ("film", "shot", "scene"):
        put_intent(film, level, after)
    return _changes(film, level, before, after)


def _changes(film: Film, level: Level, before: dict[str, Raw], after: dict[str, Raw]) -> list[Change]:
    was = {key: msgspec.json.decode(raw) for key, raw in before.items()}
    now = {key: msgspec.json.decode(raw) for key, raw in after.items()}
    keys = [k for k in dict.fromkeys([*was, *now]) if was.get(k) != now.get(k)]
    where = place(film, Level(level.kind, entry_name(film, level)) if level.kind in KINDS else level)
    return [Change(where, key, was.get(key), now.get(key)) for key in keys]
