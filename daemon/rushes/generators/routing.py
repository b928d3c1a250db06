"""Which model makes a shot: the cheapest registered one that can do what the shot needs, on this machine, for the
quality that was asked for; and why, and why not the others.

A shot that was rendered keeps its model while what was asked for and what it needs are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from rushes.generators.models import QUALITIES, Model, Quality
from rushes.generators.needs import quality_of
from rushes.generators.registry import Registry
from rushes.generators.traits import ANIMATIC
from rushes_otio.errors import ShotFault

_SAID = {
    "t2i": "make a still from words",
    "t2v": "make motion from words alone",
    "i2v": "start from a picture",
    "last": "end on a given picture",
    "v2v": "make a plate anew",
    "mask": "work inside a mask",
    "references": "look like reference pictures",
    "lora": "take LoRAs",
}

_WANTED: dict[str | None, tuple[Quality, ...]] = {
    None: ("final", "draft"),
    "final": ("final",),
    "draft": ("draft", "final"),
}
"""Which qualities do for what was asked, the best first. A draft never does for a final."""

_EITHER = frozenset({"references", "lora"})
"""What the still may bring in place of the motion."""


@dataclass(frozen=True, slots=True)
class Route:
    """The models of a shot. `still` is the name of the one that makes its still, None for a shot without, or whose
    model draws it itself. `why` says so for people; `others` why not the others, by name."""

    name: str
    quality: Quality
    still: str | None
    why: str
    others: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Choice:
    name: str
    still: str | None
    cost: float


class Router:
    """Routes shots over one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def route(self, asked: str | None, needs: frozenset[str], where: str) -> Route:
        """The models for a shot. ShotFault for an unknown name, and where nothing registered can make it."""
        found = _outcome(self._registry, self._registry.look(), asked, needs)
        if isinstance(found, ShotFault):
            raise ShotFault(found.text, where=where, remedy=found.remedy)
        return found

    def work_out(self, asked: str | None, needs: frozenset[str]) -> Route:
        """As `route`, worked out anew; that remembers it, for most shots of a film need the same."""
        if asked is not None and asked not in QUALITIES:
            return self._named(asked, needs)
        others = [name for name in self._registry.models if name != ANIMATIC.name]
        if not others:
            return Route(ANIMATIC.name, _quality(asked), None, "no other model is registered", {})
        return self._cheapest(asked, needs, others)

    def still(self, asked: str | None, needs: frozenset[str], where: str) -> str:
        """The model that makes a still, and can the rest of `needs` as far as a still can."""
        wanted = (needs & _EITHER) | {"t2i"}
        if asked is not None and asked not in QUALITIES:
            lacking = self._lacking(self._registry.known(asked, where), wanted)
            if lacking:
                raise _cannot(f"the model {asked!r} cannot", lacking, where)
            return asked
        for quality in _WANTED[asked]:
            if choices := self._stills(quality, wanted):
                return min(choices, key=lambda c: c.cost).name
        raise _cannot("no model that is registered here can", sorted(wanted, key=_order), where)

    def _named(self, name: str, needs: frozenset[str]) -> Route:
        model = self._registry.known(name, "")
        quality = quality_of(None, model)
        if model.traits is None or not model.traits.models:
            return Route(name, quality, None, "it was asked for by name", {})
        choices, lacking = self._choices(name, quality, needs)
        if not choices:
            raise _cannot(f"the model {name!r} cannot", lacking, "")
        return Route(name, quality, choices[0].still, "it was asked for by name", {})

    def _cheapest(self, asked: str | None, needs: frozenset[str], names: list[str]) -> Route:
        wanted = _WANTED[asked]
        why_not: dict[str, str] = {}
        for quality in wanted:
            fitting: list[_Choice] = []
            for name in names:
                fault = self._unusable(name, quality)
                choices, lacking = self._choices(name, quality, needs) if not fault else ([], [])
                fitting += choices
                if not choices:
                    why_not[name] = fault or self._why_not(name, lacking)
            if fitting:
                best = min(fitting, key=lambda c: c.cost)
                why_not.update({c.name: "it costs more" for c in fitting if c.name != best.name})
                why = f"the cheapest for {quality} that can {_listed(sorted(needs, key=_order)) or 'make it'}"
                return Route(best.name, quality, best.still, why, {n: why_not[n] for n in names if n in why_not})
        said = "; ".join(f"{name}: {why}" for name, why in why_not.items())
        raise ShotFault(
            f"no registered model can make this shot{f' for {asked}' if asked else ''} ({said})",
            remedy="register one that can: rushes models add; or draw it: model=animatic",
        )

    def _why_not(self, name: str, lacking: list[str]) -> str:
        stills = set(self._registry.models[name].can) <= {"t2i", *_EITHER}
        return "it makes stills only" if stills else f"it cannot {_listed(lacking)}"

    def _unusable(self, name: str, quality: Quality) -> str:
        """Why a model is not used, whatever a shot needs."""
        model = self._registry.models[name]
        if not model.serves(quality):
            return f"it is registered for {model.quality} only"
        return self._registry.fault(name) or self._too_large(name)

    def _too_large(self, name: str) -> str:
        from rushes.generators.gpus import card_memory, main_memory
        from rushes.generators.rungs import first_fitting

        model, located = self._registry.models[name], self._registry.located(name)
        if located is None:
            return ""
        card = card_memory()
        room = card if card is not None else main_memory()
        if room is None or first_fitting(located.sizes, model.working_mib << 20, room) is not None:
            return ""
        return f"it does not fit into the {room / 2**30:.0f} GiB of this {'card' if card else 'machine'}"

    def _choices(self, name: str, quality: Quality, needs: frozenset[str]) -> tuple[list[_Choice], list[str]]:
        """The ways in which a model can make a shot, and what it lacks where there is none."""
        model = self._registry.models[name]
        if model.traits is not None and not model.traits.models:
            return [_Choice(name, None, 0.0)], []
        starts = needs & {"i2v", "v2v", "mask"}
        cost = self._cost(name, quality)
        if starts:
            lacking = self._lacking(model, needs)
            return ([] if lacking else [_Choice(name, None, cost)]), lacking
        lacking = self._lacking(model, needs | {"t2v"})
        alone = [] if lacking else [_Choice(name, None, cost)]
        rest = self._lacking(model, (needs - _EITHER) | {"i2v"})
        either = frozenset(need for need in needs & _EITHER if need not in model.can)
        stills = self._stills(quality, either | {"t2i"}) if not rest else []
        return [*alone, *(_Choice(name, c.name, cost + c.cost) for c in stills)], lacking

    def _stills(self, quality: Quality, wanted: Iterable[str]) -> list[_Choice]:
        return [
            _Choice(name, None, self._cost(name, quality))
            for name, model in self._registry.models.items()
            if "t2i" in model.can and not self._lacking(model, wanted) and not self._unusable(name, quality)
        ]

    def _lacking(self, model: Model, needs: Iterable[str]) -> list[str]:
        if model.traits is not None and not model.traits.models:
            return []
        return sorted((need for need in needs if need not in model.can), key=_order)

    def _cost(self, name: str, quality: Quality) -> float:
        """What a frame costs, in no unit: bytes of weights times steps times pixels."""
        model, located = self._registry.models[name], self._registry.located(name)
        profile = model.profile(quality)
        width, height = profile.width_height
        weight = sum(located.sizes.values()) if located else 1
        return float(weight * profile.steps * width * height)


@lru_cache(maxsize=256)
def _outcome(registry: Registry, look: int, asked: str | None, needs: frozenset[str]) -> Route | ShotFault:
    del look  # another one forgets what was worked out before
    try:
        return Router(registry).work_out(asked, needs)
    except ShotFault as fault:
        return ShotFault(fault.text, remedy=fault.remedy)  # without the frames it came through


def _quality(asked: str | None) -> Quality:
    return "draft" if asked == "draft" else "final"


def _order(need: str) -> int:
    return list(_SAID).index(need)


def _listed(needs: Iterable[str]) -> str:
    return " and ".join(_SAID[need] for need in needs)


def _cannot(who: str, lacking: list[str], where: str) -> ShotFault:
    remedies = {
        "t2v": 'give it a picture to start from, keyframe={"image": PATH}, or register an image model for stills',
        "references": "put the reference into the still (keyframe), or use a model that takes some: Wan VACE",
        "mask": "use a model that works inside masks, such as Wan VACE",
    }
    remedy = next((remedies[need] for need in lacking if need in remedies), "use another model")
    return ShotFault(
        f"{who} {_listed(lacking)}", where=where, remedy=f"{remedy}: rushes models list shows what each can"
    )
