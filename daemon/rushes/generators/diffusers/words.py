"""Embeddings of a text: made once with the text encoders, exactly as the pipeline makes them in its own call, and
kept for every run that says the same. Later runs have no text encoder at all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from diffusers import DiffusionPipeline

from rushes.generators.diffusers.parameters import OF_WORDS

Embeddings = dict[str, torch.Tensor]


def encoded(pipe: DiffusionPipeline, prompt: str, negative: str, params: Mapping[str, Any]) -> Embeddings:
    """What the call of `pipe` takes instead of these texts, by the names of its arguments. `params` are those that
    concern words; what is not among them has the default of the call, which encode_prompt's is not always."""
    defaults = inspect.signature(type(pipe).__call__).parameters
    wanted = {name: defaults[name].default for name in OF_WORDS if name in defaults}
    with torch.no_grad():  # with gradients the last bits differ
        return _ENCODERS[type(pipe).__name__](pipe, prompt, negative, wanted | dict(params))


def _plain(pipe: DiffusionPipeline, prompt: str, negative: str, params: dict[str, Any]) -> Embeddings:
    """Wan."""
    positive, other = pipe.encode_prompt(prompt, negative or None, True, **params)
    return {"prompt_embeds": positive, "negative_prompt_embeds": other}


def _masked(pipe: DiffusionPipeline, prompt: str, negative: str, params: dict[str, Any]) -> Embeddings:
    """LTX."""
    made = pipe.encode_prompt(prompt, negative or None, True, **params)
    names = ("prompt_embeds", "prompt_attention_mask", "negative_prompt_embeds", "negative_prompt_attention_mask")
    return dict(zip(names, made, strict=True))


def _sdxl(pipe: DiffusionPipeline, prompt: str, negative: str, params: dict[str, Any]) -> Embeddings:
    # An absent negative is not an empty one: the model was trained on zeros for it.
    made = pipe.encode_prompt(prompt, negative_prompt=negative or None, do_classifier_free_guidance=True, **params)
    names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
    return dict(zip(names, made, strict=True))


def _flux(pipe: DiffusionPipeline, prompt: str, negative: str, params: dict[str, Any]) -> Embeddings:
    """The negative is for true guidance (params.true_cfg_scale), and left out where there is none."""
    embeds, pooled, _ = pipe.encode_prompt(prompt, None, **params)
    made = {"prompt_embeds": embeds, "pooled_prompt_embeds": pooled}
    if negative:
        embeds, pooled, _ = pipe.encode_prompt(negative, None, **params)
        made |= {"negative_prompt_embeds": embeds, "negative_pooled_prompt_embeds": pooled}
    return made


_ENCODERS: Mapping[str, Callable[[Any, str, str, dict[str, Any]], Embeddings]] = {
    "WanPipeline": _plain,
    "WanImageToVideoPipeline": _plain,
    "WanVideoToVideoPipeline": _plain,
    "WanVACEPipeline": _plain,
    "LTXPipeline": _masked,
    "LTXImageToVideoPipeline": _masked,
    "LTXConditionPipeline": _masked,
    "StableDiffusionXLPipeline": _sdxl,
    "FluxPipeline": _flux,
}
