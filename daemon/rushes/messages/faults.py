"""Errors as messages, and back."""

from __future__ import annotations

from rushes.messages.answers import Error, ErrorKind
from rushes_otio.errors import BadRequest, Busy, FileFault, MediaFault, RushesError, ShotFault, Unreachable

_KINDS: tuple[tuple[type[RushesError], ErrorKind], ...] = (
    (BadRequest, "request"),
    (FileFault, "file"),
    (ShotFault, "shot"),
    (Busy, "busy"),
    (MediaFault, "media"),
    (Unreachable, "leaving"),
)


def error_of(error: RushesError) -> Error:
    """An error as a message."""
    kind: ErrorKind = next((kind for class_, kind in _KINDS if isinstance(error, class_)), "internal")
    return Error(kind=kind, text=error.text, where=error.where, remedy=error.remedy)


def raised(error: Error) -> RushesError:
    """The error of a message, to be raised where it was received."""
    class_ = next((class_ for class_, kind in _KINDS if kind == error.kind), RushesError)
    return class_(error.text, where=error.where, remedy=error.remedy)
