"""Copies of a linked scene stay as they are: of two that are taken into one film, the last one touched would win.

Each linked scene has a name of its own written on it, which a copy bears too; whose it is, is known as long as
the file is open. A copy is frozen and gets another name. Blender's undo brings back the name that was copied: then
it is frozen again, and where the editor has let it go on since, that is undone like any step of theirs.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from secrets import token_hex

import bpy

from .. import running, scenes
from ..strips import compat, marks
from ..texts import printable
from . import identity

NAME = "rushes_scene"

_LONGEST = 32


@dataclass
class _Names:
    """By scene's key. `is_new` until the file has been looked at: what lies in it then was saved as it is."""

    of: dict[Hashable, str] = field(default_factory=dict)
    is_new: bool = True

    def owner(self, name: str) -> bpy.types.Scene | None:
        """The scene that a name belongs to, where it is still there."""
        key = next((key for key, own in self.of.items() if own == name), None)
        return identity.find(key) if key is not None else None


_names = _Names()


def look() -> None:
    """Freeze the copies that were made since the last look. Cheap: called in every tick."""
    linked = scenes.linked()
    for scene, path in linked:
        key, said = identity.key_of(scene), _said(scene)
        own = _names.of.get(key)
        is_copy = _is_copy(said, path, linked) if own is None else said not in ("", own)
        if own is None:
            own = _names.of[key] = token_hex(4) if is_copy or not said else said
        if is_copy:
            _keep(scene, path)
        if said != own:
            scene[NAME] = own
    _names.is_new = False


def forget() -> None:
    """Another file was loaded."""
    _names.of.clear()
    _names.is_new = True


def _said(scene: bpy.types.Scene) -> str:
    value = scene.get(NAME)
    return value if isinstance(value, str) and len(value) <= _LONGEST else ""


def _is_copy(said: str, path: str, linked: list[tuple[bpy.types.Scene, str]]) -> bool:
    """Whether a scene that was not there before bears the name of another one; or was brought in from another
    file, while one of this file is the film's."""
    if not said:
        return False  # linked just now
    if _names.owner(said) is not None:
        return True
    others = (scene for scene, film in linked if film == path and identity.key_of(scene) in _names.of)
    return not _names.is_new and any(not scenes.is_frozen(scene) for scene in others)


def _keep(scene: bpy.types.Scene, path: str) -> None:
    """Have the copy stay as it is. One without strips has only the settings of the other: it is no version of the
    film, and its emptiness nobody's cut."""
    if not any(marks.shot_of(strip) for strip in compat.strips_all(scene)):
        scenes.unlink(scene)
    elif not scenes.is_frozen(scene):
        scenes.set_frozen(scene, True)
        film = running.session().film(path)
        if film is not None:
            film.note(
                printable(f"{scene.name} is a copy, so it was frozen: it stays as it is until you let it go on")
            )
            running.redraw()
