"""IP-Adapters on a pipeline while it runs, and off again: layers that make it look at given pictures.

The file of the adapter is named in the user's registry; the encoder of pictures that it was trained with lies
beside it, in the folder `image_encoder`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers.hooks.group_offloading import _maybe_remove_and_reapply_group_offloading
from PIL import Image
from safetensors.torch import load

from rushes.generators.base import Watch
from rushes.generators.cards import Run
from rushes.generators.diffusers.image_encoder import Encoder, Sees
from rushes.generators.diffusers.ladder import is_out_of_memory
from rushes.generators.diffusers.reading import pieces
from rushes.generators.safetensors_files import check
from rushes_otio.errors import BadRequest, FileFault

STRENGTH = {"StableDiffusionXLPipeline": 0.6, "FluxPipeline": 1.0}
"""How much the pictures count against the words, as those who made the adapters advise."""

ENCODER = "image_encoder"

Arguments = dict[str, Any]
Pictures = Mapping[str, Image.Image]
"""By the digests of their files."""

Layers = dict[str, dict[str, Any]]
"""An adapter as diffusers takes it: tensors by name, under "image_proj" and "ip_adapter"."""

_PARTS = {
    "image_proj": "image_proj",
    "ip_adapter": "ip_adapter",
    "ip_adapter_proj_model": "image_proj",  # as XLabs calls it
    "double_blocks": "ip_adapter",
}
_FIRST: Mapping[str, Sees] = {"proj.weight": "whole", "proj_in.weight": "patches", "proj.0.weight": "patches"}
"""First layers of an adapter's projection, and how much of a picture they want to see."""


@contextmanager
def adapter_on(pipe: Any, run: Run, pictures: Pictures, watch: Watch) -> Iterator[Arguments]:  # noqa: ANN401
    """What the call of `pipe` gets for `pictures`, by digest, with the adapter of the run's card on meanwhile.
    BadRequest, before anything is changed, for an adapter of another model; FileFault for a file that is none."""
    path = Path(run.card.adapter)
    layers = _layers(path, watch)
    _check_fit(pipe, path, layers)
    arguments = _arguments(pipe, run, layers, pictures, watch)
    denoiser = _denoiser(pipe)
    before = dict(denoiser.attn_processors)
    try:
        _load(pipe, path, layers)
        pipe.set_ip_adapter_scale(STRENGTH[type(pipe).__name__])
        _maybe_remove_and_reapply_group_offloading(denoiser)
        yield arguments
    finally:
        pipe.unload_ip_adapter()
        denoiser.set_attn_processor(before)
        _maybe_remove_and_reapply_group_offloading(denoiser)


def _denoiser(pipe: Any) -> Any:  # noqa: ANN401
    return pipe.unet if _is_sdxl(pipe) else pipe.transformer


def _is_sdxl(pipe: Any) -> bool:  # noqa: ANN401
    return hasattr(pipe, "unet")


def _load(pipe: Any, path: Path, layers: Layers) -> None:  # noqa: ANN401
    """Without an encoder: what it saw is given to the call."""
    encoder = "image_encoder_folder" if _is_sdxl(pipe) else "image_encoder_pretrained_model_name_or_path"
    try:
        pipe.load_ip_adapter(layers, subfolder="", weight_name="", **{encoder: None})
    except Exception as error:  # a file can lack any of its layers, or have them in any shape
        if is_out_of_memory(error):
            raise
        raise _other_model(pipe, path) from error
    if any(tensor.is_meta for tensor in _denoiser(pipe).parameters()):
        raise _other_model(pipe, path)


def _other_model(pipe: Any, path: Path) -> BadRequest:  # noqa: ANN401
    return BadRequest(
        f"the IP-Adapter {path.name} was made for another model than {type(pipe).__name__} as it is here",
        where=str(path),
        remedy="name an IP-Adapter for this model as adapter in models.toml",
    )


# -- the file ------------------------------------------------------------------------------------------------


