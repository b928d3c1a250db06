"""What is stored with a picture of where it was made: everything that can change its last bits."""

from __future__ import annotations

import importlib.metadata
from functools import cache

import torch

from rushes.generators.diffusers.devices import Device

_LIBRARIES = (
    "torch",
    "diffusers",
    "transformers",
    "tokenizers",
    "accelerate",
    "peft",
    "ftfy",
    "safetensors",
    "numpy",
)


def found(device: Device) -> dict[str, str]:
    """Versions of libraries, the device, the processor. torchvision counts, for it resizes in its own way."""
    versions = {name: _version(name) for name in (*_LIBRARIES, "torchvision", "torchao")}
    return {
        **{name: version for name, version in versions.items() if version},
        "threads": str(torch.get_num_threads()),
        "cpu_capability": str(torch.backends.cpu.get_cpu_capability()),
        "tf32": _flag(torch.backends.cuda.matmul.allow_tf32),
        "cudnn_tf32": _flag(torch.backends.cudnn.allow_tf32),
        "cudnn_benchmark": _flag(torch.backends.cudnn.benchmark),
        "cudnn_deterministic": _flag(torch.backends.cudnn.deterministic),
        **device.describe(),
    }


@cache
def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _flag(on: bool) -> str:
    return str(on).lower()
