"""CMX 3600 EDLs, read by the adapter `otio-cmx3600-adapter` 1.0.0."""

from __future__ import annotations

import re
from pathlib import Path

import opentimelineio as otio

from rushes_otio.errors import FileFault
from rushes_otio.formats.adapters import adapter
from rushes_otio.formats.reading import ReadCut
from rushes_otio.formats.values import plain_text
from rushes_otio.text import printable
from rushes_otio.timing import Rate

cmx_3600 = adapter("otio_cmx3600_adapter", "cmx_3600.py")

MOST_LINES = 100_000
LONGEST_LINE = 4096

_EVENT = re.compile(r"\d+\s")
_SPEED = re.compile(r"M2\s")
_SPACES = re.compile(r"\s+")
_LEFT_PATH = re.compile(r"\*?\s*FROM (CLIP|FILE):")
_RIGHT_PATH = re.compile(r"\*?\s*TO (CLIP|FILE):")


def read(path: Path, data: bytes, rate: Rate) -> ReadCut:
    """The cut in an EDL. Its timecodes are counted at `rate`, drop-frame where they are written with `;`."""
    text, notes = _readable(_lines(plain_text(data), path), rate), []
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
    for track in timeline.tracks:
        _part_comments(track)
    return ReadCut(_from_zero(timeline).to_json_string(indent=-1).encode(), notes)


def _part_comments(track: otio.schema.Track) -> None:
    """A dissolve is one event of two clips, and some programs write the comments of both below it: those of the
    clip that goes out are on its own event already."""
    for index in range(2, len(track)):
        if isinstance(track[index - 1], otio.schema.Transition) and isinstance(track[index], otio.schema.Clip):
            own = track[index].metadata.get("cmx_3600", {})
            before = set(track[index - 2].metadata.get("cmx_3600", {}).get("comments", []))
            comments = [comment for comment in own.get("comments", []) if comment not in before]
            if comments:  # where all are the same, they are of both
                own["comments"] = comments


def _unreadable(path: Path, error: Exception, rate: Rate) -> FileFault:
    return FileFault(
        f"not an EDL that can be read at {rate} frames per second: {printable(str(error), 300)}",
        where=str(path),
        remedy="count it at the right rate (rushes new and diff have --rate; a film is conformed at its own), "
        "or export the cut as OpenTimelineIO (.otio)",
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


def _lines(text: str, path: Path) -> list[str]:
    """Its lines, where there are no more than the adapter gets through in seconds: it takes them one by one from
    the head of a list, and looks for speeds with a pattern that long runs of spaces bring to a stand."""
    lines = [_SPACES.sub(" ", each) if _SPEED.match(each) else each for each in map(str.strip, text.splitlines())]
    if len(lines) > MOST_LINES or any(len(each) > LONGEST_LINE for each in lines):
        raise FileFault(
            f"the EDL has {len(lines):,} lines, the longest of {max(map(len, lines)):,} characters; the limits are"
            f" {MOST_LINES:,} and {LONGEST_LINE:,}",
            where=str(path),
            remedy="export the cut as OpenTimelineIO (.otio)",
        )
    return lines


def _readable(lines: list[str], rate: Rate) -> str:
    """The text as the adapter understands it. It gives a clip that comes in by a dissolve the file of the one that
    goes out, and passes over a speed where as many frames of source as of record are named: that of a reversed
    clip, or of a freeze frame that is one frame long."""
    events: list[list[str]] = [[]]
    for each in lines:
        if _EVENT.match(each) and (not events[-1] or each.split()[0] != events[-1][0].split()[0]):
            events.append([])
        events[-1] += [each] if each else []
    return "\n".join(each for event in events for each in _readable_event(event, rate))


def _readable_event(lines: list[str], rate: Rate) -> list[str]:
    edits = [at for at, each in enumerate(lines) if _EVENT.match(each)]
    fields = lines[edits[-1]].split() if edits else []
    if len(fields) > 4 and any(_SPEED.match(each) for each in lines):
        first, out, record, end = fields[-4:]
        if _frames(out, rate) - _frames(first, rate) == _frames(end, rate) - _frames(record, rate):
            lines[edits[-1]] = " ".join([*fields[:-3], first, record, end])
    if len(fields) == 9:  # the length of a dissolve or wipe is among them
        lines = [_RIGHT_PATH.sub(r"* FROM \1:", each) for each in lines if not _LEFT_PATH.match(each)]
    return lines


def _frames(timecode: str, rate: Rate) -> int:
    """Frames of a timecode, or of a bare number of frames, as far as it is one."""
    frames = 0
    for part, base in zip(re.split("[:;]", timecode), (1, 60, 60, rate.nominal), strict=False):
        frames = frames * base + (int(part) if part.isdecimal() and len(part) < 12 else 0)
    return frames
