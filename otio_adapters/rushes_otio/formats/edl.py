"""CMX 3600 EDLs, read and written by the adapter `otio-cmx3600-adapter` 1.0.0.

An EDL is one video track of cuts and dissolves. What the adapter cannot write, loses, or would crash on is taken
out first, and told.
"""

from __future__ import annotations

import re
from pathlib import Path

import opentimelineio as otio

from rushes_otio.errors import FileFault
from rushes_otio.formats.adapters import adapter
from rushes_otio.formats.prepared import Prepared, plain_text, whole_frames
from rushes_otio.formats.reading import ReadCut
from rushes_otio.text import printable
from rushes_otio.timing import Rate

cmx_3600 = adapter("otio_cmx3600_adapter", "cmx_3600.py")

STYLES = {"": "avid", "resolve": "avid", "premiere": "premiere"}

MOST_EVENTS = 999
"""Event numbers have three digits; most programs read four, some old ones do not."""

_EVENT = re.compile(r"^(\d+\s.*\s)(\S+)(\s+\S+\s+\S+)$")


# -- reading -------------------------------------------------------------------------------------------------


def read(path: Path, data: bytes, rate: Rate) -> ReadCut:
    """The cut in an EDL. Its timecodes are counted at `rate`, drop-frame where they are written with `;`."""
    text, notes = plain_text(data), []
    try:
        timeline = cmx_3600.read_from_string(text, rate=float(rate))
    except Exception as strict:  # adapters raise whatever their parts raise
        try:
            timeline = cmx_3600.read_from_string(text, rate=float(rate), ignore_timecode_mismatch=True)
        except Exception:
            raise _unreadable(path, strict, rate) from strict
        notes.append(f"timecodes that contradict each other were put right: {printable(str(strict), 200)}")
    if not timeline.tracks:
        raise FileFault("the EDL has no events", where=str(path), remedy="export the cut again")
    return ReadCut(_from_zero(timeline).to_json_string(indent=-1).encode(), notes)


def _unreadable(path: Path, error: Exception, rate: Rate) -> FileFault:
    return FileFault(
        f"not an EDL that can be read at {rate} frames per second: {printable(str(error), 300)}",
        where=str(path),
        remedy="say the rate of its timecodes (--rate 30000/1001), or export the cut as OpenTimelineIO (.otio)",
    )


def _from_zero(timeline: otio.schema.Timeline) -> otio.schema.Timeline:
    """The adapter keeps the record timecode of each track's first event in the track's source range; here the
    earliest becomes the start of the timeline, and a track that begins later begins with a gap."""
    starts = [-t.source_range.start_time if t.source_range else None for t in timeline.tracks]
    known = [s for s in starts if s is not None]
    if not known:
        return timeline
    first = min(known)
    tracks = list(timeline.tracks)
    for track, start in zip(tracks, starts, strict=True):
        track.source_range = None
        lead = (start if start is not None else first) - first
        if lead.value > 0:
            track.insert(0, otio.schema.Gap(source_range=otio.opentime.TimeRange(duration=lead)))
    timeline.global_start_time = first
    del timeline.tracks[:]
    timeline.tracks.extend(sorted(tracks, key=lambda t: (t.kind != "Video", t.name)))
    return timeline


# -- writing -------------------------------------------------------------------------------------------------


def write(prepared: Prepared, program: str) -> str:
    """The EDL of a timeline, shaped for a program ("" for none). What it does not hold goes into
    `prepared.lost`."""
    _only_picture(prepared)
    for clip in prepared.clips():
        _one_speed(prepared, clip)
        _reel_and_comments(clip)
    _only_dissolves(prepared)
    _count_from_start(prepared)
    style = STYLES[program]
    text = cmx_3600.write_to_string(prepared.timeline, rate=float(prepared.rate.nominal), style=style)
    events = sum(1 for line in text.splitlines() if line[:1].isdigit())
    if events > MOST_EVENTS:
        prepared.lose(None, f"it has {events} events; some programs read no more than {MOST_EVENTS}")
    return _with_counting_mode(_with_true_outs(text, prepared.rate))


def _only_picture(prepared: Prepared) -> None:
    timeline = prepared.timeline
    prepared.without_disabled()
    prepared.flatten_video()
    for track in [t for t in timeline.tracks if t.kind != "Video"]:
        sounding = sum(isinstance(each, otio.schema.Clip) for each in track)
        if sounding:
            prepared.lose(None, f"sound: {sounding} clips on {track.name or 'an audio track'}")
        timeline.tracks.remove(track)


