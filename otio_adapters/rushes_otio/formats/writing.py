"""A film's exported timeline in the format of another program."""

from __future__ import annotations

from typing import NamedTuple

from rushes_otio.errors import FileFault, RushesError
from rushes_otio.text import printable
from rushes_otio.timing import Rate

FORMATS = (".edl", ".xml")


class Written(NamedTuple):
    """The file's text, and (use or name, what) it does not hold."""

    text: bytes
    lost: list[tuple[str, str]]


def write_cut(timeline: bytes, suffix: str, rate: Rate, program: str) -> Written:
    """The text of an OpenTimelineIO timeline as `suffix`, shaped for a program ("" for none).

    FileFault for what can be neither written nor left out.
    """
    from rushes_otio.formats import edl_writing, fcp7_writing
    from rushes_otio.formats.prepared import Prepared

    prepared = Prepared.of(timeline.decode(), rate)
    writer = {".edl": edl_writing.write, ".xml": fcp7_writing.write}[suffix]
    try:
        text = writer(prepared, program)
    except RushesError:
        raise
    except Exception as error:  # adapters raise whatever their parts raise
        raise FileFault(
            f"the cut cannot be written as {suffix}: {printable(f'{type(error).__name__}: {error}', 300)}",
            remedy="export it as OpenTimelineIO (.otio)",
        ) from error
    return Written(text.encode("utf-8", "replace"), prepared.lost)
