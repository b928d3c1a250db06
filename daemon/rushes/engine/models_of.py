"""The models of a recipe: the one that makes its motion, and the one that makes its still where that is another.

A shot that was rendered keeps its models while what was asked for, and what it needs, are the same; their
fingerprints are today's where they are installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rushes.generators.models import QUALITIES, Quality
from rushes.generators.needs import ROUTED, Recorded, needs_of, quality_of, recorded_quality
from rushes.generators.registry import Registry

if TYPE_CHECKING:
    from rushes.generators.routing import Route, Router

Recipe = dict[str, Any]


class Files(Protocol):
    """The content of files a film mentions."""

    def digest(self, path: str, where: str) -> str:
        """sha256 of the file that a film calls `path`; ShotFault when it may not or cannot be read."""


def without_picture(recipe: Recipe) -> Recipe:
    """A recipe without the picture that stands for its still: variations are made from its words."""
    pictured = "image" in (recipe.get("keyframe") or {})
    return {name: value for name, value in recipe.items() if name != "keyframe" or not pictured}


@dataclass(frozen=True, slots=True)
class Models:
    """Finds the models of one shot. `where` is how errors point at it."""

    registry: Registry
    files: Files
    where: str

    @property
    def _router(self) -> Router:
        from rushes.generators.routing import Router  # a film whose shots are all rendered does not wait for it

        return Router(self.registry)

    def of(self, values: Recipe, accepted: Recipe, rate: str) -> Recipe:
        """The recipe's `model` and, where it has one, its `keyframe`. `values` is the resolved intent, `accepted`
        the recipe of the chosen take, empty without one; `rate` is the film's."""
        asked, needs = values.get("model"), needs_of(values)
        recorded: Recorded | None = accepted.get("model")
        if recorded is not None and recorded.get("asked") == asked and self._still_fits(recorded, accepted, needs):
            still = accepted.get("keyframe") if (accepted.get("keyframe") or {}).get(ROUTED) else None
            model = self._moving_today(recorded, values, rate)
            routed = still and {**still, "model": self._today(still["model"])}
        else:
            route = self._router.route(asked, needs, self.where)
            model, routed = self._fresh(asked, route, values, rate), self._routed_still(asked, route)
        if "keyframe" in values:
            return {"model": model, "keyframe": self._own_still(values, accepted, needs, str(model["name"]))}
        return {"model": model, "keyframe": routed} if routed else {"model": model}

    def _still_fits(self, recorded: Recorded, accepted: Recipe, needs: frozenset[str]) -> bool:
        """Whether the model of the chosen take stands. A draft, and one that is by now registered for drafts only,
        is none for a final."""
        model = self.registry.get(str(recorded.get("name")))
        drafts = recorded.get("quality") == "draft" or (model is not None and not model.serves("final"))
        if recorded.get("asked") == "final" and drafts:
            return False
        draws = model is not None and model.traits is not None and not model.traits.models
        return draws or needs_of(accepted) == needs

    def rerouted(self, recipe: Recipe, asked: str) -> Recipe:
        """A recipe with the model that somebody asked for at the render, in place of its own. What the film asked
        for stays written down, so that the take counts as that shot's."""
        route = self._router.route(asked, needs_of(recipe), self.where)
        before = recipe["model"].get("asked")
        model = self._fresh(before, route, recipe, recipe["rate"])
        changed = {name: value for name, value in recipe.items() if name != "keyframe" or not value.get(ROUTED)}
        still = self._routed_still(before, route) if "keyframe" not in changed else None
        return {**changed, "model": model, **({"keyframe": still} if still else {})}

    def for_still(self, recipe: Recipe, asked: str) -> Recipe:
        """A recipe to make a still of: by the image model `asked` for, the still of the motion model `asked` for,
        or, where that is empty, as the film asks. A model that starts from words alone has another draw it."""
        model = self.registry.get(asked)
        if model is not None and "t2i" in model.can:
            return self._with_still(recipe, asked)
        found = self.rerouted(recipe, asked) if asked else recipe
        traits = self.registry.traits(str(found["model"]["name"]))
        if "keyframe" in found or not traits.models:
            return found
        quality = asked or found["model"].get("asked")
        return self._with_still(found, quality if quality in QUALITIES else None)

    def _with_still(self, recipe: Recipe, asked: str | None) -> Recipe:
        name = self._router.still(asked, needs_of(recipe), self.where)
        own = {key: value for key, value in recipe.get("keyframe", {}).items() if key == "prompt"}
        quality = quality_of(asked, self.registry.models[name])
        return {**recipe, "keyframe": {**own, **self._routed(recipe["model"].get("asked"), name, quality)}}

    def explained(self, values: Recipe) -> Route:
        """How today's intent would be routed, and why."""
        return self._router.route(values.get("model"), needs_of(values), self.where)

    def _fresh(self, asked: str | None, route: Route, values: Recipe, rate: str) -> Recorded:
        return {**self._recorded(asked, route.name, route.quality), **self._rate(route.name, values, rate)}

    def _recorded(self, asked: str | None, name: str, quality: Quality) -> Recorded:
        fingerprint = self.registry.fingerprint(name, quality) or ""
        usual = quality == quality_of(asked, self.registry.models[name])
        said: Recorded = {} if usual else {"quality": quality}
        return {"asked": asked, "name": name, "fingerprint": fingerprint, **said}

    def _today(self, recorded: Recorded) -> Recorded:
        """A recorded model with today's fingerprint; itself where that is not known on this machine."""
        name = str(recorded.get("name"))
        model = self.registry.get(name)
        fingerprint = self.registry.fingerprint(name, recorded_quality(recorded, model)) if model else None
        return recorded if fingerprint is None else {**recorded, "fingerprint": fingerprint}

    def _moving_today(self, recorded: Recorded, values: Recipe, rate: str) -> Recorded:
        """The same of a motion's model, with today's rate."""
        today = self._today(recorded)
        if today is recorded:
            return recorded
        kept = {key: value for key, value in today.items() if key != "rate"}
        return {**kept, **self._rate(str(kept["name"]), values, rate)}

    def _rate(self, name: str, values: Recipe, rate: str) -> Recorded:
        """The model's own rate where it is another than the film's. A plate is made anew picture by picture, so
        the film's rate is kept there."""
        model = self.registry.get(name)
        if model is None or not model.rate or model.rate == rate or "plate" in values:
            return {}
        return {"rate": model.rate}

    def _routed_still(self, asked: str | None, route: Route) -> Recipe | None:
        return self._routed(asked, route.still, route.quality) if route.still is not None else None

    def _routed(self, asked: str | None, name: str, quality: Quality) -> Recipe:
        return {"model": self._recorded(asked, name, quality), ROUTED: True}

    def _own_still(self, values: Recipe, accepted: Recipe, needs: frozenset[str], motion: str) -> Recipe:
        """The still that the shot itself asks for: a picture, or one by another model or prompt. What draws the
        `motion` without weights draws its still too, unless another is named."""
        wanted = values["keyframe"]
        if "image" in wanted:
            return {"image": self.files.digest(wanted["image"], self.where)}
        asked = wanted.get("model")
        was = (accepted.get("keyframe") or {}).get("model")
        if was is not None and was.get("asked") == asked:
            return {**wanted, "model": self._today(was)}
        traits = self.registry.models[motion].traits if motion in self.registry.models else None
        draws = asked is None and traits is not None and not traits.models
        name = motion if draws else self._router.still(asked, needs, self.where)
        quality = quality_of(asked, self.registry.models[name])
        return {**wanted, "model": self._recorded(asked, name, quality)}
