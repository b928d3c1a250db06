"""What a limited child is asked and what it answers: JSON lines, and between them bytes as they are.

to the child     one Order
from the child   any number of Parts, each followed by as many bytes as it says; then End or Fault
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from rushes_otio.errors import FileFault, MediaFault, RushesError

MAX_PART = 2 << 30
"""Bytes. The largest picture that is decoded, 16384 pixels a side, has 805 MB, and twice that with 16 bits."""

MAX_HEAD = 64 << 10
"""Bytes of one line from the child."""

_CONVERT = "if you trust its author, convert it to a ProRes movie or a PNG of usual size and use that"


class _Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file to be read. Where the child cannot even say what is wrong with it, that becomes a `fault`."""

    path: Annotated[str, msgspec.Meta(min_length=1)]
    fault: ClassVar[type[RushesError]] = MediaFault
    remedy: ClassVar[str] = _CONVERT


class Cut(_Task, frozen=True, tag="cut"):
    """Two parts: notes as a JSON list, and the text of the timeline. See `rushes_otio.formats.reading`. `rate` is
    what an EDL's timecodes are counted at."""

    rate: str = "24/1"
    fault: ClassVar[type[RushesError]] = FileFault
    remedy: ClassVar[str] = "export the cut again from the program it was made with"


class Written(_Task, frozen=True, tag="written"):
    """Two parts: what was lost as a JSON list of pairs, and the timeline in `path` as `suffix`. See
    `rushes_otio.formats.writing`."""

    suffix: Literal[".edl", ".xml"]
    rate: str
    program: Literal["", "resolve", "premiere"] = ""
    fault: ClassVar[type[RushesError]] = FileFault
    remedy: ClassVar[str] = "export the cut as OpenTimelineIO (.otio)"


class Probe(_Task, frozen=True, tag="probe"):
    """One part: a `media.probe.Probe` as JSON."""


class Frames(_Task, frozen=True, tag="frames"):
    """A part for each frame of `media.frames.iter_frames`, or of `iter_deep_frames`, which have a `depth` of 16
    bits a sample."""

    start: int = 0
    count: int | None = None
    depth: Literal[8, 16] = 8


class Sound(_Task, frozen=True, tag="sound"):
    """A part for each block of `media.sound.iter_sound`: 32-bit floats, of the shape (samples, 2)."""

    start: float
    seconds: float
    remedy: ClassVar[str] = "if you trust its author, convert it to a WAV file and use that"


class Picture(_Task, frozen=True, tag="picture"):
    """One part: a PNG of the picture, see `pictures.upright_png`. `formats` are Pillow's names."""

    most_pixels: int = 80_000_000
    formats: tuple[str, ...] = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")


Task = Cut | Written | Probe | Frames | Picture | Sound


class Limits(msgspec.Struct, frozen=True):
    """What a child may use: bytes of address space; seconds of computing, all threads together, for one part;
    seconds of silence before it is killed. Before the first part it may be silent for as much longer as reading
    the file takes at `pace` bytes a second."""

    memory: int
    computing: int
    silence: float
    pace: float = 20e6  # that any disk gives


class Order(msgspec.Struct, frozen=True):
    """Everything a child is told. `parent` is the PID of who starts it."""

    task: Task
    limits: Limits
    parent: int


class Part(msgspec.Struct, frozen=True, tag="part"):
    """`size` bytes follow: a picture or sound of that `shape`, or a file."""

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
