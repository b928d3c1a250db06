"""The encoder by which an IP-Adapter looks at pictures. It sees each of them once, on the CPU and in float32, so
that it takes no memory on the card; what it saw, a few KB, is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from transformers import CLIPImageProcessorPil, CLIPVisionModelWithProjection

from rushes.generators.base import Watch
from rushes.generators.diffusers.reading import pieces
from rushes.generators.safetensors_files import SUFFIX, check
from rushes_otio.errors import BadRequest, FileFault
from rushes_otio.text import printable

Sees = Literal["whole", "patches"]
"""Of a picture: one row of numbers for all of it, or one for each of its patches."""

_KEPT = 256
_seen: OrderedDict[tuple[Encoder, str], torch.Tensor] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Encoder:
    """A folder as transformers saves a CLIP image encoder, and what an adapter wants of it: the picture as a
    whole, or all its patches, `width` numbers each. `model` is the fingerprint that stands for its content."""

    folder: Path
    model: str
    sees: Sees
    width: int

    def look(self, pictures: Mapping[str, Image.Image | None], watch: Watch) -> dict[str, torch.Tensor]:
        """What it sees in each, by the same names, which stand for the pictures' content: (1, width), or (1,
        patches, width). None is the absence of a picture. FileFault for a folder that cannot be used, BadRequest
        for an encoder of another width."""
        new = [name for name in pictures if (self, name) not in _seen]
        if new:
            self._look_anew({name: pictures[name] for name in new}, watch)
        for name in pictures:
            _seen.move_to_end((self, name))
        found = {name: _seen[self, name] for name in pictures}
        while len(_seen) > _KEPT:
            _seen.popitem(last=False)
        return found

    def _look_anew(self, pictures: Mapping[str, Image.Image | None], watch: Watch) -> None:
        model = _read(self.folder, watch)
        config = model.config
        if self.width != (config.projection_dim if self.sees == "whole" else config.hidden_size):
            raise BadRequest(
                "the IP-Adapter was trained with another image encoder than the one beside it",
                where=str(self.folder),
                remedy="put the encoder there that the adapter's page names (ViT-H, ViT-bigG or ViT-L)",
            )
        # The one that works on PIL pictures: with torchvision others would be chosen, and the last bits differ.
        prepare = CLIPImageProcessorPil(size=config.image_size, crop_size=config.image_size)
        blank = torch.zeros(1, 3, config.image_size, config.image_size)
        watch.now("looking at references")
        for done, (name, picture) in enumerate(pictures.items()):
            watch.progress(done, len(pictures))
            pixels = blank if picture is None else prepare(picture, return_tensors="pt").pixel_values
            with torch.no_grad():
                made = model(pixels, output_hidden_states=True)
            _seen[self, name] = made.image_embeds if self.sees == "whole" else made.hidden_states[-2]


def _read(folder: Path, watch: Watch) -> Any:  # noqa: ANN401
    """The encoder, float32 on the CPU, from safetensors alone."""
    files = sorted(folder.glob(f"*{SUFFIX}"))
    if not files:
        raise FileFault(
            "the IP-Adapter needs the image encoder that it was trained with",
            where=str(folder),
            remedy="put its folder there (config.json and model.safetensors)",
        )
    watch.now("loading the image encoder")
    for file in files:
        check(file)
        for _ in pieces(file, watch):
            pass  # into the machine's memory, for the library that opens it says nothing while it reads
    try:
        model = CLIPVisionModelWithProjection.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        text = f"the image encoder cannot be loaded: {printable(str(error), 300)}"
        raise FileFault(text, where=str(folder), remedy="get the encoder again") from error
    return model.eval().requires_grad_(False)


def forget() -> None:
    """Forget what was seen."""
    _seen.clear()
