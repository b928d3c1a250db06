"""What can be said of a generator without importing it: enough to key, compare and route its work."""

from __future__ import annotations

import msgspec


class Traits(msgspec.Struct, frozen=True):
    """A generator's name, the version of its pixels, and the recipe fields that each stage looks at.

    `models`: it runs registered models with weights; then what it looks at is in a `Run`, and words go through a
    stage of their own. `moves` are the movements of the camera that it knows by name.
    """

    name: str
    version: int  # raised by hand whenever its pixels change
    reads: dict[str, frozenset[str]]
    models: bool = False
    moves: tuple[str, ...] = ()


ANIMATIC = Traits(
    "animatic",
    1,
    {
        "keyframe": frozenset({"prompt", "style", "location", "cast"}),
        "motion": frozenset({"camera", "caption"}),
    },
    moves=(
        "static",
        "push in",
        "pull out",
        "pan left",
        "pan right",
        "tilt up",
        "tilt down",
        "crane up",
        "crane down",
        "handheld",
    ),
)

DIFFUSERS = Traits("diffusers", 1, {"keyframe": frozenset(), "motion": frozenset()}, models=True)

GENERATORS = {traits.name: traits for traits in (ANIMATIC, DIFFUSERS)}
