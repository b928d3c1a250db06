"""How each pipeline class is called: which class serves what from which model's folder, what it calls its
arguments, and what sizes and lengths it can do. Checked against diffusers 0.42.

    folder says                 mode → class that is called
    WanPipeline                 words WanPipeline · plate WanVideoToVideoPipeline (one expert)
      with expand_timesteps     words WanPipeline · picture WanImageToVideoPipeline   (Wan 2.2 TI2V-5B)
    WanImageToVideoPipeline     picture, two pictures (2.2 both; 2.1 one of them, by how its transformer looks)
    WanVACEPipeline             words, picture, two pictures, plate with a mask
    LTXPipeline …               words LTXPipeline · picture LTXImageToVideoPipeline · else LTXConditionPipeline
    LTXConditionPipeline        words, picture, two pictures, plate
    StableDiffusionXLPipeline, FluxPipeline      a still
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from diffusers import DiffusionPipeline
from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition
from numpy.typing import NDArray
from PIL import Image

from rushes.generators.folders import Folder
from rushes_otio.errors import BadRequest

Mode = Literal["still", "words", "picture", "two pictures", "plate", "mask", "after"]

_SAID: Mapping[Mode, str] = {
    "still": "make a still",
    "words": "start from words alone",
    "picture": "start from a picture",
    "two pictures": "end on a picture",
    "plate": "make a whole plate anew",
    "mask": "make a plate anew inside a mask",
    "after": "go on from frames that are there",
}
_WHO: Mapping[Mode, str] = {
    "still": "SDXL or Flux",
    "words": "Wan t2v, Wan VACE or LTX",
    "picture": "Wan i2v, Wan VACE or LTX",
    "two pictures": "Wan FLF2V, Wan VACE or LTX",
    "plate": "Wan 2.1 t2v or LTX",
    "mask": "Wan VACE",
    "after": "Wan or LTX",
}


@dataclass(frozen=True)
class Given:
    """What one run is given besides its words. `size` is (width, height); `frames` counts the overlap; pictures
    are RGB of that size; `plate` (frames, height, width, 3) and `mask` (frames, height, width) are uint8.
    `strength` is how much of a plate is made anew, 0 to 1. `goes_on`: its first frames are known, and are laid
    over all this."""

    size: tuple[int, int]
    frames: int = 1
    rate: Fraction = Fraction(24)
    steps: int = 1
    first: Image.Image | None = None
    last: Image.Image | None = None
    plate: NDArray[np.uint8] | None = None
    mask: NDArray[np.uint8] | None = None
    strength: float = 0.8
    goes_on: bool = False

    @property
    def mode(self) -> Mode:
        """What kind of motion this is."""
        if self.plate is not None:
            return "plate" if self.mask is None else "mask"
        if self.last is not None:
            return "two pictures"
        return "words" if self.first is None else "picture"


@dataclass(frozen=True)
class Call:
    """One pipeline class. `words` names the set of embeddings that it takes; `arguments` is what its call gets for
    what is given, without size, steps, guidance and words."""

    pipeline: str
    words: str
    arguments: Callable[[Given], dict[str, Any]]


def call_for(folder: Folder, mode: Mode) -> Call:
    """The class to call for a mode of a model. BadRequest for what it cannot do."""
    found = _table(folder).get(mode)
    if found is None:
        raise BadRequest(
            f"this {folder.pipeline} cannot {_SAID[mode]}",
            remedy=f"name a model that can: {_WHO[mode]} (rushes models lists them)",
        )
    return found


def words_sets(folder: Folder) -> dict[str, str]:
    """The sets of embeddings that a model's pipelines take between them, each with a class that encodes it."""
    return {call.words: call.pipeline for call in _table(folder).values()}


def _table(folder: Folder) -> Mapping[Mode, Call]:
    if folder.pipeline not in _TABLES:
        raise BadRequest(
            f"{folder.pipeline} is not a pipeline that Rushes runs",
            remedy=f"use one of {', '.join(sorted(_TABLES))}",
        )
    table = _TABLES[folder.pipeline]
    return table if isinstance(table, Mapping) else table(folder)


