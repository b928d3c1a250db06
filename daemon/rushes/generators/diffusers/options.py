"""Opt-in speed-ups and savings of a registered model. Each changes pixels, so each is in the model's fingerprint.

attention      a backend of diffusers: "native" (the default), "flash", "sage" …; it must be installed
tiling         "on": the VAE works in tiles; less memory, and seams may show
cache          "first-block:0.08": skip what changes less than this from step to step
compile        "on": compile the repeated blocks; the first run of each size takes longer
quantisation   "int8", "float8": smaller weights of the denoiser (needs torchao)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import diffusers
import torch
from diffusers.models.attention_dispatch import AttentionBackendName

from rushes.generators.cards import Card
from rushes_otio.errors import BadRequest
from rushes_otio.text import printable

_DENOISERS = ("transformer", "transformer_2", "unet")

_KERNELS = tuple(backend.value for backend in AttentionBackendName if "hub" not in backend.value)
"""Those with "hub" in their names fetch programs from the network."""

_CACHE = re.compile(r"first-block:(0?\.[0-9]+)")


@contextmanager
def attention(card: Card) -> Iterator[None]:
    """The attention of a run, as a context: set on a model it would hold for every model of the process."""
    name = card.options.get("attention", "native")
    if name not in _KERNELS:
        raise _wrong("attention", name, f"one of {', '.join(_KERNELS)}")
    with ExitStack() as stack:
        try:
            stack.enter_context(diffusers.attention_backend(name))
        except (RuntimeError, ImportError, ValueError) as error:
            raise BadRequest(
                f"the attention {name} does not work here: {printable(str(error), 200)}",
                where="models.toml",
                remedy="install what it needs, or leave the option out",
            ) from error
        yield


def quantisation(card: Card, component: str) -> diffusers.TorchAoConfig | None:
    """What the loading of a component is told of its weights' form; None where they stay as they are."""
    name = card.options.get("quantisation")
    if name is None or component not in _DENOISERS:
        return None
    if name not in ("int8", "float8"):
        raise _wrong("quantisation", name, "int8 or float8")
    try:
        from torchao.quantization import Float8WeightOnlyConfig, Int8WeightOnlyConfig
    except ImportError as error:
        raise BadRequest(
            "quantisation needs torchao, which is not installed", where="models.toml", remedy="pip install torchao"
        ) from error
    made = {"int8": Int8WeightOnlyConfig, "float8": Float8WeightOnlyConfig}[name]()
    return diffusers.TorchAoConfig(made)


def applied(card: Card, component: str, model: torch.nn.Module) -> torch.nn.Module:
    """A component with the card's options on; those of attention and quantisation have their own place."""
    for name, value in card.options.items():
        if name in _APPLIED:
            _APPLIED[name](component, model, value)
    return model


def _tiling(component: str, model: torch.nn.Module, value: str) -> None:
    _check_on("tiling", value)
    if component == "vae":
        model.enable_tiling()


def _compile(component: str, model: torch.nn.Module, value: str) -> None:
    _check_on("compile", value)
    if component in _DENOISERS and getattr(model, "_repeated_blocks", None):
        model.compile_repeated_blocks(fullgraph=True)
    elif component in _DENOISERS and isinstance(model, torch.nn.Module):
        model.compile()


def _cache(component: str, model: torch.nn.Module, value: str) -> None:
    found = _CACHE.fullmatch(value)
    if found is None:
        raise _wrong("cache", value, "first-block: and a threshold, such as first-block:0.08")
    if component in _DENOISERS and hasattr(model, "enable_cache"):
        model.enable_cache(diffusers.FirstBlockCacheConfig(threshold=float(found[1])))


def _check_on(name: str, value: str) -> None:
    if value != "on":
        raise _wrong(name, value, "on, or leave it out")


def _wrong(name: str, value: str, known: str) -> BadRequest:
    return BadRequest(f"the option {name} is {value!r}", where="models.toml", remedy=f"give it {known}")


_APPLIED: Mapping[str, Callable[[str, torch.nn.Module, str], None]] = {
    "tiling": _tiling,
    "compile": _compile,
    "cache": _cache,
}
