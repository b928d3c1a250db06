"""What a registered model is: one entry of `models.toml`, checked, and what it can do.

[models.wan-i2v]
generator = "diffusers"
source = "/models/Wan2.1-I2V-14B-480P-Diffusers"     # a folder, or the name of a repository on the Hub
revision = "b184e23a8a16b20f108f727c902e769e873ffc73"  # of the repository
pipeline = "WanImageToVideoPipeline"
can = ["i2v", "lora"]
max_frames = 81
rule = 4                                              # it makes 4n + 1 frames
multiple = 16                                         # of its width and height
rate = "16/1"
final = { steps = 50, guidance = "5", size = "832x480" }
draft = { steps = 12, guidance = "5", size = "624x352" }
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

import msgspec

from rushes.generators.traits import GENERATORS, Traits

Can = Literal["t2i", "t2v", "i2v", "last", "v2v", "mask", "references", "lora"]
"""Words to a still; words to motion; motion from a picture; ending on one too; a plate made anew; only inside a
mask; looking like reference pictures; taking LoRAs."""

Quality = Literal["draft", "final"]
QUALITIES: tuple[Quality, ...] = ("draft", "final")

Size = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{1,4}x[1-9][0-9]{1,4}$")]
Decimal = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)?$")]
Option = Literal["attention", "compile", "cache", "quantisation", "tiling"]


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a model is run for one quality. `guidance` empty is the pipeline's own; `params` are further arguments
    of the pipeline's call."""

    steps: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 30
    guidance: Decimal | Literal[""] = ""
    size: Size = "832x480"
    params: dict[str, str | int | bool] = {}

    @property
    def width_height(self) -> tuple[int, int]:
        width, _, height = self.size.partition("x")
        return int(width), int(height)


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One registered model. `quality` is what alone it is used for, empty for both. `words` is the prompt of a
    motion, with {prompt}, {action} and {camera} in it; a still's is its {prompt}. `negative` is put before the
    film's own. `overlap` is how many frames of a piece the next piece of a long shot goes over once more.
    `adapter` is the file of an IP-Adapter, for a model that takes references by one."""

    generator: str
    quality: Literal["", "draft", "final"] = ""
    source: str = ""
    revision: str = ""
    pipeline: str = ""
    licence: str = ""
    accepted: bool = True
    can: list[Can] = []
    max_frames: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    rule: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    multiple: Annotated[int, msgspec.Meta(ge=1, le=256)] = 8
    rate: Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,5}/[1-9][0-9]{0,3}$")] | Literal[""] = ""
    overlap: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    working_mib: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 4096
    words: str = "{prompt} {action} {camera}"
    negative: str = ""
    options: dict[Option, str] = {}
    adapter: str = ""
    draft: Profile = Profile(steps=15)
    final: Profile = Profile(steps=50)

    @property
    def traits(self) -> Traits | None:
        """What its generator is; None for one that this Rushes does not know."""
        return GENERATORS.get(self.generator)

    def serves(self, quality: Quality) -> bool:
        """Whether it is used for this quality."""
        return self.quality in ("", quality)

    def profile(self, quality: Quality) -> Profile:
        return self.draft if quality == "draft" else self.final

    def fitting(self, frames: int) -> int:
        """The fewest frames of at least `frames` that its frame rule allows, whatever its maximum."""
        return -(-(frames - 1) // self.rule) * self.rule + 1

    @property
    def native_rate(self) -> Fraction | None:
        """Frames a second that it makes; None for one that makes any."""
        return Fraction(self.rate) if self.rate else None
