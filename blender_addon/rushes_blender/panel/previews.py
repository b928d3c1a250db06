"""The picture of a shot while it is made, as an icon that a panel can show.

Blender reads previews from files, and each but once: so each picture gets a file and a name of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import bpy.utils.previews

from .. import running
from ..strips import compat
from . import subject

if TYPE_CHECKING:
    from bpy.utils.previews import ImagePreviewCollection

KEPT = 3
"""Pictures that lie on disk: the one that is shown, and those that a sidebar may still be drawn with."""

_collection: ImagePreviewCollection | None = None
_names: list[str] = []
_shown: tuple[str, str, bytes] | None = None
_count = 0


def icon(path: str, shot: str) -> int:
    """The icon of what is coming of a shot; 0 while there is none."""
    if _collection is None or _shown is None or _shown[:2] != (path, shot) or not _names:
        return 0
    return int(_collection[_names[-1]].icon_id)


def keep(_budget_s: float) -> bool:
    """Have ready the picture of the active shot, as it came last. A chore."""
    global _shown
    about = subject.of_scene(compat.edit_scene())
    jpeg = about.film.previews.get(about.shot, b"") if about.film is not None else b""
    wanted = (about.path, about.shot, jpeg) if jpeg.startswith(b"\xff\xd8") else None
    if wanted != _shown:
        _shown = wanted
        if wanted is not None:
            _load(jpeg)
    return False


def _load(jpeg: bytes) -> None:
    global _count
    if _collection is None:
        return
    _count += 1
    name = f"rushes_preview_{_count}"
    file = _file(name)
    file.write_bytes(jpeg)
    loaded: Any = _collection.load(name, str(file), "IMAGE")
    tuple(loaded.image_size)  # to be asked makes Blender read it now: else it shows nothing for a moment
    _names.append(name)
    while len(_names) > KEPT:
        _drop(_names.pop(0))


def _drop(name: str) -> None:
    if _collection is not None:
        del _collection[name]
    _file(name).unlink(missing_ok=True)


def folder() -> Path:
    """Where the pictures lie: in Blender's folder for the time that it runs."""
    return Path(bpy.app.tempdir)


def _file(name: str) -> Path:
    return folder() / f"{name}.jpg"


def register() -> None:
    global _collection
    _collection = bpy.utils.previews.new()
    running.chore(keep)


def unregister() -> None:
    global _collection, _shown
    while _names:
        _drop(_names.pop())
    if _collection is not None:
        bpy.utils.previews.remove(_collection)
    _collection, _shown = None, None
