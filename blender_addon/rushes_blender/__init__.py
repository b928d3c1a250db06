"""Rushes in Blender's sequencer: strips know their shot, are rendered again when they are out of date, and get new
takes while the timeline is open. Everything is computed by the Rushes daemon; this only shows, asks and swaps.

Importing the package imports nothing of Blender, so what needs none can be used without it.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

MODULES = (
    "preferences",
    "running",
    "edits.storing",
    "edits.swaps",
    "edits.pulling",
    "edits.glancing",
    "edits.handlers",
    "edits.holding",
    "operators",
    "menus",
    "panel",
)
"""What registers something, in this order; taken back in the opposite one. A module of these has `CLASSES`, or
`register` and `unregister`, or both: its classes come first."""

_registered: list[ModuleType] = []


def register() -> None:
    """Called by Blender when the add-on is switched on. What was registered before is taken back first; when a
    part fails, so are the parts before it, and the failure goes to Blender."""
    unregister()
    try:
        for name in MODULES:
            _registered.append(import_module(f"{__package__}.{name}"))
            _register(_registered[-1])
    except BaseException:
        unregister()
        raise


def unregister() -> None:
    """Called by Blender when the add-on is switched off. Goes on when a part fails, so that nothing is left
    behind."""
    import traceback

    while _registered:
        try:
            _unregister(_registered.pop())
        except Exception:
            traceback.print_exc()


def _register(module: ModuleType) -> None:
    import bpy

    for each in getattr(module, "CLASSES", ()):
        bpy.utils.register_class(each)
    getattr(module, "register", _nothing)()


def _unregister(module: ModuleType) -> None:
    import bpy

    try:
        getattr(module, "unregister", _nothing)()
    finally:
        for each in reversed(getattr(module, "CLASSES", ())):
            if "bl_rna" in vars(each):  # it is registered
                bpy.utils.unregister_class(each)


def _nothing() -> None:
    pass
