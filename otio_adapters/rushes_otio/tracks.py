"""The timeline of a film or of anybody's cut: its tracks and what stands on them, over raw JSON."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, Raw, UnsetType

from rushes_otio import rawjson
from rushes_otio.errors import FileFault
from rushes_otio.items import Item, Time, check_schema

MOST_ITEMS = 100_000
"""Clips, gaps and transitions of a cut: ten times a long feature, and seconds of work."""


class _Meta(msgspec.Struct):
    rushes: Raw | UnsetType = UNSET


class _Track(msgspec.Struct):
    OTIO_SCHEMA: str
    kind: str = "Video"
    name: str | None = None
    enabled: bool = True
    children: list[Raw] | None = None


class _Stack(msgspec.Struct):
    OTIO_SCHEMA: str
    children: list[_Track] | None = None


class TimelineText(msgspec.Struct):
    OTIO_SCHEMA: str
    tracks: _Stack
    name: str | None = None
    metadata: _Meta | None = None
    global_start_time: Time | None = None


_decoder = msgspec.json.Decoder(TimelineText)


@dataclass(slots=True, eq=False)
class Track:
    """One track. `label` is how people point at it: V1 is the lowest video track, A1 the first audio track."""

    label: str
    kind: str
    name: str
    enabled: bool
    items: list[Item]
    changed: bool = False

    def place(self) -> None:
        """Give every item its record frame."""
        at = 0.0
        for item in self.items:
            item.start = at
            at += item.length

    @property
    def end(self) -> float:
        return self.items[-1].start + self.items[-1].length if self.items else 0.0


@contextmanager
def without_gc() -> Iterator[None]:
    """No walks over all objects meanwhile: 10,000 clips make very many of them and no garbage."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def located(where: str) -> Iterator[None]:
    """Faults raised inside name this file."""
    try:
        yield
    except FileFault as fault:
        fault.where = fault.where or where
        raise


def decode_timeline(data: bytes, where: str) -> tuple[bytes, TimelineText]:
    """Check and read the outer structure. The returned bytes are `data`, shielded if it held NaN."""
    rawjson.check(data, where)
    try:
        return data, _decoder.decode(data)
    except msgspec.ValidationError as e:
        raise _not_a_timeline(e, where) from None
    except (msgspec.DecodeError, RecursionError) as strict:
        shielded = rawjson.shield(data)
        if shielded == data:
            raise FileFault(f"not JSON: {strict}", where=where, remedy=_restore(where)) from None
    try:
        return shielded, _decoder.decode(shielded)
    except msgspec.ValidationError as e:
        raise _not_a_timeline(e, where) from None
    except (msgspec.DecodeError, RecursionError) as e:
        raise FileFault(f"not JSON: {e}", where=where, remedy=_restore(where)) from None


def _not_a_timeline(e: Exception, where: str) -> FileFault:
    return FileFault(
        f"not an OpenTimelineIO timeline: {e}", where=where, remedy="export the cut as one timeline, as .otio"
    )


def _restore(where: str) -> str:
    return f"take the last good version: {where.removesuffix('.otio')}.rushes/previous.otio, or your backup"


def read_tracks(timeline: TimelineText, where: str, read: Callable[[Raw, str], Item]) -> list[Track]:
    total = sum(len(track.children or ()) for track in timeline.tracks.children or ())
    if total > MOST_ITEMS:
        raise FileFault(
            f"the cut has {total:,} clips, gaps and transitions; the limit is {MOST_ITEMS:,}",
            where=where,
            remedy="export a part of it",
        )
    tracks: list[Track] = []
    counts: dict[str, int] = {}
    for raw in timeline.tracks.children or ():
        with located(where):
            check_schema(raw.OTIO_SCHEMA)
        first = raw.kind[:1].upper()
        letter = first if "A" <= first <= "Z" else "V"
        counts[letter] = counts.get(letter, 0) + 1
        label = f"{letter}{counts[letter]}"
        items = [
            read(child, f"{where}: {label} item {number}") for number, child in enumerate(raw.children or (), 1)
        ]
        track = Track(label, raw.kind, raw.name or "", raw.enabled, items)
        track.place()
        tracks.append(track)
    return tracks
