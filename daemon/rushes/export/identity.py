"""Who each shot's clip is, written wherever the format has a place that programs keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.build import time_range
from rushes_otio.conforming.marks import note_mark, text_mark
from rushes_otio.film import Film
from rushes_otio.items import Item
from rushes_otio.schema import ShotBlock

if TYPE_CHECKING:
    from rushes.export.otio import Shape


def marked(item: Item, shape: Shape, film: Film) -> Raw:
    """The text of a shot's clip with its marks: the name of its file, which has the shot's id in it, as its own;
    what EDLs and FCP7 XML have for comments and reels; a marker where that was asked for.
    """
    block, where = item.block, film.where
    assert block is not None
    clip = rawjson.open_object(item.raw, where)
    media = item.default_media
    file = (media.target_url or "").replace("\\", "/").rpartition("/")[2] if media else ""
    clip["name"] = rawjson.encode(file or item.name)
    metadata = rawjson.member(clip, "metadata", where)
    if block.chosen is None and block.shift:  # the times were moved back: in this file nothing is added to them
        metadata["rushes"] = rawjson.patch(metadata["rushes"], {"shift": rawjson.encode(0)}, where)
    kinds = {".edl": ("cmx_3600", _for_edl), ".xml": ("fcp_xml", _for_fcp7)}
    if shape.suffix in kinds:
        namespace, marks = kinds[shape.suffix]
        metadata[namespace] = rawjson.encode(marks(_known(metadata.get(namespace)), block))
    clip["metadata"] = rawjson.encode(metadata)
    if shape.markers:
        raw = clip.get("markers")
        there = [] if raw is None or bytes(raw) == b"null" else rawjson.read(raw, list[Raw], where)
        clip["markers"] = rawjson.encode([*there, _marker(item, block, film)])
    return rawjson.encode(clip)


def _known(raw: Raw | None) -> dict[str, Any]:
    """What another program's namespace holds already; nothing where it is no object."""
    try:
        return msgspec.json.decode(raw or b"{}", type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _for_edl(known: dict[str, Any], block: ShotBlock) -> dict[str, Any]:
    comments = known.get("comments")
    mark = text_mark(block.use, block.shot)
    kept = [c for c in comments if c != mark] if isinstance(comments, list) else []
    return {**known, "reel": block.shot, "comments": [*kept, mark]}


def _for_fcp7(known: dict[str, Any], block: ShotBlock) -> dict[str, Any]:
    mark = text_mark(block.use, block.shot)
    comments, logged = known.get("comments"), known.get("logginginfo")
    return {
        **known,
        "comments": {**(comments if isinstance(comments, dict) else {}), "mastercomment1": mark},
        "logginginfo": {**(logged if isinstance(logged, dict) else {}), "description": mark},
    }


def _marker(item: Item, block: ShotBlock, film: Film) -> dict[str, Any]:
    """One frame long, on the in-point. Resolve keeps its note, EDLs and XML its name."""
    start = round(item.source.start_time.frames_at(float(film.rate))) if item.source else film.rate.shot_zero
    note = {"Keywords": [], "Note": note_mark(block.use, block.shot)}
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {"Resolve_OTIO": note},
        "name": text_mark(block.use, block.shot),
        "color": "GREEN",
        "marked_range": time_range(start, 1, film.rate),
        "comment": "",
    }
