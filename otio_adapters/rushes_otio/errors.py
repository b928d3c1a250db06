"""Every error a person can meet, and how it leaves the program.

    RushesError            exit 2 unless a subclass says otherwise; text, where, remedy
    ├─ FileFault           the file itself cannot be used: not JSON, over a limit, newer than this version
    ├─ BadRequest          what was asked for cannot be done: unknown shot, bad value, wrong field
    ├─ ShotFault           one shot is invalid; everything else goes on
    ├─ Busy                somebody else holds the film (its PID is named)
    │  └─ Overtaken        somebody else changed the film in the same moment
    ├─ MediaFault          ffmpeg or a media file failed
    └─ Unreachable         exit 3: the daemon cannot be reached

Errors are raised where the fact is known and printed once, at the edge (the CLI), through `printable`.
"""

from __future__ import annotations


class RushesError(Exception):
    """What went wrong, where, and what to do about it. Three plain sentences, no jargon."""

    exit_code = 2

    def __init__(self, text: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.where = where
        self.remedy = remedy

    def as_dict(self) -> dict[str, str]:
        return {"text": self.text, "where": self.where, "remedy": self.remedy}


class FileFault(RushesError):
    """A film or cut that cannot be read or written as a whole. Nothing was changed."""


class BadRequest(RushesError):
    """A command that cannot be carried out as it was given. Nothing was changed."""


class ShotFault(RushesError):
    """Something inside one shot's intent is wrong. The shot is invalid; the others are not."""


class Busy(RushesError):
    """Another process holds what is needed; `where` or `text` names its PID."""


class Overtaken(Busy):
    """Another program wrote the film while we were about to. Nothing was changed; done again, it goes on from what
    that program wrote."""


class MediaFault(RushesError):
    """ffmpeg failed, or a media file is not what it should be."""


class Unreachable(RushesError):
    """The daemon did not answer."""

    exit_code = 3
