"""What makes pictures: one protocol, implemented by `animatic` (built in) and, later, by real video models.

A generator turns requests into stored outputs (bytes) and stored motions into frames. It never sees the film,
a path of the film, a shot's name or its place in the cut: only what is in its request may change a pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8] | NDArray[np.uint16]
"""One picture: (height, width, 3), RGB, display-referred BT.709, full range of its integer type."""

Progress = Callable[[int, int], None]
"""Called as (done, total); raises `Cancelled` when the work is no longer wanted."""


class Cancelled(Exception):
    """Raised inside a stage when its request was cancelled; never an error to a person."""


class Cast(msgspec.Struct, frozen=True):
    """A library entry that a shot's text mentions: its kind and its description."""

    kind: str  # "character" | "style" | "location"
    description: str


class Fields(msgspec.Struct, frozen=True, omit_defaults=True):
    """The part of a recipe that a generator may read. Which stage reads which is `Generator.reads`."""

    prompt: str = ""  # composed: style, location, film, scene and shot text, mentions replaced
    action: str = ""  # composed, as `prompt`
    negative: str = ""
    caption: str = ""  # the shot's own words, names kept: its prompt, and its action on a second line
    style: str = ""  # description of the style
    location: str = ""  # description of the location
    cast: dict[str, Cast] = {}  # by library name, those mentioned in the prompt
    camera: str = ""
    steps: int | None = None
    guidance: str | None = None
    params: dict[str, msgspec.Raw] = {}


class KeyframeRequest(msgspec.Struct, frozen=True):
    """Make the shot's still. `image` is the path of a picture that stands for it, or None: draw one."""

    fields: Fields
    seed: int
    image: str | None = None


class MotionRequest(msgspec.Struct, frozen=True):
    """Make `frames` frames of movement at `rate` ("24/1"), as the stored form of the motion.

    Exactly one of `keyframe` (PNG: shot frame 0 looks like it), `first_frame` (PNG: shot frame 0 is it) and
    `after` (path of the motion piece that this one continues) is set. `last_frame` (PNG) is optional.
    """

    fields: Fields
    seed: int
    rate: str
    frames: int
    keyframe: str | None = None
    first_frame: str | None = None
    last_frame: str | None = None
    after: str | None = None


class Generator(Protocol):
    """One kind of picture maker. Same request, same bytes, in any process on one machine."""

    name: str
    version: int  # raised by hand whenever its pixels change; part of every key

    reads: dict[str, frozenset[str]]  # stage ("keyframe", "motion") -> names of `Fields` it looks at

    def keyframe(self, request: KeyframeRequest, progress: Progress) -> bytes:
        """A PNG, RGB 8 bit."""

    def motion(self, request: MotionRequest, progress: Progress) -> bytes:
        """The stored form, self-contained: `frames` and `picture` need nothing else."""

    def length(self, motion: bytes) -> int:
        """How many frames a stored motion holds."""

    def frames(self, motion: bytes, size: tuple[int, int]) -> Iterator[Frame]:
        """Every frame in order, at the generator's rate. `size` (width, height) is where the pictures are
        going: a generator that draws at any size uses it; others yield their own."""

    def picture(self, motion: bytes, frame: int) -> bytes:
        """PNG of one frame as another shot may start from it: before finish, without captions."""
