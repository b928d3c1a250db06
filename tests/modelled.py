"""Films made by tiny real models: their folders built once a session, registered in the test's own models.toml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from rushes.generators.base import Watch
from rushes.generators.cards import Card
from rushes.generators.diffusers import Diffusers
from rushes.generators.diffusers.devices import CpuDevice
from rushes.generators.diffusers.residency import Folders, Residency
from rushes.generators.models import Model, Profile
from rushes.store.places import Places
from tiny import TinyModels

SIZE = "64x64"

ENTRIES: dict[str, tuple[str, Model]] = {
    "wan": (
        "wan_t2v",
        Model("diffusers", can=["t2v", "v2v", "lora"], max_frames=17, rule=4, multiple=16, rate="16/1", overlap=5),
    ),
    "wan-i2v": (
        "wan_i2v",
        Model(
            "diffusers", can=["i2v", "last", "lora"], max_frames=17, rule=4, multiple=16, rate="16/1", overlap=5
        ),
    ),
    "vace": (
        "wan_vace",
        Model(
            "diffusers",
            can=["t2v", "i2v", "last", "mask", "references", "lora"],
            max_frames=17,
            rule=4,
            multiple=16,
            rate="16/1",
            overlap=5,
        ),
    ),
    "ltx": (
        "ltx",
        Model(
            "diffusers",
            can=["t2v", "i2v", "last", "lora"],
            max_frames=17,
            rule=8,
            multiple=32,
            rate="24/1",
            overlap=9,
        ),
    ),
    "sdxl": ("sdxl", Model("diffusers", can=["t2i", "lora"], multiple=8)),
    "flux": ("flux", Model("diffusers", can=["t2i", "lora"], multiple=16)),
}
"""Name in the registry -> name of the tiny pipeline, and its entry but for what depends on the folder."""


def register(models: TinyModels, *names: str, **changes: object) -> None:
    """Write the user's models.toml with these, `changes` in every entry."""
    lines = []
    for name in names:
        kind, model = ENTRIES[name]
        card = models.card(kind)
        profiles = {"draft": Profile(steps=2, size=SIZE), "final": Profile(steps=3, size=SIZE)}
        here = {"source": card.folder, "pipeline": card.pipeline, "dtype": "float32", "working_mib": 64}
        entry = msgspec.structs.replace(model, **(here | profiles | changes))
        lines.append(f"[models.{name}]")
        lines += [f"{key} = {_toml(value)}" for key, value in msgspec.to_builtins(entry).items()]
    path = Places.of_user().models
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(v)}" for key, v in value.items()) + " }"
    return msgspec.json.encode(value).decode()


def folder(models: TinyModels, name: str) -> Path:
    return models.folder(ENTRIES[name][0])


READ: Counter[tuple[str, str]] = Counter()
"""How often each component of each model was read, by model and component."""


class Noting(Folders):
    def read(self, card: Card, names: Collection[str], watch: Watch) -> Mapping[str, Any]:
        found = super().read(card, names, watch)
        READ.update((card.name, name) for name in found)
        return found


class Noted(Diffusers):
    """The real one, with a note of what it reads."""

    def __init__(self) -> None:
        super().__init__(Residency(CpuDevice(), reader=Noting()))
