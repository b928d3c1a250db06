"""A small model that was fitted: stripes that drift left or right over a coloured ground, one pixel a frame.

Where they stand, which way they drift and what colour the ground has can only be read from frames that are there.
The transformer is diffusers' own, with 81 thousand weights, kept in data/moving.safetensors; the VAE is a stand-in
of the same class whose code is the family of patterns itself, exactly. `python tests/moving.py` fits the weights
anew (some four minutes on one core).
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
from diffusers.models.autoencoders.vae import DecoderOutput
from safetensors.torch import load_file, save_file

WEIGHTS = Path(__file__).parent / "data" / "moving.safetensors"
WIDTH, HEIGHT, FRAMES = 64, 16, 21
TINT = torch.tensor([1.0, 0.8, 0.6])
STRIPES = 0.5  # how bright, of -1 to 1
WORDS = torch.zeros(1, 1, 8)
_WAVE = 16  # pixels
_BLOCK, _LATENT = 8, 4  # pixels, frames
_SIZES = [0.1062, 0.1264, 0.1060, 0.3466, 0.3631, 0.3163, 0.3163]  # of the channels of the code


def stripes(frames, phase, direction, ground, start=0):
    """(n, 3, frames, height, width), -1 to 1, for n phases (radians), directions (-1, 1) and grounds (3 each)."""
    x, t = torch.arange(WIDTH) + 0.5, torch.arange(start, start + frames)
    turned = (x[None, None] - direction[:, None, None] * t[None, :, None]) * (2 * math.pi / _WAVE)
    waves = STRIPES * torch.sin(turned + phase[:, None, None])
    clips = ground[:, :, None, None] + TINT[None, :, None, None] * waves[:, None]
    return clips[:, :, :, None].expand(-1, -1, -1, HEIGHT, -1).contiguous()


def some(n, frames, generator):
    """`n` clips of the family."""
    phase = torch.rand(n, generator=generator) * 2 * math.pi
    direction = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
    return stripes(frames, phase, direction, 0.4 * (torch.rand(n, 3, generator=generator) - 0.5))


class Stripes(AutoencoderKLWan):
    """Codes a block of 8x8 pixels and 4 frames (the first frame: 1) as 3 colours and 4 waves."""

    def __init__(self):
        super().__init__(
            base_dim=3, z_dim=7, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True],
            latents_mean=[0.0] * 7, latents_std=_SIZES,
        )  # fmt: skip
        whole = _basis()
        first = whole[:, :, 1:3].mean(dim=2, keepdim=True)
        self._code = [
            (basis.flatten(1), torch.linalg.pinv(basis.flatten(1), rtol=1e-3)) for basis in (first, whole)
        ]

    def _encode(self, x):
        parts = [self._blocks(x[:, :, :1], 1) @ self._code[0][1]]
        if x.shape[2] > 1:
            parts.append(self._blocks(x[:, :, 1:], _LATENT) @ self._code[1][1])
        mean = torch.cat(parts, dim=1).permute(0, 4, 1, 2, 3)
        return torch.cat([mean, torch.full_like(mean, -30)], dim=1)

    def _decode(self, z, return_dict=True):
        code = z.permute(0, 2, 3, 4, 1)
        made = [self._pixels(code[:, :1] @ self._code[0][0], 1)]
        if z.shape[2] > 1:
            made.append(self._pixels(code[:, 1:] @ self._code[1][0], _LATENT))
        video = torch.cat(made, dim=2).clamp(-1, 1)
        return DecoderOutput(sample=video) if return_dict else (video,)

    def _blocks(self, x, frames):
        n, _, f, h, w = x.shape
        blocks = x.reshape(n, 3, f // frames, frames, h // _BLOCK, _BLOCK, w // _BLOCK, _BLOCK).mean(dim=5)
        return blocks.permute(0, 2, 4, 5, 1, 3, 6).flatten(4)

    def _pixels(self, rows, frames):
        n, f, h, w, _ = rows.shape
        blocks = rows.reshape(n, f, h, w, 3, frames, _BLOCK).permute(0, 4, 1, 5, 2, 3, 6)
        return blocks.reshape(n, 3, f * frames, h, w * _BLOCK).repeat_interleave(_BLOCK, dim=3)


def _basis():
    """(7, 3, frames, pixels): what one number of the code adds to a block."""
    turn = 2 * math.pi / _WAVE
    x, t = (torch.arange(_BLOCK) - 3.5) * turn, (torch.arange(_LATENT) - 1.5)[:, None] * turn
    waves = torch.stack([a(x) * b(t) for b in (torch.cos, torch.sin) for a in (torch.sin, torch.cos)])
    colours = torch.eye(3)[:, :, None, None].expand(-1, -1, _LATENT, _BLOCK)
    return torch.cat([colours, TINT[None, :, None, None] * waves[:, None]])


def transformer(fitted=True):
    made = WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=24, in_channels=7, out_channels=7,
        text_dim=8, freq_dim=32, ffn_dim=96, num_layers=2, cross_attn_norm=False, rope_max_seq_len=64,
    )  # fmt: skip
    if fitted:
        made.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
    return made.eval()


def pipeline(scheduler=None):
    """A `WanPipeline` that needs no text."""
    scheduler = scheduler or UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )
    made = WanPipeline(
        tokenizer=None, text_encoder=None, vae=Stripes().eval(), transformer=transformer(), scheduler=scheduler
    )
    made.set_progress_bar_config(disable=True)
    return made


def fit(steps=8000, at_once=48):
    """Flow matching on clips of `FRAMES`; the weights as half floats."""
    torch.manual_seed(0)
    model, vae, generator = transformer(fitted=False), Stripes(), torch.Generator().manual_seed(2)
    sizes = torch.tensor(_SIZES).view(1, -1, 1, 1, 1)
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        clean = vae.encode(some(at_once, FRAMES, generator)).latent_dist.mode() / sizes
        noise, drawn = torch.randn(clean.shape, generator=generator), torch.rand(at_once, generator=generator)
        sigma = (3 * drawn / (1 + 2 * drawn)).view(-1, 1, 1, 1, 1)
        mixed, words = (1 - sigma) * clean + sigma * noise, WORDS.expand(at_once, -1, -1)
        said = model(mixed, sigma.flatten() * 1000, words, return_dict=False)[0]
        loss = (said - (noise - clean)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 500 == 0:
            print(step, round(loss.item(), 3), flush=True)
    save_file({name: value.half().contiguous() for name, value in model.state_dict().items()}, WEIGHTS)


def pictures(video):
    """A clip (1, 3, frames, height, width), -1 to 1, as 16 bit frames (frames, height, width, 3)."""
    frames = (video[0].permute(1, 2, 3, 0) * 0.5 + 0.5).clamp(0, 1) * 65535
    return frames.round().to(torch.int32).numpy().astype(np.uint16)


if __name__ == "__main__":
    torch.set_num_threads(1)
    WEIGHTS.parent.mkdir(exist_ok=True)
    fit()
