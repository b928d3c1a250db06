"""What can be said of a generator without importing it: enough to key, compare and route its work."""

from __future__ import annotations

import msgspec


class Traits(msgspec.Struct, frozen=True):
    """A generator's name, the version of its pixels, and the recipe fields that each stage looks at."""

    name: str
    version: int  # raised by hand whenever its pixels change
    reads: dict[str, frozenset[str]]


ANIMATIC = Traits(
    "animatic",
    1,
    {
        "keyframe": frozenset({"prompt", "style", "location", "cast"}),
        "motion": frozenset({"camera", "caption"}),
    },
)

BUILT_IN = {ANIMATIC.name: ANIMATIC}
