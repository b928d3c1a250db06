"""Further arguments of a pipeline's call, as a film or a registry asks for them: checked against its signature."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Mapping
from typing import Any, get_args

import diffusers
import msgspec

from rushes_otio.errors import BadRequest

OF_WORDS = ("max_sequence_length", "clip_skip")
"""What changes the embeddings of a text; the rest of a call does not look at it."""

_OURS = re.compile(
    r"self|kwargs|(negative_)?prompt(_2)?|.*_embeds|.*_attention_mask|height|width|size|num_frames|frame_rate|"
    r"num_inference_steps|guidance_scale|generator|latents|image|last_image|video|mask|reference_images|conditions|"
    r"frame_index|strength|denoise_strength|.*ip_adapter.*|num_(images|videos)_per_prompt|output_type|return_dict|"
    r".*attention_kwargs|callback_.*"
)
"""What other fields of the intent say, or what belongs to the machinery."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def checked(pipeline: str, params: Mapping[str, msgspec.Raw]) -> dict[str, Any]:
    """The arguments, in the types that the call wants; decimals come as strings. BadRequest for one that the class
    does not have, or that is of another type."""
    signature = inspect.signature(getattr(diffusers, pipeline).__call__)
    open_ = {name: value.annotation for name, value in signature.parameters.items() if not _OURS.fullmatch(name)}
    made = {}
    for name, raw in sorted(params.items()):
        if name not in open_:
            raise _unknown(pipeline, name, sorted(open_))
        made[name] = _typed(name, msgspec.json.decode(raw), _kinds(open_[name]))
    return made


def _unknown(pipeline: str, name: str, known: list[str]) -> BadRequest:
    near = difflib.get_close_matches(name, known, 3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return BadRequest(
        f"{pipeline} has no parameter {name!r} to set",
        where=f"params.{name}",
        remedy=f"{hint}It has {', '.join(known)}",
    )


def _kinds(annotation: object) -> frozenset[type]:
    inner = get_args(annotation)
    if not inner:
        return frozenset({annotation} if isinstance(annotation, type) else ())
    outer = {kind for kind in (list, tuple) if str(annotation).startswith(kind.__name__)}
    return frozenset(outer).union(*(_kinds(part) for part in inner))


def _typed(name: str, value: object, kinds: frozenset[type]) -> object:
    if isinstance(value, list) and kinds & {list, tuple}:
        return [_typed(name, item, kinds - {list, tuple}) for item in value]
    if isinstance(value, bool):
        fits = bool in kinds
    elif isinstance(value, str) and str not in kinds and _NUMBER.fullmatch(value):
        return _typed(name, float(value) if "." in value or int not in kinds else int(value), kinds)
    else:
        fits = type(value) in kinds or (isinstance(value, int) and float in kinds)
    if not fits:
        wanted = ", ".join(sorted(kind.__name__ for kind in kinds if kind is not type(None))) or "another type"
        raise BadRequest(f"params.{name} is {value!r}", where=f"params.{name}", remedy=f"give it {wanted}")
    return float(value) if type(value) is int and int not in kinds else value
