"""Latents in one layout for every model: (1, channels, frames, height, width), scaled as the denoiser works."""

from __future__ import annotations

import torch
from diffusers import DiffusionPipeline

from rushes.generators.diffusers.calls import Given, rule


def plain(pipe: DiffusionPipeline, latents: torch.Tensor, given: Given) -> torch.Tensor:
    """What `pipe` returned or its scheduler saw, in the one layout. Reference pictures, and pictures that are held
    beside the frames, come before the frames and are left out."""
    width, height = given.size
    frames = (given.frames - 1) // rule(pipe) + 1
    if latents.ndim == 3 and hasattr(pipe, "vae_spatial_compression_ratio"):
        return _unpacked(pipe, latents, (frames, height, width))
    if latents.ndim == 3:
        latents = pipe._unpack_latents(latents, height, width, pipe.vae_scale_factor)
    if latents.ndim == 4:
        return latents.unsqueeze(2)
    return latents[:, :, -frames:]


def _unpacked(pipe: DiffusionPipeline, latents: torch.Tensor, size: tuple[int, int, int]) -> torch.Tensor:
    """LTX: one row for each patch."""
    frames, height, width = size
    height, width = (side // pipe.vae_spatial_compression_ratio for side in (height, width))
    patch, patch_t = pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size
    rows = frames * height * width // (patch * patch * patch_t)
    made: torch.Tensor = pipe._unpack_latents(latents[:, -rows:], frames, height, width, patch, patch_t)
    return made
