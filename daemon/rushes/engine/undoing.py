"""Undo and redo of changes of intent, of conforms and of forks. A change that somebody has gone over since, in
another program or by hand, is not taken back: nobody's edit is overwritten.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Raw

from rushes.engine import keptcuts
from rushes.engine.studio import Desk
from rushes.store.changes import FieldChange, LevelChange, Remembered
from rushes_otio import rawjson
from rushes_otio.errors import BadRequest, RushesError
from rushes_otio.film import Film
from rushes_otio.library import KINDS
from rushes_otio.setting import Level, drop_entry, intent_at, put_intent
from rushes_otio.text import printable

_NOT_SET = Raw(b"null")
_CUT, _CLIPS = "cut", "clips"

_Intents = dict[Level, Raw]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """One field that was changed: where, which, and its values (None where it is not set)."""

    where: str
    field: str
    was: Any
    now: Any


@contextmanager
def remembering(desk: Desk) -> Iterator[Film]:
    """`desk.changing`, and what it changes of the intent can be undone."""
    with desk.changing() as film:
        before = _intents(film)
        yield film
        levels = _differences(before, _intents(film), film.where)
        label = _label(film, levels)
    if levels:
        _note(desk, label, levels)


@contextmanager
def remembering_cut(desk: Desk, label: str) -> Iterator[Film]:
    """`desk.changing` for a change of the cut, which can be undone."""
    with desk.changing() as film:
        before = keptcuts.keep(desk, film)
        yield film
        after = keptcuts.name_of(film)
    if before != after:
        change = FieldChange(rawjson.encode(before), rawjson.encode(after))
        _note(desk, label, [LevelChange(_CUT, "", {_CLIPS: change})])


def cut_before(desk: Desk, film: Film, label: str) -> str:
    """The name of the film's cut before the change of this label, where that was the last change and its cut is
    still the film's; empty otherwise."""
    found = desk.studio.changes.to_undo(desk.places.key)
    change = found.levels[0].fields.get(_CLIPS) if found and found.label == label and found.levels else None
    if change is None or _value(change.now) != keptcuts.name_of(film):
        return ""
    return str(_value(change.was))


def _note(desk: Desk, label: str, levels: list[LevelChange]) -> None:
    try:
        desk.studio.changes.note(desk.places.key, label, levels)
    except RushesError as error:  # the change itself is on disk
        log.warning("%s cannot be undone: %s", label, error.text)


def undo(desk: Desk, *, skip: bool) -> tuple[str, Film, list[Change]]:
    """Take the last change back: what it was called, the film, and what was changed by it. BadRequest when there
    is none, or when somebody has changed the same since; `skip` then passes over it.
    """
    found = desk.studio.changes.to_undo(desk.places.key)
    if found is None:
        raise BadRequest("there is nothing to undo", remedy="changes of intent, conforms and forks can be undone")
    back = [_reversed(level) for level in found.levels]
    if skip:
        desk.studio.changes.mark(found, "skipped")
        return found.label, desk.read(), []
    with desk.changing() as film:
        changes = _apply(desk, film, found, back)
        for level in back:
            if level.made and not intent_at(film, Level(level.kind, level.key)):
                drop_entry(film, Level(level.kind, level.key))
    desk.studio.changes.mark(found, "undone")
    return found.label, film, changes


def redo(desk: Desk, *, skip: bool) -> tuple[str, Film, list[Change]]:
    """Make what was undone last again; as `undo`."""
    found = desk.studio.changes.to_redo(desk.places.key)
    if found is None:
        raise BadRequest("there is nothing to redo", remedy="what was undone can be, until something else is set")
    if skip:
        desk.studio.changes.mark(found, "skipped")
        return found.label, desk.read(), []
    with desk.changing() as film:
        changes = _apply(desk, film, found, found.levels)
    desk.studio.changes.mark(found, "done")
    return found.label, film, changes


def _reversed(level: LevelChange) -> LevelChange:
    fields = {name: FieldChange(change.now, change.was) for name, change in level.fields.items()}
    return LevelChange(level.kind, level.key, fields, level.made)


def changes_between(film: Film, levels: list[LevelChange]) -> list[Change]:
    """Level by level what was changed, for people."""
    return [
        Change(
            place(film, Level(level.kind, level.key)), name, *(_told(level, v) for v in (change.was, change.now))
        )
        for level in levels
        for name, change in level.fields.items()
    ]


