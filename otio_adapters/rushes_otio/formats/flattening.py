"""Several video tracks made one: what is seen of them."""

from __future__ import annotations

import opentimelineio as otio

from rushes_otio.errors import FileFault
from rushes_otio.formats.prepared import Prepared
from rushes_otio.formats.values import Clip, Range, Time, whole_frames

_PLACE = "rushes_place"


def flat_video(prepared: Prepared) -> otio.schema.Track:
    """What is seen of all video tracks, as one track. What is hidden goes into `prepared.lost`."""
    video = [track for track in prepared.timeline.tracks if track.kind == "Video"]
    seen = [track for track in video if any(isinstance(child, otio.schema.Clip) for child in track)]
    if len(seen) > 1:
        return _flattened(prepared, seen)
    return (seen or video or [otio.schema.Track(kind="Video")])[0]


def _flattened(prepared: Prepared, tracks: list[otio.schema.Track]) -> otio.schema.Track:
    _without_covered_fades(prepared, tracks)
    wholes = [child for track in tracks for child in track if isinstance(child, otio.schema.Clip)]
    for number, clip in enumerate(wholes):
        clip.metadata[_PLACE] = number
    try:
        flat = otio.algorithms.flatten_stack([track.clone() for track in tracks])
    except (otio.exceptions.OTIOError, ValueError, RuntimeError) as error:
        raise FileFault(
            "the video tracks cannot be flattened into one", remedy="move the cut to one video track, or use .otio"
        ) from error
    left = [0] * len(wholes)
    for part in (child for child in flat if isinstance(child, otio.schema.Clip)):
        number = int(part.metadata.pop(_PLACE))
        left[number] += _shown_part(prepared, part, wholes[number])
    for clip, frames in zip(wholes, left, strict=True):
        if frames < whole_frames(clip.source_range.duration, prepared.rate):
            prepared.lose(clip, "an upper track hides " + ("part of it" if frames else "it"))
    flat.name, flat.kind = tracks[0].name, "Video"
    return flat


def _without_covered_fades(prepared: Prepared, tracks: list[otio.schema.Track]) -> None:
    """OpenTimelineIO cannot cut through a transition."""
    above: list[Range] = []
    for track in reversed(tracks):
        spans = [track.range_of_child_at_index(index) for index in range(len(track))]
        covering = [span for child, span in zip(track, spans, strict=True) if isinstance(child, otio.schema.Clip)]
        for index in range(len(track) - 1, -1, -1):
            if isinstance(track[index], otio.schema.Transition) and any(map(spans[index].intersects, above)):
                prepared.lose(None, f"a transition on {track.name or 'a video track'}, under another track")
                del track[index]
        above += covering


def _shown_part(prepared: Prepared, part: Clip, whole: Clip) -> int:
    """Let a part of a clip begin where the clip has got to, and return its length: OpenTimelineIO trims a clip as
    if it ran at normal speed."""
    skipped = whole_frames(part.source_range.start_time - whole.source_range.start_time, prepared.rate)
    length = whole_frames(part.source_range.duration, prepared.rate)
    first = Time(prepared.first_frame(whole, skipped, length), float(prepared.rate))
    part.source_range = Range(first, part.source_range.duration)
    return length
