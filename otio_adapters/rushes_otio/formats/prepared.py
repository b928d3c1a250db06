"""A timeline on its way out, in OpenTimelineIO's own objects, and what gets lost on the way."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TypeAlias

import opentimelineio as otio

from rushes_otio.errors import FileFault
from rushes_otio.formats.newer import COLOURS
from rushes_otio.formats.values import Clip, Range, Time, line, own, whole_frames
from rushes_otio.timing import Rate

_Beside: TypeAlias = otio.core.Composable | None

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""In JSON. OpenTimelineIO cuts strings there, and loses the values of keys."""


@dataclass
class Prepared:
    """`lost` collects (use or name, what the format cannot hold); the use is empty for the cut as a whole."""

    timeline: otio.schema.Timeline
    rate: Rate
    lost: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, rate: Rate) -> Prepared:
        """From the JSON of a timeline: every clip with whole frames at `rate`, its ranges stated and its text fit
        for one line."""
        timeline = otio.core.deserialize_json_from_string(_NUL.sub(r"\1", text))
        if not isinstance(timeline, otio.schema.Timeline):
            raise FileFault("not a timeline", remedy="export a film")
        prepared = cls(timeline, rate)
        timeline.name = line(timeline.name, 200)
        prepared._only_known()
        for child in (child for track in timeline.tracks for child in track):
            prepared._complete(child)
        for composition in [timeline.tracks, *timeline.tracks]:
            composition.markers[:] = _sound_markers(composition)
            composition.name = line(composition.name, 200)
        return prepared

    def clips(self) -> list[Clip]:
        return [child for track in self.timeline.tracks for child in track if isinstance(child, otio.schema.Clip)]

    def lose(self, clip: Clip | None, what: str) -> None:
        entry = (self.name(clip), what)
        if entry not in self.lost:
            self.lost.append(entry)

    def name(self, clip: Clip | None) -> str:
        """How a clip is called in the list of what was lost: its use id, else its name."""
        return "" if clip is None else str(own(clip, "rushes").get("use") or clip.name)

    def only_speed(self, clip: Clip) -> float:
        """The one constant speed that a format holds of a clip's effects; the others are lost."""
        scalar, ramps = self.speed(clip)
        others = sum(not isinstance(effect, otio.schema.TimeEffect) for effect in clip.effects)
        if ramps:
            self.lose(clip, "its speed ramp")
        if others:
            self.lose(clip, f"{others} effects")
        return scalar

    def speed(self, clip: Clip) -> tuple[float, bool]:
        """The product of a clip's constant speeds, and whether it has a ramp, which is none of them."""
        scalar, ramps = 1.0, False
        for effect in clip.effects:
            if isinstance(effect, otio.schema.FreezeFrame):
                scalar = 0.0
            elif isinstance(effect, otio.schema.LinearTimeWarp):
                scalar *= effect.time_scalar
            elif isinstance(effect, otio.schema.TimeEffect):
                ramps = True
        return (scalar if math.isfinite(scalar) else 1.0), ramps

    def without_disabled(self) -> None:
        """Put gaps where clips are switched off, and drop tracks that are."""
        for track in [t for t in self.timeline.tracks if not t.enabled]:
            for clip in (c for c in track if isinstance(c, otio.schema.Clip)):
                self.lose(clip, "it is on a track that is switched off")
            self.timeline.tracks.remove(track)
        for track in self.timeline.tracks:
            for index, child in enumerate(track):
                if isinstance(child, otio.schema.Clip) and not child.enabled:
                    self.lose(child, "it is switched off")
                    track[index] = otio.schema.Gap(source_range=Range(duration=child.duration()))

    def first_frame(self, clip: Clip, skipped: int, length: int) -> int:
        """The first frame that `length` frames of a clip show of its file, `skipped` frames after its start, or
        before it, where that is negative. A reversed clip shows its source range from the end."""
        scalar, _ = self.speed(clip)
        whole = whole_frames(clip.source_range.duration, self.rate)
        frames = skipped if scalar >= 0 else whole - skipped - length
        return whole_frames(clip.source_range.start_time, self.rate) + round(frames * abs(scalar))

    def keep_fades_off_gaps(self, track: otio.schema.Track) -> None:
        """Where a fade reaches into a gap, the clip goes on for as long instead, which shows the same; FCP7 XML
        loses the frames of the gap. What reaches beyond the track is never seen."""
        for index in range(len(track) - 1, -1, -1):
            if isinstance(track[index], otio.schema.Transition):
                left, right = (track[i] if 0 <= i < len(track) else None for i in (index - 1, index + 1))
                self._keep_fade_off_gaps(left, track[index], right)
                if not (track[index].in_offset + track[index].out_offset).value:
                    self.lose(
                        next((c for c in (left, right) if isinstance(c, otio.schema.Clip)), None), "its fade"
                    )
                    del track[index]

    def _keep_fade_off_gaps(self, left: _Beside, fade: otio.schema.Transition, right: _Beside) -> None:
        before, after = fade.in_offset, fade.out_offset
        none = Time(0, before.rate)
        if not isinstance(left, otio.schema.Clip):
            taken = self._taken(left, right, before, -whole_frames(before, self.rate))
            before, after = none, (after + before if taken else after)
        if not isinstance(right, otio.schema.Clip):
            taken = self._taken(right, left, after, 0)
            before, after = (before + after if taken else before), none
        fade.in_offset, fade.out_offset = before, after

    def _taken(self, gap: _Beside, clip: _Beside, by: Time, skipped: int) -> bool:
        """Let a clip take `by` from the gap beside it, if there is as much."""
        if not isinstance(gap, otio.schema.Gap) or not isinstance(clip, otio.schema.Clip) or gap.duration() < by:
            return False
        length = whole_frames(clip.source_range.duration + by, self.rate)
        clip.source_range = self._range(self.first_frame(clip, skipped, length), length)
        gap.source_range = Range(gap.source_range.start_time, gap.duration() - by)
        return True

    def _only_known(self) -> None:
        """Put gaps for what stands on a track and is neither clip, gap nor transition: stacks that could not be
        taken apart. Tracks that hold neither picture nor sound are left out."""
        for track in list(self.timeline.tracks):
            if track.kind not in ("Video", "Audio"):
                self.lose(None, f"{track.name or 'a track'}, which is a track of {line(track.kind, 40)}")
                self.timeline.tracks.remove(track)
                continue
            for index, child in enumerate(track):
                if not isinstance(child, otio.schema.Clip | otio.schema.Gap | otio.schema.Transition):
                    self.lose(None, f"a nested stack ({line(child.name, 40) or 'no name'}): a gap stands for it")
                    track[index] = otio.schema.Gap(source_range=Range(duration=child.duration()))

    def _time(self, time: Time) -> Time:
        return Time(whole_frames(time, self.rate), float(self.rate))

    def _whole(self, span: Range) -> Range:
        return Range(self._time(span.start_time), self._time(span.duration))

    def _range(self, first: int, length: int) -> Range:
        return Range(Time(first, float(self.rate)), Time(length, float(self.rate)))

    def _complete(self, child: otio.core.Composable) -> None:
        if isinstance(child, otio.schema.Transition):
            child.in_offset, child.out_offset = self._time(child.in_offset), self._time(child.out_offset)
        elif isinstance(child, otio.schema.Gap):
            child.source_range = self._range(0, whole_frames(child.duration(), self.rate))
        else:
            self._complete_clip(child)

    def _complete_clip(self, clip: Clip) -> None:
        media = clip.media_reference
        known = media.available_range
        if clip.source_range is None and known is None:  # the film's reader refuses such clips
            raise FileFault("a clip has no length", where=clip.name, remedy="give it a source range")
        shown = clip.source_range or known
        for span in (shown, known):
            if span is not None and not _is_whole(span, self.rate):
                self.lose(clip, f"its times are rounded to frames at {self.rate}")
        clip.source_range = self._whole(shown)
        if known is not None:
            media.available_range = self._whole(known)
        clip.name = line(clip.name, 200)
        media.name = line(media.name, 200)
        clip.markers[:] = _sound_markers(clip)


def _is_whole(span: Range, rate: Rate) -> bool:
    for time in (span.start_time, span.duration):
        frames = time.value if abs(time.rate - float(rate)) < 0.006 else time.value * float(rate) / time.rate
        if abs(frames - round(frames)) > 1e-3:
            return False
    return True


def _sound_markers(item: otio.core.Item) -> list[otio.schema.Marker]:
    """Copies of the markers of an item, fit for one line each. A marker whose times are none is left out."""
    kept = []
    for marker in (marker.clone() for marker in item.markers):
        marker.name, marker.comment = line(marker.name, 200), line(marker.comment, 2000)
        marker.color = marker.color if marker.color in COLOURS else "RED"
        span = marker.marked_range
        if all(time.rate > 0 and math.isfinite(time.value) for time in (span.start_time, span.duration)):
            kept.append(marker)
    return kept
