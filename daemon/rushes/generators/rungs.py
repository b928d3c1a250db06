"""The ladder by which a model fits a card: what each rung needs, by arithmetic alone.

    WHOLE    every component lies on the card from the first step to the last
    MODELS   one component lies there at a time, the others wait in the machine's memory
    GROUPS   a few blocks of a component lie there at a time; slow, for the weights cross the bus at every step

A decoder lies on the card on every rung: it is small, and one shot is decoded while the next is made.

All sizes are bytes. A forecast and no promise: what a card really has left is only seen by running out of it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

GROUP_SHARE = 8
"""One part in so many of the largest component lies on the card at once when its blocks come in groups: the group
that runs, the group that is on its way, and the layers outside all blocks (a text encoder's table of words is the
greatest of these)."""


class Rung(enum.Enum):
    """Where the weights lie while a model runs, the fastest first."""

    WHOLE = "whole"
    MODELS = "models"
    GROUPS = "groups"

    @property
    def below(self) -> Rung | None:
        """The next that needs less; None at the foot of the ladder."""
        rungs = list(Rung)
        return next(iter(rungs[rungs.index(self) + 1 :]), None)


def stays(name: str) -> bool:
    """Whether a component of this name lies on the card on every rung."""
    return name == "vae" or name.endswith("_vae")


def needed(sizes: Mapping[str, int], working: int) -> dict[Rung, int]:
    """Bytes that each rung needs on the card, from most to least, for components of these sizes that work together
    and `working` bytes beside their weights."""
    fixed = working + sum(size for name, size in sizes.items() if stays(name))
    moving = [size for name, size in sizes.items() if not stays(name)]
    largest = max(moving, default=0)
    weights = {Rung.WHOLE: sum(moving), Rung.MODELS: largest, Rung.GROUPS: -(-largest // GROUP_SHARE)}
    return {rung: fixed + weight for rung, weight in weights.items()}


def first_fitting(sizes: Mapping[str, int], working: int, free: int) -> Rung | None:
    """The fastest rung that fits in `free` bytes; None if not even the last does."""
    return next((rung for rung, bytes_ in needed(sizes, working).items() if bytes_ <= free), None)
