"""Small pictures of latents, against what the decoder makes of them."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip("diffusers")

import torch
from PIL import Image

import tiny
from rushes.generators.diffusers.decoding import decoded
from rushes.generators.diffusers.piece import Head, Piece
from rushes.generators.diffusers.previews import MOST_BYTES, Previews

torch.set_num_threads(1)

MAKERS = {"wan": tiny._wan_vae, "ltx": tiny._ltx_vae, "sdxl": lambda: tiny._picture_vae((8, 8, 8, 8), 3.0)}


def structured(channels: int, frames: int, height: int, width: int, seed: int) -> torch.Tensor:
    """A wave that travels through the frames, other in each channel, and a bright disc."""
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.meshgrid(torch.linspace(-1, 1, width), torch.linspace(-1, 1, height), indexing="xy")
    time_ = torch.linspace(0, 1, frames).view(-1, 1, 1)
    phase, speed, tilt, disc = torch.randn(4, channels, 1, 1, 1, generator=generator)
    wave = torch.sin(3 * (x + tilt * y) + phase + 2 * speed * time_)
    return (wave + disc * (x**2 + y**2 < 0.3)).unsqueeze(0)


def decode(vae: Any, latents: torch.Tensor) -> np.ndarray:
    noise = {"noise": torch.Generator().get_state()}
    return decoded(vae, Piece(Head(1, 1, 0, (0, 0), "", "float32"), latents, noise), lambda: None)


def likeness(jpeg: bytes, frame: np.ndarray, cells: tuple[int, int]) -> float:
    """Correlation of a preview with a frame, at the resolution of the latents."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        assert picture.format == "JPEG"
        shown = np.asarray(picture.resize(cells, Image.Resampling.BOX), float)
    real = np.asarray(Image.fromarray((frame >> 8).astype(np.uint8)).resize(cells, Image.Resampling.BOX), float)
    return float(np.corrcoef(shown.reshape(-1), real.reshape(-1))[0, 1])


@pytest.mark.parametrize(
    ("name", "count", "height", "width", "least"),
    [("wan", 5, 9, 16, 0.85), ("ltx", 3, 9, 12, 0.6), ("sdxl", 1, 18, 32, 0.6)],
)
def test_a_preview_looks_like_the_decoded_frame_once_one_was_decoded(
    name: str, count: int, height: int, width: int, least: float
) -> None:
    """Decoders with random weights are far from linear; trained ones come closer."""
    vae, previews = MAKERS[name](), Previews()
    channels = vae.config.get("z_dim") or vae.config.latent_channels
    before = structured(channels, count, height, width, 1)
    coming = before.flip(-1)  # another picture of the same colours
    frames = decode(vae, coming)
    guessed = likeness(previews.of(coming, vae), frames[len(frames) // 2], (width, height))
    previews.learn(before, decode(vae, before), vae)
    shown = likeness(previews.of(coming, vae), frames[len(frames) // 2], (width, height))
    assert shown > least
    assert shown > guessed
    assert previews.of(coming[:, :, count // 2], vae) == previews.of(coming, vae)


def test_where_colours_are_linear_the_preview_is_right_and_follows_the_last_decodes() -> None:
    vae, previews, random = tiny._wan_vae(), Previews(), np.random.default_rng(0)
    for seed in range(8):
        if seed in (0, 4):  # the model's colours change once
            matrix = random.normal(size=(16, 3)) / 16
        latents = structured(16, 5, 18, 32, seed)
        cells = np.einsum("cfhw,cr->fhwr", latents[0].numpy(), matrix) + 0.5
        frames = np.repeat((cells.clip(0, 1) * 65535).astype(np.uint16), [1, 4, 4, 4, 4], axis=0)
        frames = frames.repeat(8, axis=1).repeat(8, axis=2)
        previews.learn(latents, frames, vae)
    assert likeness(previews.of(latents, vae), frames[8], (32, 18)) > 0.97


def test_the_first_preview_needs_no_real_decode_and_changes_no_random_number() -> None:
    vae, previews = tiny._wan_vae(), Previews()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert previews.of(structured(16, 5, 18, 32, 1), vae).startswith(b"\xff\xd8")
    assert torch.equal(before, torch.get_rng_state())
    assert "_feat_map" not in vars(vae)


def test_a_vae_that_cannot_be_decoded_yet_shows_grey() -> None:
    vae = tiny._wan_vae()
    with torch.no_grad():
        vae.decoder.conv_out.weight.fill_(float("nan"))
    with Image.open(io.BytesIO(Previews().of(structured(16, 5, 18, 32, 1), vae))) as picture:
        assert np.ptp(np.asarray(picture)) < 20


@pytest.mark.parametrize(("height", "width"), [(60, 104), (90, 160), (160, 90), (4, 4)])
def test_a_preview_is_small_and_costs_milliseconds(height: int, width: int) -> None:
    vae, previews = tiny._wan_vae(), Previews()
    noise = torch.randn(1, 16, 21, height, width, generator=torch.Generator().manual_seed(0)) * 3
    took = []
    for _ in range(6):
        began = time.perf_counter()
        jpeg = previews.of(noise, vae)
        took.append(time.perf_counter() - began)
    with Image.open(io.BytesIO(jpeg)) as picture:
        assert max(picture.size) <= 320
        assert picture.width * height == pytest.approx(picture.height * width, rel=0.02)
    assert len(jpeg) <= MOST_BYTES
    assert min(took[1:]) < 0.03
