"""What clients ask of the daemon. Each command gets `busy`, one answer or `error`, and `idle`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from rushes.messages.base import Body, Name, Names, Number, Numbers, Path, Text
from rushes_otio.hosts.rows import Making, Sequence

PROTOCOL = 1
"""The version of the messages that are written here."""


class Command(Body, frozen=True, kw_only=True):
    """Asked of the daemon. `repeatable`: doing it twice is the same as doing it once, so a client that lost
    the daemon before the answer came may ask again by itself."""

    repeatable: ClassVar[bool] = True


class FilmCommand(Command, frozen=True, kw_only=True):
    """About one film, by its absolute path."""

    film: Path


# -- being there ----------------------------------------------------------------------------------------------


class Hello(Command, frozen=True, kw_only=True, tag="hello"):
    """The first message of a client. Answered by `welcome`."""

    client: Name
    pid: Number = 0
    version: Name = ""
    protocol: int = PROTOCOL


class Ping(Command, frozen=True, kw_only=True, tag="ping"):
    """I am here and follow these films: sent every few seconds. Answered by `pong`."""

    films: Names = []


class Snapshot(FilmCommand, frozen=True, kw_only=True, tag="snapshot"):
    """The state of a film to go on from. Answered by `state`; with `since`, the events missed after that number
    are in it where the daemon still has them."""

    since: Number | None = None


class Leave(FilmCommand, frozen=True, kw_only=True, tag="leave"):
    """This session follows the film no more."""


class Daemon(Command, frozen=True, kw_only=True, tag="daemon"):
    """How the daemon is: the object that `rushes daemon status --json` prints."""


class Stop(Command, frozen=True, kw_only=True, tag="stop"):
    """Save, end the workers, leave. The queue stays."""


# -- a film, read and changed ---------------------------------------------------------------------------------


class Status(FilmCommand, frozen=True, kw_only=True, tag="status"):
    """The object that `rushes status --json` prints."""


class Show(FilmCommand, frozen=True, kw_only=True, tag="show"):
    """The object that `rushes show --json` prints."""

    shot: Name


class New(FilmCommand, frozen=True, kw_only=True, tag="new"):
    """A film made: empty, of a script, of a cut."""

    repeatable: ClassVar[bool] = False
    source: Text = ""
    rate: Name = "24/1"


class Add(FilmCommand, frozen=True, kw_only=True, tag="add"):
    """A shot more. `folder` is what paths in the assignments are relative to."""

    repeatable: ClassVar[bool] = False
    scene: Name = ""
    after: Name = ""
    frames: Number = 48
    assignments: list[Text] = []
    folder: Text = ""


class Set(FilmCommand, frozen=True, kw_only=True, tag="set"):
    """Intent changed on one level: `shots`, or one of the others. `source` copies a library entry from there;
    `table`, a CSV file, says itself what is set on which shots, so it stands alone."""

    assignments: list[Text] = []
    shots: Names = []
    scene: Name = ""
    character: Name = ""
    style: Name = ""
    location: Name = ""
    whole_film: bool = False
    source: Text = ""
    table: Text = ""
    folder: Text = ""


class Takes(FilmCommand, frozen=True, kw_only=True, tag="takes"):
    """A shot's takes listed, after what is decided here; empty and null decide nothing."""

    shot: Name
    choose: Name = ""
    restore: bool = False
    circle: Name = ""
    uncircle: Name = ""
    approve: Name = ""
    note: Text | None = None
    lock: bool | None = None


class Undo(FilmCommand, frozen=True, kw_only=True, tag="undo"):
    """The last change of intent taken back, or passed over."""

    repeatable: ClassVar[bool] = False
    skip: bool = False


class Redo(FilmCommand, frozen=True, kw_only=True, tag="redo"):
    """What was undone last, made again, or passed over."""

    repeatable: ClassVar[bool] = False
    skip: bool = False


class Clean(FilmCommand, frozen=True, kw_only=True, tag="clean"):
    """Takes that nothing needs: listed, or freed."""

    yes: bool = False


class Conform(FilmCommand, frozen=True, kw_only=True, tag="conform"):
    """The film conformed to a cut that came back; with `out`, as a film of its own. `accept` takes what is only
    proposed."""

    repeatable: ClassVar[bool] = False
    cut: Text
    out: Text = ""
    accept: bool = False


class Hold(FilmCommand, frozen=True, kw_only=True, tag="hold"):
    """A host's project uses these takes (shot, take); replaces what it said before."""

    host: Name
    takes: list[tuple[Name, Name]] = []


# -- a host's open timeline -----------------------------------------------------------------------------------


class Pull(FilmCommand, frozen=True, kw_only=True, tag="pull"):
    """The cut of a host's open timeline taken into the film. Rows named in `make` become shots. With `bring` what
    the host lacks comes back, to be made there."""

    sequence: Sequence
    make: list[Making] = []
    bring: bool = False


class Media(FilmCommand, frozen=True, kw_only=True, tag="media"):
    """What shots show now: those named by id, all where none is."""

    shots: Names = []


class Library(FilmCommand, frozen=True, kw_only=True, tag="library"):
    """The names that a person can use in this film: characters, styles, locations, scenes, models, cameras."""


class Fork(FilmCommand, frozen=True, kw_only=True, tag="fork"):
    """A use (its id, or V1@120) made a shot of its own."""

    repeatable: ClassVar[bool] = False
    use: Name


# -- rendering ------------------------------------------------------------------------------------------------


class Render(FilmCommand, frozen=True, kw_only=True, tag="render"):
    """Queue what is missing or stale. The answer lists the jobs; their ends come as events, and by `jobs`."""

    repeatable: ClassVar[bool] = False
    shots: Names = []
    another: Annotated[int, Meta(ge=0, le=99)] = 0
    until: Literal["", "keyframe"] = ""
    model: Name = ""


class Jobs(Command, frozen=True, kw_only=True, tag="jobs"):
    """What became of jobs."""

    jobs: Numbers


class Queue(Command, frozen=True, kw_only=True, tag="queue"):
    """What waits and runs, of one film or of all."""

    film: Text = ""


class Pause(Command, frozen=True, kw_only=True, tag="pause"):
    """No stage begins until `resume`; what runs is finished."""


class Resume(Command, frozen=True, kw_only=True, tag="resume"):
    """Go on after `pause`."""


class Cancel(Command, frozen=True, kw_only=True, tag="cancel"):
    """Drop jobs: the named ones, those of the film, or all."""

    film: Text = ""
    jobs: Numbers = []


class Retry(FilmCommand, frozen=True, kw_only=True, tag="retry"):
    """Queue failed, parked and cancelled jobs again: the named ones, or each shot's last that failed."""

    jobs: Numbers = []


class Reorder(FilmCommand, frozen=True, kw_only=True, tag="reorder"):
    """These jobs first, in this order."""

    jobs: Numbers


class Focus(FilmCommand, frozen=True, kw_only=True, tag="focus"):
    """What a person looks at (shot ids): the playhead's shots are made first, then the selected ones."""

    playhead: Names = []
    selection: Names = []


class Watch(FilmCommand, frozen=True, kw_only=True, tag="watch"):
    """Render what becomes stale, as it does, for as long as the session that asked is there."""

    on: bool = True


FilmCommands = (
    Snapshot | Leave | Status | Show | New | Add | Set | Takes | Undo | Redo | Clean | Conform | Hold | Render
    | Retry | Reorder | Focus | Watch | Pull | Media | Library | Fork
)  # fmt: skip
Commands = FilmCommands | Hello | Ping | Daemon | Stop | Jobs | Queue | Pause | Resume | Cancel
