"""Who makes a recipe: the makers of its motion and its still, and the lengths they work in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rushes.engine.lengths import Lengths
from rushes.engine.makers import Drawing, Maker, Modelled
from rushes.engine.runs import Running, unused_loras
from rushes.generators.models import Model
from rushes.generators.needs import recorded_quality
from rushes.generators.registry import Registry
from rushes.generators.traits import GENERATORS
from rushes.store.takes import MadeBy
from rushes_otio.errors import ShotFault


@dataclass(frozen=True)
class Crew:
    """The makers of one recipe. `holding` finds the file of a content digest."""

    registry: Registry
    recipe: dict[str, Any]
    holding: Callable[[str], Path]

    @cached_property
    def mover(self) -> Maker:
        """Who makes the motion."""
        return self._maker(self.recipe["model"], self.recipe)

    @cached_property
    def drawer(self) -> Maker | None:
        """Who makes the still; None where the motion starts from words, footage or another shot alone. What the
        shot sets for its model (`params`) is for that of the motion, and says nothing to another one."""
        asked = self.recipe.get("keyframe")
        if asked and asked.get("model"):
            is_other = asked["model"]["name"] != self.recipe["model"]["name"]
            return self._maker(asked["model"], {**self.recipe, "params": {}} if is_other else self.recipe)
        return self.mover if asked or isinstance(self.mover, Drawing) else None

    @cached_property
    def model(self) -> Model | None:
        """The registered model of the motion; None for one without rules of its own."""
        return self.mover.running.model if isinstance(self.mover, Modelled) else None

    @cached_property
    def rate(self) -> str:
        """Of the motion."""
        return str(self.recipe["model"].get("rate") or self.recipe["rate"])

    @property
    def made_by(self) -> MadeBy:
        """The generator of the motion, for the record of a take."""
        return MadeBy(self.mover.generator, GENERATORS[self.mover.generator].version)

    @property
    def added(self) -> str:
        """The file that stands for the motion of a take that was made elsewhere, as the film calls it."""
        return ""

    @cached_property
    def lengths(self) -> Lengths:
        return Lengths(str(self.recipe["rate"]), self.rate, self.model)

    def warnings(self) -> list[str]:
        """What of the recipe the models leave aside. ShotFault where they can take none of its LoRAs."""
        makers = [self.mover] if self.drawer is self.mover else [self.mover, self.drawer]
        runnings = [maker.running for maker in makers if isinstance(maker, Modelled)]
        return unused_loras(runnings) if runnings else []

    def check_unchanged(self) -> None:
        """ShotFault where a model is not what it was when the recipe was made: it would make other pictures."""
        still: dict[str, Any] = self.recipe.get("keyframe") or {}
        for recorded in (self.recipe["model"], *([still["model"]] if "model" in still else [])):
            name = str(recorded["name"])
            model = self.registry.get(name)
            now = self.registry.fingerprint(name, recorded_quality(recorded, model)) if model else None
            if now != recorded["fingerprint"]:
                raise ShotFault(
                    f"the model {name!r} is not what it was when this take was made: its weights or its entry in "
                    "models.toml are others, or not here",
                    remedy="put them back as they were, or make it anew: rushes render FILM SHOT --another 1",
                )

    def _maker(self, recorded: dict[str, Any], recipe: dict[str, Any]) -> Maker:
        name = str(recorded["name"])
        traits = self.registry.traits(name)
        if traits.models:
            return Modelled(traits, Running(self.registry, recipe, recorded, self.holding))
        return Drawing(name, traits, recipe, str(recorded["fingerprint"]))
