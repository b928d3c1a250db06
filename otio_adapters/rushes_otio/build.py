"""The JSON of new things: an empty film, a cut made into a film, a clip, a media reference.

Everything is an OTIO core type written the way OpenTimelineIO 0.18.1 writes it, keys in its order.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.errors import BadRequest, FileFault
from rushes_otio.film import Film
from rushes_otio.ids import new_id
from rushes_otio.items import DEFAULT_MEDIA, Time, check_schema, read_item
from rushes_otio.schema import VERSION, FilmBlock, ShotBlock
from rushes_otio.timing import Rate
from rushes_otio.tracks import decode_timeline, located

_SCHEMA = re.compile(rb'"OTIO_SCHEMA"\s*:\s*"([A-Za-z0-9]+\.[A-Za-z0-9]+)"')


def rational_time(value: int, rate: Rate) -> dict[str, Any]:
    # Whole rates as OTIO writes them (24.0), others with every digit a double has.
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": value}


def time_range(start: int, frames: int, rate: Rate) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "duration": rational_time(frames, rate),
        "start_time": rational_time(start, rate),
    }


def missing_media(frames: int, rate: Rate) -> dict[str, Any]:
    """Media of a shot that was never rendered: its length is known, its picture is not."""
    return {
        "OTIO_SCHEMA": "MissingReference.1",
        "metadata": {},
        "name": "",
        "available_range": time_range(rate.shot_zero, frames, rate),
        "available_image_bounds": None,
    }


def take_media(path: str, frames: int, rate: Rate) -> dict[str, Any]:
    """Media of a take. `path` is relative to the film's folder, with forward slashes."""
    return {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {},
        "name": path.rpartition("/")[2],
        "available_range": time_range(rate.shot_zero, frames, rate),
        "available_image_bounds": None,
        "target_url": path,
    }


def shot_clip(block: ShotBlock, frames: int, rate: Rate) -> Raw:
    """A clip of a new shot, `frames` long."""
    return rawjson.encode(
        {
            "OTIO_SCHEMA": "Clip.2",
            "metadata": {"rushes": block},
            "name": block.name,
            "source_range": time_range(rate.shot_zero, frames, rate),
            "effects": [],
            "markers": [],
            "enabled": True,
            "media_references": {DEFAULT_MEDIA: missing_media(frames, rate)},
            "active_media_reference_key": DEFAULT_MEDIA,
        }
    )


def new_film(name: str, rate: Rate, where: str) -> Film:
    """An empty film of one video track that starts at 01:00:00:00."""
    track: dict[str, Any] = {
        "OTIO_SCHEMA": "Track.1",
        "metadata": {},
        "name": "V1",
        "source_range": None,
        "effects": [],
        "markers": [],
        "enabled": True,
        "children": [],
        "kind": "Video",
    }
    stack = {**track, "OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track]}
    del stack["kind"]
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {"rushes": FilmBlock(VERSION, new_id(), str(rate))},
        "name": name,
        "global_start_time": rational_time(rate.shot_zero, rate),
        "tracks": stack,
    }
    return Film(rawjson.pretty(rawjson.encode(timeline)), where)


def film_from_cut(data: bytes, where: str) -> Film:
    """A film of somebody's cut: the same timeline with our block added; every clip stays external."""
    checked, timeline = decode_timeline(data, where)
    with located(where):
        for schema in sorted({m.decode() for m in _SCHEMA.findall(checked)}):
            check_schema(schema)
    opened = rawjson.open_object(checked, where)
    metadata = rawjson.member(opened, "metadata", where)
    if "rushes" in metadata:
        raise BadRequest("the cut is a film already", where=where, remedy="copy the file, or open it as it is")
    rate = rate_of(timeline.global_start_time, timeline.tracks.children or [], where)
    metadata["rushes"] = rawjson.encode(FilmBlock(VERSION, new_id(), str(rate)))
    opened["metadata"] = rawjson.encode(metadata)
    return Film(rawjson.unshield(rawjson.pretty(rawjson.encode(opened))), where)


def rate_of(start: Time | None, tracks: list[Any], where: str) -> Rate:
    """The rate of a cut: its start timecode's, else that of the first item on a video track, else on any."""
    if start is not None:
        with located(where):
            return Rate.from_float(start.rate)
    ordered = sorted(tracks, key=lambda t: t.kind != "Video")
    for number, raw in ((n, r) for t in ordered for n, r in enumerate(t.children or (), 1)):
        item = read_item(raw, f"{where}: item {number}", 24.0)
        if item.source is not None:
            with located(where):
                return Rate.from_float(item.source.duration.rate)
    raise FileFault(
        "the cut has no clips and no start timecode, so its rate is unknown",
        where=where,
        remedy="start an empty film instead: rushes new FILM.otio",
    )


def shifted(raw: Raw, frames: int, rate: Rate, where: str) -> Raw:
    """A TimeRange moved by a number of film frames, at its own rate; everything else in it stays as it was."""
    opened = rawjson.open_object(raw, where)
    start = rawjson.member(opened, "start_time", where)
    was = rawjson.read(rawjson.encode(start), Time, where)
    moved = was.value + frames * (1.0 if was.is_at(float(rate)) else was.rate / float(rate))
    start["value"] = rawjson.encode(int(moved) if moved == int(moved) else moved)
    opened["start_time"] = rawjson.encode(start)
    return rawjson.encode(opened)
