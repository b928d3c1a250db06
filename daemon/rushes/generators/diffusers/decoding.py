"""From latents to pictures, as the pipelines do it at the end of their calls: same arithmetic, same bits.

The encode lane decodes one shot while the next is denoised, and a causal VAE remembers frames while it works. So
each decoding has a VAE of its own, which shares the weights and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from diffusers import ModelMixin
from diffusers.utils.torch_utils import randn_tensor
from numpy.typing import NDArray

from rushes.generators.diffusers.health import check_pictures
from rushes.generators.diffusers.loading import DTYPES
from rushes.generators.diffusers.piece import Piece
from rushes.generators.diffusers.tap import follow
from rushes.generators.diffusers.ticking import Tick
from rushes.generators.diffusers.turns import patiently

_drawing = threading.Lock()


def decoded(vae: ModelMixin, piece: Piece, tick: Tick) -> NDArray[np.uint16]:
    """All frames of a piece, its overlap too: (frames, height, width, 3), full range. `vae` is the model's, on its
    device; `tick` is called for each of its blocks and may raise. MediaFault for what is no picture."""
    own = twin(vae)
    hooks = follow([own], tick)
    try:
        with torch.no_grad(), _own_noise(own, piece, tick):
            scaled = _SCALED[type(own).__name__](own, piece)
            made = own.decode(*scaled, return_dict=False)[0]
            pictures = _pictures(made)
            check_pictures(pictures)
            return _frames(pictures, tick)
    finally:
        for hook in hooks:
            hook.remove()


def twin(vae: ModelMixin) -> ModelMixin:
    """A VAE with the same weights, the very same tensors, and a state of its own; without hooks."""
    with torch.device("meta"):
        made = type(vae).from_config(vae.config)
    for name, weights in vae.named_parameters():
        owner, _, leaf = name.rpartition(".")
        made.get_submodule(owner)._parameters[leaf] = weights
    for name, values in vae.named_buffers():
        owner, _, leaf = name.rpartition(".")
        made.get_submodule(owner)._buffers[leaf] = values
    for name, value in vars(vae).items():
        if name.startswith(("use_", "tile_")):
            setattr(made, name, value)
    return made.eval()


def _pictures(made: torch.Tensor) -> torch.Tensor:
    """(frames, 3, height, width), 0 to 1, from what a VAE gives."""
    video = made[0].permute(1, 0, 2, 3) if made.ndim == 5 else made
    return (video * 0.5 + 0.5).clamp(0, 1)


def _frames(pictures: torch.Tensor, tick: Tick) -> NDArray[np.uint16]:
    count, _, height, width = pictures.shape
    frames = np.empty((count, height, width, 3), np.uint16)
    for number, picture in enumerate(pictures):
        tick()
        whole = (picture.float().permute(1, 2, 0) * 65535).round().to(torch.int32)
        frames[number] = whole.cpu().numpy().astype(np.uint16)
    return frames


# -- scaling, one function for each kind of VAE -----------------------------------------------------------------


def _channels(values: torch.Tensor | list[float], like: torch.Tensor) -> torch.Tensor:
    # The dtype is named: another lane that loads a model changes the default one meanwhile.
    return torch.as_tensor(values, dtype=torch.float32).view(1, -1, 1, 1, 1).to(like.device, like.dtype)


def _wan(vae: ModelMixin, piece: Piece) -> tuple[torch.Tensor]:
    latents = piece.latents.to(vae.device, vae.dtype)
    deviation = _channels(1.0 / torch.as_tensor(vae.config.latents_std, dtype=torch.float32), latents)
    return (latents / deviation + _channels(vae.config.latents_mean, latents),)


def _ltx(vae: ModelMixin, piece: Piece) -> tuple[torch.Tensor, torch.Tensor | None]:
    latents, head = piece.latents.to(vae.device), piece.head
    mean, deviation = _channels(vae.latents_mean, latents), _channels(vae.latents_std, latents)
    latents = (latents * deviation / vae.config.scaling_factor + mean).to(DTYPES[head.dtype])
    if not vae.config.timestep_conditioning:
        return latents.to(vae.dtype), None
    timestep = torch.tensor([float(head.timestep)], device=latents.device, dtype=latents.dtype)
    amount = torch.tensor([float(head.noise or head.timestep)], device=latents.device, dtype=latents.dtype)
    noise = _noise(piece, latents)
    return ((1 - amount) * latents + amount * noise).to(vae.dtype), timestep


@contextmanager
def _own_noise(vae: ModelMixin, piece: Piece, tick: Tick) -> Iterator[None]:
    """Some decoders draw noise from the random numbers of the whole process; meanwhile these begin where the
    piece's own generator stands, and nobody else draws from them."""
    if not any(vae.config.get("decoder_inject_noise") or ()):
        yield
        return
    generator = torch.Generator("cpu")
    generator.set_state(piece.more["noise"])
    seed = int(torch.randint(2**62, (), generator=generator))
    devices = [vae.device] if vae.device.type == "cuda" else []
    with patiently(_drawing, tick), torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def _noise(piece: Piece, like: torch.Tensor) -> torch.Tensor:
    """The noise that the call would have drawn next."""
    generator = torch.Generator("cpu")
    generator.set_state(piece.more["noise"])
    return randn_tensor(like.shape, generator=generator, device=like.device, dtype=like.dtype)


def _still(vae: ModelMixin, piece: Piece) -> tuple[torch.Tensor]:
    """SDXL and Flux: one picture."""
    latents, settings = piece.latents[:, :, 0].to(vae.device, vae.dtype), vae.config
    mean, deviation = settings.get("latents_mean"), settings.get("latents_std")
    if mean is not None and deviation is not None:
        scaled = latents * _channels(deviation, latents)[:, :, 0] / settings.scaling_factor
        return (scaled + _channels(mean, latents)[:, :, 0],)
    shift = settings.get("shift_factor")
    scaled = latents / settings.scaling_factor
    return (scaled if shift is None else scaled + shift,)


_SCALED: dict[str, Callable[[Any, Piece], tuple[Any, ...]]] = {
    "AutoencoderKLWan": _wan,
    "AutoencoderKLLTXVideo": _ltx,
    "AutoencoderKL": _still,
}
