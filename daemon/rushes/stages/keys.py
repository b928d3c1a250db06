"""Keys of stages: sha256 over everything that can change what comes out, and nothing else.

No path, no clock, no name and no place in the cut. The next stage's key takes the digest of the previous output
(not its key), so what comes out the same stops there. Versions are raised by hand when the pixels of our own code
change; a generator counts by its fingerprint.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rushes.generators.base import Cast, Fields
from rushes.generators.cards import Run
from rushes.generators.traits import Traits
from rushes.store.canonical import digest_of

FINISH_VERSION = 1
ENCODE_VERSION = 1

Key = str
Start = dict[str, Any]
"""What a piece of motion starts from: {"keyframe": digest}, {"first_frame": edge}, {"after": digest}, or {}: from
words or footage alone."""

Maker = dict[str, Any]
"""What the generator, and how it is run, enter into a key."""


def fields_for(recipe: dict[str, Any], stage: str, traits: Traits) -> Fields:
    """The part of a recipe that a stage of this generator looks at; the rest stays at its defaults."""
    reads = traits.reads[stage]
    picked = {name: recipe[name] for name in reads if name in recipe and name != "cast"}
    if "cast" in reads and "cast" in recipe:
        in_view = {n: c for n, c in recipe["cast"].items() if stage == "motion" or c["in"] == "prompt"}
        picked["cast"] = {n: Cast(c["kind"], c["description"]) for n, c in in_view.items()}
    return Fields(**picked)


def drawn_by(fingerprint: str, fields: Fields) -> Maker:
    """What a generator without models enters into the keys of its stages."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(fields))
    return {"generator": fingerprint, "fields": plain}


def run_by(run: Run, words: str) -> Maker:
    """What a model enters into the keys of its stages: itself, the digest of what its text encoders made, and how
    it is run. No path of all this."""
    return {
        "generator": run.card.fingerprint,
        "words": words,
        "size": list(run.size),
        "steps": run.steps,
        "guidance": run.guidance,
        "params": {name: msgspec.json.decode(value) for name, value in run.params.items()},
        "loras": [[lora.digest, lora.weight] for lora in run.loras],
        "references": [[reference.digest, reference.role] for reference in run.references],
    }


def words_key(encoders: str, run: Run, prompt: str, negative: str) -> Key:
    """Key of what text encoders make; `encoders` is the digest of theirs."""
    said = {"generator": encoders, "prompt": prompt, "negative": negative}
    return digest_of({"stage": "words", **run_by(run, ""), **said})


def keyframe_key(maker: Maker, seed: int, image: str | None) -> Key:
    """Key of a still. `image` is the digest of a picture that stands for it: what was asked for in words does not
    change that."""
    if image:
        kept: Maker = {name: maker[name] for name in ("generator", "size") if name in maker}
        return digest_of({"stage": "keyframe", **kept, "image": image})
    return digest_of({"stage": "keyframe", **maker, "seed": str(seed), "image": None})


def motion_key(maker: Maker, seed: int, rate: str, frames: int, start: Start, more: dict[str, Any]) -> Key:
    """Key of one piece of motion of `frames` frames. `more` is what else it is made from: a last frame, a plate
    with its mask and strength, the overlap with the piece before."""
    base = {"stage": "motion", **maker, "seed": str(seed), "rate": rate, "frames": frames, "start": start}
    return digest_of({**base, "last_frame": None, **more})


def picture_key(motion: str, frame: int) -> Key:
    """Key of one frame of a stored motion, as another shot starts from it."""
    return digest_of({"stage": "picture", "motion": motion, "frame": frame})


def finish_key(motion: str, frames: int, finish: dict[str, Any]) -> Key:
    """Key of the finished frames: the motion digests of all pieces, how many frames, and the delivery's look."""
    return digest_of(
        {"stage": "finish", "version": FINISH_VERSION, "motion": motion, "frames": frames, "finish": finish}
    )


def encode_key(finish: Key, codec: str) -> Key:
    """Key of the movie file."""
    return digest_of({"stage": "encode", "version": ENCODE_VERSION, "finish": finish, "codec": codec})
