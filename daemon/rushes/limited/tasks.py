"""What a limited child is asked and what it answers: JSON lines, and between them bytes as they are.

to the child     one Order
from the child   any number of Parts, each followed by as many bytes as it says; then End or Fault
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from rushes_otio.errors import FileFault, MediaFault, RushesError

MAX_PART = 1 << 30
"""Bytes. The largest picture that is decoded, 16384 pixels a side, has 805 MB."""

MAX_HEAD = 64 << 10
"""Bytes of one line from the child."""

_CONVERT = "if you trust its author, convert it to a ProRes movie or a PNG of usual size and use that"


class _Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file to be read. Where the child cannot even say what is wrong with it, that becomes a `fault`."""

    path: Annotated[str, msgspec.Meta(min_length=1)]
    fault: ClassVar[type[RushesError]] = MediaFault
    remedy: ClassVar[str] = _CONVERT


class Cut(_Task, frozen=True, tag="cut"):
    """One part: the text of the film that a foreign timeline becomes."""

    fault: ClassVar[type[RushesError]] = FileFault
    remedy: ClassVar[str] = "export the cut again from the program it was made with"


class Probe(_Task, frozen=True, tag="probe"):
    """One part: a `media.probe.Probe` as JSON."""


class Frames(_Task, frozen=True, tag="frames"):
    """A part for each frame of `media.frames.iter_frames`."""

    start: int = 0
    count: int | None = None


class Picture(_Task, frozen=True, tag="picture"):
    """One part: a PNG of the picture, see `pictures.upright_png`. `formats` are Pillow's names."""

    most_pixels: int = 80_000_000
    formats: tuple[str, ...] = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")


Task = Cut | Probe | Frames | Picture


class Limits(msgspec.Struct, frozen=True):
    """What a child may use: bytes of address space; seconds of computing, all threads together, for one part;
    seconds of silence before it is killed."""

    memory: int
    computing: int
    silence: float


class Order(msgspec.Struct, frozen=True):
    """Everything a child is told. `parent` is the PID of who starts it."""

    task: Task
    limits: Limits
    parent: int


class Part(msgspec.Struct, frozen=True, tag="part"):
    """`size` bytes follow: a picture of that `shape` (height, width, 3), or a file."""

    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_PART)]
    shape: tuple[int, ...] = ()


class End(msgspec.Struct, frozen=True, tag="end"):
    """All parts were there."""


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """It cannot be done. `kind` names one of our errors, or says: out of memory, or nothing we had thought of."""

    kind: Literal["FileFault", "BadRequest", "ShotFault", "MediaFault", "memory", "unknown"]
    text: str = ""
    where: str = ""
    remedy: str = ""


Answer = Part | End | Fault
