"""What names a scene for as long as its file is open: undo makes every reference to it invalid."""

from __future__ import annotations

from collections.abc import Hashable

import bpy


def key_of(scene: bpy.types.Scene) -> Hashable:
    """The same after undo and redo, another one in a copy. Before 4.1 only its name says which scene it is."""
    return getattr(scene, "session_uid", scene.name)


def find(key: Hashable) -> bpy.types.Scene | None:
    """The scene of that key, where it is still there."""
    return next((scene for scene in bpy.data.scenes if key_of(scene) == key), None)
