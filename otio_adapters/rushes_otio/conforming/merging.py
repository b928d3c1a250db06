"""One clip of the film as the returned cut has it: its times and its work from there, who it is from the film."""

from __future__ import annotations

import math
import re

import msgspec
from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.build import shifted, time_range
from rushes_otio.conforming.alignment import first_in, likely_begin
from rushes_otio.conforming.carried import Carried
from rushes_otio.conforming.marks import is_our_marker, without_marks
from rushes_otio.conforming.returned import CutItem, Placed
from rushes_otio.cut import speed
from rushes_otio.errors import FileFault
from rushes_otio.items import Item, Range, Time, check_range
from rushes_otio.timing import Rate

_TALK = re.compile(rb'\{\s*(?:"(?:reel|@\w+)"\s*:\s*"[^"\\]*"\s*,?\s*)*\}')
_TIME = ("LinearTimeWarp.", "FreezeFrame.", "TimeEffect.")


class _Named(msgspec.Struct):
    OTIO_SCHEMA: str = ""
    name: str | None = None
    marked_range: Range | None = None


def merged(base: Raw, old: Placed, new: Placed, shift: int, rate: Rate, carried: Carried, where: str) -> Raw:
    """The text of the film's clip `base`, which stands at `old`, with everything that `new` says of the edit.

    `shift` is what `base` adds to the times of its file: see `ShotBlock.shift`.
    """
    item = new.item
    assert isinstance(item, CutItem)
    first = _first(new, old, rate, carried) + shift
    if _says_the_same(old, new, first - shift, carried):
        return base
    clip = rawjson.open_object(base, where)
    clip["source_range"] = _range(first, new, rate)
    clip["enabled"] = rawjson.encode(item.enabled)
    clip["effects"] = rawjson.encode(_effects(clip, old, item, carried, where))
    moved = round(first - new.first)
    clip["markers"] = rawjson.encode(_markers(clip, item, moved, rate, carried, where))
    metadata = rawjson.member(clip, "metadata", where)
    clip["metadata"] = rawjson.encode(metadata | _of_others(item, carried))
    return rawjson.encode(clip)


def _first(new: Placed, old: Placed, rate: Rate, carried: Carried) -> float:
    """Where the clip starts in the file of `old`. Formats that count played frames miss by less than one step of
    a speed, which is no edit."""
    if new.first == old.first and new.media_start == old.media_start:
        return new.first
    hour = 3600.0 * rate.nominal
    if carried.rows:  # those of the film count as it does, others from the first frame of their file
        start = old.media_start if old.media_start is not None else likely_begin(old.first, hour)
        return new.first if new.mine is not None else start + new.first
    first = first_in(new, old, hour)
    if first is None:
        first = old.first if new.length == old.length else old.media_start or old.first
    step = max(1.0, speed(new.item)) if new.item.warps and carried.counts_played else 0.0
    return old.first if abs(first - old.first) < step else first


def _says_the_same(old: Placed, new: Placed, first: float, carried: Carried) -> bool:
    item = new.item
    assert isinstance(item, CutItem)
    if first != old.first or new.length != old.length or item.enabled != old.item.enabled:
        return False
    if not _runs_the_same(old.item, item, carried) or _of_others(item, carried):
        return False
    if carried.effects or carried.markers:
        return item.bare and old.item.bare and old.item.source is not None
    return not item.markers


def _runs_the_same(old: Item, new: Item, carried: Carried) -> bool:
    """Formats that do not keep effects know one speed, with few digits, and no ramps."""
    if carried.effects:
        return old.warps == new.warps
    backwards = [sum(scalar < 0 for scalar in item.warps) % 2 for item in (old, new)]
    return backwards[0] == backwards[1] and math.isclose(speed(old), speed(new), rel_tol=1e-6)


