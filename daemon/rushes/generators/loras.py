"""LoRA files, known by the names of what is in them: which kind of model each is for, without opening a tensor.

Trainers name the same layers differently. Seen in the wild, and told apart here:

    transformer.blocks.0.attn1.to_q.lora_A.weight             Wan          diffusers, peft
    diffusion_model.blocks.0.self_attn.q.lora_A.weight        Wan          original names, ComfyUI
    lora_unet_blocks_0_self_attn_q.lora_down.weight           Wan          musubi-tuner
    transformer.transformer_blocks.0.attn1.to_q.lora_A…       LTX-Video    diffusers, peft
    transformer.single_transformer_blocks.0.attn.to_q…        Flux         diffusers, peft, ai-toolkit
    lora_unet_double_blocks_0_img_attn_proj.lora_down…        Flux         sd-scripts
    double_blocks.0.processor.qkv_lora1.down.weight           Flux         XLabs
    unet.down_blocks.1.attentions.0….to_q.lora_A.weight       SDXL         diffusers, peft
    lora_unet_input_blocks_4_1_transformer_blocks_0_…         SDXL         sd-scripts
    lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down…   a text encoder of SDXL or Flux

Names say the kind; whether the sizes are those of one model is seen when it is put on (`diffusers.adapters_lora`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rushes.generators.cards import Lora
from rushes.generators.safetensors_files import Header, check
from rushes_otio.errors import FileFault

FAMILIES = {"wan": "Wan", "ltx": "LTX-Video", "sdxl": "Stable Diffusion XL", "flux": "Flux"}
"""Kinds of models that LoRAs are told apart for, and what people call them."""

_PIPELINES = {"Wan": "wan", "LTX": "ltx", "StableDiffusionXL": "sdxl", "Flux": "flux"}
_OTHERS = ("LTX2", "Flux2", "Flux3")
"""Beginnings of pipeline classes: of each family, and of those that are not of it in spite of their name."""

_LORA = re.compile(r"[._]lora(?:\d|_linear_layer)?[._](?:A|B|down|up)(?:\.|$)")
"""One half of a LoRA's pair of matrices, in any of the forms."""

_MARKS = {
    "wan": re.compile(
        r"^(?:diffusion_model\.|transformer\.|transformer_2\.|lora_unet_)blocks[._]\d+[._]"
        r"(?:(?:self|cross)_attn[._](?:q|k|v|o|k_img|v_img)\.|attn[12]\.|ffn[._])"
    ),
    "ltx": re.compile(r"^(?:diffusion_model|transformer)\.transformer_blocks\.\d+\.(?:attn[12]|ff)\."),
    "flux": re.compile(
        r"^(?:transformer\.|lora_unet_|lora_transformer_|base_model\.model\.)?"
        r"(?:(?:single_transformer_blocks|double_blocks|single_blocks)[._]\d+[._]|transformer_blocks[._]\d+[._]attn[._])"
    ),
    "sdxl": re.compile(
        r"^(?:unet\.|lora_unet_)(?:down_blocks|up_blocks|mid_block|input_blocks|output_blocks|middle_block)[._]"
    ),
}

_WORDS = ("lora_te_", "lora_te1_", "lora_te2_", "text_encoder.", "text_encoder_2.", "text_encoders.")

_SEES_WORDS = re.compile(r"attn2[._]to_[kv][._].*(?:A|down)\.weight$")
_EARLIER_STABLE_DIFFUSION = (768, 1024)
"""How wide the words are that Stable Diffusion 1 and 2 see; their layers are named as those of SDXL."""


@dataclass(frozen=True, slots=True)
class LoraFile:
    """What a LoRA file is for: names of FAMILIES, none when it is for something else; and whether it changes a
    text encoder too."""

    families: frozenset[str]
    changes_words: bool

    @property
    def made_for(self) -> str:
        """For a person to read."""
        return (
            " or ".join(FAMILIES[name] for name in sorted(self.families))
            or "a kind of model that is not known here"
        )