def _wan_table(folder: Folder) -> Mapping[Mode, Call]:
    if folder.setting("expand_timesteps"):
        return {"words": _WAN, "picture": _WAN_I2V, "after": _WAN}
    if folder.setting("boundary_ratio") is not None:
        # The class for plates knows one denoiser only, and would run the noisy one's steps to the end.
        return {"words": _WAN, "after": _WAN}
    return {"words": _WAN, "plate": _WAN_V2V, "after": _WAN}


def _i2v_table(folder: Folder) -> Mapping[Mode, Call]:
    """A transformer that looks at two pictures at once looks at no single one; one with an image encoder and
    without places for two (2.1 I2V) at one; one that sees pictures in the latents only (2.2) at both."""
    if folder.setting("transformer.pos_embed_seq_len"):
        return {"two pictures": _WAN_I2V}
    if folder.setting("transformer.image_dim") or folder.setting("expand_timesteps"):
        return {"picture": _WAN_I2V, "after": _WAN_I2V}
    return {"picture": _WAN_I2V, "two pictures": _WAN_I2V, "after": _WAN_I2V}


# -- arguments ---------------------------------------------------------------------------------------------------


def _none(_: Given) -> dict[str, Any]:
    return {}


def _frames(given: Given) -> dict[str, Any]:
    return {"num_frames": given.frames}


def _wan_pictures(given: Given) -> dict[str, Any]:
    if given.first is None and not given.goes_on and given.last is not None:
        raise BadRequest(
            "this model ends on a picture only where it also starts from one",
            remedy="give the shot a first frame too",
        )
    pictures = {"image": given.first, "last_image": given.last}
    return {"num_frames": given.frames} | {name: image for name, image in pictures.items() if image is not None}


def _wan_plate(given: Given) -> dict[str, Any]:
    _check_strength(given)
    return {"video": images(given.plate), "strength": given.strength}


def _vace(given: Given) -> dict[str, Any]:
    """A video whose unknown parts are grey, and the mask that says which those are."""
    if given.first is None and given.last is None and given.plate is None:
        return _frames(given)
    width, height = given.size
    video = np.full((given.frames, height, width, 3), 128, np.uint8) if given.plate is None else given.plate.copy()
    mask = np.full((given.frames, height, width), 255, np.uint8) if given.mask is None else given.mask.copy()
    for place, picture in ((0, given.first), (-1, given.last)):
        if picture is not None:
            video[place], mask[place] = np.asarray(picture), 0
    return {"num_frames": given.frames, "video": images(video), "mask": images(mask)}


def _ltx(given: Given) -> dict[str, Any]:
    rate = given.rate
    return {"num_frames": given.frames, "frame_rate": rate.numerator if rate.denominator == 1 else float(rate)}


def _ltx_picture(given: Given) -> dict[str, Any]:
    return _ltx(given) | {"image": given.first}


def _ltx_conditions(given: Given) -> dict[str, Any]:
    """Pictures at their frames; a plate as tokens that are held until the noise has come down to its strength."""
    held = []
    if given.plate is not None:
        _check_strength(given)
        held = [LTXVideoCondition(video=images(given.plate), frame_index=0, strength=1 - given.strength)]
    places = ((0, given.first), (given.frames - 1, given.last))
    held += [
        LTXVideoCondition(image=picture, frame_index=place) for place, picture in places if picture is not None
    ]
    return _ltx(given) | ({"conditions": held} if held else {})


def _check_strength(given: Given) -> None:
    if not 0 < given.strength <= 1 or int(given.steps * given.strength) < 1:
        raise BadRequest(
            f"a strength of {given.strength:g} leaves nothing to do in {given.steps} steps",
            remedy="set strength between 0 and 1, large enough for a step: 0.5 makes half of it anew",
        )


def images(frames: NDArray[np.uint8] | None) -> list[Image.Image]:
    """Frames as the list of pictures that pipelines take."""
    return [] if frames is None else [Image.fromarray(frame) for frame in frames]


