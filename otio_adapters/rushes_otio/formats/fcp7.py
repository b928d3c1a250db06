"""FCP7 XML, as Premiere and Resolve exchange it, read by the adapter `otio-fcp-adapter` 1.0.0.

The adapter keeps what it does not understand in `metadata["fcp_xml"]`. Speed, what is switched off, where a
transition cuts, and paths are read out of that here.
"""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import opentimelineio as otio

from rushes_otio.errors import FileFault
from rushes_otio.formats.adapters import adapter
from rushes_otio.formats.reading import ReadCut
from rushes_otio.formats.values import Clip, Range, Time, own
from rushes_otio.paths import local_path
from rushes_otio.text import printable
from rushes_otio.timing import Rate

fcp_xml = adapter("otio_fcp_adapter", "fcp_xml.py")


TICKS = 254_016_000_000
"""Of Premiere, in a second."""


def read(path: Path, data: bytes, rate: Rate) -> ReadCut:
    """The one sequence in an XML file."""
    del rate  # the file says its own
    if b"<!ENTITY" in data:
        raise FileFault(
            "the XML defines entities, which no editor writes", where=str(path), remedy="get the cut anew"
        )
    if b"<fcpxml" in data[:4096]:
        raise FileFault(
            "this is FCPXML, the format of Final Cut Pro X",
            where=str(path),
            remedy="export the cut as OpenTimelineIO (.otio) or as Final Cut Pro 7 XML",
        )
    try:
        timeline = _one(fcp_xml.read_from_string(_with_nested_tracks(data.decode("utf-8-sig"))), path)
        _understand(timeline.tracks)
        return ReadCut(timeline.to_json_string(indent=-1).encode(), [])
    except FileFault:
        raise
    except Exception as error:  # adapters raise whatever their parts raise
        raise FileFault(
            f"not an FCP7 XML that can be read: {printable(f'{type(error).__name__}: {error}', 300)}",
            where=str(path),
            remedy="export the cut again, or as OpenTimelineIO (.otio)",
        ) from error


def _with_nested_tracks(text: str) -> str:
    """The adapter looks for the tracks of a nested sequence one level above where they are, and finds none."""
    root = ElementTree.fromstring(text)  # noqa: S314 (it defines no entities, and this process is limited)
    for sequence in list(root.iterfind(".//clipitem/sequence")):
        media = sequence.find("media")
        if media is not None:  # moved and not copied: at each level a copy would double what is inside
            sequence.remove(media)
            sequence.extend(media)
    return ElementTree.tostring(root, encoding="unicode")


def _one(found: object, path: Path) -> otio.schema.Timeline:
    if isinstance(found, otio.schema.Timeline):
        return found
    names = [printable(str(each.name), 40) for each in found]  # type: ignore[attr-defined]
    raise FileFault(
        f"the file holds {len(names)} sequences: {', '.join(names[:8])}",
        where=str(path),
        remedy="export the one that is meant by itself",
    )


def _understand(composition: otio.core.Composition) -> None:
    for index in range(1, len(composition) - 1):
        if isinstance(composition[index], otio.schema.Transition):
            _cut_where_told(*composition[index - 1 : index + 2])
    for child in composition:
        kept = child.metadata.get("fcp_xml", {})
        if isinstance(child, otio.core.Item) and "enabled" in kept:
            child.enabled = str(kept["enabled"]).upper() != "FALSE"
            del kept["enabled"]
        if isinstance(child, otio.core.Composition):
            _understand(child)
        if isinstance(child, otio.schema.Clip):
            _understand_clip(child)


def _cut_where_told(left: otio.core.Item, transition: otio.schema.Transition, right: otio.core.Item) -> None:
    """The adapter cuts in the middle of a transition. Where Premiere cuts, it says in ticks."""
    told, whole = own(transition, "fcp_xml"), transition.in_offset + transition.out_offset
    ticks, out, into = str(told.get("cutPointTicks", "")), left.source_range, right.source_range
    if told.get("alignment") != "center" or not ticks.isdecimal() or len(ticks) > 18 or not (out and into):
        return
    before = Time(round(int(ticks) / TICKS * whole.rate), whole.rate)
    moved = before - transition.in_offset
    if before <= whole and -out.duration < moved < into.duration:
        left.source_range = Range(out.start_time, out.duration + moved)
        right.source_range = Range(into.start_time + moved, into.duration - moved)
        transition.in_offset, transition.out_offset = before, whole - before


def _understand_clip(clip: Clip) -> None:
    media = clip.media_reference
    if isinstance(media, otio.schema.ExternalReference) and media.target_url:
        media.target_url = local_path(media.target_url)
    speeds = [s for s in (_speed_of(effect) for effect in clip.effects) if s is not None]
    if not speeds:
        return
    scalar = math.prod(speeds)
    known, shown = media.available_range, clip.source_range
    zero = known.start_time if known else Time(0, shown.start_time.rate)
    run = (shown.start_time - zero).rescaled_to(shown.start_time.rate).value  # counted in the clip as it plays
    start = zero.rescaled_to(shown.start_time.rate).value + round(run * (abs(scalar) or 1))
    clip.source_range = Range(Time(start, shown.start_time.rate), shown.duration)
    clip.effects[:] = [e for e in clip.effects if _speed_of(e) is None]
    warp = otio.schema.LinearTimeWarp(time_scalar=scalar) if scalar else otio.schema.FreezeFrame()
    clip.effects.append(warp)
    if "filter" in clip.metadata.get("fcp_xml", {}):
        del clip.metadata["fcp_xml"]["filter"]


def _speed_of(effect: otio.schema.Effect) -> float | None:
    """The factor of a constant speed change; None for any other effect, a ramp included."""
    own = effect.metadata.get("fcp_xml", {})
    if str(own.get("effectid", "")).lower() != "timeremap":
        return None
    values: dict[str, str] = {}
    parameters = own.get("parameter", [])
    for each in [parameters] if hasattr(parameters, "items") else parameters:
        if hasattr(each, "items"):
            values[str(each.get("parameterid", ""))] = str(each.get("value", ""))
    try:
        if float(values.get("variablespeed") or 0):
            return None
        speed = float(values["speed"]) / 100
    except (KeyError, ValueError):
        return None
    backwards = values.get("reverse", "").upper() == "TRUE"
    return (-abs(speed) if backwards else speed) if math.isfinite(speed) and abs(speed) < 10_000 else None
