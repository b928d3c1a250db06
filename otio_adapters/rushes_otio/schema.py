"""Version 1 of what Rushes keeps in a film, as types. The specification in prose is docs/film-format.md.

Only `timeline.metadata["rushes"]` carries `v`. Intent is left raw here: it is decoded shot by shot, so that a
mistake in one shot makes that shot invalid and not the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw

from rushes_otio.errors import FileFault

VERSION = 1


def _nothing_set() -> Raw:
    return Raw(b"{}")


# Ids and take names become file names: nothing else gets in. (`$` alone would let a final line end pass.)
Id = Annotated[str, Meta(pattern="^[0-9a-hjkmnp-tv-z]{8}$", max_length=8)]
IdOrNone = Annotated[str, Meta(pattern="^([0-9a-hjkmnp-tv-z]{8})?$", max_length=8)]
TakeName = Annotated[str, Meta(pattern="^[kt][0-9]{3,6}$", max_length=7)]
_PIECE = "[0-9a-f]{64}"
Motion = Annotated[str, Meta(pattern=f"^{_PIECE}([+][0-9]{{1,8}}:{_PIECE})*(?!\\n)$", max_length=100_000)]


class Scene(msgspec.Struct):
    """A named group of shots. `id` is what shots refer to; `code` ("SC010") and `name` are for people."""

    id: str
    code: str
    name: str
    intent: Raw = msgspec.field(default_factory=_nothing_set)


class Library(msgspec.Struct):
    """Characters, styles and locations by name: one namespace, compared case-insensitively."""

    characters: dict[str, Raw] = {}
    styles: dict[str, Raw] = {}
    locations: dict[str, Raw] = {}


class FilmBlock(msgspec.Struct):
    """`timeline.metadata["rushes"]`."""

    v: int
    film: Id
    rate: str  # "24/1", "24000/1001"
    intent: Raw = msgspec.field(default_factory=_nothing_set)
    scenes: list[Scene] = []
    library: Library = msgspec.field(default_factory=Library)
    omitted: list[Raw] = []  # blocks of shots that are in no cut any more


class Chosen(msgspec.Struct):
    """The take that is in the cut, and the recipe it was accepted for."""

    take: TakeName
    by: Literal["render", "hand"]
    motion: Motion  # sha256 of its motion; after an extension "<sha256>+<first frame>:<sha256>"
    recipe: dict[str, Any]


class TakeMark(msgspec.Struct):
    """What people said of a take."""

    circled: bool = False
    approved: bool = False
    note: str = ""


class ShotBlock(msgspec.Struct):
    """`clip.metadata["rushes"]` of a use of a shot. All uses of a shot carry the same block but for `use`.

    An external clip that something refers to has a block of `use` alone.
    """

    use: Id
    shot: IdOrNone = ""
    name: str = ""
    scene: str = ""  # id of a scene, or empty
    intent: Raw = msgspec.field(default_factory=_nothing_set)
    locked: bool = False
    note: str = ""
    next_take: Annotated[int, Meta(ge=1, le=999_999)] = 1
    chosen: Chosen | None = None
    waiting: TakeName | None = None
    shift: int = 0  # frames added to the original's times when the clip became a shot
    takes: dict[TakeName, TakeMark] = {}


# From version n to n+1, on the raw film block. Version 1 is the first, so there is none yet.
UPGRADES: dict[int, Callable[[dict[str, Raw]], dict[str, Raw]]] = {}


def upgraded(block: dict[str, Raw], where: str) -> dict[str, Raw]:
    """The film block as this version reads it; FileFault for one from a newer version."""
    try:
        version = msgspec.json.decode(block.get("v", Raw(b"null")), type=int)
    except msgspec.ValidationError:
        version = 0
    if version < 1:
        raise FileFault(
            "the film has no version: metadata.rushes.v is missing or no positive integer",
            where=where,
            remedy='films of this kind say "v": 1; restore film.rushes/previous.otio if the file was edited',
        )
    if version > VERSION:
        raise FileFault(
            f"the film is of version {version}; this Rushes reads up to version {VERSION}",
            where=where,
            remedy="install a newer Rushes: pip install --upgrade rushes",
        )
    for step in range(version, VERSION):
        block = UPGRADES[step](block)
    return block