def sniff(path: Path) -> LoraFile:
    """What the LoRA in a file is for. FileFault for what is no LoRA: a pickle, half a file, a whole model."""
    header = _header(path)
    halves = [name for name in header.tensors if _LORA.search(name)]
    if not halves:
        raise FileFault(
            f"this is no LoRA: it holds {_what_else(header.tensors)}",
            where=str(path),
            remedy="use a file with a LoRA in it, in the safetensors format",
        )
    return LoraFile(_families(halves, header), any(is_of_words(name) for name in halves))


def _header(path: Path) -> Header:
    try:
        return check(path)
    except FileFault as fault:
        remedy = "get the LoRA again, in the safetensors format"
        raise FileFault(f"a LoRA cannot be used: {fault.text}", where=fault.where, remedy=remedy) from None


def _what_else(names: Iterable[str]) -> str:
    found = list(names)
    if any(".lokr_" in name or ".hada_" in name or ".oft_" in name for name in found):
        return "an adapter of another kind (LoHa, LoKr or OFT)"
    if any(name.startswith(("ip_adapter.", "image_proj.")) for name in found):
        return "an IP-Adapter; register it with its model, as adapter in models.toml"
    return "the weights of a model" if found else "nothing"


def _families(halves: Sequence[str], header: Header) -> frozenset[str]:
    layers = [name for name in halves if not is_of_words(name)]
    if not layers:
        return _families_of_words(halves)
    found = {family for family, mark in _MARKS.items() if any(mark.search(name) for name in layers)}
    seen = {header.tensors[name].shape[1:2] for name in layers if _SEES_WORDS.search(name)}
    if "sdxl" in found and (any((width,) in seen for width in _EARLIER_STABLE_DIFFUSION) or _moves(layers)):
        found.remove("sdxl")
    if "ltx" in found and any("audio" in name for name in layers):  # LTX-2 makes sound as well
        found.remove("ltx")
    return frozenset(found)


def _moves(layers: Iterable[str]) -> bool:
    """Whether the layers are those of AnimateDiff, which stand inside the ones of Stable Diffusion."""
    return any("motion_modules" in name for name in layers)


def _families_of_words(names: Sequence[str]) -> frozenset[str]:
    if any(name.startswith(("lora_te2_", "text_encoder_2.")) for name in names):
        return frozenset({"sdxl"})
    return frozenset({"sdxl", "flux"})


def is_of_words(name: str) -> bool:
    """Whether a tensor of a LoRA, called so in its file, belongs to a text encoder."""
    return name.startswith(_WORDS)


def family_of(pipeline: str) -> str:
    """The name in FAMILIES of a pipeline class; empty for one of no family."""
    if pipeline.startswith(_OTHERS):
        return ""
    return next((family for start, family in _PIPELINES.items() if pipeline.startswith(start)), "")


def for_model(loras: Iterable[Lora], pipeline: str) -> tuple[tuple[Lora, ...], tuple[Lora, ...]]:
    """Those of `loras` that are for the kind of model that a pipeline class runs, and the others, each in order: a
    character may bring one LoRA for every kind. FileFault for what is no LoRA."""
    rows = tuple(loras)
    fits = [family_of(pipeline) in known(lora).families for lora in rows]
    return (
        tuple(lora for lora, fit in zip(rows, fits, strict=True) if fit),
        tuple(lora for lora, fit in zip(rows, fits, strict=True) if not fit),
    )


def changes_words(lora: Lora) -> bool:
    """Whether a LoRA changes a text encoder, so that the words are made with it."""
    return known(lora).changes_words


def known(lora: Lora) -> LoraFile:
    """As `sniff`, remembered by content."""
    return _known(lora.path, lora.digest)


@lru_cache(maxsize=4096)
def _known(path: str, _digest: str) -> LoraFile:
    return sniff(Path(path))
