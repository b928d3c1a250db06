"""A timeline without what stands on its tracks: the few kilobytes around the megabytes.

Opening a film of 10,000 shots as a dict of raw values scans and copies all of it, once for each level. So the
items, which the reader has found already, are cut out of the text first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Raw

from rushes_otio import rawjson

_END = re.compile(rb"\s*\]")
_MARK = "\ue000rushes items {}\ue000"


@dataclass(frozen=True, slots=True)
class Shell:
    """Everything of a timeline but the items: its own values, those of its stack, those of each track."""

    timeline: rawjson.RawObject
    stack: rawjson.RawObject
    tracks: list[rawjson.RawObject]

    @classmethod
    def of(cls, data: bytes, items: Sequence[Sequence[Raw]], where: str) -> Shell:
        """The shell of a timeline's text, whose tracks hold these items, exactly as they were read from it."""
        hollow = _hollow(data, items)
        timeline = rawjson.open_object(data if hollow is None else hollow, where)
        stack = rawjson.open_object(timeline["tracks"], where)
        raw = stack.get("children", Raw(b"null"))
        tracks = rawjson.read(raw, list[Raw], where) if bytes(raw) != b"null" else []
        return cls(timeline, stack, [rawjson.open_object(track, where) for track in tracks])

    def text(self, items: Sequence[Sequence[Raw]]) -> bytes:
        """The whole timeline, with these items on its tracks, as it goes to disk."""
        marks = [rawjson.encode([_MARK.format(number)]) for number in range(len(self.tracks))]
        tracks = [track | {"children": mark} for track, mark in zip(self.tracks, marks, strict=True)]
        stack = self.stack | {"children": rawjson.encode(tracks)}
        shell = bytes(rawjson.encode(self.timeline | {"tracks": rawjson.encode(stack)}))
        parts: list[bytes | Raw] = []
        for number, raws in enumerate(items):
            before, _, shell = shell.partition(msgspec.json.encode(_MARK.format(number)))
            parts.append(before)
            parts += [piece for raw in raws for piece in (raw, b",")][:-1]  # megabytes, so joined once
        return rawjson.unshield(rawjson.pretty(b"".join([*parts, shell])))


def _hollow(data: bytes, items: Sequence[Sequence[Raw]]) -> bytes | None:
    """`data` without the items. None where they cannot be told from the rest: a copy of one may stand in
    somebody's metadata, and then what is left is no JSON, or still holds items."""
    parts: list[bytes] = []
    at = 0
    for raws in items:
        if not raws:
            continue
        first, last = bytes(raws[0]), bytes(raws[-1])
        begin = data.find(first, at)
        end = _end_of(data, last, begin + sum(len(bytes(raw)) for raw in raws[:-1]))
        if begin < 0 or end < 0:
            return None
        parts.append(data[at:begin])
        at = end
    hollow = b"".join([*parts, data[at:]])
    try:
        left = msgspec.json.decode(hollow, type=_Hollow).tracks.children
    except msgspec.DecodeError:
        return None
    return hollow if len(left) == len(items) and not any(track.children for track in left) else None


def _end_of(data: bytes, last: bytes, at: int) -> int:
    """Where the last item of a list ends, searched for from `at`. An equal one before it has a comma after it."""
    while (at := data.find(last, at)) >= 0:
        if _END.match(data, at + len(last)):
            return at + len(last)
        at += 1
    return -1


class _HollowTrack(msgspec.Struct):
    children: list[Raw] | None = None


class _HollowStack(msgspec.Struct):
    children: list[_HollowTrack] = []


class _Hollow(msgspec.Struct):
    tracks: _HollowStack
