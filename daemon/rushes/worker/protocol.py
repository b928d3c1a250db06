"""What a worker and its supervisor say to each other: one JSON object a line, typed, bounded in length.

    to the worker    Words | Keyframe | Motion | Picture | Film | Cancel
    from the worker  Ready | Progress | Preview | Done | Failed | Cancelled
    made up by the supervisor when the worker cannot speak any more    Lost

A worker answers every request exactly once, with Done, Failed or Cancelled; Progress comes before that, the
first one (done = 0) at the moment the work begins.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

import msgspec

from rushes.generators.base import KeyframeRequest, MotionRequest, WordsRequest
from rushes.generators.cards import Card
from rushes.stages.encode import EncodeSpec
from rushes.stages.finish import FinishSpec
from rushes.worker.plates import Plate

MOVIE = "movie"
"""The name of a generator where what is read is a movie file: footage, or a take that was added from outside."""

MAX_REQUEST = 4 << 20
"""Bytes of one line to the worker: prompts and parameters, never pictures."""

MAX_ANSWER = 256 << 10
"""Bytes of one line from the worker: longer ones are not ours."""

MAX_TEXT = 8 << 10
"""Characters of an error or a stack trace that are kept: its end, where the cause stands."""

Frames = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
LaneName = Literal["generate", "encode"]

FailKind = Literal["refused", "broken", "memory", "disk", "limit", "device", "lied", "start"]
"""refused: the request cannot be done as it is. broken: the fault of the generator, of ffmpeg or ours. memory,
disk: full. limit: the output is larger than allowed. device: it does not work any more, for this process. lied:
the file is not what the worker said it is. start: no worker could be started."""


class _Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`id` numbers a request within one supervisor; it gives out the numbers, so a caller leaves it 0."""

    id: int = 0

    def numbered(self, number: int) -> Self:
        """The same with that id."""
        return msgspec.structs.replace(self, id=number)


class Words(_Message, frozen=True, kw_only=True, tag="words"):
    """Run a model's text encoders: what they make of a text, at `out`."""

    lane: ClassVar[LaneName] = "generate"
    generator: str
    request: WordsRequest
    out: Path


class Keyframe(_Message, frozen=True, kw_only=True, tag="keyframe"):
    """Make a still: a PNG at `out`."""

    lane: ClassVar[LaneName] = "generate"
    generator: str
    request: KeyframeRequest
    out: Path


class Motion(_Message, frozen=True, kw_only=True, tag="motion"):
    """Make a motion in its stored form at `out`; `plate` is the footage that it is made over."""

    lane: ClassVar[LaneName] = "generate"
    generator: str
    request: MotionRequest
    plate: Plate | None = None
    out: Path


class Picture(_Message, frozen=True, kw_only=True, tag="picture"):
    """Write one frame of the stored motion, or of the movie file, at `motion` as a PNG at `out`. `card` is the
    model that made the motion, None for a generator without models."""

    lane: ClassVar[LaneName] = "generate"
    generator: str
    motion: Path
    frame: Frames
    card: Card | None = None
    out: Path


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`frames` frames from frame `start` on of what lies at `path`: a stored motion of `generator`, or, where
    that is "movie", a movie file. Counted at the source's own rate. `card` as for `Picture`."""

    generator: str
    path: Path
    start: Frames
    frames: Frames
    card: Card | None = None


class Film(_Message, frozen=True, kw_only=True, tag="film"):
    """Decode, finish and encode in one pass: the joined pieces, which are at `rate` ("24/1"), finished; of that
    exactly `frames` frames from frame `skip` on, as a movie at `out`. `skip` and `frames` count at the rate of
    the delivery. With `plate`, the finished pictures are laid into it, inside its mask only."""

    lane: ClassVar[LaneName] = "encode"
    pieces: Annotated[tuple[Piece, ...], msgspec.Meta(min_length=1, max_length=1000)]
    rate: str
    skip: Frames = 0
    frames: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
    plate: Plate | None = None
    finish: FinishSpec
    encode: EncodeSpec
    out: Path


class Cancel(_Message, frozen=True, kw_only=True, tag="cancel"):
    """The request `id` is not wanted any more. One that is not known (it just ended) is no error."""


class Ready(msgspec.Struct, frozen=True, tag="ready", forbid_unknown_fields=True):
    """The first line of every worker."""

    pid: int
    device: str
    environment: dict[str, str]


class Progress(_Message, frozen=True, kw_only=True, tag="progress"):
    """`done` of `total` steps or frames of `stage`. At most ten a second for each request."""

    stage: str
    done: int
    total: int


class Preview(_Message, frozen=True, kw_only=True, tag="preview"):
    """What is coming: a small JPEG, at most one a second for each request."""

    jpeg: Annotated[bytes, msgspec.Meta(max_length=64 << 10)]


class Done(_Message, frozen=True, kw_only=True, tag="done"):
    """`digest` is the sha256 of the file; of a film, that of its frames (`Encoder.digest`). `size` is
    the file's, in bytes; `seconds` the time from the beginning of the work, `loading` those of them that went into
    loading the generator; `environment` what the generator knows of the machine beside what Ready said."""

    digest: str
    size: int
    frames: int
    seconds: float
    loading: float = 0.0
    environment: dict[str, str] = {}


class Failed(_Message, frozen=True, kw_only=True, tag="failed"):
    """Why there is no output, in words for a person. The text may quote the film: `printable` before showing."""

    kind: FailKind
    error: str
    remedy: str = ""
    trace: str = ""


class Cancelled(_Message, frozen=True, kw_only=True, tag="cancelled"):
    """The request was dropped as asked. Something half-made may lie at `out`."""


class Lost(_Message, frozen=True, kw_only=True, tag="lost"):
    """The worker ended with this request unanswered. `innocent`: the request cannot have been the cause, so
    it may be submitted again without being counted as a crash of its shot."""

    why: str
    innocent: bool


Work = Words | Keyframe | Motion | Picture | Film
Request = Work | Cancel
Last = Done | Failed | Cancelled
Answer = Ready | Progress | Preview | Last
Event = Answer | Lost

_encoder = msgspec.json.Encoder()
_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_answers: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


def line(message: Request | Answer) -> bytes:
    """`message` as it goes over the pipe, line end included."""
    return _encoder.encode(message) + b"\n"


def read_request(raw: bytes) -> Request:
    """The request in one line; `msgspec.DecodeError` for anything else."""
    return _requests.decode(raw)


def read_answer(raw: bytes) -> Answer:
    """The answer in one line; `msgspec.DecodeError` for anything else, a Lost included."""
    return _answers.decode(raw)
