"""What an editor can do: operators, each found by its name with F3, and usable in scripts."""

from __future__ import annotations

from . import fields, film, making, shelf, shots, storyboard, takes

CLASSES: tuple[type, ...] = (
    *film.CLASSES,
    *shots.CLASSES,
    *takes.CLASSES,
    *making.CLASSES,
    *storyboard.CLASSES,
    *fields.CLASSES,
)


def unregister() -> None:
    shelf.forget()
