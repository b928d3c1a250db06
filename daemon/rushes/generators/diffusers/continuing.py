"""A motion that goes on from another: what a pipeline is told of the frames before it, and how they are held.

The first `overlap` frames of such a run are the last frames of the piece before. They enter it in two ways. The
pipeline is told of them in its own words, where it has some (`History.arguments`). And they are held in the
latents (`History.held`): at each step what the model says of them is replaced by what leads to them. Replacing
that, and not the scheduler's result, keeps true what a multistep scheduler remembers of earlier steps.

What the model gets wrong about known frames on the whole, channel by channel, it gets wrong about new ones too:
that is taken out of all it says, so that colours do not drift from piece to piece (`seams` does the rest).

A model that is told nothing reads the past only as the noise goes, and by then the noise of the new frames would
have decided where things stand and which way they move. So above `RENEWED` all noise is drawn anew at every step:
nothing stays of it, and the new frames follow what the past says. Measured on a model fitted to drifting stripes
(tests/moving.py; 9 of 21 frames known, 40 steps, 16 seeds): the new frames are off the true ones by 0.006 of white
in the median, 0.013 at worst; with noise that stays 0.15, as far as stripes in any place.

    past = History(frames)                              # of the piece before
    arguments = past.arguments(cls, total, arguments)   # total: overlap and new frames
    steer = past.held(pipe, total, seed)                # the tap puts it before the scheduler's step
    tensors |= seams.measured(past.frames)              # stored in the new piece
    new = seams.mended(decoded, overlap, tensors)       # when it is decoded
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition
from diffusers.utils.torch_utils import randn_tensor
from numpy.typing import NDArray
from PIL import Image

from rushes.generators.diffusers.tap import Steer
from rushes_otio.errors import BadRequest

Pipe = Any
Scheduler = Any
"""Classes of diffusers, which have no common type that says enough."""

RENEWED = 0.5  # of 1, all noise; what is decided below it is detail
_TOLD = frozenset({"WanVACEPipeline", "WanVideoToVideoPipeline"})  # of all known frames, from the first step on
_GREY = (128, 128, 128)
_KEPT, _MADE = 0, 255  # of a mask
_REMEDY = "make the shot no longer than the model can, or name a Wan or LTX model"


@dataclass(frozen=True)
class History:
    """The last frames of the piece before: (overlap, height, width, 3), full range, at the model's size."""

    frames: NDArray[np.uint16]

    def arguments(self, pipeline: type, total: int, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call of `pipeline` for `total` frames, the overlap included: what it is `given` for
        its plate, mask and pictures, with these frames laid over the first ones. BadRequest for a class that
        cannot go on from frames."""
        known = len(self.frames)
        if known >= total:
            raise BadRequest(f"{total} frames, and {known} of them known", remedy="lower the overlap of the model")
        match pipeline.__name__:
            case "WanPipeline" | "LTXPipeline":
                return dict(given)
            case "WanImageToVideoPipeline" | "LTXImageToVideoPipeline":
                return {**given, "image": self._images()[0]}
            case "LTXConditionPipeline":
                told = LTXVideoCondition(video=self._images())
                return {**given, "conditions": [*given.get("conditions", ()), told]}
            case "WanVideoToVideoPipeline" if "video" in given:
                return {**given, "video": self._before(given["video"])}
            case "WanVACEPipeline":
                return {
                    **given,
                    "video": self._before(self._video(total, given)),
                    "mask": self._mask(total, given),
                }
        raise BadRequest(f"{pipeline.__name__} cannot go on from earlier frames", remedy=_REMEDY)

    def held(self, pipe: Pipe, total: int, seed: int) -> Steer | None:
        """What holds these frames in a run of `total` frames of `pipe`, whose VAE encodes them now. Frames at the
        end that do not fill a latent frame are not held. None for a pipeline that holds what it is told."""
        name = type(pipe).__name__
        if name == "LTXConditionPipeline":
            return None
        kind = str(pipe.scheduler.config.get("prediction_type"))
        if "FlowMatch" not in type(pipe.scheduler).__name__ and kind != "flow_prediction":
            raise BadRequest(f"{name} with this scheduler cannot go on from earlier frames", remedy=_REMEDY)
        every = _frames_in_latent(pipe)
        latents = _encoded(pipe, self.frames[: (len(self.frames) - 1) // every * every + 1])
        noise = None if name in _TOLD else torch.Generator("cpu").manual_seed(seed)
        return _Held(pipe, latents, (total - 1) // every + 1, noise)

    def _before(self, video: list[Image.Image]) -> list[Image.Image]:
        return [*self._images(), *video[len(self.frames) :]]

    def _video(self, total: int, given: Mapping[str, Any]) -> list[Image.Image]:
        return list(given.get("video") or [Image.new("RGB", self._size, _GREY)] * total)

    def _mask(self, total: int, given: Mapping[str, Any]) -> list[Image.Image]:
        known = len(self.frames)
        mask = given.get("mask") or [Image.new("L", self._size, _MADE)] * total
        return [*[Image.new("L", self._size, _KEPT)] * known, *mask[known:]]

    @property
    def _size(self) -> tuple[int, int]:
        return self.frames.shape[2], self.frames.shape[1]

    def _images(self) -> list[Image.Image]:
        plain = ((self.frames.astype(np.uint32) + 128) // 257).astype(np.uint8)
        return [Image.fromarray(picture) for picture in plain]


class _Held:
    """A `Steer` that leads the first of `total` latent frames to `latents` (1, channels, n, height, width), and
    draws new noise from `noise`, if there is any to draw from."""

    def __init__(self, pipe: Pipe, latents: torch.Tensor, total: int, noise: torch.Generator | None) -> None:
        self._pipe, self._latents, self._total, self._noise = pipe, latents, total, noise

    def __call__(
        self, scheduler: Scheduler, output: torch.Tensor, timestep: object, sample: torch.Tensor
    ) -> torch.Tensor:
        if scheduler.step_index is None:
            scheduler._init_step_index(timestep)
        sigma = scheduler.sigmas[scheduler.step_index]
        axis, start, known = self._laid(sample)
        held = axis, start, known.shape[axis]
        true, said = (sample.narrow(*held) - known.to(sample)) / sigma, output.narrow(*held).to(sample.dtype)
        steered = output.to(sample.dtype) - _on_the_whole(said - true)
        steered.narrow(*held).copy_(true)
        if self._noise is None or sigma < RENEWED:
            return steered
        return self._renewed(scheduler, sample, sample - sigma * steered, sigma)

    def _renewed(
        self, scheduler: Scheduler, sample: torch.Tensor, clean: torch.Tensor, sigma: torch.Tensor
    ) -> torch.Tensor:
        """The output that leads from a `sample` with new noise, put in place of the old, to the same `clean`."""
        fresh = randn_tensor(sample.shape, self._noise, sample.device, sample.dtype)
        sample.copy_((1 - sigma) * clean + sigma * fresh)
        if hasattr(scheduler, "lower_order_nums"):  # what it remembers lies on another path
            scheduler.lower_order_nums, scheduler.last_sample = 0, None
        return fresh - clean

    def _laid(self, sample: torch.Tensor) -> tuple[int, int, torch.Tensor]:
        """The axis of time in `sample`, where on it these latents begin, and they as it has them: LTX packs them;
        it leaves out a first frame that is a given picture; references stand before the frames in VACE."""
        if sample.ndim == 3:
            pipe = self._pipe
            sizes = pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size
            return 1, 0, pipe._pack_latents(self._latents, *sizes)
        before = sample.shape[2] - self._total
        return 2, max(before, 0), self._latents[:, :, max(-before, 0) :]


def _on_the_whole(latents: torch.Tensor) -> torch.Tensor:
    """The mean of each channel, in either layout."""
    return latents.mean(dim=1 if latents.ndim == 3 else (2, 3, 4), keepdim=True)


def _frames_in_latent(pipe: Pipe) -> int:
    wan = getattr(pipe, "vae_scale_factor_temporal", None)
    return int(pipe.vae_temporal_compression_ratio if wan is None else wan)


@torch.no_grad()
def _encoded(pipe: Pipe, frames: NDArray[np.uint16]) -> torch.Tensor:
    """`frames` as the pipeline's own latents, float32: the mode of the VAE, normalised."""
    vae, device = pipe.vae, pipe._execution_device
    video = torch.from_numpy(frames.astype(np.float32) / np.float32(32767.5) - 1).permute(3, 0, 1, 2)[None]
    latents: torch.Tensor = vae.encode(video.to(device, vae.dtype)).latent_dist.mode().float()
    place = vae.config if "latents_mean" in vae.config else vae  # LTX has them among its weights
    return (latents - _channels(place.latents_mean, latents)) / _channels(place.latents_std, latents)


def _channels(values: list[float] | torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.float32).view(1, -1, 1, 1, 1).to(like.device)
