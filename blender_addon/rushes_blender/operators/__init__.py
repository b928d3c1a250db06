"""What an editor can do: operators, each found by its name with F3, and usable in scripts."""

from __future__ import annotations

from . import comparing, fields, film, making, shelf, shots, storyboard, takes

CLASSES: tuple[type, ...] = (
    *film.CLASSES,
    *shots.CLASSES,
    *takes.CLASSES,
    *making.CLASSES,
    *storyboard.CLASSES,
    *fields.CLASSES,
)


def register() -> None:
    comparing.register()


def unregister() -> None:
    comparing.unregister()
    shelf.forget()
