"""What a shot needs of a model, and for which quality a model is run: enough to see that a route still stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rushes.generators.models import QUALITIES, Model, Quality

Recorded = dict[str, object]
"""The model of a recipe: {"asked": name, quality or None, "name": …, "fingerprint": …}; "rate" where it makes
another one than the film has; "quality" where a render asked for another one than the film does."""


ROUTED = "routed"
"""The key of a recipe's keyframe that says: routing put it there, the shot did not ask for a still."""


def needs_of(values: Mapping[str, Any]) -> frozenset[str]:
    """What a motion model must be able to do for resolved intent, or a recipe. Neither "i2v" nor "v2v" means: from
    words, with a still or without."""
    found: set[str] = set()
    if "plate" in values:
        found.add("mask" if "mask" in values else "v2v")
    elif "first_frame" in values or _own_still(values.get("keyframe")):
        found.add("i2v")
    if "last_frame" in values:
        found.add("last")
    found.update(need for name, need in (("references", "references"), ("loras", "lora")) if values.get(name))
    return frozenset(found)


def _own_still(keyframe: Any) -> bool:  # noqa: ANN401
    """Whether the shot itself asks for a still; one that routing added is not asked for."""
    return isinstance(keyframe, Mapping) and not keyframe.get(ROUTED)


def quality_of(asked: str | None, model: Model) -> Quality:
    """The quality a model is run for: the one asked for, else final, as far as it has that."""
    if asked in QUALITIES and model.serves(asked):
        return asked
    return "final" if model.serves("final") else "draft"


def recorded_quality(recorded: Recorded, model: Model) -> Quality:
    """The quality that a recipe's model is run for: the one it says, where a render asked for another than the
    film does, else as the film asks."""
    said, asked = recorded.get("quality"), recorded.get("asked")
    if said == "draft" or said == "final":
        return said
    return quality_of(asked if isinstance(asked, str) else None, model)
