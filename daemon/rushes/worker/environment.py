"""Where a take was made: versions and machine. Kept beside the take, never part of a key."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from rushes.media import ffmpeg
from rushes_otio.errors import MediaFault

_PACKAGES = (
    *("rushes", "numpy", "Pillow", "av"),
    *("torch", "torchvision", "diffusers", "transformers", "tokenizers", "accelerate", "peft", "safetensors"),
    "ftfy",
)


@cache
def environment() -> dict[str, str]:
    """Names and versions of what can change the last bits of a picture; what is not installed is left out.
    Imports none of it. The first call takes about 50 ms: ffmpeg is asked for its version."""
    found = {name.lower(): _version(name) for name in _PACKAGES}
    machine = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": str(os.cpu_count() or 1),
        "ffmpeg": _ffmpeg_version(),
    }
    return {name: value for name, value in sorted((machine | found).items()) if value}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _ffmpeg_version() -> str:
    """Empty where there is no ffmpeg that works: the first film will say why."""
    try:
        return ffmpeg.version()
    except MediaFault:
        return ""
