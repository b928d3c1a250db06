"""What is coming, as a small picture: predicted clean latents through a linear map to RGB, without the decoder.

A latent's channels say much the same as its colour, so one matrix for each VAE is enough to see what it will be.
It is fitted here, by least squares: at first to the decode of a few smooth random latents, then to each real one.
"""

from __future__ import annotations

import io
import threading
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from rushes.generators.diffusers.decoding import decoded
from rushes.generators.diffusers.piece import Head, Piece
from rushes_otio.errors import RushesError

SIDE = 320
"""Pixels, of the longer side."""

MOST_BYTES = 40 << 10
ENLARGED = 8
"""Pixels that one cell of a latent becomes at most."""

_QUALITIES = (75, 60, 45, 30, 15)
_CELLS, _FRAMES = 12, 3
"""Cells a side and latent frames of what is decoded for the first fit."""

_FEW = 4
"""Latent frames of a real decode that are looked at."""

_KEPT = 0.7
"""What an earlier decode counts beside the next one."""

_FIRST = 1e-3
"""What the random decode counts beside a real one: it settles what no real picture shows."""

_RIDGE = 1e-4

Floats = NDArray[np.float64]


class Previews:
    """A linear map for each VAE. Safe from both lanes."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[Floats, Floats]] = {}
        self._maps: dict[str, Floats] = {}
        self._lock = threading.Lock()

    def of(self, latents: torch.Tensor, vae: Any) -> bytes:  # noqa: ANN401
        """The middle frame of latents, (1, channels, [frames,] height, width) as the model works on them: a JPEG
        of at most 320 pixels a side and 40 KiB. The first of a VAE takes as long as decoding 12 x 12 cells does,
        later ones a few milliseconds."""
        known = _name(vae)
        if known not in self._maps:
            self._add(known, _random_decode(vae, latents.shape[1]), _FIRST)
        frame = latents[0, :, latents.shape[2] // 2] if latents.ndim == 5 else latents[0]
        cells = np.moveaxis(frame.detach().float().cpu().numpy().astype(np.float64), 0, -1)
        return _jpeg(_with_one(cells) @ self._maps[known])

    def learn(self, latents: torch.Tensor, frames: NDArray[np.uint16], vae: Any) -> None:  # noqa: ANN401
        """Fit the map of a VAE to what it made of these latents: frames of (height, width, 3), full range."""
        known = _name(vae)
        self._add(known, _samples(latents, frames), 1.0)

    def _add(self, known: str, samples: tuple[Floats, Floats], weight: float) -> None:
        """Samples are cells (n, channels) and their colours (n, 3)."""
        cells, colours = _with_one(samples[0]), samples[1]
        if not (len(cells) and np.isfinite(cells).all() and np.isfinite(colours).all()):
            return
        share = weight / len(cells)
        with self._lock:
            new = (cells.T @ cells * share, cells.T @ colours * share)
            old = self._sums.get(known, (np.zeros_like(new[0]), np.zeros_like(new[1])))
            squares, products = (_KEPT * before + now for before, now in zip(old, new, strict=True))
            self._sums[known] = squares, products
            ridge = _RIDGE * np.trace(squares) / len(squares) * np.eye(len(squares))
            self._maps[known] = np.linalg.solve(squares + ridge, products)


def _name(vae: Any) -> str:  # noqa: ANN401
    """Its class and settings, its folder among them: the same when it has been dropped and read again."""
    return f"{type(vae).__name__} {sorted(vae.config.items(), key=str)}"


def _with_one(cells: Floats) -> Floats:
    """A last channel that is always 1, for the constant of the map."""
    return np.concatenate([cells, np.ones_like(cells[..., :1])], axis=-1)


def _random_decode(vae: Any, channels: int) -> tuple[Floats, Floats]:  # noqa: ANN401
    """Smooth random latents and their colours. Grey, where this VAE cannot decode them."""
    generator = torch.Generator("cpu").manual_seed(0)
    latents = torch.zeros(1, channels, _FRAMES, _CELLS, _CELLS)
    for cells in (2, 5, _CELLS):
        rough = torch.randn(channels, _FRAMES, cells, cells, generator=generator)
        latents += torch.nn.functional.interpolate(rough, size=(_CELLS, _CELLS), mode="bilinear")
    if "temporal" not in " ".join(vae.config) and "temperal" not in " ".join(vae.config):
        latents = latents[:, :, :1]
    kind = str(vae.dtype).removeprefix("torch.")
    head = Head(v=1, frames=1, overlap=0, size=(0, 0), pipeline="", dtype=kind)
    with suppress(RushesError):
        frames = decoded(vae, Piece(head, latents, {"noise": generator.get_state()}), _go_on)
        return _samples(latents, frames)
    return np.zeros((1, channels)), np.full((1, 3), 0.5)


def _samples(latents: torch.Tensor, frames: NDArray[np.uint16]) -> tuple[Floats, Floats]:
    """Cells of a few latent frames, and the mean colour of the pixels that each became. The first latent frame
    becomes one frame, each further one as many as the rest have in common."""
    every = latents[0].detach().float().cpu().numpy().astype(np.float64)
    channels, count, height, width = every.shape
    chosen = sorted({round(number) for number in np.linspace(0, count - 1, min(count, _FEW))})
    each = (len(frames) - 1) / max(count - 1, 1)
    cells = [np.moveaxis(every[:, number], 0, -1).reshape(-1, channels) for number in chosen]
    colours = [_shrunk(frames[int(max(number - 0.5, 0) * each)], height, width) for number in chosen]
    return np.concatenate(cells), np.concatenate(colours)


def _shrunk(frame: NDArray[np.uint16], height: int, width: int) -> Floats:
    """The mean colour of each cell, (cells, 3), 0 to 1."""
    tall, wide = frame.shape[0] // height, frame.shape[1] // width
    blocks = frame[: tall * height, : wide * width].reshape(height, tall, width, wide, 3)
    means: Floats = blocks.mean(axis=(1, 3), dtype=np.float64)
    return means.reshape(-1, 3) / 65535


def _jpeg(colours: Floats) -> bytes:
    """`colours` is (height, width, 3), 0 to 1 and a little beyond."""
    eight = (colours.clip(0, 1) * 255).round().astype(np.uint8)
    height, width = eight.shape[:2]
    scale = min(ENLARGED, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = Image.fromarray(eight).resize(size, Image.Resampling.BICUBIC)
    made = b""
    for quality in _QUALITIES:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality)
        made = out.getvalue()
        if len(made) <= MOST_BYTES:
            break
    return made


def _go_on() -> None:
    """A decode of a few pixels is not worth stopping."""
