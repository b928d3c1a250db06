"""CMX 3600 EDLs, written. An EDL is one video track of cuts and dissolves; what else a timeline has is told.

Not by the adapter that reads them: it gives a dissolve the speed and the comments of the clip that goes out,
divides by a speed where it should multiply, and writes paths and the colours of markers as they come, line ends
included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import opentimelineio as otio

from rushes_otio.formats.flattening import flat_video
from rushes_otio.formats.prepared import Prepared
from rushes_otio.formats.values import Clip, last_part, line, own, shown_images, whole_frames
from rushes_otio.timing import Rate

MOST_EVENTS = 999
"""Event numbers have three digits; most programs read four, some old ones do not."""

MOST_PATH = 4000

GENERATORS = {"black": "BL", "SMPTEBars": "BARS"}
"""Kinds of generators that have a reel name of their own."""

_PATHS = {"": "{side} CLIP", "resolve": "{side} CLIP", "premiere": "OTIO REFERENCE {side}"}
"""What a path is called, by program. Premiere takes `FROM CLIP` for a name and forgets the file."""

_TAKEN = re.compile(r"(FROM|TO) (CLIP|FILE)|OTIO REFERENCE|LOC\b|ASC_S|M2\b|FREEZE FRAME", re.IGNORECASE)
"""Beginnings of comments that readers take for more than comments."""


@dataclass(frozen=True, slots=True)
class _Event:
    """A clip on the record, in frames. `first` and `run` are what it goes through in its file; `before` is whom it
    dissolves from, in `dissolve` frames."""

    clip: Clip
    record: int
    length: int
    first: int
    run: int
    speed: float
    dissolve: int
    before: _Event | None


def write(prepared: Prepared, program: str) -> str:
    """The EDL of a timeline, shaped for a program ("" for none). What it does not hold goes into
    `prepared.lost`."""
    track = _only_picture(prepared)
    _only_dissolves(prepared, track)
    events = _events(prepared, track)
    if not events:
        prepared.lose(None, "there is no picture in the cut: it has no events")
    if len(events) > MOST_EVENTS:
        prepared.lose(None, f"it has {len(events)} events; some programs read no more than {MOST_EVENTS}")
    lines = [f"TITLE: {line(prepared.timeline.name, 70) or 'Untitled'}", "FCM: NON-DROP FRAME", ""]
    for number, event in enumerate(events, 1):
        lines += _event_lines(prepared, event, number, program)
    return "\n".join(lines) + "\n"


# -- what can be written -------------------------------------------------------------------------------------


def _only_picture(prepared: Prepared) -> otio.schema.Track:
    prepared.without_disabled()
    for track in (t for t in prepared.timeline.tracks if t.kind != "Video"):
        sounding = sum(isinstance(each, otio.schema.Clip) for each in track)
        if sounding:
            prepared.lose(None, f"sound: {sounding} clips on {track.name or 'an audio track'}")
    return flat_video(prepared)


def _only_dissolves(prepared: Prepared, track: otio.schema.Track) -> None:
    """An EDL has a fade between two clips only, each long enough for it."""
    for index in range(len(track) - 1, -1, -1):
        if not isinstance(track[index], otio.schema.Transition):
            continue
        clips = [clip for i in (index - 1, index + 1) if isinstance(clip := _at(track, i), otio.schema.Clip)]
        if len(clips) < 2 or not _has_room(prepared, track, index):
            prepared.lose(clips[0] if clips else None, "its fade")
            del track[index]
        elif track[index].transition_type != otio.schema.TransitionTypes.SMPTE_Dissolve:
            prepared.lose(clips[1], f"its transition is a dissolve ({line(track[index].name, 40)})")


def _has_room(prepared: Prepared, track: otio.schema.Track, index: int) -> bool:
    """Whether the clip that goes out has a frame to itself, and the one that comes in has frames enough before its
    in-point and for the whole fade."""
    _, left = _shown(prepared, track, index - 1)
    first, right = _shown(prepared, track, index + 1)
    return left > 0 and first >= 0 and right >= sum(_offsets(prepared, track[index]))


def _shown(prepared: Prepared, track: otio.schema.Track, index: int) -> tuple[int, int]:
    """First frame of the file and length of a clip's event: the cut of an EDL lies where its dissolve begins."""
    clip = track[index]
    head, tail = (_offsets(prepared, _at(track, i))[0] for i in (index - 1, index + 1))
    length = whole_frames(clip.source_range.duration, prepared.rate) + head - tail
    return prepared.first_frame(clip, -head, length), length


def _offsets(prepared: Prepared, item: otio.core.Composable | None) -> tuple[int, int]:
    """Frames of a transition before and after its cut; none for any other item."""
    if not isinstance(item, otio.schema.Transition):
        return 0, 0
    return whole_frames(item.in_offset, prepared.rate), whole_frames(item.out_offset, prepared.rate)


def _at(track: otio.schema.Track, index: int) -> otio.core.Composable | None:
    return track[index] if 0 <= index < len(track) else None


def _events(prepared: Prepared, track: otio.schema.Track) -> list[_Event]:
    """Record timecodes count from the start of the film."""
    start = prepared.timeline.global_start_time
    record = max(0, whole_frames(start, prepared.rate)) if start else 0
    found: list[_Event] = []
    for index, child in enumerate(track):
        if isinstance(child, otio.schema.Transition):
            continue
        if isinstance(child, otio.schema.Clip):
            into = isinstance(_at(track, index - 1), otio.schema.Transition)
            found.append(_event(prepared, track, index, record, found[-1] if into else None))
        record += whole_frames(child.duration(), prepared.rate)
    return found


