"""A film found, made and followed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from .. import running, scenes
from ..strips import snapshot
from .talking import Talk

if TYPE_CHECKING:
    from .meaning import Scene

_NAME = "film"


def default_film() -> Path:
    """Where a film of this file goes: beside it, by its name; in the user's home while the file has no name."""
    blend = Path(bpy.data.filepath) if bpy.data.filepath else Path.home() / f"{_NAME}.blend"
    return blend.with_suffix(".otio")


def follow(scene: Scene, path: str) -> None:
    """Link the scene to a film that this user has pointed at, and hear of it from now on. Where the file has named
    that film before, what it says of it stays."""
    real = scenes.trust(path)
    if scenes.film_of(scene) != real:
        scenes.link(scene, real)
    running.refollow()


def new_film(talk: Talk, source: str, then: Callable[[Scene], None]) -> None:
    """Make the talk's film, empty or of a script; then link the scene it began in."""
    scene = talk.began_in()
    if scene is None:
        return

    def made(_: dict[str, object]) -> None:
        found = talk.began_in()
        if found is not None:
            follow(found, talk.path)
            then(found)

    rate = snapshot.rate_of(scene)
    talk.ask({"type": "new", "source": source, "rate": f"{rate.numerator}/{rate.denominator}"}, made)
