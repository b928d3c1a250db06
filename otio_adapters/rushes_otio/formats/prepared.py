"""A timeline on its way out, in OpenTimelineIO's own objects, and what gets lost on the way."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import opentimelineio as otio

from rushes_otio.errors import FileFault
from rushes_otio.formats.newer import COLOURS
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

    def flat_video(self) -> otio.schema.Track:
        """What is seen of all video tracks, as one track."""
        video = [track for track in self.timeline.tracks if track.kind == "Video"]
        seen = [track for track in video if any(isinstance(child, otio.schema.Clip) for child in track)]
        if len(seen) > 1:
            return _flattened(self, seen)
        return (seen or video or [otio.schema.Track(kind="Video")])[0]

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
            fade = track[index]
            if not isinstance(fade, otio.schema.Transition):
                continue
            left, right = (track[i] if 0 <= i < len(track) else None for i in (index - 1, index + 1))
            into, out = fade.in_offset, fade.out_offset
            none = Time(0, into.rate)
            if not isinstance(left, otio.schema.Clip):
                moved = self._grown(left, right, into, head=True)
                into, out = none, (out + into if moved else out)
            if not isinstance(right, otio.schema.Clip):
                moved = self._grown(right, left, out, head=False)
                into, out = (into + out if moved else into), none
            fade.in_offset, fade.out_offset = into, out
            if not (into + out).value or not (
                isinstance(left, otio.schema.Clip) or isinstance(right, otio.schema.Clip)
            ):
                self.lose(
                    next((each for each in (left, right) if isinstance(each, otio.schema.Clip)), None), "its fade"
                )
                del track[index]

    def _grown(self, gap: otio.core.Item | None, clip: otio.core.Item | None, by: Time, *, head: bool) -> bool:
        """Let a clip take `by` from the gap beside it, if there is as much."""
        if not isinstance(gap, otio.schema.Gap) or not isinstance(clip, otio.schema.Clip) or gap.duration() < by:
            return False
        frames = whole_frames(by, self.rate)
        length = whole_frames(clip.source_range.duration, self.rate) + frames
        first = self.first_frame(clip, -frames if head else 0, length)
        clip.source_range = self._range(first, length)
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


def _flattened(prepared: Prepared, tracks: list[otio.schema.Track]) -> otio.schema.Track:
    before = {id(c): c for t in tracks for c in t if isinstance(c, otio.schema.Clip)}
    wholes = list(before.values())
    lengths = [(c, c.duration().value, _mark(c, n)) for n, c in enumerate(wholes)]
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
        _show_part(prepared, clip, wholes[number])
    for clip, length, number in lengths:
        if left.get(number, 0) < length:
            prepared.lose(clip, "an upper track hides " + ("part of it" if number in left else "it"))
    flat.name, flat.kind = tracks[0].name, "Video"
    return flat


def _show_part(prepared: Prepared, part: Clip, whole: Clip) -> None:
    """OpenTimelineIO trims a clip as if it ran at normal speed."""
    skipped = whole_frames(part.source_range.start_time - whole.source_range.start_time, prepared.rate)
    length = whole_frames(part.source_range.duration, prepared.rate)
    first = Time(prepared.first_frame(whole, skipped, length), float(prepared.rate))
    part.source_range = Range(first, part.source_range.duration)


_PLACE = "rushes_place"


def _mark(clip: Clip, number: int) -> int:
    clip.metadata[_PLACE] = number
    return number


def _flat_or_none(tracks: list[otio.schema.Track]) -> otio.schema.Track | None:
    try:
        return otio.algorithms.flatten_stack([t.clone() for t in tracks])
    except (otio.exceptions.OTIOError, ValueError, RuntimeError):
        return None


def own(thing: otio.core.SerializableObjectWithMetadata, namespace: str) -> dict[str, Any]:
    """What a thing's metadata has under a namespace; nothing where that is no object."""
    found = thing.metadata.get(namespace)
    return dict(found.items()) if hasattr(found, "items") else {}


def line(text: str, limit: int) -> str:
    """Text that any format can hold: `printable`, and no noncharacters, which XML forbids."""
    return re.sub("[\ufffe\uffff]", "·", printable(text or "", limit))


def last_part(path: str) -> str:
    """The last part of a path or URL, whichever way its slashes lean."""
    return path.replace("\\", "/").rpartition("/")[2]


def image_sequence_url(media: otio.schema.ImageSequenceReference) -> str:
    """An image sequence as one path with a printf pattern, as FCP7 XML names it."""
    return str(media.abstract_target_url(f"%0{max(1, media.frame_zero_padding)}d"))


def shown_images(media: otio.schema.ImageSequenceReference, shown: Range) -> tuple[int, int]:
    """The numbers of the first and the last image that a range shows; of all images where it lies outside."""
    try:
        first, last = media.frame_range_for_time_range(shown)
    except (otio.exceptions.OTIOError, ValueError):
        first, last = media.start_frame, media.end_frame()
    return int(first), int(last)