_WAN = Call("WanPipeline", "wan", _frames)
_WAN_I2V = Call("WanImageToVideoPipeline", "wan", _wan_pictures)
_WAN_V2V = Call("WanVideoToVideoPipeline", "wan", _wan_plate)
_VACE = Call("WanVACEPipeline", "wan", _vace)
_LTX = Call("LTXPipeline", "ltx", _ltx)
_LTX_I2V = Call("LTXImageToVideoPipeline", "ltx", _ltx_picture)
_LTX_CONDITION = Call("LTXConditionPipeline", "ltx-condition", _ltx_conditions)
_SDXL = Call("StableDiffusionXLPipeline", "sdxl", _none)
_FLUX = Call("FluxPipeline", "flux", _none)

_LTX_TABLE: Mapping[Mode, Call] = {
    "words": _LTX,
    "picture": _LTX_I2V,
    "two pictures": _LTX_CONDITION,
    "plate": _LTX_CONDITION,
    "after": _LTX_CONDITION,
}
_TABLES: Mapping[str, Mapping[Mode, Call] | Callable[[Folder], Mapping[Mode, Call]]] = {
    "WanPipeline": _wan_table,
    "WanVideoToVideoPipeline": _wan_table,
    "WanImageToVideoPipeline": _i2v_table,
    "WanVACEPipeline": dict.fromkeys(("words", "picture", "two pictures", "mask", "after"), _VACE),
    "LTXPipeline": _LTX_TABLE,
    "LTXImageToVideoPipeline": _LTX_TABLE,
    "LTXConditionPipeline": dict.fromkeys(("words", "picture", "two pictures", "plate", "after"), _LTX_CONDITION),
    "StableDiffusionXLPipeline": {"still": _SDXL},
    "FluxPipeline": {"still": _FLUX},
}


# -- what fits ---------------------------------------------------------------------------------------------------


def check_fits(pipe: DiffusionPipeline, given: Given) -> None:
    """BadRequest for a size or a number of frames that a pipeline cannot do, which it would round in silence."""
    multiple, step = _multiple(pipe), rule(pipe)
    wrong = [side for side in given.size if side % multiple or side < multiple]
    if wrong:
        near = "x".join(str(max(round(side / multiple), 1) * multiple) for side in given.size)
        raise BadRequest(
            f"{type(pipe).__name__} makes sizes in multiples of {multiple}, not {given.size[0]}x{given.size[1]}",
            remedy=f"set params.size={near}",
        )
    if given.frames < 1 or (given.frames - 1) % step:
        near = str(max(math.ceil((given.frames - 1) / step), 0) * step + 1)
        raise BadRequest(
            f"{type(pipe).__name__} makes {step}n + 1 frames, not {given.frames}", remedy=f"ask for {near} frames"
        )
    most = _most_frames(pipe, step)
    if given.frames > most:
        raise BadRequest(
            f"{given.frames} frames are more than this model's {most}",
            remedy="set a smaller max_frames in models.toml",
        )


def _multiple(pipe: DiffusionPipeline) -> int:
    if hasattr(pipe, "vae_spatial_compression_ratio"):
        return math.lcm(32, pipe.vae_spatial_compression_ratio * pipe.transformer_spatial_patch_size)
    if hasattr(pipe, "vae_scale_factor_spatial"):
        denoiser = pipe.transformer if pipe.transformer is not None else pipe.transformer_2
        return math.lcm(16, pipe.vae_scale_factor_spatial * denoiser.config.patch_size[1])
    return int(pipe.vae_scale_factor) * (2 if hasattr(pipe, "transformer") else 1)


def rule(pipe: DiffusionPipeline) -> int:
    """How many frames one further frame of latents is."""
    names = ("vae_scale_factor_temporal", "vae_temporal_compression_ratio")
    return next((int(getattr(pipe, name)) for name in names if hasattr(pipe, name)), 1)


def _most_frames(pipe: DiffusionPipeline, step: int) -> int:
    denoiser = getattr(pipe, "transformer", None)
    places = denoiser.config.get("rope_max_seq_len") if denoiser is not None else None
    return (int(places) - 1) * step + 1 if places else 10_000
