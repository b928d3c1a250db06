"""What the daemon answers."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Raw

from rushes.messages.base import Body, Id, Name, Path, Text


class JobRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job of the queue. `state` is queued, running, done, failed, parked or cancelled. Once it is done, `take`
    and `path` name what it made, and are empty where nothing was left to do; `error` says why it was not made."""

    job: int
    film: Text
    shot: Name
    name: Name = ""
    kind: Name = "render"
    state: Name = "queued"
    priority: int = 0
    error: Text = ""
    remedy: Text = ""
    take: Name = ""
    path: Text = ""
    seconds: float = 0.0
    stages: dict[str, str] = {}


class Welcome(Body, frozen=True, kw_only=True, tag="welcome"):
    """Who the daemon is. `daemon` is another one after each start."""

    daemon: Id
    pid: int
    version: Name
    protocol: int
    oldest: int


class Pong(Body, frozen=True, kw_only=True, tag="pong"):
    """The number of the last event of each topic: a client that has seen fewer has lost some."""

    daemon: Id
    last: dict[str, int]


class State(Body, frozen=True, kw_only=True, tag="state"):
    """A film as of event `seq`: `status` as `rushes status --json`, the jobs, and how far each shot is. `missed`
    are the events after the number asked for, or null where the daemon does not have them all any more."""

    film: Path
    seq: int
    status: Raw
    jobs: list[JobRow] = []
    progress: list[Raw] = []
    paused: bool = False
    watched: bool = False
    missed: list[Raw] | None = None


class Busy(Body, frozen=True, kw_only=True, tag="busy"):
    """The command has been taken up."""


class Idle(Body, frozen=True, kw_only=True, tag="idle"):
    """The command has been answered; nothing more comes of it but events."""


class Answer(Body, frozen=True, kw_only=True, tag="answer"):
    """The result: the object that the command of the same name prints with --json."""

    result: Raw


ErrorKind = Literal["request", "file", "shot", "busy", "media", "protocol", "limit", "internal", "leaving"]


class Error(Body, frozen=True, kw_only=True, tag="error"):
    """Nothing was done. `text`, `where` and `remedy` are for people and may quote a film."""

    kind: ErrorKind
    text: Text
    where: Text = ""
    remedy: Text = ""


Answers = Welcome | Pong | State | Busy | Idle | Answer | Error
