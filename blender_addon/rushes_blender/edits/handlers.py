"""What Blender calls: after undo, redo and load, around a save, and whenever something has changed.

The order matters. The film is told first what was taken back, so that its strips wait for what it will say; then
they are made to show what it shows.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import wraps

from bpy.app.handlers import persistent

from .. import running, scenes
from . import copies, holding, journal, moments, pulling, swaps


def _kept(do: Callable[[], None]) -> Callable[..., None]:
    """As a handler that outlives the loading of a file, and fails without ending what Blender is doing."""

    @wraps(do)
    def handler(*_: object) -> None:
        try:
            do()
        except Exception:
            traceback.print_exc()

    persistent(handler)
    return handler


@_kept
def _begin() -> None:
    journal.begin()


@_kept
def _undone() -> None:
    journal.undone()
    _put_right()


@_kept
def _redone() -> None:
    journal.redone()
    _put_right()


@_kept
def _loaded() -> None:
    scenes.forget_read()
    for module in (journal, pulling, swaps, holding):
        module.forget()
    running.refollow()
    swaps.reconcile_all()


@_kept
def _changed() -> None:
    pulling.touch()


@_kept
def _save_begins() -> None:
    moments.saving(True)


@_kept
def _save_ended() -> None:
    moments.saving(False)


def _put_right() -> None:
    running.refollow()  # a link may have come or gone
    copies.look()
    pulling.undone()
    swaps.reconcile_all()


HANDLERS: dict[str, Callable[..., None]] = {
    "undo_pre": _begin,
    "redo_pre": _begin,
    "undo_post": _undone,
    "redo_post": _redone,
    "load_post": _loaded,
    "save_pre": _save_begins,
    "save_post": _save_ended,
    "save_post_fail": _save_ended,  # since 3.5
    "depsgraph_update_post": _changed,
}
"""By the name of the list in bpy.app.handlers."""


def unregister() -> None:
    journal.forget()
