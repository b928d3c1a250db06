"""Commands of the film that Blender's undo takes back.

Each gets a number, and the number of the last one is written on all linked scenes, within the step of the editor
that the command belongs to. Blender's undo takes the number back with the step, so it says which commands count.
Those that do not any more are told to the film the other way round. What they are is remembered here, not in the
.blend: a file that is opened can make a film do nothing. What somebody else has set since stays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import bpy

from .. import running, scenes
from ..texts import error_text, printable
from . import since, swaps
from .line import Done, Json, Line

STEP = "rushes_step"

MOST_ENTRIES = 1000
"""Blender keeps 256 steps at most; while a slider is dragged one of them may hold several commands."""

_HIGHEST = 1 << 30
"""Numbers above it are not ours: an id property ends at 2**31."""


@dataclass
class _Entry:
    """`left` is what the fields were when it was last sent, one way or the other; None while that is not known."""

    serial: int
    forward: Json
    back: Json
    label: str
    counts: bool = True
    left: dict[str, object] | None = None


_line = Line()
_entries: deque[_Entry] = deque(maxlen=MOST_ENTRIES)
_last = 0
_before = 0


def do(scene: bpy.types.Scene, forward: Json, back: Json, label: str, done: Done | None = None) -> None:
    """Send `forward`, a command about the scene's film, as part of the step that is being made: in an operator
    with UNDO, or while Blender sets a property. When that step is undone, `back` is sent. `done` gets what came of
    `forward`."""
    global _last
    _last = max([_last, *_steps()]) + 1
    for each in [scene, *(linked for linked, _ in scenes.linked())]:
        each[STEP] = _last
    for entry in [entry for entry in _entries if not entry.counts]:
        _entries.remove(entry)  # what was undone before cannot be redone after this
    film = {"film": scenes.film_of(scene)}
    entry = _Entry(_last, {**film, **forward}, {**film, **back}, label)
    _entries.append(entry)
    _line.put(entry.forward, _answering(entry, entry.forward, label, done))


def begin() -> None:
    """Blender is about to undo or redo, one step or many."""
    global _before
    _before = _position()


def undone() -> None:
    """Blender has undone: take back what is not in the file any more, the newest first."""
    now = _position()
    for entry in reversed(list(_entries)):
        if entry.counts and now < entry.serial <= _before:
            entry.counts = False
            _turn(entry, entry.forward, entry.back, f"Undo of {entry.label}")


def redone() -> None:
    """Blender has redone: send again what is in the file again."""
    now = _position()
    for entry in list(_entries):
        if not entry.counts and _before < entry.serial <= now:
            entry.counts = True
            _turn(entry, entry.back, entry.forward, f"Redo of {entry.label}")


def forget() -> None:
    """Another file was loaded: its undo begins with it. What was told before still is."""
    global _last, _before
    _entries.clear()
    _last = _before = 0


def _turn(entry: _Entry, before: Json, body: Json, label: str) -> None:
    """Send `body`, where what `before` did is still there."""
    question = since.question(body)
    if not since.is_chosen(before):
        _note(body["film"], f"{label}: another take was chosen since, which stays")
    elif question is None:
        _line.put(body, _answering(entry, body, label))
    else:
        _line.put(question, partial(_looked, entry, body, label))


def _looked(entry: _Entry, body: Json, label: str, shown: Json | None, error: Json | None) -> None:
    """What the film says now is known, unless it could not be asked: then it will say why."""
    if error is None and entry.left not in (None, since.values(body, shown or {})):
        _note(body["film"], f"{label}: it was changed since, which stays")
    else:
        _line.put_first(body, _answering(entry, body, label))


def _answering(entry: _Entry, body: Json, label: str, done: Done | None = None) -> Done:
    """What to do when `body` is answered. A command that fails is noted, and never comes back the other way round:
    nothing of it was done."""
    settle = _expecting(body)

    def answered(result: Json | None, error: Json | None) -> None:
        settle(error is None)
        question = since.question(body)
        if error is not None:
            _void(entry)
            _note(body["film"], f"{label}: {error_text(error)}")
        entry.left = None
        if error is None and question is not None:
            _line.put_first(question, partial(_is_left, entry, body))
        if done is not None:
            done(result, error)

    return answered


def _is_left(entry: _Entry, body: Json, shown: Json | None, error: Json | None) -> None:
    entry.left = since.values(body, shown or {}) if error is None else None


def _expecting(body: Json) -> Callable[[bool], None]:
    take = body.get("choose")
    if body.get("type") != "takes" or not take:
        return lambda _is_done: None
    return swaps.expected.expect(body["film"], str(body.get("shot", "")), str(take))


def _void(entry: _Entry) -> None:
    if entry in _entries:
        _entries.remove(entry)


def _note(path: str, text: str) -> None:
    film = running.session().film(path)
    if film is not None:
        film.note(printable(text))
        running.redraw()


def _position() -> int:
    """The number of the last command that counts in the file as it is. A scene that was unlinked keeps its number;
    one that was appended from another file may have a number of there."""
    return max((step for step in _steps() if step <= _last), default=0)


def _steps() -> list[int]:
    return [_step(scene) for scene in bpy.data.scenes if scene.library is None]


def _step(scene: bpy.types.Scene) -> int:
    """What a scene says, 0 for anything that we do not write."""
    value = scene.get(STEP)
    return value if isinstance(value, int) and 0 <= value <= _HIGHEST else 0
