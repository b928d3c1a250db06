"""Where films are, as a .blend stores paths: relative to itself, so that a folder with both can be moved.

While the file is open the paths are absolute. After it was saved elsewhere, Blender's undo would bring back
relative ones that no longer lead to where they did.
"""

from __future__ import annotations

import os

import bpy

from .. import scenes
from .kept import kept

_absolute: dict[str, str] = {}
"""While a file is saved: scene's name -> path. What is written on the scene then is relative to the file to be."""


@kept
def _save_begins(target: object) -> None:
    """`target` is the file that will be written; 3.4 does not tell, and then paths stay absolute."""
    _absolute.clear()
    preferences = bpy.context.preferences
    if isinstance(target, str) and preferences is not None and preferences.filepaths.use_relative_paths:
        for scene, path in scenes.linked():
            _absolute[scene.name] = path
            scenes.store(scene, _relative(path, os.path.dirname(target)))  # noqa: PTH120 (paths are text here)


@kept
def _save_ended(_: object) -> None:
    for name, path in _absolute.items():
        scenes.store(bpy.data.scenes[name], path)
    _absolute.clear()


@kept
def _loaded(_: object) -> None:
    for scene, path in scenes.linked():
        scenes.store(scene, path)


def _relative(path: str, folder: str) -> str:
    try:
        return str(bpy.path.relpath(path, start=folder))
    except ValueError:  # on another drive
        return path


HANDLERS = {
    "save_pre": _save_begins,
    "save_post": _save_ended,
    "save_post_fail": _save_ended,  # since 3.5
    "load_post": _loaded,
}
"""By the name of the list in bpy.app.handlers."""
