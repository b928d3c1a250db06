"""Cuts from outside, read for conform and diff."""

from __future__ import annotations

import re
from collections.abc import Container
from functools import partial
from pathlib import Path

from rushes.limited.foreign import read_cut
from rushes.store import films
from rushes_otio.conforming.marks import mentions
from rushes_otio.conforming.returned import Cut
from rushes_otio.errors import BadRequest
from rushes_otio.formats.newer import REWRITES, rewritten
from rushes_otio.nesting import unnested
from rushes_otio.timing import Rate

_HEAD = 64 * 1024
_BLOCK = re.compile(rb'"rushes"\s*:\s*\{\s*"v"\s*:')


def open_cut(path: Path, rate: Rate) -> tuple[Cut, list[str]]:
    """The cut in a file, and what a person should know of it. `rate` is what an EDL is counted at.

    A film, or what was exported from one, is read by the film's own reader, which trusts nothing; every other file
    in a limited child process.
    """
    data = films.read_bytes(path) if path.suffix.lower() == ".otio" else b""
    if data and _BLOCK.search(data, 0, _HEAD):
        newer = any(schema.encode() in data for schema in REWRITES)  # another program may have saved it since
        data, notes = rewritten(data, str(path)) if newer else (data, [])
        return Cut.read(data, str(path)), notes
    found = read_cut(path, rate)
    return Cut.read(found.text, str(path)), list(found.notes)


def returned_cut(path: Path, rate: Rate, shots: Container[str]) -> tuple[Cut, list[str]]:
    """A cut of a film that runs at `rate`, with the nested stacks that hold any of its `shots` taken apart.
    BadRequest when it runs at another rate."""
    cut, notes = open_cut(path, rate)
    if cut.rate != rate:
        raise BadRequest(
            f"the cut runs at {cut.rate} frames per second, the film at {rate}",
            where=str(path),
            remedy=f"export it from a timeline of {rate}",
        )
    if all(clip.item.kind != "Stack" for clip in cut.clips):
        return cut, notes
    flat, more = unnested(cut.data, rate, str(path), partial(mentions, shots=shots))
    return (cut if flat is cut.data else Cut.read(flat, str(path))), [*notes, *more]
