"""A cut in any format that we read, as the text of an OpenTimelineIO timeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.errors import BadRequest, FileFault
from rushes_otio.formats.newer import rewritten
from rushes_otio.text import printable
from rushes_otio.timing import Rate
from rushes_otio.tracks import located

SUFFIXES = (".otio", ".edl", ".xml", ".aaf")

MAX_FOREIGN = 64 * 1024 * 1024
"""Bytes of an EDL, XML or AAF. What an adapter makes of one takes a hundred times as much."""


class ReadCut(NamedTuple):
    """The text of a timeline, and what the reader should be told of it."""

    text: bytes
    notes: list[str]


def read_cut(path: Path, data: bytes, rate: Rate) -> ReadCut:
    """The timeline in `data`. `rate` is what an EDL's timecodes are counted at, for it does not say.

    FileFault when there is none, or several; BadRequest for a format that is not read.
    """
    suffix = path.suffix.lower()
    with located(str(path)):
        if suffix == ".otio":
            return _otio(data, str(path))
        if suffix not in SUFFIXES:
            raise BadRequest(
                f"{printable(path.name, 80)} is of no kind that Rushes reads",
                where=str(path),
                remedy="export the cut as one of " + ", ".join(SUFFIXES),
            )
        if len(data) > MAX_FOREIGN:
            raise FileFault(
                f"the cut has {len(data):,} bytes; the limit for {suffix} is {MAX_FOREIGN:,}",
                remedy="export the cut as OpenTimelineIO (.otio)",
            )
        return _adapters()[suffix](path, data, rate)


def _adapters() -> dict[str, Callable[[Path, bytes, Rate], ReadCut]]:
    from rushes_otio.formats import aaf, edl, fcp7  # they import OpenTimelineIO, which takes a tenth of a second

    return {".edl": edl.read, ".xml": fcp7.read, ".aaf": aaf.read}


def _otio(data: bytes, where: str) -> ReadCut:
    rawjson.check(data, where)
    text, notes = rewritten(data, where)
    return ReadCut(_as_timeline(text, where), notes)


class _Root(msgspec.Struct):
    OTIO_SCHEMA: str = ""
    name: str | None = None
    children: list[Raw] | None = None


def _as_timeline(data: bytes, where: str) -> bytes:
    """A file may hold something smaller than a timeline, or several."""
    shielded = data
    try:
        root = msgspec.json.decode(data, type=_Root)
    except (msgspec.DecodeError, RecursionError):
        shielded = rawjson.shield(data)
        try:
            root = msgspec.json.decode(shielded, type=_Root)
        except (msgspec.DecodeError, RecursionError):
            return data  # whoever reads the timeline says what is wrong with it
    kind = root.OTIO_SCHEMA.partition(".")[0]
    if kind == "SerializableCollection":
        return rawjson.unshield(bytes(_only_timeline(root.children or [], where)))
    wrap = {"Clip": _track_of, "Track": _stack_of, "Stack": _timeline_of}
    if kind not in wrap:
        return data
    value = Raw(shielded)
    for each in ("Clip", "Track", "Stack")[("Clip", "Track", "Stack").index(kind) :]:
        value = wrap[each](value)
    return rawjson.unshield(bytes(value))


def _only_timeline(children: list[Raw], where: str) -> Raw:
    timelines = [(raw, _root(raw)) for raw in children]
    timelines = [(raw, root) for raw, root in timelines if root.OTIO_SCHEMA.startswith("Timeline.")]
    if len(timelines) != 1:
        names = ", ".join(printable(root.name or "?", 40) for _, root in timelines[:8])
        raise FileFault(
            f"the file holds {len(timelines)} timelines{': ' + names if names else ''}",
            where=where,
            remedy="export the one that is meant by itself",
        )
    return timelines[0][0]


def _root(raw: Raw) -> _Root:
    try:
        return msgspec.json.decode(raw, type=_Root)
    except msgspec.DecodeError:
        return _Root()


_NOTHING: dict[str, object] = {"metadata": {}, "name": "", "source_range": None, "effects": [], "markers": []}


def _track_of(clip: Raw) -> Raw:
    track = {"OTIO_SCHEMA": "Track.1", **_NOTHING, "enabled": True, "children": [clip], "kind": "Video"}
    return rawjson.encode(track)


def _stack_of(track: Raw) -> Raw:
    return rawjson.encode({"OTIO_SCHEMA": "Stack.1", **_NOTHING, "name": "tracks", "children": [track]})


def _timeline_of(stack: Raw) -> Raw:
    timeline: dict[str, object] = {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {},
        "name": "",
        "global_start_time": None,
    }
    return rawjson.encode(timeline | {"tracks": stack})
