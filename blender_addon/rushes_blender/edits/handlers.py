"""What Blender calls: after undo, redo and load, around a save, and whenever something has changed.

The order matters. The film is told first what was taken back, so that its strips wait for what it will say; then
they are made to show what it shows.
"""

from __future__ import annotations

from collections.abc import Callable

from .. import running, scenes
from . import copies, holding, journal, moments, pulling, swaps
from .kept import kept


@kept
def _begin(_: object) -> None:
    journal.begin()


@kept
def _undone(_: object) -> None:
    journal.undone()
    _put_right()


@kept
def _redone(_: object) -> None:
    journal.redone()
    _put_right()


@kept
def _loaded(_: object) -> None:
    scenes.forget_read()
    for module in (journal, pulling, swaps, holding):
        module.forget()
    running.refollow()
    swaps.reconcile_all()


@kept
def _changed(_: object) -> None:
    pulling.touch()


@kept
def _save_begins(_: object) -> None:
    moments.saving(True)


@kept
def _save_ended(_: object) -> None:
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
