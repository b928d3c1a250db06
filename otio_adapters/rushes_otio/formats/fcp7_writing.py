"""FCP7 XML, as Premiere and Resolve exchange it, written by the adapter `otio-fcp-adapter` 1.0.0.

The adapter writes what `metadata["fcp_xml"]` holds beside what it knows itself. Speed, what is switched off, where
a transition cuts and names of tracks are put into that here.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import opentimelineio as otio

from rushes_otio.errors import FileFault
from rushes_otio.formats.fcp7 import TICKS, fcp_xml
from rushes_otio.formats.prepared import Prepared
from rushes_otio.formats.values import Clip, Range, Time, image_sequence_url, line, own, whole_frames

MOST_DEPTH = 40

_KEY = re.compile(r"@?[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

_WRITTEN = {"name", "start", "end", "in", "out", "duration", "rate", "timecode", "marker", "enabled"}
"""Elements that are made anew. Of two of one name readers take the first, and that is the old one."""

_GENERATOR = {"effecttype", "mediatype", "effectcategory"}
"""What the adapter needs of a generator that came from an XML."""


def write(prepared: Prepared, program: str) -> str:
    """The XML of a timeline. What it does not hold goes into `prepared.lost`."""
    del program  # Premiere and Resolve read the same
    timeline = prepared.timeline
    start = timeline.global_start_time
    first = max(0, whole_frames(start, prepared.rate)) if start else 0
    timeline.global_start_time = Time(first, float(prepared.rate))
    kept = _kept(timeline)
    kept["media"] = {kind: _without(each, {"track"}) for kind, each in _items(kept.get("media"))}
    timeline.metadata["fcp_xml"] = kept
    _shape_markers(timeline.tracks)
    for clip in prepared.clips():
        _shape_media(prepared, clip)
    _agree_on_files(prepared)
    for number, track in enumerate(timeline.tracks):
        _shape_track(prepared, track, number)
    text = _NO_XML.sub("", fcp_xml.write_to_string(timeline))
    try:
        ElementTree.fromstring(text)  # noqa: S314 (our own text, and this process is limited)
    except ElementTree.ParseError as error:
        raise FileFault(f"the XML would not be readable: {error}", remedy="export as .otio") from error
    return text


# -- media ---------------------------------------------------------------------------------------------------


def _shape_media(prepared: Prepared, clip: Clip) -> None:
    media = clip.media_reference
    known = media.available_range or clip.source_range
    if isinstance(media, otio.schema.ImageSequenceReference):
        media = otio.schema.ExternalReference(image_sequence_url(media), known, metadata=dict(media.metadata))
    elif isinstance(media, otio.schema.GeneratorReference) and not _is_known(media):
        prepared.lose(clip, f"its generator ({line(media.generator_kind, 40)})")
        media = otio.schema.MissingReference(clip.name, known)
    media.available_range = known
    if isinstance(media, otio.schema.ExternalReference):
        media.target_url = _url_of(media.target_url)
    media.metadata["fcp_xml"] = _kept(media, "pathurl", "mediaSource")
    clip.media_reference = media


def _is_known(media: otio.schema.GeneratorReference) -> bool:
    """Whether it came from an XML, as an effect or, as Premiere has them, as a file without a path."""
    kept = own(media, "fcp_xml")
    return kept.keys() >= _GENERATOR or ("effecttype" not in kept and bool(_items(kept.get("media"))))


def _url_of(path: str) -> str:
    """`file://localhost/…`, percent-encoded: what Premiere writes and Resolve reads."""
    if _SCHEME.match(path):
        return quote(_STRAY_PERCENT.sub("%25", path), safe="%/:?&=+,;@~")
    flat = path.replace("\\", "/")
    return "file://localhost" + quote(flat if flat.startswith("/") else f"/{flat}", safe="/:")


def _agree_on_files(prepared: Prepared) -> None:
    """A file is written once, with the range that its first clip knows; the in-points of all count from there."""
    of_file: dict[str, list[Clip]] = {}
    for number, clip in enumerate(prepared.clips()):
        url = getattr(clip.media_reference, "target_url", "") or f"clip {number}"
        of_file.setdefault(url, []).append(clip)
    for clips in of_file.values():
        known = clips[0].media_reference.available_range
        for clip in clips[1:]:
            known = known.extended_by(clip.media_reference.available_range)
        for clip in clips:
            clip.media_reference.available_range = _from_zero(prepared, clip, known)


def _from_zero(prepared: Prepared, clip: Clip, known: Range) -> Range:
    """The range of a file, which cannot begin before 00:00:00:00, and its clip counted with it."""
    if known.start_time.value >= 0:
        return known
    prepared.lose(clip, "the timecode of its file, which is negative: it counts from 0")
    clip.source_range = Range(clip.source_range.start_time - known.start_time, clip.source_range.duration)
    return Range(Time(0, known.duration.rate), known.duration)


# -- tracks --------------------------------------------------------------------------------------------------


def _shape_track(prepared: Prepared, track: otio.schema.Track, number: int) -> None:
    kept = _kept(track, "clipitem", "generatoritem", "transitionitem")
    named = {"name": track.name} if track.name else {}
    track.metadata["fcp_xml"] = kept | named | ({} if track.enabled else {"enabled": "FALSE"})
    prepared.keep_fades_off_gaps(track)
    for index, child in enumerate(track):
        if isinstance(child, otio.schema.Clip):
            _shape_clip(prepared, child)
            # Clips that say the same are written as one and references to it, which editors read as one clip.
            child.metadata["rushes_place"] = f"{number} {index}"
        elif isinstance(child, otio.schema.Transition):
            _shape_transition(child, track, index)


def _shape_clip(prepared: Prepared, clip: Clip) -> None:
    kept = _kept(clip, "file", "sequence", "effect", "filter")
    kept |= {} if clip.enabled else {"enabled": "FALSE"}
    clip.metadata["fcp_xml"] = kept | _speed(prepared, clip)
    _shape_markers(clip)


def _shape_markers(item: otio.core.Item) -> None:
    for marker in item.markers:
        marker.metadata["fcp_xml"] = _kept(marker) | ({"comment": marker.comment} if marker.comment else {})


def _shape_transition(transition: otio.schema.Transition, track: otio.schema.Track, index: int) -> None:
    """Where it cuts, in the ticks of Premiere: `center` alone is not exact."""
    before, after = transition.in_offset, transition.out_offset
    lone = not all(0 <= i < len(track) and isinstance(track[i], otio.schema.Clip) for i in (index - 1, index + 1))
    side = "" if before.value and after.value else "end" if before.value else "start"
    transition.name = line(transition.name, 80) or "Cross Dissolve"
    transition.metadata["fcp_xml"] = _kept(transition, "effect") | {
        "alignment": (side + ("-black" if lone else "")) if side else "center",
        "cutPointTicks": str(round(before.value / before.rate * TICKS)),
    }


def _speed(prepared: Prepared, clip: Clip) -> dict[str, Any]:
    """The filter of a constant speed. In-points of such clips count played frames from the start of the file."""
    scalar = prepared.only_speed(clip)
    if scalar == 1:
        return {}
    if scalar == 0:
        prepared.lose(clip, "its freeze frame is a speed of 0, which not every program reads")
    shown, zero = clip.source_range, clip.media_reference.available_range.start_time.value
    run = (shown.start_time.value - zero) / (abs(scalar) or 1)
    clip.source_range = Range(Time(zero + round(run), shown.start_time.rate), shown.duration)
    return {"filter": _time_remap(scalar)}


def _time_remap(scalar: float) -> dict[str, Any]:
    def parameter(name: str, value: str) -> dict[str, str]:
        return {"parameterid": name, "name": name, "value": value}

    return {
        "enabled": "TRUE",
        "start": "-1",
        "end": "-1",
        "effect": {
            "name": "Time Remap",
            "effectid": "timeremap",
            "effectcategory": "motion",
            "effecttype": "motion",
            "mediatype": "video",
            "parameter": [
                parameter("variablespeed", "0"),
                parameter("speed", f"{abs(scalar) * 100:.10g}"),
                parameter("reverse", "TRUE" if scalar < 0 else "FALSE"),
                parameter("frameblending", "FALSE"),
            ],
        },
    }


# -- metadata ------------------------------------------------------------------------------------------------


def _kept(thing: otio.core.SerializableObjectWithMetadata, *taken: str) -> dict[str, Any]:
    """What came with a thing from an XML, without what is written anew."""
    return _without(_sound(own(thing, "fcp_xml")), {*_WRITTEN, *taken})


def _without(value: object, keys: set[str]) -> dict[str, Any]:
    return {key: each for key, each in _items(value) if key not in keys}


def _items(value: object) -> list[tuple[str, Any]]:
    return list(value.items()) if hasattr(value, "items") else []


def _sound(value: object, depth: int = 0) -> Any:  # noqa: ANN401 (what XML can hold)
    """Somebody's metadata as far as it makes well-formed XML: its keys become tags, its values text."""
    if hasattr(value, "items"):
        kept = {str(k): v for k, v in value.items() if _KEY.fullmatch(str(k))} if depth < MOST_DEPTH else {}
        for unfit in ("timecode", "@tag", "@attrib"):  # of a rate that cannot be written; names of the library
            kept.pop(unfit, None)
        return {k: _NO_XML.sub("", str(v)) if k.startswith("@") else _sound(v, depth + 1) for k, v in kept.items()}
    if isinstance(value, str):
        return _NO_XML.sub("", value)
    if hasattr(value, "__iter__"):
        return [_sound(each, depth + 1) for each in value] if depth < MOST_DEPTH else []
    return None if value is None else str(value)