def _layers(path: Path, watch: Watch) -> Layers:
    check(path)
    watch.now("loading the IP-Adapter")
    found: Layers = {"image_proj": {}, "ip_adapter": {}}
    for name, tensor in load(b"".join(pieces(path, watch))).items():
        start, _, rest = name.partition(".")
        if start in _PARTS:
            # A tensor's place in memory can change the last bits on a CPU; torch places its own all alike.
            found[_PARTS[start]][_plain(rest)] = tensor.clone()
    if not all(found.values()):
        raise FileFault("this is no IP-Adapter", where=str(path), remedy="correct `adapter` in models.toml")
    if any("_lora" in name for name in found["ip_adapter"]) or not _FIRST.keys() & found["image_proj"].keys():
        raise FileFault(
            "this is an IP-Adapter of a kind that is not known here, as those for faces (FaceID)",
            where=str(path),
            remedy="use a plain IP-Adapter, or one of the plus kind",
        )
    return found


def _plain(name: str) -> str:
    """A layer of XLabs for Flux by its usual name."""
    for half in "kv":
        name = name.replace(f"processor.ip_adapter_double_stream_{half}_proj", f"to_{half}_ip")
    return name


def _check_fit(pipe: Any, path: Path, layers: Layers) -> None:  # noqa: ANN401
    shapes = {name: tuple(tensor.shape) for name, tensor in layers["ip_adapter"].items()}
    wrong = [name for name, shape in _places(pipe).items() if shapes.get(name) != shape]
    closer = "proj.weight" not in layers["image_proj"]
    if wrong or (closer and not _is_sdxl(pipe)):
        raise _other_model(pipe, path)


def _places(pipe: Any) -> dict[str, tuple[int, ...]]:  # noqa: ANN401
    """The tensors of an adapter for this pipeline, with their shapes."""
    if not _is_sdxl(pipe):
        shape = (pipe.transformer.inner_dim, pipe.transformer.config.joint_attention_dim)
        blocks = range(pipe.transformer.config.num_layers)
        return {f"{block}.to_{half}_ip.weight": shape for block in blocks for half in "kv"}
    found: dict[str, tuple[int, ...]] = {}
    for place, name in enumerate(pipe.unet.attn_processors):
        if not name.endswith("attn1.processor"):
            layer = pipe.unet.get_submodule(name.removesuffix(".processor"))
            found |= {f"{place}.to_{half}_ip.weight": tuple(layer.to_k.weight.shape) for half in "kv"}
    return found


# -- what is given to the call -------------------------------------------------------------------------------


def _arguments(pipe: Any, run: Run, layers: Layers, pictures: Pictures, watch: Watch) -> Arguments:  # noqa: ANN401
    """What the encoder sees in the pictures, all at once; and in none, which is what guidance leads away from."""
    encoder = _encoder(run, layers)
    none = None if _is_sdxl(pipe) else Image.new("RGB", (64, 64))  # the absence of a picture, or a black one
    seen = encoder.look({**pictures, "": none}, watch)
    yes = torch.cat([seen[digest] for digest in pictures])[None]
    if not _is_sdxl(pipe):
        dtype = pipe.transformer.dtype
        negative = seen[""][None].to(dtype)
        return {"ip_adapter_image_embeds": [yes.to(dtype)], "negative_ip_adapter_image_embeds": [negative]}
    no = torch.zeros_like(yes) if encoder.sees == "whole" else seen[""][None].expand_as(yes)
    both = torch.cat([no, yes]) if _is_guided(pipe, run) else yes
    return {"ip_adapter_image_embeds": [both.to(pipe.unet.dtype)]}


def _encoder(run: Run, layers: Layers) -> Encoder:
    path = Path(run.card.adapter)
    first = next(name for name in _FIRST if name in layers["image_proj"])
    width = int(layers["image_proj"][first].shape[1])
    return Encoder(path.parent / ENCODER, run.card.fingerprint, _FIRST[first], width)


def _is_guided(pipe: Any, run: Run) -> bool:  # noqa: ANN401
    """Whether the pipeline computes every step a second time, without words and pictures."""
    own = inspect.signature(type(pipe).__call__).parameters["guidance_scale"].default
    return float(run.guidance or own) > 1 and pipe.unet.config.time_cond_proj_dim is None