def _one_speed(prepared: Prepared, clip: otio.schema.Clip) -> None:
    """One constant speed is all that an EDL holds of a clip's effects."""
    scalar, ramps = prepared.speed(clip)
    others = [e for e in clip.effects if not isinstance(e, otio.schema.TimeEffect)]
    if ramps:
        prepared.lose(clip, "its speed ramp")
    if others:
        prepared.lose(clip, f"{len(others)} effects")
    warps = []
    if scalar == 0:
        warps = [otio.schema.FreezeFrame()]
    elif scalar != 1:
        warps = [otio.schema.LinearTimeWarp(time_scalar=scalar)]
    for warp in warps:
        warp.effect_name = warp.schema_name()  # what the adapter goes by
    clip.effects[:] = warps


def _reel_and_comments(clip: otio.schema.Clip) -> None:
    """The adapter makes a reel name of spaces where a clip's name has no letters, which nobody can read back."""
    own = dict(clip.metadata.get("cmx_3600", {}))
    media = clip.media_reference.name or getattr(clip.media_reference, "target_url", "") or clip.name
    reel = str(own.get("reel") or re.sub(r"\.\w+$", "", media.replace("\\", "/").rpartition("/")[2]))
    comments = own.get("comments", [])
    listed = [printable(str(c), 300) for c in comments] if not isinstance(comments, str) else []
    clip.metadata["cmx_3600"] = {
        "reel": re.sub(r"[^A-Za-z0-9]", "", reel)[:8] or "AX",
        "comments": [c for c in listed if c],
    }
    if "cdl" in clip.metadata:
        del clip.metadata["cdl"]  # another program's numbers, which the adapter takes for well-formed
    keep = [m for m in clip.markers if m.marked_range.start_time.value >= 0]
    clip.markers[:] = keep


def _only_dissolves(prepared: Prepared) -> None:
    """The adapter moves the cut of a dissolve to its beginning, as EDLs have it. A transition at the head or tail
    of a track or beside a gap cannot be read back by it."""
    for track in prepared.timeline.tracks:
        for index in range(len(track) - 1, -1, -1):
            if not isinstance(track[index], otio.schema.Transition):
                continue
            sides = [track[i] for i in (index - 1, index + 1) if 0 <= i < len(track)]
            if len(sides) < 2 or not all(isinstance(s, otio.schema.Clip) for s in sides):
                clips = [s for s in sides if isinstance(s, otio.schema.Clip)]
                prepared.lose(clips[0] if clips else None, "its fade")
                del track[index]
            elif track[index].transition_type != otio.schema.TransitionTypes.SMPTE_Dissolve:
                prepared.lose(sides[1], f"its transition is a dissolve ({printable(track[index].name, 40)})")


def _count_from_start(prepared: Prepared) -> None:
    """Record timecodes count from the film's start. All times are counted at the whole rate (30 for 29.97), which
    the adapter writes as non-drop timecode: so do the files of our takes."""
    timeline, nominal = prepared.timeline, float(prepared.rate.nominal)
    start = whole_frames(timeline.global_start_time, prepared.rate) if timeline.global_start_time else 0
    prepared.count_at(nominal)
    for track in timeline.tracks:
        begin = otio.opentime.RationalTime(-start, nominal)
        track.source_range = otio.opentime.TimeRange(begin, track.duration())


def _with_true_outs(text: str, rate: Rate) -> str:
    """The adapter divides by the speed where it should multiply: the source out-point of an event with an M2 line
    is set to what the clip really runs through."""
    lines = text.split("\n")
    event = -1
    for number, line in enumerate(lines):
        if line[:1].isdigit():
            event = number
        elif line.startswith("M2 ") and event >= 0:
            lines[event] = _true_out(lines[event], line, rate)
    return "\n".join(lines)


def _true_out(event: str, speed_line: str, rate: Rate) -> str:
    speed = float(speed_line.split("\t\t")[1]) / rate.nominal
    fields = event.split()
    first, length = _frames(fields[-4], rate), _frames(fields[-1], rate) - _frames(fields[-2], rate)
    run = max(1, round(length * abs(speed)))
    if run == length:  # readers take a clip of equal lengths for one at normal speed
        run += 1
    match = _EVENT.match(event)
    return f"{match[1]}{rate.timecode(first + run)}{match[3]}" if match else event


def _frames(timecode: str, rate: Rate) -> int:
    hours, minutes, seconds, frames = (int(part) for part in re.split("[:;]", timecode))
    return ((hours * 60 + minutes) * 60 + seconds) * rate.nominal + frames


def _with_counting_mode(text: str) -> str:
    title, _, rest = text.partition("\n")
    return f"{title}\nFCM: NON-DROP FRAME\n{rest}" if title.startswith("TITLE") else f"FCM: NON-DROP FRAME\n{text}"
