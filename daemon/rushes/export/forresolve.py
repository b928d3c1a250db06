"""Clips as DaVinci Resolve imports them. It refuses a whole timeline for one clip that has no file.

Every clip, inside nested stacks too, is a `Clip.2` with one media reference: a file by its bare path with its
range stated. Clip and reference are named as the file is, for Resolve looks for files by the clip's name.
"""

from __future__ import annotations

import math
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from rushes.store.durable import replace_with
from rushes_otio import rawjson
from rushes_otio.build import take_media, time_range
from rushes_otio.conforming.standins import has_no_file, standin_name
from rushes_otio.film import Film
from rushes_otio.items import DEFAULT_MEDIA, Item, Range, Time, read_item
from rushes_otio.paths import local_path
from rushes_otio.timing import Rate

Slate = Callable[[Item, int], Path]
"""A movie of so many frames that stands for an item, from 01:00:00:00."""

ALMOST = 1e-3
"""Frames by which rates that are written with few digits may be off."""

_SAMPLES = 48_000
_MOST_SAMPLES = 2**31 // 2 - 64
"""What a WAV file surely holds: six hours."""


class _Sequence(msgspec.Struct):
    """An image sequence, as far as it names its files."""

    available_range: Range | None = None
    name_prefix: str | None = ""
    name_suffix: str | None = ""
    start_frame: int = 1
    frame_step: int = 1
    frame_zero_padding: int = 0
    rate: float = 24.0


@dataclass(frozen=True, slots=True)
class ForResolve:
    """Shapes items of a film. `slate` and `folder` make and hold what stands for clips without a file; `lose` is
    told of them."""

    film: Film
    folder: Path
    slate: Slate
    lose: Callable[[str, str], None]

    def shaped(self, raw: Raw, kind: str) -> Raw:
        """An item of a track of that kind, and all that is nested in it."""
        opened = rawjson.open_object(raw, self.film.where)
        schema = rawjson.read(opened["OTIO_SCHEMA"], str, self.film.where).partition(".")[0]
        if schema == "Clip":
            return self._clip(read_item(raw, self.film.where, float(self.film.rate)), kind)
        children = opened.get("children")
        if schema not in ("Stack", "Track") or children is None or bytes(children) == b"null":
            return raw
        kind = rawjson.read(opened["kind"], str, self.film.where) if "kind" in opened else kind
        inner = rawjson.read(children, list[Raw], self.film.where)
        changed = rawjson.encode([self.shaped(child, kind) for child in inner])
        return rawjson.patch(raw, {"children": changed}, self.film.where)

    def _clip(self, item: Item, kind: str) -> Raw:
        if not has_no_file(item):
            return self._with_file(item)
        length = max(1, math.ceil(item.length))
        if kind == "Audio":
            self.lose(item.use or item.name, "it has no file; silence stands in for it")
            reference, first = _silence(self.folder, item, length, self.film.rate), 0
        else:
            self.lose(item.use or item.name, "it has no file; a slate stands in for it")
            first = self.film.rate.shot_zero
            reference = take_media(str(self.slate(item, length)), length, self.film.rate)
        return self._with(item, rawjson.encode(reference), time_range(first, length, self.film.rate))

    def _with_file(self, item: Item) -> Raw:
        clip, media = rawjson.open_object(item.raw, self.film.where), item.default_media
        held = rawjson.member(clip, "media_references", self.film.where)
        raw = held[item.active] if item.active in held else clip["media_reference"]  # the second of a Clip.1
        assert media is not None
        changes: dict[str, Any] = {}
        if media.online:
            changes["target_url"] = path = local_path(media.target_url or "")
            changes["name"] = path.replace("\\", "/").rpartition("/")[2]
        else:
            changes["name"] = _sequence_name(rawjson.read(raw, _Sequence, self.film.where))
        shown = item.source or media.available_range
        assert shown is not None  # a clip without any length is refused when the film is read
        known = self._covering(item, media.available_range, shown)
        if known is not media.available_range:
            changes["available_range"] = _range(known)
        patched = rawjson.patch(raw, {k: rawjson.encode(v) for k, v in changes.items()}, self.film.where)
        return self._with(item, patched, None if item.source else _range(shown))

    def _covering(self, item: Item, known: Range | None, shown: Range) -> Range:
        """What is known of a file, stretched over what a clip shows of it."""
        if known is None:
            return shown
        rate = known.start_time.rate
        first, start = known.start_time.value, shown.start_time.frames_at(rate)
        end, stop = first + known.duration.frames_at(rate), start + shown.duration.frames_at(rate)
        still = (
            known.duration.frames_at(float(self.film.rate)) <= 1
        )  # which Resolve shows for as long as it is asked
        if still or (first - ALMOST <= start and stop <= end + ALMOST):
            return known
        self.lose(item.use or item.name, "it shows frames that its file is not known to have")
        first, end = min(first, start), max(end, stop)
        return Range(Time(rate, first), Time(rate, end - first))

    def _with(self, item: Item, reference: Raw, shown: dict[str, Any] | None) -> Raw:
        name = rawjson.open_object(reference, self.film.where)["name"]
        changes: dict[str, Raw | None] = {
            "OTIO_SCHEMA": rawjson.encode("Clip.2"),
            "name": name,
            "media_references": rawjson.encode({DEFAULT_MEDIA: reference}),
            "active_media_reference_key": rawjson.encode(DEFAULT_MEDIA),
            "media_reference": None,
        }
        if shown is not None:
            changes["source_range"] = rawjson.encode(shown)
        return rawjson.patch(item.raw, changes, self.film.where)


def _range(span: Range) -> dict[str, Any]:
    """A range as OpenTimelineIO writes it."""
    times = {key: getattr(span, key) for key in ("start_time", "duration")}
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        **{k: {"OTIO_SCHEMA": "RationalTime.1", "rate": t.rate, "value": t.value} for k, t in times.items()},
    }


def _sequence_name(sequence: _Sequence) -> str:
    """As Resolve names image sequences: `plate.[1001-1099].exr`."""
    known, step = sequence.available_range, max(1, sequence.frame_step)
    images = round(known.duration.frames_at(sequence.rate)) if known else 1
    numbers = (sequence.start_frame, sequence.start_frame + step * (max(images, 1) - 1))
    first, last = (f"{number:0{min(max(sequence.frame_zero_padding, 0), 32)}d}" for number in numbers)
    return f"{sequence.name_prefix or ''}[{first}-{last}]{sequence.name_suffix or ''}"


def _silence(folder: Path, item: Item, frames: int, rate: Rate) -> dict[str, Any]:
    """The reference of a silent WAV file of so many frames that stands for an item."""
    samples = min(math.ceil(frames * _SAMPLES / rate.fraction), _MOST_SAMPLES)
    path = folder / f"silence__{standin_name(item)}_{samples}.wav"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        with wave.open(str(part), "wb") as file:
            file.setparams((1, 2, _SAMPLES, 0, "NONE", "not compressed"))
            for first in range(0, samples, _SAMPLES):
                file.writeframesraw(bytes(2 * min(_SAMPLES, samples - first)))
        replace_with(part, path)
    return take_media(str(path), frames, rate) | {"available_range": time_range(0, frames, rate)}
