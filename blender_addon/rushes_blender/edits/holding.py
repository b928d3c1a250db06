"""Tells the daemon what this Blender uses: the takes of its strips, which must not be cleaned away, and what its
user looks at, which is made first.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import bpy

from .. import running, scenes
from ..strips import compat, marks
from . import moments

Json = dict[str, Any]
Takes = list[list[str]]
"""Pairs of shot and take."""

LONGEST_NAME = 256

_TAKE = re.compile(r"__([0-9a-hjkmnp-tv-z]{8})_([a-z][0-9]{3,})\.[^.]*$", re.IGNORECASE)
"""How the file of a take is named: whoever shows it, the file is needed."""


@dataclass
class Pace:
    """Seconds between looks. What was said is not said again."""

    hold_s: float = 2.0
    focus_s: float = 0.5


pace = Pace()
_unsaved = ""
_held: dict[tuple[str, str], Takes] = {}
"""By film and host, what the daemon was told."""
_focus: dict[str, tuple[list[str], list[str]]] = {}
_hold_at = 0.0
_focus_at = 0.0


def host() -> str:
    """What this project is called: after its file, so that it holds its takes while it is closed, too."""
    if not bpy.data.filepath:
        return "blender:" + _unsaved
    name = "blender:" + bpy.data.filepath
    return name if len(name) <= LONGEST_NAME else "blender:" + hashlib.sha256(name.encode()).hexdigest()


def takes_of(scene: bpy.types.Scene) -> set[tuple[str, str]]:
    """The takes that a scene's strips show, by the names of their files."""
    paths = (getattr(strip, "filepath", "") for strip in compat.strips_all(scene))
    found = (_TAKE.search(path) for path in paths if path)
    return {(name[1].lower(), name[2].lower()) for name in found if name}


def forget() -> None:
    """Another file was loaded. The one before holds what it holds, unless it was never saved and so is gone."""
    global _unsaved, _hold_at
    for film, name in [key for key in _held if key[1] == "blender:" + _unsaved]:
        _say(film, name, [])
    _unsaved = "unsaved " + token_hex(6)
    _held.clear()
    _focus.clear()
    _hold_at = 0.0


def register() -> None:
    forget()
    running.chore(_chore)


def unregister() -> None:
    forget()


def _chore(_budget_s: float) -> bool:
    global _hold_at, _focus_at
    now = time.monotonic()
    if running.session().link_state != "linked" or not moments.may_read():
        return False
    if now >= _hold_at:
        _hold_at = now + pace.hold_s
        _hold()
    elif now >= _focus_at:  # not both in one tick
        _focus_at = now + pace.focus_s
        _look()
    return False


def _hold() -> None:
    """Say what each film's scenes hold now, frozen ones too, where that is something else."""
    name = host()
    wanted: dict[tuple[str, str], set[tuple[str, str]]] = {(film, each): set() for film, each in _held}
    for scene, path in scenes.linked():
        if scenes.trusted(path):
            wanted.setdefault((path, name), set()).update(takes_of(scene))
    for (film, each), takes in wanted.items():
        said = [list(pair) for pair in sorted(takes)]
        if _held.get((film, each), []) != said:
            _say(film, each, said)


def _say(film: str, name: str, takes: Takes) -> None:
    _held[film, name] = takes

    def answered(_result: Json | None, error: Json | None) -> None:
        if error is not None and _held.get((film, name)) is takes:
            del _held[film, name]  # say it again with the next look

    running.session().ask({"type": "hold", "film": film, "host": name, "takes": takes}, answered)


def _look() -> None:
    """Say what the editor has before them, where that is something else."""
    scene = compat.edit_scene()
    path = scenes.film_of(scene) if scene is not None else ""
    film = running.session().film(path) if path else None
    if film is None or not film.is_known or moments.is_playing():
        return
    seen = list(dict.fromkeys(_at_playhead(scene))), list(dict.fromkeys(_selected(scene)))
    if _focus.get(path, ([], [])) != seen:
        _focus[path] = seen
        running.session().ask({"type": "focus", "film": path, "playhead": seen[0], "selection": seen[1]})


def _at_playhead(scene: bpy.types.Scene) -> Iterator[str]:
    frame = scene.frame_current
    for strip in compat.strips_all(scene):
        shot = marks.shot_of(strip)
        if shot and compat.get(strip, compat.LEFT) <= frame < compat.get(strip, compat.RIGHT):
            yield shot


def _selected(scene: bpy.types.Scene) -> Iterator[str]:
    return (shot for strip in compat.selected_strips(scene) if (shot := marks.shot_of(strip)))
