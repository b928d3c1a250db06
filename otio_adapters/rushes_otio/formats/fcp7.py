"""FCP7 XML, as Premiere and Resolve exchange it, by the adapter `otio-fcp-adapter` 1.0.0.

The adapter keeps what it does not understand in `metadata["fcp_xml"]` and writes it back from there. Speed, clips
that are switched off and paths are put into that, and read out of it, here.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from xml.etree import ElementTree

import opentimelineio as otio

from rushes_otio.errors import FileFault
from rushes_otio.formats.adapters import adapter
from rushes_otio.formats.prepared import Clip, Prepared, Range, Time, image_sequence_url
from rushes_otio.formats.reading import ReadCut
from rushes_otio.text import printable
from rushes_otio.timing import Rate

fcp_xml = adapter("otio_fcp_adapter", "fcp_xml.py")

_KEY = re.compile(r"@?[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOCAL = re.compile(r"^file://(localhost)?(?=/)", re.IGNORECASE)
_DRIVE = re.compile(r"^/[A-Za-z]:/")

MOST_DEPTH = 40


# -- reading -------------------------------------------------------------------------------------------------


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
        found = fcp_xml.read_from_string(data.decode("utf-8-sig"))
    except FileFault:
        raise
    except Exception as error:  # adapters raise whatever their parts raise
        raise FileFault(
            f"not an FCP7 XML that can be read: {printable(f'{type(error).__name__}: {error}', 300)}",
            where=str(path),
            remedy="export the cut again, or as OpenTimelineIO (.otio)",
        ) from error
    timeline = _one(found, path)
    if timeline.tracks is None:
        raise FileFault("the sequence is empty", where=str(path), remedy="export the cut again")
    _understand(timeline.tracks)
    return ReadCut(timeline.to_json_string(indent=-1).encode(), [])


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
    for child in composition:
        own = child.metadata.get("fcp_xml", {})
        if isinstance(child, otio.core.Item) and str(own.get("enabled", "")).upper() == "FALSE":
            child.enabled = False
        if isinstance(child, otio.core.Composition):
            _understand(child)
        if isinstance(child, otio.schema.Clip):
            _understand_clip(child)


def _understand_clip(clip: Clip) -> None:
    media = clip.media_reference
    if isinstance(media, otio.schema.ExternalReference) and media.target_url:
        media.target_url = _path_of(media.target_url)
    speeds = [s for s in (_speed_of(effect) for effect in clip.effects) if s is not None]
    if not speeds:
        return
    scalar = math.prod(speeds)
    known, shown = media.available_range, clip.source_range
    zero = known.start_time if known else Time(0, shown.start_time.rate)
    run = (shown.start_time - zero).rescaled_to(shown.start_time.rate).value  # counted in the clip as it plays
    start = zero.rescaled_to(shown.start_time.rate).value + round(run * abs(scalar))
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
        values[str(each.get("parameterid", ""))] = str(each.get("value", ""))
    try:
        if float(values.get("variablespeed") or 0):
            return None
        speed = float(values["speed"]) / 100
    except (KeyError, ValueError):
        return None
    backwards = values.get("reverse", "").upper() == "TRUE"
    return (-abs(speed) if backwards else speed) if math.isfinite(speed) and abs(speed) < 10_000 else None


def _path_of(url: str) -> str:
    """A plain path, as OpenTimelineIO files have it. A URL of another machine stays one and is not looked up."""
    if not _LOCAL.match(url):
        return url
    path = unquote(_LOCAL.sub("", url))
    return path[1:] if _DRIVE.match(path) else path


# -- writing -------------------------------------------------------------------------------------------------


def write(prepared: Prepared, program: str) -> str:
    """The XML of a timeline. What it does not hold goes into `prepared.lost`."""
    del program  # Premiere and Resolve read the same
    timeline = prepared.timeline
    if timeline.global_start_time is None:
        timeline.global_start_time = Time(0, float(prepared.rate))
    timeline.metadata["fcp_xml"] = _sound(timeline.metadata.get("fcp_xml", {}))
    for track in timeline.tracks:
        own = _sound(track.metadata.get("fcp_xml", {}))
        own.pop("enabled", None)
        track.metadata["fcp_xml"] = own | ({} if track.enabled else {"enabled": "FALSE"})
        for number, child in enumerate(track):
            if isinstance(child, otio.schema.Clip):
                _shape(prepared, child, f"{track.kind} {number}")
            elif isinstance(child, otio.schema.Transition):
                child.name = printable(child.name, 80) or "Cross Dissolve"
                child.metadata["fcp_xml"] = _sound(child.metadata.get("fcp_xml", {}))
    text = _NO_XML.sub("", fcp_xml.write_to_string(timeline))
    try:
        ElementTree.fromstring(text)  # noqa: S314 (our own text, and this process is limited)
    except ElementTree.ParseError as error:
        raise FileFault(f"the XML would not be readable: {error}", remedy="export as .otio") from error
    return text


def _shape(prepared: Prepared, clip: Clip, place: str) -> None:
    own = _sound(clip.metadata.get("fcp_xml", {}))
    for stale in ("enabled", "filter", "rushes_place"):
        own.pop(stale, None)
    if not clip.enabled:
        own["enabled"] = "FALSE"
    marks = clip.metadata.get("rushes", {})
    if not marks.get("use"):
        # Two clips that say the same are written as one and a reference to it, which editors read as one clip.
        own["comments"] = {**_dict(own.get("comments")), "mastercomment4": place}
    if not isinstance(clip.media_reference, otio.schema.GeneratorReference):
        clip.media_reference = _media(clip)
    elif not {"effecttype", "media"} & clip.media_reference.metadata.get("fcp_xml", {}).keys():
        prepared.lose(clip, f"its generator ({printable(clip.media_reference.generator_kind, 40)})")
        clip.media_reference = otio.schema.MissingReference(clip.name, clip.media_reference.available_range)
    clip.media_reference.metadata["fcp_xml"] = _sound(clip.media_reference.metadata.get("fcp_xml", {}))
    _with_speed(prepared, clip, own)
    for marker in clip.markers:
        note = _sound(marker.metadata.get("fcp_xml", {}))
        marker.metadata["fcp_xml"] = note | ({"comment": marker.comment} if marker.comment else {})
    clip.metadata["fcp_xml"] = own


def _media(clip: Clip) -> otio.core.MediaReference:
    media = clip.media_reference
    known = media.available_range or clip.source_range
    if isinstance(media, otio.schema.ImageSequenceReference):
        url = image_sequence_url(media)
        media = otio.schema.ExternalReference(url, known, metadata=dict(media.metadata))
    media.available_range = known
    if isinstance(media, otio.schema.ExternalReference):
        media.target_url = _url_of(media.target_url)
    return media


def _url_of(path: str) -> str:
    """`file://localhost/…`, percent-encoded: what Premiere writes and Resolve reads."""
    if "://" in path:
        return path
    flat = path.replace("\\", "/")
    return "file://localhost" + quote(flat if flat.startswith("/") else f"/{flat}", safe="/:")


def _with_speed(prepared: Prepared, clip: Clip, own: dict[str, Any]) -> None:
    scalar, ramps = prepared.speed(clip)
    others = sum(not isinstance(e, otio.schema.TimeEffect) for e in clip.effects)
    if ramps:
        prepared.lose(clip, "its speed ramp")
    if others:
        prepared.lose(clip, f"{others} effects")
    if scalar in (0, 1):
        if scalar == 0:
            prepared.lose(clip, "its freeze frame")
        return
    own["filter"] = _time_remap(scalar)
    shown, known = clip.source_range, clip.media_reference.available_range
    zero = known.start_time.value if known else 0
    run = (shown.start_time.value - zero) / abs(scalar)
    clip.source_range = Range(Time(zero + round(run), shown.start_time.rate), shown.duration)


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


def _dict(value: object) -> dict[str, Any]:
    return dict(value.items()) if hasattr(value, "items") else {}


def _sound(value: object, depth: int = 0) -> Any:  # noqa: ANN401 (what XML can hold)
    """Somebody's metadata as far as it makes well-formed XML: its keys become tags, its values text."""
    if hasattr(value, "items"):
        kept = {str(k): v for k, v in value.items() if _KEY.fullmatch(str(k))} if depth < MOST_DEPTH else {}
        kept.pop("timecode", None)  # written anew, and not always of a rate that the adapter can write
        return {k: str(v) if k.startswith("@") else _sound(v, depth + 1) for k, v in kept.items()}
    if isinstance(value, str):
        return _NO_XML.sub("", value)
    if hasattr(value, "__iter__"):
        return [_sound(each, depth + 1) for each in value] if depth < MOST_DEPTH else []
    return None if value is None else str(value)
