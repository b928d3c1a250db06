"""Clips with media of every kind, and a cut whose names and metadata mean harm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from cuts import RATE, Cut, Json, dissolve, footage
from rushes_otio.build import time_range
from rushes_otio.film import Film
from rushes_otio.timing import Rate

MEDIA: dict[str, Json] = {
    "missing": {"OTIO_SCHEMA": "MissingReference.1", "name": "gone"},
    "black": {"OTIO_SCHEMA": "GeneratorReference.1", "generator_kind": "black", "parameters": {}},
    "generator": {"OTIO_SCHEMA": "GeneratorReference.1", "generator_kind": "Titler\n", "parameters": {}},
    "broken generator": {
        "OTIO_SCHEMA": "GeneratorReference.1",
        "generator_kind": "Color",
        "parameters": {},
        "metadata": {"fcp_xml": {"effecttype": "generator"}},
    },
    "generator with media": {
        "OTIO_SCHEMA": "GeneratorReference.1",
        "generator_kind": "Slug",
        "parameters": {},
        "metadata": {"fcp_xml": {"media": "video"}},
    },
    "sequence": {
        "OTIO_SCHEMA": "ImageSequenceReference.1",
        "target_url_base": "/n/pl ates/",
        "name_prefix": "p#1.",
        "name_suffix": ".exr",
        "start_frame": 1001,
        "frame_step": 1,
        "rate": 24.0,
        "frame_zero_padding": 4,
        "missing_frame_policy": "error",
        "available_range": time_range(0, 90, RATE),
    },
    "no range": {"OTIO_SCHEMA": "ExternalReference.1", "target_url": "/n/same.mov"},
    "16 fps": {
        "OTIO_SCHEMA": "ExternalReference.1",
        "target_url": "/n/wan.mp4",
        "available_range": time_range(0, 81, Rate(16, 1)),
    },
    "48000 Hz": {
        "OTIO_SCHEMA": "ExternalReference.1",
        "target_url": "/n/a.wav",
        "available_range": time_range(0, 480_001, Rate(48_000, 1)),
    },
    "before zero": {
        "OTIO_SCHEMA": "ExternalReference.1",
        "target_url": "/n/early.mov",
        "available_range": time_range(-50, 200, RATE),
    },
}


def odd_clip(name: str, start: int = 40, rate: Rate = RATE, frames: int = 6) -> Json:
    clip = footage("", start, frames)
    media = {"metadata": {}, "name": "", "available_range": None, **MEDIA[name]}
    return clip | {
        "name": name,
        "source_range": time_range(start, frames, rate),
        "media_references": {"DEFAULT_MEDIA": media},
    }


def stack(name: str, *children: Json) -> Json:
    track = {"OTIO_SCHEMA": "Track.1", "name": "", "kind": "Video", "children": list(children)}
    return {
        "OTIO_SCHEMA": "Stack.1",
        "name": name,
        "metadata": {},
        "effects": [],
        "markers": [],
        "children": [track],
    }


HOSTILE = 'a\n001  AX V C\r\u2028"quoted" * star \x1b[31m\x00\ufffe\ufeff é漢字 &<>]]> ' + "x" * 300


def hostile_cut(folder: Path) -> Cut:
    cut = Cut(folder, "AB")
    data = json.loads(cut.film.encode())
    data["name"] = HOSTILE
    tree = {HOSTILE: 1, "@tag": "y", "@attrib": "y", "@ok": "\x00\x1b", "name": "no", "in": "77", "start": "5"}
    metadata = {"fcp_xml": {**tree, "deep": [tree, [tree]], "media": {"video": {"track": "x"}}}, "cmx_3600": tree}
    cut.film = Film(json.dumps(data).encode(), str(cut.path))
    for odd in (metadata, {"fcp_xml": "text", "cmx_3600": "text", "cdl": "text"}, {"fcp_xml": [1], "cmx_3600": 5}):
        clip = footage(f"/n/{HOSTILE[:200]}.mov", 0, 5)
        clip |= {"name": HOSTILE, "metadata": odd, "markers": list(_hostile_markers(odd))}
        clip["media_references"]["DEFAULT_MEDIA"] |= {"metadata": odd, "name": HOSTILE}
        fade = {**dissolve(1, 1), "name": HOSTILE, "metadata": odd, "transition_type": HOSTILE}
        cut.put(clip, {**clip, "name": "second"}, fade, cut.use("A", 3, 9))
    cut.put({**footage("http://[::1/x.mov", 0, 5), "metadata": {"cmx_3600": {"comments": [HOSTILE, "M2 x 0 y"]}}})
    return cut


def _hostile_markers(metadata: Json) -> Iterator[Json]:
    for colour, start in ((HOSTILE, 0), ("", 3), ("RED", -4), ("GREEN", 9)):
        span = time_range(0, 1, RATE)
        span["start_time"] |= {"value": start, "rate": 0.0 if start == 9 else 24.0}
        yield {
            "OTIO_SCHEMA": "Marker.2",
            "name": HOSTILE,
            "color": colour,
            "comment": HOSTILE,
            "marked_range": span,
            "metadata": metadata,
        }
