"""The layers of a LoRA in a pipeline's own names, and whether they fit it: found out before anything is changed.

diffusers skips a layer that it does not know and only logs it; a Flux pipeline even grows its own layers to the
size of a LoRA's. Here every layer has a module of its size, or the file is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from diffusers.utils import (
    convert_state_dict_to_diffusers,
    convert_state_dict_to_peft,
    convert_unet_state_dict_to_peft,
)

from rushes.generators.diffusers.ladder import is_out_of_memory
from rushes.generators.loras import family_of, is_of_words

Weights = dict[str, Any]
"""Tensors by name."""

Shapes = Mapping[str, tuple[int, ...]]


class Misfit(Exception):
    """Why a LoRA does not fit, for a person to read."""


def converted(pipe: Any, raw: Weights) -> tuple[Weights, dict[str, float] | None]:  # noqa: ANN401
    """A file's weights in the pipeline's own names ("transformer.blocks.0.attn1.to_q.lora_A.weight"), and the
    alphas that stand beside them in some forms. Misfit for a file of which not everything has a name there."""
    kept, ways = _ways(pipe, raw)
    try:
        weights, *rest = pipe.lora_state_dict(dict(kept), return_lora_metadata=True, **ways)
    except Exception as error:  # converters fail in every way on layers that they do not know
        if is_out_of_memory(error):
            raise
        raise Misfit("its layers are named in a way that is not known") from error
    beginnings = tuple(f"{prefix}." for prefix in pipe._lora_loadable_modules)
    strange = [name for name in weights if not name.startswith(beginnings) or "lora" not in name]
    if strange:
        raise Misfit(f"there is no place for its {strange[0]!r}")
    if _pairs(weights) < _pairs(kept) or any("dora_scale" in name for name in kept):
        raise Misfit("a part of it would be left out")
    return weights, rest[0] if len(rest) == 2 else None


def _ways(pipe: Any, raw: Weights) -> tuple[Weights, dict[str, Any]]:  # noqa: ANN401
    """What is to be converted, and what the pipeline's own conversion needs beside it."""
    family = family_of(type(pipe).__name__)
    if family == "flux":
        return raw, {"return_alphas": True}
    if family != "sdxl":
        return raw, {}
    if pipe.unet is None:  # its blocks cannot be numbered without it
        return {name: tensor for name, tensor in raw.items() if is_of_words(name)}, {}
    return raw, {"unet_config": pipe.unet.config}


def _pairs(weights: Iterable[str]) -> int:
    """How many layers are changed."""
    return sum(name.endswith((".lora_A.weight", "lora_down.weight", ".down.weight")) for name in weights)


def components(pipe: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """The components that LoRAs can change and that are there: the prefix of their names in a file, and the model.
    The second expert of Wan 2.2 has the prefix of the first."""
    for name in pipe._lora_loadable_modules:
        model = getattr(pipe, name, None)
        if model is not None:
            yield name.removesuffix("_2") if name == "transformer_2" else name, model


def part(weights: Mapping[str, Any], component: str) -> dict[str, Any]:
    """What belongs to one component, without its prefix."""
    start = f"{component}."
    return {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}


def layers_of(component: str, model: Any, weights: Weights) -> dict[str, Shapes]:  # noqa: ANN401
    """The layers of one component that are changed, called as its modules are, each with the shapes of its
    matrices: {"blocks.0.attn1.to_q": {"A.weight": (4, 24), "B.weight": (24, 4)}}."""
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, tensor in _named_as_modules(component, model, part(weights, component)).items():
        layer, _, half = name.rpartition(".lora_")
        found.setdefault(layer, {})[half] = tuple(tensor.shape)
    return dict(found)


def _named_as_modules(component: str, model: Any, weights: Weights) -> Weights:  # noqa: ANN401
    """As diffusers does it when it loads them, which depends on the first name."""
    if not weights:
        return {}
    if not component.startswith("text_encoder"):
        return weights if "lora_A" in next(iter(weights)) else dict(convert_unet_state_dict_to_peft(weights))
    try:
        named = convert_state_dict_to_peft(convert_state_dict_to_diffusers(weights))
    except ValueError as error:
        raise Misfit("its layers for the text encoder are named in a way that is not known") from error
    inside = "" if hasattr(model, "text_model") else "text_model."
    return {name.removeprefix(inside): tensor for name, tensor in named.items()}


def check_fit(model: Any, layers: Mapping[str, Shapes]) -> None:  # noqa: ANN401
    """Misfit unless the model has every layer, in that size."""
    modules = dict(model.named_modules())
    for layer, shapes in layers.items():
        if layer not in modules:
            raise Misfit(f"this model has no layer {layer!r}")
        if not _fits(modules[layer], shapes):
            raise Misfit(
                f"its layer {layer!r} is of another size, so it was made for another variant of this model"
            )


def _fits(module: Any, shapes: Shapes) -> bool:  # noqa: ANN401
    """Whether a pair of matrices of these shapes stands for a change of this module."""
    down, up = shapes.get("A.weight", ()), shapes.get("B.weight", ())
    if hasattr(module, "in_features"):
        taken, given = (module.in_features,), (module.out_features,)
    elif hasattr(module, "in_channels"):
        taken, given = (module.in_channels // module.groups, *module.kernel_size), (module.out_channels,)
    else:
        return False
    biased = shapes.get("B.bias", given) == given
    return biased and down[1:] == taken and up[:1] == given and up[1:2] == down[:1]
