"""A timeline on its way out, in OpenTimelineIO's own objects, and what gets lost on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypeAlias

import opentimelineio as otio

from rushes_otio.errors import FileFault
from rushes_otio.text import printable
from rushes_otio.timing import Rate

Clip: TypeAlias = otio.schema.Clip
Time: TypeAlias = otio.opentime.RationalTime
Range: TypeAlias = otio.opentime.TimeRange


def plain_text(data: bytes) -> str:
    """Text as editors save it: UTF-8 or UTF-16 with a mark, UTF-8 without, else the Western code page."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    return text.replace("\0", "")


def whole_frames(time: Time, rate: Rate) -> int:
    """A time in frames of a rate. 23.976 in a file means 24000/1001."""
    frames: float = time.value if abs(time.rate - float(rate)) < 0.006 else time.value * float(rate) / time.rate
    return round(frames)


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
        timeline = otio.core.deserialize_json_from_string(text)
        if not isinstance(timeline, otio.schema.Timeline):
            raise FileFault("not a timeline", remedy="export a film")
        prepared = cls(timeline, rate)
        timeline.name = printable(timeline.name, 200)
        for clip in prepared.clips():
            prepared._complete(clip)
        for composition in [timeline.tracks, *timeline.tracks]:
            composition.markers[:] = [_sound_marker(m) for m in composition.markers]
            composition.name = printable(composition.name, 200)
        return prepared

    def clips(self) -> list[Clip]:
        return [child for track in self.timeline.tracks for child in track if isinstance(child, otio.schema.Clip)]

    def lose(self, clip: Clip | None, what: str) -> None:
        entry = (self.name(clip), what)
        if entry not in self.lost:
            self.lost.append(entry)

    def name(self, clip: Clip | None) -> str:
        """How a clip is called in the list of what was lost: its use id, else its name."""
        return "" if clip is None else str(clip.metadata.get("rushes", {}).get("use", "") or clip.name)

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

    def flatten_video(self) -> None:
        """What is seen of all video tracks, as one track."""
        video = [t for t in self.timeline.tracks if t.kind == "Video"]
        seen = [t for t in video if any(isinstance(c, otio.schema.Clip) for c in t)]
        flat = _flattened(self, seen) if len(seen) > 1 else (seen or video or [otio.schema.Track(kind="Video")])[0]
        for track in video:
            self.timeline.tracks.remove(track)
        self.timeline.tracks.insert(0, flat)

    def count_at(self, rate: float) -> None:
        """The same frame numbers at another rate, for all times in the tracks."""
        for track in self.timeline.tracks:
            for child in track:
                if isinstance(child, otio.schema.Transition):
                    child.in_offset = self._counted(child.in_offset, rate)
                    child.out_offset = self._counted(child.out_offset, rate)
                    continue
                if child.source_range is None:
                    child.source_range = child.trimmed_range()
                child.source_range = self._range_counted(child.source_range, rate)
                for marker in child.markers:
                    marker.marked_range = self._range_counted(marker.marked_range, rate)
                if isinstance(child, otio.schema.Clip) and child.media_reference.available_range:
                    known = child.media_reference.available_range
                    child.media_reference.available_range = self._range_counted(known, rate)

    def _counted(self, time: Time, rate: float) -> Time:
        return Time(whole_frames(time, self.rate), rate)

    def _range_counted(self, span: Range, rate: float) -> Range:
        return Range(self._counted(span.start_time, rate), self._counted(span.duration, rate))

    def _complete(self, clip: Clip) -> None:
        media = clip.media_reference
        known = media.available_range
        if clip.source_range is None and known is None:  # the film's reader refuses such clips
            raise FileFault("a clip has no length", where=clip.name, remedy="give it a source range")
        shown = clip.source_range or known
        for span in (shown, known):
            if span is not None and not _is_whole(span, self.rate):
                self.lose(clip, f"its times are rounded to frames at {self.rate}")
        frame_rate = float(self.rate)
        clip.source_range = self._range_counted(shown, frame_rate)
        if known is not None:
            media.available_range = self._range_counted(known, frame_rate)
        clip.name = printable(clip.name, 200)
        media.name = printable(media.name, 200)
        clip.markers[:] = [_sound_marker(m) for m in clip.markers]


def _is_whole(span: Range, rate: Rate) -> bool:
    for time in (span.start_time, span.duration):
        frames = time.value if abs(time.rate - float(rate)) < 0.006 else time.value * float(rate) / time.rate
        if abs(frames - round(frames)) > 1e-3:
            return False
    return True


def _sound_marker(marker: otio.schema.Marker) -> otio.schema.Marker:
    marker.name = printable(marker.name, 200)
    marker.comment = printable(marker.comment, 2000)
    return marker.clone()


def _flattened(prepared: Prepared, tracks: list[otio.schema.Track]) -> otio.schema.Track:
    before = {id(c): c for t in tracks for c in t if isinstance(c, otio.schema.Clip)}
    lengths = [(c, c.duration().value, _mark(c, n)) for n, c in enumerate(before.values())]
    flat = _flat_or_none(tracks)
    if flat is None:  # OpenTimelineIO cannot cut through a transition
        for track in tracks:
            for index in range(len(track) - 1, -1, -1):
                if isinstance(track[index], otio.schema.Transition):
                    prepared.lose(None, f"a transition on {track.name or 'a video track'}, under another track")
                    del track[index]
        flat = _flat_or_none(tracks)
    if flat is None:
        raise FileFault(
            "the video tracks cannot be flattened into one", remedy="move the cut to one video track, or use .otio"
        )
    left: dict[int, float] = {}
    for clip in (c for c in flat if isinstance(c, otio.schema.Clip)):
        number = int(clip.metadata.pop(_PLACE))
        left[number] = left.get(number, 0) + clip.duration().value
    for clip, length, number in lengths:
        if left.get(number, 0) < length:
            prepared.lose(clip, "an upper track hides " + ("part of it" if number in left else "it"))
    flat.name, flat.kind = tracks[0].name, "Video"
    return flat


_PLACE = "rushes_place"


def _mark(clip: Clip, number: int) -> int:
    clip.metadata[_PLACE] = number
    return number


def _flat_or_none(tracks: list[otio.schema.Track]) -> otio.schema.Track | None:
    try:
        return otio.algorithms.flatten_stack([t.clone() for t in tracks])
    except (otio.exceptions.OTIOError, ValueError, RuntimeError):
        return None


def image_sequence_url(media: otio.schema.ImageSequenceReference) -> str:
    """An image sequence as one path with a printf pattern, as FCP7 XML and EDLs name it."""
    return str(media.abstract_target_url(f"%0{max(1, media.frame_zero_padding)}d"))
