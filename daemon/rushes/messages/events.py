"""What the daemon tells everybody who follows a film."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from rushes.messages.answers import Error, JobRow
from rushes.messages.base import Body, Id, Name, Path, Text


class FilmEvent(Body, frozen=True, kw_only=True):
    """Of one film, by its absolute path. `counted`: it has a number, and none may be missed."""

    counted: ClassVar[bool] = True
    film: Path


class JobEvent(FilmEvent, frozen=True, kw_only=True):
    """Of one job of the queue, on a shot."""

    job: int
    shot: Name
    name: Name


class Shots(FilmEvent, frozen=True, kw_only=True, tag="shots"):
    """Shots whose recipe, state, reasons or take changed, as rows of `status`, and those gone from the cut."""

    rows: list[dict[str, Any]]
    gone: list[str] = []
    counts: dict[str, int] = {}


class Queued(FilmEvent, frozen=True, kw_only=True, tag="queued"):
    """Jobs were put into the queue; so many of them were left over from a render that was cut short."""

    jobs: list[JobRow]
    picked_up: int = 0
    seconds_left: float | None = None


class Progress(JobEvent, frozen=True, kw_only=True, tag="progress"):
    """`done` of `total` steps or frames of a stage; seconds until the film's queue is done, where known."""

    counted: ClassVar[bool] = False
    stage: Name
    done: int
    total: int
    seconds_left: float | None = None


class Preview(JobEvent, frozen=True, kw_only=True, tag="preview"):
    """What is coming: a small JPEG. Only the latest one counts."""

    counted: ClassVar[bool] = False
    jpeg: bytes


class Ready(JobEvent, frozen=True, kw_only=True, tag="ready"):
    """A take is on disk and in the film. `chosen`: it is the one in the cut now; `waiting`: a person has to choose
    it. `rate` is "24/1", `size` width and height, `timecode` that of its first frame."""

    take: Name
    path: Path
    frames: int
    rate: Name
    size: tuple[int, int]
    timecode: Name
    chosen: bool
    waiting: bool
    uses: list[str]
    stages: dict[str, str]
    seconds: float


class Failed(JobEvent, frozen=True, kw_only=True, tag="failed"):
    """A shot could not be made."""

    error: Error


class Dropped(JobEvent, frozen=True, kw_only=True, tag="dropped"):
    """A job ended without a take: `how` is skipped, cancelled, or fresh when nothing was left to do."""

    how: Literal["skipped", "cancelled", "fresh"]
    because: Text = ""


class Warned(FilmEvent, frozen=True, kw_only=True, tag="warned"):
    """Something that people should know, and that stops nothing."""

    text: Text


class Unreadable(FilmEvent, frozen=True, kw_only=True, tag="unreadable"):
    """The film cannot be read, or not saved, at the moment; `shots` follows when it can again."""

    error: Error


class Watched(FilmEvent, frozen=True, kw_only=True, tag="watched"):
    """The film's watch was switched."""

    on: bool


class QueueState(Body, frozen=True, kw_only=True, tag="queue_state"):
    """The whole queue was paused or goes on, on the topic `daemon`."""

    counted: ClassVar[bool] = True
    paused: bool


class Leaving(Body, frozen=True, kw_only=True, tag="leaving"):
    """The daemon ends, on the topic `daemon`."""

    counted: ClassVar[bool] = True
    why: Text


class Linked(Body, frozen=True, kw_only=True, tag="linked"):
    """Made up by a client: it talks to this daemon now. `again`: to another one than before."""

    daemon: Id
    again: bool = False


class Unlinked(Body, frozen=True, kw_only=True, tag="unlinked"):
    """Made up by a client: the daemon is gone or silent."""

    why: Text


FilmEvents = Shots | Queued | Progress | Preview | Ready | Failed | Dropped | Warned | Unreadable | Watched
Events = FilmEvents | QueueState | Leaving
