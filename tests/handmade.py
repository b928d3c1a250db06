"""Folders of models written by hand, a few hundred bytes each: what the registry looks at, and nothing that runs.

folder = model(tmp_path / "wan", "WanPipeline", {"transformer": {"num_layers": 30}})
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

CLASSES = {
    "transformer": ("diffusers", "WanTransformer3DModel"),
    "transformer_2": ("diffusers", "WanTransformer3DModel"),
    "unet": ("diffusers", "UNet2DConditionModel"),
    "vae": ("diffusers", "AutoencoderKLWan"),
    "text_encoder": ("transformers", "UMT5EncoderModel"),
    "image_encoder": ("transformers", "CLIPVisionModel"),
    "tokenizer": ("transformers", "T5TokenizerFast"),
    "scheduler": ("diffusers", "UniPCMultistepScheduler"),
}
WAN = {"transformer": {"in_channels": 16, "num_layers": 30, "num_attention_heads": 12}}


def weights(path: Path, seed: int = 0, dtype: str = "BF16") -> Path:
    """A file of two tensors, 64 values in all."""
    bytes_each = {"BF16": 2, "F32": 4}[dtype]
    ends = [0, 32 * bytes_each, 64 * bytes_each]
    header = {
        name: {"dtype": dtype, "shape": [4, 8], "data_offsets": ends[at : at + 2]} for at, name in enumerate("ab")
    }
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes((seed + n) % 256 for n in range(ends[-1])))
    return path


def model(
    folder: Path, pipeline: str = "WanPipeline", configs: dict[str, dict[str, Any]] | None = None, **settings: Any
) -> Path:
    """A whole model: text encoder, tokenizer, VAE, scheduler, and the components that `configs` has settings for.
    `settings` are the pipeline's own; None for a component that it names and does not have."""
    wanted = {
        "text_encoder": {},
        "tokenizer": {},
        "vae": {},
        "scheduler": {},
        **(WAN if configs is None else configs),
    }
    index: dict[str, Any] = {"_class_name": pipeline, "_diffusers_version": "0.42.1"}
    for seed, (name, config) in enumerate(wanted.items()):
        library, kind = CLASSES[name]
        index[name] = [library, kind]
        _component(folder / name, library, kind, config, seed)
    index |= {name: [None, None] if value is None else value for name, value in settings.items()}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def _component(folder: Path, library: str, kind: str, config: dict[str, Any], seed: int) -> None:
    folder.mkdir(parents=True)
    if kind.endswith("TokenizerFast"):
        (folder / "tokenizer_config.json").write_text("{}")
        (folder / "tokenizer.json").write_text('{"version": "1.0"}')
        return
    if kind.endswith("Scheduler"):
        (folder / "scheduler_config.json").write_text(json.dumps({"_class_name": kind}))
        return
    (folder / "config.json").write_text(json.dumps({"_class_name": kind, **config}))
    stem = "diffusion_pytorch_model" if library == "diffusers" else "model"
    weights(folder / f"{stem}.safetensors", seed)


def sharded(folder: Path, component: str) -> Path:
    """The weights of a component in two files and a list of them. Returns the list."""
    (single,) = (folder / component).glob("*.safetensors")
    names = [f"{single.stem}-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for seed, name in enumerate(names):
        weights(folder / component / name, seed)
    single.unlink()
    listed = folder / component / f"{single.name}.index.json"
    listed.write_text(json.dumps({"metadata": {}, "weight_map": dict(zip("ab", names, strict=True))}))
    return listed


def cached(cache: Path, name: str, folder: Path, commit: str) -> Path:
    """A model as the Hub's cache keeps it: blobs by digest, and a snapshot of links to them."""
    from hub import Repository

    repository = Repository.of(folder)
    top = cache / f"models--{name.replace('/', '--')}"
    for file, data in repository.files.items():
        blob = top / "blobs" / repository.etag(file)
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(data)
        link = top / "snapshots" / commit / file
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(Path(*[".."] * (len(Path(file).parts) + 1), "blobs", blob.name))
    (top / "refs").mkdir()
    (top / "refs" / "main").write_text(commit)
    return top / "snapshots" / commit
