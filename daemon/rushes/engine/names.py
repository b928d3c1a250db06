"""The names that a person can use in a film, for completion: its library, its scenes, this machine's models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rushes.engine.studio import Desk
from rushes.generators.models import QUALITIES, Model
from rushes.generators.registry import Registry
from rushes.generators.traits import ANIMATIC
from rushes_otio.errors import ShotFault
from rushes_otio.film import Film
from rushes_otio.library import KINDS, Entries
from rushes_otio.text import printable

DESCRIBED = 120
"""Characters of a description: enough to know who is meant."""

_QUALITIES = {
    "draft": "the cheapest registered model that can make it, run quickly",
    "final": "the cheapest registered model that can make it, run for the film",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A library entry. `kind` is character, style or location."""

    kind: str
    name: str
    description: str


def names(desk: Desk) -> dict[str, Any]:
    """The answer to `library`."""
    film = desk.read()
    return {
        "entries": [asdict(entry) for entry in entries(film)],
        "scenes": [{"scene": s.id, "code": s.code, "name": s.name} for s in film.block.scenes],
        "models": [{"name": name, "what": what} for name, what in models(desk.studio.registry).items()],
        "cameras": list(ANIMATIC.moves),
    }


def entries(film: Film) -> list[Named]:
    """The library, kind by kind; a broken entry has no description."""
    library = Entries(film.block.library, film.where)
    return [
        Named(kind, name, printable(_description(library, name), DESCRIBED))
        for kind, plural in KINDS.items()
        for name in getattr(film.block.library, plural)
    ]


def _description(library: Entries, name: str) -> str:
    try:
        return library.get(name, "").description
    except ShotFault:
        return ""


def models(registry: Registry) -> dict[str, str]:
    """What `model` can be set to, each with a line on what it is: qualities first."""
    said = {quality: _QUALITIES[quality] for quality in QUALITIES}
    return said | {name: _line(registry, name, model) for name, model in registry.models.items()}


def _line(registry: Registry, name: str, model: Model) -> str:
    if model.generator == ANIMATIC.name:
        return "draws everything, without weights"
    said = ", ".join([*model.can, *([f"{model.quality} only"] if model.quality else [])])
    fault = registry.fault(name)
    return printable(f"{said}; not usable: {fault}" if fault else said, 200)
