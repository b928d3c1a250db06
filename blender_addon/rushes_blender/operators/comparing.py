"""Another take of a shot shown in place of the chosen one, for a look. Nothing of that is kept: it ends by itself
when Blender saves or renders, and every undo and load puts the chosen take back."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import running, scenes
from ..strips import marks, swapping

_others: dict[tuple[str, str], dict[str, Any]] = {}  # by film and shot: what is shown in place of the chosen take


def other_take(path: str, shot: str) -> str:
    """The take that is shown in place of the chosen one; "" where that itself is shown."""
    other = _others.get((path, shot))
    if other is None:
        return ""
    if any(not swapping.needs(strip, other) for _, strip in _strips(path, shot)):
        return str(other["take"])
    del _others[path, shot]
    return ""


def begin(path: str, shot: str, row: dict[str, Any]) -> str:
    """Show a take, a row of `takes`, wherever the shot is used. What went wrong, "" where nothing did."""
    film = running.session().film(path)
    showing = film.showings.get(shot) if film is not None else None
    if showing is None:
        return "it is not known yet what the shot shows"
    size = row.get("size") or showing["size"]
    other = {**showing, "take": row["take"], "path": row["path"], "frames": row["frames"], "size": size, "zero": 0}
    _others[path, shot] = other
    return _show(path, shot, other)


def end(path: str, shot: str) -> None:
    """Show the chosen take again."""
    _others.pop((path, shot), None)
    film = running.session().film(path)
    showing = film.showings.get(shot) if film is not None else None
    if showing is not None:
        _show(path, shot, showing)


@persistent
def end_all(*_: object) -> None:
    """Show every chosen take again."""
    for path, shot in list(_others):
        end(path, shot)


def _show(path: str, shot: str, showing: dict[str, Any]) -> str:
    problems = [swapping.show(scene, strip, showing) for scene, strip in _strips(path, shot)]
    running.redraw()
    return "; ".join(problem for problem in problems if problem)


def _strips(path: str, shot: str) -> list[tuple[bpy.types.Scene, bpy.types.Strip]]:
    linked = [scene for scene, film in scenes.linked() if film == path and not scenes.is_frozen(scene)]
    return [(scene, strip) for scene in linked for strip in marks.strips_of(scene, shot)]


HANDLERS = {"save_pre": end_all, "render_init": end_all}
"""A window calls the second one from the thread that renders. Blender advises against changes there. But this is
short and done once, and a film rendered with a take that nobody chose would be worse."""


def unregister() -> None:
    end_all()
    _others.clear()
