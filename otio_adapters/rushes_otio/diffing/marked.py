"""The new cut with its changes as markers, for viewers that read OpenTimelineIO."""

from __future__ import annotations

from collections import defaultdict

from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.build import time_range
from rushes_otio.conforming.returned import Cut
from rushes_otio.diffing.compare import Change, Difference, Kind
from rushes_otio.paths import Change as PathChange
from rushes_otio.paths import rebased

COLOURS: dict[Kind, str] = {
    "new": "GREEN", "reinstated": "GREEN", "omitted": "RED", "disabled": "RED", "enabled": "GREEN",
    "moved": "BLUE", "trimmed": "YELLOW", "extended": "ORANGE", "slipped": "CYAN", "retimed": "MAGENTA",
    "transition": "YELLOW", "switched": "PURPLE", "changed": "PURPLE",
}  # fmt: skip
"""The colour of each kind of change."""


def marked_up(difference: Difference, path: PathChange) -> bytes:
    """The text of the new cut: a marker on each changed clip, and one on the timeline where a clip was taken out.
    `path` changes the paths of media, for the file lies elsewhere."""
    cut = difference.matching.new
    by_place: dict[str, list[Change]] = defaultdict(list)
    for change in difference.changes:
        if change.kind != "omitted" and change.place:
            by_place[change.place].append(change)
    timeline = rawjson.open_object(cut.data, cut.where)
    stack = rawjson.open_object(timeline["tracks"], cut.where)
    raws = rawjson.read(stack["children"], list[Raw], cut.where) if "children" in stack else []
    tracks = []
    for raw, track in zip(raws, cut.tracks, strict=True):
        items = []
        for item in track.items:
            changes = (
                by_place.get(f"{track.label}@{round(item.start)}", []) if item.kind in ("Clip", "Stack") else []
            )
            start = round(item.source.start_time.frames_at(float(cut.rate))) if item.source else 0
            here = rebased(item.raw, path, cut.where)
            items.append(_with_markers(here, [_marker(c, start, round(item.length), cut) for c in changes], cut))
        tracks.append(rawjson.patch(raw, {"children": rawjson.encode(items)}, cut.where))
    gone = [_marker(c, c.record, 1, cut) for c in difference.changes if c.kind == "omitted"]
    marked = _with_markers(rawjson.encode(stack), gone, cut)
    timeline["tracks"] = rawjson.patch(marked, {"children": rawjson.encode(tracks)}, cut.where)
    return rawjson.unshield(rawjson.pretty(rawjson.encode(timeline)))


def _with_markers(raw: Raw, markers: list[dict[str, object]], cut: Cut) -> Raw:
    if not markers:
        return raw
    opened = rawjson.open_object(raw, cut.where)
    there = opened.get("markers")
    kept = [] if there is None or bytes(there) == b"null" else rawjson.read(there, list[Raw], cut.where)
    opened["markers"] = rawjson.encode([*kept, *markers])
    return rawjson.encode(opened)


def _marker(change: Change, start: int, frames: int, cut: Cut) -> dict[str, object]:
    words = f"{change.name}: {change.kind} {change.detail}" if change.kind == "omitted" else change.detail
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {"rushes_diff": {"kind": change.kind, "detail": change.detail}},
        "name": change.kind.upper(),
        "color": COLOURS[change.kind],
        "marked_range": time_range(start, max(1, frames), cut.rate),
        "comment": words,
    }
