"""A model as a stage is told of it: located, pinned, and with how it is to be run.

Cards are made from the user's registry of models and never from a film: a film names a model, nothing more.
"""

from __future__ import annotations

import msgspec


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """A registered model, located.

    `pipeline` is the class that its `model_index.json` names. `options` are opt-in speed-ups and savings that
    change pixels: "attention", "compile", "cache", "quantisation", "tiling". `working_mib` is what a run takes
    beside the weights, at the model's own size. `adapter` is the path of IP-Adapter weights for a model that
    takes references by one, else empty.
    """

    name: str
    fingerprint: str  # everything of it that changes pixels
    folder: str  # absolute
    pipeline: str
    dtype: str = "bfloat16"
    working_mib: int = 4096
    options: dict[str, str] = {}
    adapter: str = ""


class Lora(msgspec.Struct, frozen=True):
    """A LoRA file with its weight, a decimal."""

    path: str
    digest: str  # sha256 of the file
    weight: str = "1"


class Reference(msgspec.Struct, frozen=True):
    """A picture that shows what something looks like; `role` says what ("character", "style", …)."""

    path: str
    digest: str
    role: str = ""


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model and how it is run: its registered defaults with what the film asks for laid over them.

    `words` is the path of what the text encoders made (`Generator.words`). `size` is (width, height) in pixels,
    which the model can do. `guidance` is a decimal, empty for the pipeline's own. `params` are further arguments
    of the pipeline's call, checked against it.
    """

    card: Card
    size: tuple[int, int]
    steps: int
    guidance: str = ""
    params: dict[str, msgspec.Raw] = {}
    words: str = ""
    loras: tuple[Lora, ...] = ()
    references: tuple[Reference, ...] = ()
