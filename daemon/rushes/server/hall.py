"""What the rooms of all films share, and what they hand to each other."""

from __future__ import annotations

from dataclasses import dataclass

from rushes.engine.floor import Floor
from rushes.engine.studio import Studio
from rushes.server.post import Post
from rushes.server.watching import Watcher


@dataclass(frozen=True, slots=True)
class Hall:
    """One for a daemon. Everything in it may be used from any room's thread."""

    studio: Studio
    floor: Floor
    post: Post
    watcher: Watcher
