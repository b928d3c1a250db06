"""What a timeline shows, frame by frame, by the rules that movies of the cut follow; exports read back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import opentimelineio as otio

from cuts import RATE, Cut
from rushes.engine.studio import Desk, Studio
from rushes.export.exporting import Lost, Wanted, export_film
from rushes_otio.formats.reading import read_cut
from rushes_otio.timing import Rate

PLAIN = Wanted()

Shown = dict[int, list[tuple[str, int, float]]]
"""Record frame → what is seen: a shot or file, its source frame, and how much of the picture it is."""


def sent(cut: Cut | Desk, name: str, wanted: Wanted = PLAIN) -> tuple[Path, Lost]:
    desk = cut.save() if isinstance(cut, Cut) else cut
    out = desk.places.film.with_name(name)
    return out, export_film(desk, out, lambda done, total: None, wanted)


def desk_of(cut: Cut) -> Desk:
    return Studio.of_user().desk(cut.path)


def back(path: Path, rate: Rate = RATE) -> otio.schema.Timeline:
    return timeline_of(read_cut(path, path.read_bytes(), rate).text)


def timeline_of(text: bytes) -> otio.schema.Timeline:
    return otio.core.deserialize_json_from_string(text.decode())


def clips_of(timeline: otio.schema.Timeline) -> list[otio.schema.Clip]:
    return list(timeline.find_clips())


def shown(timeline: otio.schema.Timeline) -> Shown:
    """What the upper video tracks leave to be seen, by the rules that movies of the cut follow."""
    found: Shown = {}
    start = timeline.global_start_time.value
    for track in (t for t in timeline.tracks if t.kind == "Video" and t.enabled):
        for frame, seen in _on_track(track, int(start)):
            found[frame] = seen
    return found


def _on_track(track: otio.schema.Track, at: int) -> Iterator[tuple[int, list[tuple[str, int, float]]]]:
    items = list(track)
    for index, item in enumerate(items):
        length = round(item.duration().value) if not isinstance(item, otio.schema.Transition) else 0
        before = items[index - 1] if index else None
        after = items[index + 1] if index + 1 < len(items) else None
        if isinstance(item, otio.schema.Clip) and item.enabled:
            head = round(before.out_offset.value) if isinstance(before, otio.schema.Transition) else 0
            tail = round(after.in_offset.value) if isinstance(after, otio.schema.Transition) else 0
            yield from ((at + n, [(who(item), source_of(item, n), 1.0)]) for n in range(head, length - tail))
        if isinstance(item, otio.schema.Transition):
            yield from _mixed(before, item, after, at)
        at += length


def _mixed(
    left: object, fade: otio.schema.Transition, right: object, at: int
) -> Iterator[tuple[int, list[tuple[str, int, float]]]]:
    before, after = round(fade.in_offset.value), round(fade.out_offset.value)
    for n in range(-before, after):
        part = (n + before + 0.5) / (before + after)
        seen = []
        if isinstance(left, otio.schema.Clip):
            seen.append((who(left), source_of(left, round(left.duration().value) + n), round(1 - part, 6)))
        if isinstance(right, otio.schema.Clip):
            seen.append((who(right), source_of(right, n), round(part, 6)))
        yield at + n, seen


def who(clip: otio.schema.Clip) -> str:
    """The name of its file."""
    return str(getattr(clip.media_reference, "target_url", "") or clip.name).rpartition("/")[2]


def source_of(clip: otio.schema.Clip, at: int) -> int:
    scalar = 1.0
    for effect in clip.effects:
        scalar *= getattr(effect, "time_scalar", 1.0)
    at = round(clip.duration().value) - 1 - at if scalar < 0 else at
    return math.floor(clip.source_range.start_time.value + at * abs(scalar) + 1e-6)


def same_picture(cut: Cut, name: str, wanted: Wanted = PLAIN) -> Lost:
    """Assert that a file of the cut shows what the cut shows, and return what it does not hold."""
    own, _ = sent(cut, "same.otio")
    out, lost = sent(cut, name, wanted)
    assert shown(back(out)) == shown(back(own))
    return lost
