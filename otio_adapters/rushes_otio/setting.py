"""Intent as it is set: on the film, a scene, a library entry or a shot. Nothing here touches a disk."""

from __future__ import annotations

import re
from dataclasses import dataclass

from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film
from rushes_otio.library import KINDS
from rushes_otio.text import printable


@dataclass(frozen=True, slots=True)
class Level:
    """Where intent is set: `kind` is film, scene, shot, character, style or location; `key` its id or name."""

    kind: str
    key: str = ""


def intent_at(film: Film, level: Level) -> dict[str, Raw]:
    """The raw intent of one level; an empty one for a library entry that does not exist yet."""
    if level.kind == "film":
        return rawjson.open_object(film.block.intent, film.where)
    if level.kind == "shot":
        return rawjson.open_object(film.shots[level.key].block.intent, film.where)
    if level.kind == "scene":
        scene = film.scene(level.key)
        assert scene is not None
        return rawjson.open_object(scene.intent, film.where)
    entries: dict[str, Raw] = getattr(film.block.library, KINDS[level.kind])
    raw = entries.get(entry_name(film, level))
    return rawjson.open_object(raw, film.where) if raw is not None else {}


def put_intent(film: Film, level: Level, intent: dict[str, Raw]) -> None:
    """Replace the intent of one level. On a shot, every use of it."""
    raw = rawjson.encode(intent)
    if level.kind == "film":
        film.patch_block(intent=raw)
    elif level.kind == "shot":
        film.patch_shot(level.key, intent=raw)
    elif level.kind == "scene":
        rows = [
            rawjson.patch(row, {"intent": raw}, film.where) if scene.id == level.key else row
            for row, scene in zip(film.raw_scenes(), film.block.scenes, strict=True)
        ]
        film.patch_block(scenes=rows)
    else:
        _put_entry(film, level, raw)


def drop_entry(film: Film, level: Level) -> None:
    """Take a library entry out; nothing where it is not there."""
    block = rawjson.open_object(film.raw_block, film.where)
    library = rawjson.member(block, "library", film.where)
    plural = KINDS[level.kind]
    if plural in library:
        library[plural] = rawjson.patch(library[plural], {entry_name(film, level): None}, film.where)
        film.patch_block(library=library)


def entry_name(film: Film, level: Level) -> str:
    """The name of a library entry as the library spells it; BadRequest when the name is another kind's."""
    if not re.fullmatch(r"\w{1,80}", level.key):
        raise BadRequest(
            f"{printable(level.key, 60)!r} is no name for a {level.kind}",
            where=film.where,
            remedy="use letters, digits and _, so that @name works in a prompt",
        )
    for kind, plural in KINDS.items():
        for name in getattr(film.block.library, plural):
            if name.casefold() == level.key.casefold():
                if kind != level.kind:
                    raise BadRequest(
                        f"{name!r} is a {kind} already; characters, styles and locations share their names",
                        where=film.where,
                        remedy=f"use another name, or --{kind} {name}",
                    )
                return str(name)
    return level.key


def _put_entry(film: Film, level: Level, raw: Raw) -> None:
    block = rawjson.open_object(film.raw_block, film.where)
    library = rawjson.member(block, "library", film.where)
    for plural in KINDS.values():
        library.setdefault(plural, Raw(b"{}"))
    plural = KINDS[level.kind]
    library[plural] = rawjson.patch(library[plural], {entry_name(film, level): raw}, film.where)
    film.patch_block(library=library)
