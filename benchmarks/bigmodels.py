"""Folders of models of real size with random weights: what a card has to do does not depend on what they hold.

Written once, shard by shard in bfloat16, so that the machine never needs memory for a whole one. The sizes are
those of Wan 2.1 as it is published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from safetensors.torch import save_file

SHARD = 4 << 30
"""Bytes of one file of weights."""

LOUDER = 6.0
"""Random weights decode to flat grey, which is taken for a fault; those of the last layer are scaled by this."""


@dataclass(frozen=True)
class Size:
    """Layers, heads of `head` numbers each, numbers of the inner layer and of a word."""

    layers: int
    heads: int
    inner: int
    head: int = 128
    text: int = 4096
    vae: dict[str, Any] = field(default_factory=dict)


SIZES = {
    "tiny": Size(2, 2, 32, 12, 32, {"base_dim": 3, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1}),
    "1.3b": Size(30, 12, 8960),
    "14b": Size(40, 40, 13824),
}


def built(root: Path, name: str, with_words: bool) -> Path:
    """The folder of a model, written where it is not there. `with_words`: with a text encoder, as large as
    UMT5-XXL unless the model is tiny."""
    folder, size = root / (f"wan-{name}-words" if with_words else f"wan-{name}"), SIZES[name]
    if (folder / "model_index.json").exists():
        return folder
    parts = {"transformer": _transformer(size), "vae": _vae(size)}
    flow = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 3.0}
    diffusers.UniPCMultistepScheduler(**flow).save_pretrained(folder / "scheduler")
    for part, model in parts.items():
        write(model, folder / part, "diffusion_pytorch_model")
    if with_words:
        words = _tokenizer()
        words.save_pretrained(folder / "tokenizer")
        write(_text_encoder(size, len(words)), folder / "text_encoder", "model")
    (folder / "model_index.json").write_text(json.dumps(_index(with_words), indent=1))
    return folder


def _index(with_words: bool) -> dict[str, Any]:
    nothing: list[str | None] = [None, None]
    return {
        "_class_name": "WanPipeline",
        "_diffusers_version": diffusers.__version__,
        "boundary_ratio": None,
        "expand_timesteps": False,
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "transformer_2": nothing,
        "vae": ["diffusers", "AutoencoderKLWan"],
        "tokenizer": ["transformers", "T5Tokenizer"] if with_words else nothing,
        "text_encoder": ["transformers", "UMT5EncoderModel"] if with_words else nothing,
    }


def _transformer(size: Size) -> Any:  # noqa: ANN401
    with torch.device("meta"):
        return diffusers.WanTransformer3DModel(
            num_layers=size.layers,
            num_attention_heads=size.heads,
            attention_head_dim=size.head,
            ffn_dim=size.inner,
            text_dim=size.text,
            freq_dim=256,
            rope_max_seq_len=1024,
        )


def _vae(size: Size) -> Any:  # noqa: ANN401
    with torch.device("meta"):
        return diffusers.AutoencoderKLWan(z_dim=16, temperal_downsample=[False, True, True], **size.vae)


def _tokenizer() -> Any:  # noqa: ANN401
    """One token a letter."""
    letters = [(chr(code), -3.0) for code in range(33, 127)]
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0)]
    return transformers.T5Tokenizer(
        vocab=special + letters, extra_ids=0, additional_special_tokens=[], model_max_length=512
    )


def _text_encoder(size: Size, words: int) -> Any:  # noqa: ANN401
    real = size.text == 4096
    settings = transformers.UMT5Config(
        vocab_size=256_384 if real else words,
        d_model=size.text,
        d_kv=64 if real else 8,
        d_ff=10_240 if real else 40,
        num_layers=24 if real else 2,
        num_heads=64 if real else 4,
        feed_forward_proj="gated-gelu",
    )
    with torch.device("meta"):
        return transformers.UMT5EncoderModel(settings)


def write(model: Any, folder: Path, stem: str) -> None:  # noqa: ANN401
    """Save a model whose weights are made up here. `stem` is how its library calls files of weights."""
    folder.mkdir(parents=True)
    if stem == "model":
        model.config.save_pretrained(folder)
    else:
        model.save_config(folder)
    where: dict[str, str] = {}
    for number, shard in enumerate(_shards(model)):
        file = f"{stem}-{number:05d}.safetensors"
        save_file(shard, folder / file, metadata={"format": "pt"})
        where |= dict.fromkeys(shard, file)
    listed = {"metadata": {"total_size": sum(f.stat().st_size for f in folder.glob("*.safetensors"))}}
    (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(listed | {"weight_map": where}))


def _shards(model: Any) -> Iterator[dict[str, torch.Tensor]]:  # noqa: ANN401
    shard: dict[str, torch.Tensor] = {}
    for name, tensor in model.named_parameters():
        shard[name] = _noise(name, tensor.shape)
        if sum(part.nbytes for part in shard.values()) >= SHARD:
            yield shard
            shard = {}
    if shard:
        yield shard


def _noise(name: str, shape: torch.Size) -> torch.Tensor:
    """Ones for what scales, zeros for what shifts; noise for what mixes, less of it the more is mixed."""
    if len(shape) < 2 or "norm" in name:
        return torch.full(shape, 0.0 if name.endswith("bias") else 1.0, dtype=torch.bfloat16)
    made = torch.empty(shape, dtype=torch.bfloat16, device="cuda" if torch.cuda.is_available() else "cpu")
    spread = (shape.numel() / shape[0]) ** -0.5
    made.normal_(0, spread * (LOUDER if "decoder.conv_out" in name else 1.0))
    return made.cpu()
