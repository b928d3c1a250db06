"""A shot's recipe: its resolved intent with every file a content digest and every model a fingerprint.

It holds no shot id, no name, no unset seed and no length, so moving, renaming, trimming or reordering changes
nothing. Its keys are rows of the intent table; `caption` and `cast` are what the composed texts came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from rushes.engine.models_of import Files, Models
from rushes.generators.registry import Registry
from rushes_otio.errors import ShotFault
from rushes_otio.film import Film
from rushes_otio.intent import FIELDS
from rushes_otio.library import Entry
from rushes_otio.resolve import Resolved
from rushes_otio.schema import ShotBlock

Recipe = dict[str, Any]

POINTING = ("first_frame", "last_frame", "plate", "mask")
"""Fields that may point at another use."""

_PLAIN = tuple(n for n in FIELDS if n not in {"model", "keyframe", "references", "loras", "delivery", *POINTING})


class _Model(msgspec.Struct):
    name: str
    asked: str | None = None
    fingerprint: str = ""
    rate: str = ""


class _Still(msgspec.Struct):
    image: str = ""
    model: _Model | None = None


class _Shape(msgspec.Struct):
    """What is looked into of a recipe that a film holds."""

    model: _Model
    delivery: dict[str, str | int]
    cast: dict[str, dict[str, str]] = {}
    keyframe: _Still | None = None
    style: str = ""
    location: str = ""
    first_frame: dict[str, str | int] = {}
    last_frame: dict[str, str | int] = {}
    plate: dict[str, str | int] = {}
    mask: dict[str, str | int] = {}


def accepted_recipe(block: ShotBlock, where: str) -> Recipe | None:
    """The recipe of the chosen take, None without one; ShotFault when somebody's edit left it unusable."""
    if block.chosen is None:
        return None
    try:
        msgspec.convert(block.chosen.recipe, _Shape)
    except msgspec.ValidationError as e:
        raise ShotFault(
            f"the recipe of its chosen take is damaged: {e}",
            where=where,
            remedy="restore film.rushes/previous.otio, or choose the take again: rushes takes FILM SHOT --choose",
        ) from None
    return block.chosen.recipe


@dataclass(frozen=True, slots=True)
class Sources:
    """What a recipe needs to know beside the film."""

    registry: Registry
    files: Files


def build(
    film: Film,
    resolved: Resolved,
    edges: Recipe,
    accepted: Recipe | None,
    delivery: dict[str, Any],
    sources: Sources,
    where: str,
) -> Recipe:
    """Today's recipe. `edges` are the values of `POINTING` fields; `accepted` is the chosen take's recipe."""
    values = resolved.values
    recipe: Recipe = {name: values[name] for name in _PLAIN if name in values}
    if "caption" in values:
        recipe["caption"] = values["caption"]
    if resolved.cast:
        recipe["cast"] = {name: _cast(entry, resolved) for name, entry in resolved.cast.items()}
    recipe.update(edges)
    for name, key in (("references", "image"), ("loras", "file")):
        if name in values:
            recipe[name] = [{**r, key: sources.files.digest(r[key], where)} for r in values[name]]
    recipe.update(Models(sources.registry, sources.files, where).of(values, accepted or {}, film.block.rate))
    recipe.setdefault("interpolation", "motion")
    recipe.setdefault("fit", "fill")
    recipe["rate"] = film.block.rate
    recipe["delivery"] = {"size": delivery["size"], "codec": delivery["codec"]}
    return recipe


def _cast(entry: Entry, resolved: Resolved) -> dict[str, str]:
    place = "prompt" if entry.name in resolved.cast_of_prompt else "action"
    return {"kind": entry.kind, "description": entry.in_prompt, "in": place}


FINISHED = ("interpolation", "fit", "rate", "delivery")
"""What of a recipe enters finish and encode."""


def finished_as(pictures: Recipe, today: Recipe) -> Recipe:
    """The recipe of pictures that stand, to be finished as today's says."""
    return {**pictures, **{name: today[name] for name in FINISHED}}


def moving_as(recipe: Recipe, made: Recipe) -> Recipe:
    """`recipe`, with the rate of a motion that was made by another one, `made`: edges count its frames."""
    model = {name: value for name, value in recipe["model"].items() if name != "rate"}
    rate = {name: value for name, value in made["model"].items() if name == "rate"}
    return {**recipe, "model": {**model, **rate}}


def size_of(recipe: Recipe) -> tuple[int, int]:
    """Width and height of a recipe's delivery."""
    width, _, height = str(recipe["delivery"]["size"]).partition("x")
    return int(width), int(height)