def _told(level: LevelChange, raw: Raw) -> Any:  # noqa: ANN401 (whatever JSON holds)
    value = _value(raw)
    return value.partition(",")[0] if level.kind == _CUT else value


def place(film: Film, level: Level) -> str:
    """A level as people call it."""
    match level.kind:
        case "shot":
            shot = film.shots.get(level.key)
            return (shot.block.name if shot else "") or level.key
        case "scene":
            scene = film.scene(level.key)
            return scene.code if scene else level.key
        case "film" | "cut":
            return level.kind
    return f"{level.kind} {level.key}"


def _apply(desk: Desk, film: Film, change: Remembered, levels: list[LevelChange]) -> list[Change]:
    """All of it or nothing."""
    for level in levels:
        if level.kind == _CUT:
            _check_cut(film, change, level)
        else:
            _check(film, change, level)
    for level in levels:
        if level.kind == _CUT:
            keptcuts.keep(desk, film)
            keptcuts.bring_back(desk, film, str(_value(level.fields[_CLIPS].now)))
            continue
        where = Level(level.kind, level.key)
        intent = intent_at(film, where)
        for name, field in level.fields.items():
            if bytes(field.now) == bytes(_NOT_SET):
                intent.pop(name, None)
            else:
                intent[name] = field.now
        put_intent(film, where, intent)
    return changes_between(film, levels)


def _check_cut(film: Film, change: Remembered, level: LevelChange) -> None:
    if keptcuts.name_of(film) != _value(level.fields[_CLIPS].was):
        raise BadRequest(
            printable(f"{change.label!r} cannot be undone: the cut was changed since", 300),
            where=film.where,
            remedy="rushes undo FILM --skip (or redo) passes over this change",
        )


def _check(film: Film, change: Remembered, level: LevelChange) -> None:
    where = Level(level.kind, level.key)
    remedy = "set it by hand; rushes undo FILM --skip (or redo) passes over this change"
    if where.kind in ("shot", "scene") and not _is_there(film, where):
        gone = f"{change.label!r} cannot be undone: the {where.kind} {where.key} is not in the film any more"
        raise BadRequest(printable(gone, 300), where=film.where, remedy=remedy)
    today = intent_at(film, where)
    for name, field in level.fields.items():
        if _value(today.get(name, _NOT_SET)) != _value(field.was):
            text = f"{change.label!r} cannot be undone: {name} of {place(film, where)} was changed since"
            raise BadRequest(printable(text, 300), where=film.where, remedy=remedy)


def _is_there(film: Film, level: Level) -> bool:
    return level.key in film.shots if level.kind == "shot" else film.scene(level.key) is not None


def _intents(film: Film) -> _Intents:
    """The intent of every level, as text."""
    found: _Intents = {Level("film"): film.block.intent}
    found.update((Level("scene", scene.id), scene.intent) for scene in film.block.scenes)
    found.update((Level("shot", shot), found_.block.intent) for shot, found_ in film.shots.items())
    for kind, plural in KINDS.items():
        entries: dict[str, Raw] = getattr(film.block.library, plural)
        found.update((Level(kind, name), raw) for name, raw in entries.items())
    return found


def _differences(before: _Intents, after: _Intents, where: str) -> list[LevelChange]:
    found = []
    for level, now in after.items():
        was = before.get(level)
        if was is None or bytes(was) != bytes(now):
            fields = _fields(was, now, where)
            made = was is None and level.kind in KINDS
            if fields or made:
                found.append(LevelChange(level.kind, level.key, fields, made))
    return found


def _fields(was: Raw | None, now: Raw, where: str) -> dict[str, FieldChange]:
    old = rawjson.open_object(was, where) if was is not None else {}
    new = rawjson.open_object(now, where)
    found = {}
    for name in dict.fromkeys([*old, *new]):
        change = FieldChange(old.get(name, _NOT_SET), new.get(name, _NOT_SET))
        if bytes(change.was) != bytes(change.now):
            found[name] = change
    return found


def _label(film: Film, levels: list[LevelChange]) -> str:
    fields = ", ".join(dict.fromkeys(name for level in levels for name in level.fields)) or "entry"
    if len(levels) != 1:
        return printable(f"{fields} of {len(levels)} levels", 120)
    return printable(f"{fields} of {place(film, Level(levels[0].kind, levels[0].key))}", 120)


def _value(raw: Raw) -> Any:  # noqa: ANN401 (whatever JSON holds)
    return msgspec.json.decode(raw)
