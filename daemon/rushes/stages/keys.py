"""Keys of stages: sha256 over everything that can change what comes out, and nothing else.

No path, no clock, no name and no place in the cut. The next stage's key takes the digest of the previous output
(not its key), so what comes out the same stops there. Versions are raised by hand when the pixels of our own code
change; a generator counts by its fingerprint.
"""

from __future__ import annotations

from typing import Any

import msgspec

from rushes.generators.base import Cast, Fields
from rushes.generators.traits import Traits
from rushes.store.canonical import digest_of

FINISH_VERSION = 1
ENCODE_VERSION = 1

Key = str
Start = dict[str, Any]
"""What a piece of motion starts from: {"keyframe": digest}, {"first_frame": edge} or {"after": digest}."""


def fields_for(recipe: dict[str, Any], stage: str, traits: Traits) -> Fields:
    """The part of a recipe that a stage of this generator looks at; the rest stays at its defaults."""
    reads = traits.reads[stage]
    picked = {name: recipe[name] for name in reads if name in recipe and name not in ("cast", "params")}
    if "cast" in reads and "cast" in recipe:
        in_view = {n: c for n, c in recipe["cast"].items() if stage == "motion" or c["in"] == "prompt"}
        picked["cast"] = {n: Cast(c["kind"], c["description"]) for n, c in in_view.items()}
    if "params" in reads and "params" in recipe:
        picked["params"] = {k: msgspec.Raw(msgspec.json.encode(v)) for k, v in recipe["params"].items()}
    return Fields(**picked)


def keyframe_key(fingerprint: str, fields: Fields, seed: int, image: str | None) -> Key:
    """Key of a still. `image` is the digest of a picture that stands for it."""
    # A picture that was chosen is the still: what was asked for in words does not change it.
    asked = {"image": image} if image else {"fields": _plain(fields), "seed": str(seed), "image": None}
    return digest_of({"stage": "keyframe", "generator": fingerprint, **asked})


def motion_key(
    fingerprint: str, fields: Fields, seed: int, rate: str, frames: int, start: Start, last: dict[str, Any] | None
) -> Key:
    """Key of one piece of motion of `frames` frames."""
    return digest_of(
        {
            "stage": "motion",
            "generator": fingerprint,
            "fields": _plain(fields),
            "seed": str(seed),
            "rate": rate,
            "frames": frames,
            "start": start,
            "last_frame": last,
        }
    )


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


def _plain(fields: Fields) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(fields))
    return plain
