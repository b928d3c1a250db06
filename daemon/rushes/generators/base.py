"""What makes pictures: one protocol, implemented by `animatic` (built in) and `diffusers` (real models).

A generator turns requests into stored outputs (bytes) and stored motions into frames. It never sees the film,
a path of the film, a shot's name or its place in the cut: only what is in its request may change a pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from rushes.generators.cards import Card, Run

Frame = NDArray[np.uint8] | NDArray[np.uint16]
"""One picture: (height, width, 3), RGB, display-referred BT.709, full range of its integer type."""


class Cancelled(Exception):
    """Raised inside a stage when its request was cancelled; never an error to a person."""


class Watch(Protocol):
    """Who follows a running stage. Calls are cheap enough for every block of a model; what is told too often is
    not passed on."""

    def progress(self, done: int, total: int) -> None:
        """`done` of `total` steps; raises `Cancelled` when the work is no longer wanted."""

    def now(self, doing: str) -> None:
        """What the next steps are of: "loading", "denoising" …; empty for the stage itself."""

    def preview(self, jpeg: Callable[[], bytes]) -> None:
        """Show what is coming: `jpeg` makes a small JPEG, and is only called when it will be shown."""


class Unwatched:
    """`Watch` of a stage that nobody follows and nobody stops."""

    def progress(self, done: int, total: int) -> None: ...

    def now(self, doing: str) -> None: ...

    def preview(self, jpeg: Callable[[], bytes]) -> None: ...


class Cast(msgspec.Struct, frozen=True):
    """A library entry that a shot's text mentions: its kind and its description."""

    kind: str  # "character" | "style" | "location"
    description: str


class Fields(msgspec.Struct, frozen=True, omit_defaults=True):
    """The part of a recipe that a generator without a text encoder may read. Which stage reads which is
    `Traits.reads`."""

    prompt: str = ""  # composed: style, location, film, scene and shot text, mentions replaced
    action: str = ""  # composed, as `prompt`
    negative: str = ""
    caption: str = ""  # the shot's own words, names kept: its prompt, and its action on a second line
    style: str = ""  # description of the style
    location: str = ""  # description of the location
    cast: dict[str, Cast] = {}  # by library name, those mentioned in the prompt
    camera: str = ""


class WordsRequest(msgspec.Struct, frozen=True):
    """Run a model's text encoders, once for all stages that say the same. `loras` in the run are those that
    change a text encoder; its `words` are empty."""

    run: Run
    prompt: str
    negative: str


class KeyframeRequest(msgspec.Struct, frozen=True):
    """Make the shot's still. `image` is the path of a picture that stands for it, or None: make one. `run` is
    None for generators without models."""

    fields: Fields
    seed: int
    image: str | None = None
    run: Run | None = None


class MotionRequest(msgspec.Struct, frozen=True):
    """Make `frames` new frames of movement at `rate` ("24/1"), as the stored form of the motion.

    At most one of `keyframe` (PNG: shot frame 0 looks like it), `first_frame` (PNG: shot frame 0 is it) and
    `after` (path of the motion piece that this one continues) is set; none of them, for a model that starts from
    words alone or from footage. `last_frame` (PNG) is optional. `overlap` frames at the end of `after` are made
    once more and thrown away, so that the movement goes on: they count in the model's frame rule, and are not in
    `frames`. `strength` ("0" to "1") is how much of a plate is made anew.
    """

    fields: Fields
    seed: int
    rate: str
    frames: int
    keyframe: str | None = None
    first_frame: str | None = None
    last_frame: str | None = None
    after: str | None = None
    overlap: int = 0
    strength: str | None = None
    run: Run | None = None


@dataclass(frozen=True, slots=True)
class Footage:
    """What a motion is made over, at the model's size, one picture for each frame of the request (the overlap
    first): `plate` (frames, height, width, 3) RGB; `mask` (frames, height, width), 255 where it is made anew,
    None for everywhere."""

    plate: NDArray[np.uint8]
    mask: NDArray[np.uint8] | None = None


class Generator(Protocol):
    """One kind of picture maker. Same request, same bytes, in any process on one machine."""

    def words(self, request: WordsRequest, watch: Watch) -> bytes:
        """What a model's text encoders make of a text; BadRequest for a generator that has none."""

    def keyframe(self, request: KeyframeRequest, watch: Watch) -> bytes:
        """A PNG, RGB 8 bit."""

    def motion(self, request: MotionRequest, watch: Watch, footage: Footage | None = None) -> bytes:
        """The stored form; `frames` and `picture` need the same model again, and nothing else."""

    def length(self, motion: bytes) -> int:
        """How many frames a stored motion holds, without those of its overlap."""

    def frames(self, motion: bytes, size: tuple[int, int], card: Card | None, watch: Watch) -> Iterator[Frame]:
        """Every frame in order, at the generator's rate. `size` (width, height) is where the pictures are
        going: a generator that draws at any size uses it; others yield their own. `card` is the model that made
        it. `watch.progress` is called while a frame takes long; what it is told then counts nothing."""

    def picture(self, motion: bytes, frame: int, card: Card | None, watch: Watch) -> bytes:
        """PNG of one frame as another shot may start from it: before finish, without captions."""

    def device(self) -> str:
        """The device that it needs for itself, "cuda:0"; empty for one that works on what anybody may use."""

    def environment(self) -> Mapping[str, str]:
        """What it has found out about the machine that can change the last bits of a picture; empty at first."""
