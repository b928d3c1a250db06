"""Whether this is a moment in which a sequence may be read, or changed behind the editor's back."""

from __future__ import annotations

import time

import bpy

from ..strips import compat

LONGEST_SAVE_S = 60.0
"""Seconds after which a save that was never said to have ended is thought to have failed."""

_MODAL = ("TRANSFORM_OT_", "SEQUENCER_OT_")

_saving_since: float | None = None


def saving(is_on: bool) -> None:
    """The file begins to be saved, or was."""
    global _saving_since
    _saving_since = time.monotonic() if is_on else None


def may_read() -> bool:
    """Not while something is dragged: what lies there then is not yet where it will lie."""
    return not _is_saving() and not _is_dragging()


def may_change(scene: bpy.types.Scene) -> bool:
    """Nor while Blender renders, or plays back what another thread of it reads ahead."""
    return may_read() and not compat.rendering() and not _is_read_ahead(scene)


def _is_saving() -> bool:
    return _saving_since is not None and time.monotonic() - _saving_since < LONGEST_SAVE_S


def _is_dragging() -> bool:
    """Blender tells which operators are running since 4.2: one that has the file browser open is, too, but nothing
    moves by it."""
    running = (
        operator
        for window in bpy.context.window_manager.windows
        for operator in getattr(window, "modal_operators", ())
    )
    return any(each.bl_idname.startswith(_MODAL) and not _asks_for_file(each) for each in running)


def _asks_for_file(operator: bpy.types.Operator) -> bool:
    return "filepath" in operator.properties.bl_rna.properties


def _is_read_ahead(scene: bpy.types.Scene) -> bool:
    editor = scene.sequence_editor
    return editor is not None and editor.use_prefetch and is_playing()


def is_playing() -> bool:
    """Whether the playhead moves by itself."""
    return any(window.screen.is_animation_playing for window in bpy.context.window_manager.windows)
