"""What the panel is about: the scene whose sequence is edited, its film, the active strip, the selected shots."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import bpy

from .. import running, scenes
from ..operators import meaning, shelf
from ..strips import compat, marks
from . import standing
from .details import Detail, Details, Done

if TYPE_CHECKING:
    from ..link.films import Film

LOOK_S = 0.25
"""How often it is looked whether another shot is selected."""

Takes = dict[tuple[str, str], list[dict[str, Any]]]

_looked_at = 0.0
_takes: Takes = {}


@dataclass(frozen=True)
class Subject:
    """Read anew for each panel. `film` is None while nothing is known of it, `strip` while none is active."""

    scene: bpy.types.Scene
    path: str
    is_trusted: bool
    film: Film | None
    strip: bpy.types.Strip | None

    @cached_property
    def shot(self) -> str:
        """The shot of the active strip, "" where it is none of ours."""
        return marks.shot_of(self.strip) if self.strip is not None else ""

    @cached_property
    def shots(self) -> list[str]:
        """The shots that a field of several shots is about: the active one first."""
        found = meaning.selected_shots(self.scene)
        return [shot for shot in (self.shot, *(other for other in found if other != self.shot)) if shot]

    @property
    def fields(self) -> bpy.types.PropertyGroup:
        """What the active shot asks for, as properties that can be edited."""
        return cast("bpy.types.PropertyGroup", cast("Any", self.scene).rushes)

    @cached_property
    def row(self) -> dict[str, Any]:
        """What the film's status says of the active shot; empty while it says nothing."""
        return standing.row_of(self.film, self.shot) if self.film is not None else {}

    @property
    def takes(self) -> list[dict[str, Any]]:
        """The active shot's takes, oldest first; empty while they are not known."""
        return _takes.get((self.path, self.shot), [])

    @property
    def fault(self) -> str:
        """Why it is not known what the active shot asks for; "" where nothing went wrong."""
        return details.fault(self.path, self.shot)

    @property
    def detail(self) -> Detail | None:
        """What the active shot asks for; None while that is not known."""
        return details.of(self.path, self.shot)


def of_scene(scene: bpy.types.Scene) -> Subject:
    """The subject of a scene. Asks nothing of anybody."""
    path = scenes.film_of(scene)
    trusted = bool(path) and scenes.trusted(path)
    film = running.session().film(path) if trusted else None
    known = film if film is not None and film.is_known else None
    return Subject(scene, path, trusted, known, compat.active_strip(scene))


def of(context: bpy.types.Context) -> Subject:
    """The subject of a panel."""
    return of_scene(compat.edit_scene(context))


def shot_name(film: Film, shot: str) -> str:
    """What the film calls a shot."""
    return str(film.rows.get(shot, {}).get("name") or shot)


def scene_name(film: Film, row: dict[str, Any]) -> str:
    """The code and the name of a shot's scene, "" without one."""
    found = next((scene for scene in film.scenes if scene.get("scene") == row.get("scene")), {})
    return " ".join(str(found.get(key) or "") for key in ("code", "name")).strip()


def _ask(body: dict[str, Any], done: Done) -> object:
    return running.session().ask(body, done)


details = Details(_ask, running.redraw)


def keep(_budget_s: float) -> bool:
    """Have known what the panels show of the selected shots. A chore: panels themselves ask nothing."""
    global _looked_at, _takes
    now = time.monotonic()
    if now - _looked_at < LOOK_S:
        return False
    _looked_at = now
    takes: Takes = {}
    for scene in _edited():
        about = of_scene(scene)
        if about.film is not None and about.shots:
            details.keep(about.path, about.shots, about.film.rows)
        if about.film is not None and about.shot:
            takes[about.path, about.shot] = shelf.takes_of(about.path, about.shot) or []
    _takes = takes
    return False


def _edited() -> set[bpy.types.Scene]:
    """The scenes whose sequence a window shows."""
    windows = bpy.context.window_manager.windows
    pinned = (getattr(window.workspace, "sequencer_scene", None) or window.scene for window in windows)
    return {scene for scene in pinned if scene is not None}


def register() -> None:
    running.chore(keep)


def unregister() -> None:
    """Nothing is known any more."""
    details.forget()
    _takes.clear()