def _of_others(item: CutItem, carried: Carried) -> dict[str, Raw]:
    """What other programs say of the clip in its metadata, without our marks."""
    if carried.rows or (len(item.metadata) == 1 and "rushes" in item.metadata):
        return {}
    kept = {key: _without_marks(raw) for key, raw in item.metadata.items() if key != "rushes"}
    return {key: raw for key, raw in kept.items() if raw is not None and not _is_empty_talk(key, raw)}


def _without_marks(raw: Raw) -> Raw | None:
    try:
        return without_marks(raw)
    except msgspec.DecodeError:  # beside a mark stands a number that none of ours can be
        return raw


def _is_empty_talk(key: str, raw: Raw) -> bool:
    """What every clip of a format has: an EDL's reel, the attributes of an XML's element."""
    return key in ("cmx_3600", "fcp_xml") and _TALK.fullmatch(bytes(raw)) is not None


def _range(first: float, new: Placed, rate: Rate) -> Raw:
    """Whole frames where they are whole. Anything else is kept as it came, and makes a shot invalid."""
    if abs(first - round(first)) < 1e-3 and abs(new.length - round(new.length)) < 1e-3:
        return rawjson.encode(time_range(round(first), round(new.length), rate))
    span = time_range(0, 0, rate)
    span["start_time"]["value"], span["duration"]["value"] = first, new.length
    return rawjson.encode(span)


def _effects(clip: rawjson.RawObject, old: Placed, item: CutItem, carried: Carried, where: str) -> list[Raw]:
    if carried.effects:
        return item.effects
    if _runs_the_same(old.item, item, carried):
        return listed(clip, "effects", where)
    kept = [raw for raw in listed(clip, "effects", where) if not _named(raw).OTIO_SCHEMA.startswith(_TIME)]
    return [*kept, *(raw for raw in item.effects if _named(raw).OTIO_SCHEMA.startswith(_TIME))]


def _markers(
    clip: rawjson.RawObject, item: CutItem, moved: int, rate: Rate, carried: Carried, where: str
) -> list[Raw]:
    """Those that came back, in the time of the film's file and without ours; where the format drops what is in a
    marker, the film's own and the new ones."""
    came = [raw for raw in item.markers if not is_our_marker(bytes(raw).decode("utf-8", "replace"))]
    placed = [_moved(raw, moved, rate, where) for raw in came]
    if carried.markers:
        return placed
    return with_new(listed(clip, "markers", where), placed, rate)


def with_new(kept: list[Raw], came: list[Raw], rate: Rate) -> list[Raw]:
    """Markers that are kept, and those that came at another place or under another name; capitals do not count."""
    known = {_place(raw, rate) for raw in kept}
    return [*kept, *(raw for raw in came if _place(raw, rate) not in known)]


def _place(raw: Raw, rate: Rate) -> tuple[str, int]:
    marker = _named(raw)
    at = _start(marker)
    return (marker.name or "").casefold(), round(at.frames_at(float(rate))) if at else 0


def _moved(raw: Raw, frames: int, rate: Rate, where: str) -> Raw:
    if not frames or _start(_named(raw)) is None:
        return raw
    opened = rawjson.open_object(raw, where)
    opened["marked_range"] = shifted(opened["marked_range"], frames, rate, where)
    return rawjson.encode(opened)


def _start(marker: _Named) -> Time | None:
    """Where a marker stands; None where nobody could find it."""
    if marker.marked_range is None:
        return None
    try:
        check_range(marker.marked_range, "marked_range")
    except FileFault:
        return None
    return marker.marked_range.start_time


def _named(raw: Raw) -> _Named:
    try:
        return msgspec.json.decode(raw, type=_Named)
    except msgspec.DecodeError:
        return _Named()


def listed(clip: rawjson.RawObject, key: str, where: str) -> list[Raw]:
    """The values of a list of an object; none where it is missing or null."""
    raw = clip.get(key)
    return [] if raw is None or bytes(raw) == b"null" else rawjson.read(raw, list[Raw], where)
