"""Whether what came out is a picture at all: a model that went wrong gives numbers, not an error."""

from __future__ import annotations

import torch

from rushes_otio.errors import MediaFault

_BLACK = 4 / 255
"""A clip whose brightest value is below this is black."""

_WIDER = "set dtype = 'bfloat16' or 'float32' for the model in models.toml"

_FLAT = 2 / 255
"""A clip whose values all lie within this range is of one colour."""


def check_words(tensors: dict[str, torch.Tensor]) -> None:
    """MediaFault where a text encoder gave values that are no numbers."""
    if not all(_finite(tensor) for tensor in tensors.values() if tensor.is_floating_point()):
        raise MediaFault(
            "the text encoder gave values that are no numbers (NaN)",
            remedy=f"{_WIDER}, or check it: rushes models check",
        )


def check_latents(latents: torch.Tensor) -> None:
    """MediaFault where the denoiser gave values that are no numbers."""
    if not _finite(latents):
        raise MediaFault(
            "the model made values that are no numbers (NaN or infinite), so there is no picture",
            remedy=f"try another seed; if it stays, {_WIDER}, or check it: rushes models check",
        )


def check_pictures(pictures: torch.Tensor) -> None:
    """`pictures` are values from 0 to 1 of a whole clip. MediaFault for NaN, a black clip, one flat colour."""
    if not _finite(pictures):
        raise MediaFault(
            "the decoder made values that are no numbers (NaN), so there is no picture",
            remedy=f"try another seed; if it stays, {_WIDER}: float16 overflows in some decoders",
        )
    darkest, brightest = (float(value) for value in torch.aminmax(pictures))
    if brightest < _BLACK:
        raise _empty("every picture is black")
    if brightest - darkest < _FLAT:
        raise _empty("every picture is one flat colour")


def _finite(tensor: torch.Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())


def _empty(what: str) -> MediaFault:
    return MediaFault(
        what,
        remedy="try another seed (--another 1), other words, more steps, or a guidance nearer to the model's own",
    )
