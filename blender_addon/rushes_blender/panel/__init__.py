"""The panel in the sequencer's sidebar, and the states that are drawn on strips.

Importing the package imports nothing of Blender: how things read, what completes a mention, and where bands lie
need none.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

MODULES = ("properties", "film_panel", "shot_panel", "intent_panel", "subject", "previews", "overlay")
"""What registers something, in this order: `CLASSES`, `register`, or both."""


def register() -> None:
    """Put up all that is drawn, and the chores that have known what it shows."""
    import bpy

    from .. import running

    for module in _modules():
        for each in getattr(module, "CLASSES", ()):
            bpy.utils.register_class(each)
        getattr(module, "register", _nothing)()
        if hasattr(module, "keep"):
            running.chore(module.keep)


def unregister() -> None:
    """Take it down; what was never put up is passed over."""
    import bpy

    for module in reversed(_modules()):
        getattr(module, "unregister", _nothing)()
        for each in reversed(getattr(module, "CLASSES", ())):
            if each.is_registered:
                bpy.utils.unregister_class(each)


def _modules() -> list[ModuleType]:
    return [import_module(f"{__package__}.{name}") for name in MODULES]


def _nothing() -> None:
    pass
