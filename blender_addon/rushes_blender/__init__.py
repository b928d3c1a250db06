"""Rushes in Blender's sequencer: strips know their shot, are rendered again when they are out of date, and get new
takes while the timeline is open. Everything is computed by the Rushes daemon; this only shows, asks and swaps.

Importing the package imports nothing of Blender, so what needs none can be used without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

MODULES = (
    "preferences",
    "running",
    "operators.comparing",  # before what else happens around a save: while everything is still where it was
    "edits.storing",
    "edits.swaps",
    "edits.pulling",
    "edits.handlers",
    "edits.glancing",
    "edits.holding",
    "operators",
    "menus",
    "panel.properties",
    "panel.film_panel",
    "panel.shot_panel",
    "panel.intent_panel",
    "panel.subject",
    "panel.previews",
    "panel.overlay",
)
"""What registers something, in this order; taken back in the opposite one. A module has any of `CLASSES`,
`HANDLERS` (by the names of their lists in bpy.app.handlers, of which older versions lack some), `register` and
`unregister`."""

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
    for handlers, handler in _handlers(module):
        handlers.append(handler)
    getattr(module, "register", _nothing)()


def _unregister(module: ModuleType) -> None:
    import bpy

    try:
        getattr(module, "unregister", _nothing)()
    finally:
        for handlers, handler in _handlers(module):
            if handler in handlers:
                handlers.remove(handler)
        for each in reversed(getattr(module, "CLASSES", ())):
            if "bl_rna" in vars(each):  # it is registered
                bpy.utils.unregister_class(each)


def _handlers(module: ModuleType) -> Iterator[tuple[list[Any], Any]]:
    import bpy

    for name, handler in getattr(module, "HANDLERS", {}).items():
        handlers = getattr(bpy.app.handlers, name, None)
        if handlers is not None:
            yield handlers, handler


def _nothing() -> None:
    pass