def _event(prepared: Prepared, track: otio.schema.Track, index: int, record: int, before: _Event | None) -> _Event:
    clip, speed = track[index], _only_speed(prepared, track[index])
    first, length = _shown(prepared, track, index)
    run = max(1, round(length * abs(speed)))
    if first < 0 or first + run >= 100 * prepared.rate.shot_zero:
        prepared.lose(clip, "its source timecode, which has no eight digits: it counts from 0")
        first = 0
    fade = _offsets(prepared, _at(track, index - 1))
    return _Event(clip, record - fade[0], length, first, run, speed, sum(fade), before)


def _only_speed(prepared: Prepared, clip: Clip) -> float:
    """One constant speed is all that an EDL holds of a clip's effects."""
    speed = prepared.only_speed(clip)
    if "cdl" in clip.metadata:
        prepared.lose(clip, "its colour decision list")
    return speed


# -- lines ---------------------------------------------------------------------------------------------------


def _event_lines(prepared: Prepared, event: _Event, number: int, program: str) -> list[str]:
    """As Avid writes them: the event, its speed, whom it comes from, its own comments."""
    clip, before, rate = event.clip, event.before, prepared.rate
    reel, side = _reel(clip, program), "TO" if before else "FROM"
    edit = f"D    {event.dissolve:03d}" if before else "C       "
    lines = [_line(number, reel, edit, rate, (event.first, event.run), (event.record, event.length))]
    if before:
        out, old = (before.first + before.run, 0), _reel(before.clip, program)
        lines.insert(0, _line(number, old, "C       ", rate, out, (event.record, 0)))
    if event.speed != 1:
        lines.append(f"M2   {reel:8}  {_pace(event.speed * rate.nominal)}  {rate.timecode(event.first)}")
    if before:
        lines.append(f"* FROM CLIP NAME:  {_name(before.clip, program)}")
    lines.append(f"* {side} CLIP NAME:  {_name(clip, program)}{'' if event.speed else ' FF'}")
    lines += [] if event.speed else ["* * FREEZE FRAME"]
    path = _path(prepared, clip)
    lines += [f"* {_PATHS[program].format(side=side)}: {path}"] if path else []
    return [*lines, *_locators(prepared, clip), *_comments(clip)]


def _line(number: int, reel: str, edit: str, rate: Rate, source: tuple[int, int], record: tuple[int, int]) -> str:
    """Source and record are first frame and length; out-points are the frame after the last."""
    times = [rate.timecode(frame) for first, length in (source, record) for frame in (first, first + length)]
    return f"{number:03d}  {reel:8} V     {edit} {' '.join(times)}"


def _pace(frames: float) -> str:
    """Frames a second, as `024.0`, and with more decimals where it needs them."""
    decimals = 1 if abs(frames - round(frames, 1)) < 1e-6 else 6
    return f"{frames:0{decimals + 4 + (frames < 0)}.{decimals}f}"


def _reel(clip: Clip, program: str) -> str:
    """At most eight letters and digits. For Premiere AX, which has it look for the file by the clip's name."""
    media = clip.media_reference
    if isinstance(media, otio.schema.GeneratorReference):
        return GENERATORS.get(media.generator_kind, "AX")
    named = own(clip, "cmx_3600").get("reel") or media.name or getattr(media, "target_url", "") or clip.name
    stem = re.sub(r"\.\w+$", "", last_part(str(named)))
    return "AX" if program == "premiere" else re.sub(r"[^A-Za-z0-9]", "", stem)[:8] or "AX"


def _name(clip: Clip, program: str) -> str:
    file = last_part(getattr(clip.media_reference, "target_url", "") or "") if program == "premiere" else ""
    return line(file or clip.name, 200)


def _path(prepared: Prepared, clip: Clip) -> str:
    """The path of a clip's file, of an image sequence with the numbers that are shown; empty without one."""
    media = clip.media_reference
    if isinstance(media, otio.schema.GeneratorReference) and media.generator_kind not in GENERATORS:
        prepared.lose(clip, f"its generator ({line(media.generator_kind, 40)})")
    url = getattr(media, "target_url", "") or ""
    if isinstance(media, otio.schema.ImageSequenceReference):
        url = media.abstract_target_url("[{}-{}]".format(*shown_images(media, clip.source_range)))
    path = line(url, MOST_PATH)
    if path != url:
        prepared.lose(clip, "its path, which has line ends, control characters or too many letters")
    return path.replace("\\", "/")


def _locators(prepared: Prepared, clip: Clip) -> list[str]:
    starts = [(whole_frames(marker.marked_range.start_time, prepared.rate), marker) for marker in clip.markers]
    return [f"* LOC: {prepared.rate.timecode(at)} {m.color:7} {m.name.upper()}" for at, m in starts if at >= 0]


def _comments(clip: Clip) -> list[str]:
    """What EDLs brought along, and the mark of the shot."""
    comments = own(clip, "cmx_3600").get("comments")
    texts = (
        [line(str(comment), 300).strip("* ") for comment in comments]
        if comments is not None and hasattr(comments, "append")
        else []
    )
    return [f"* {text}" for text in texts if text and not _TAKEN.match(text)]
