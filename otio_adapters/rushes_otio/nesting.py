"""Nested stacks taken apart in place, as editors do it: the lowest layer stays on the track, the others go onto
tracks above it.

Rushes films, EDLs and FCP7 XML know flat tracks only. A stack that has effects of its own, or a speed, cannot be
taken apart without changing the picture, and stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.build import shifted, time_range
from rushes_otio.cut import speed
from rushes_otio.errors import FileFault
from rushes_otio.items import Item, read_item
from rushes_otio.timing import Rate

Wanted = Callable[[Raw], bool]
"""Whether a nested stack is to be taken apart."""

MOST_LAYERS = 64


class _Track(msgspec.Struct):
    OTIO_SCHEMA: str = ""
    kind: str | None = "Video"
    name: str | None = None
    enabled: bool = True
    children: list[Raw] | None = None
    effects: list[Raw] | None = None


@dataclass
class _Layer:
    """A track above another one, filled from the left. `end` is its length so far."""

    items: list[Raw] = field(default_factory=list)
    end: float = 0.0


def unnested(data: bytes, rate: Rate, where: str, wanted: Wanted) -> tuple[bytes, list[str]]:
    """The timeline with the wanted stacks taken apart, and notes on what could not be. The same bytes when there
    is none."""
    return _Unnesting(rate, where, wanted).timeline(data)


class _Unnesting:
    def __init__(self, rate: Rate, where: str, wanted: Wanted) -> None:
        self._rate = rate
        self._where = where
        self._wanted = wanted
        self._notes: list[str] = []

    def timeline(self, data: bytes) -> tuple[bytes, list[str]]:
        timeline = rawjson.open_object(data, self._where)
        stack = rawjson.open_object(timeline["tracks"], self._where)
        tracks = rawjson.read(stack.get("children", Raw(b"[]")), list[Raw], self._where)
        made = [track for raw in tracks for track in self._track(raw)]
        if len(made) == len(tracks) and all(a is b for a, b in zip(made, tracks, strict=True)):
            return data, self._notes
        stack["children"] = rawjson.encode(made)
        timeline["tracks"] = rawjson.encode(stack)
        return bytes(rawjson.encode(timeline)), self._notes

    def _track(self, raw: Raw) -> list[Raw]:
        """A track of the timeline, and the tracks that its stacks need above it."""
        track = rawjson.read(raw, _Track, self._where)
        items = [self._read(child) for child in track.children or ()]
        if not any(item.kind in ("Stack", "Track") and self._opens(item) for item in items):
            return [raw]
        kind, layers = track.kind or "Video", [_Layer()]
        for item in items:
            parts = self._parts(item, kind) if item.kind in ("Stack", "Track") and self._opens(item) else None
            begin = layers[0].end
            self._append(layers[0], parts[0] if parts else [item.raw], item.length)
            for part in (parts or [])[1:]:
                self._append(self._free(layers, begin), part, item.length, begin)
        lowest = rawjson.patch(raw, {"children": rawjson.encode(layers[0].items)}, self._where)
        return [lowest, *(self._new_track(layer, track, kind) for layer in layers[1:])]

    def _opens(self, item: Item) -> bool:
        return self._wanted(item.raw)

    def _read(self, raw: Raw) -> Item:
        return read_item(raw, self._where, float(self._rate))

    def _append(self, layer: _Layer, items: list[Raw], length: float, begin: float | None = None) -> None:
        if begin is not None and begin > layer.end:
            layer.items.append(self._gap(begin - layer.end))
            layer.end = begin
        layer.items += items
        layer.end += length

    def _free(self, layers: list[_Layer], begin: float) -> _Layer:
        for layer in layers[1:]:
            if layer.end <= begin:
                return layer
        if len(layers) > MOST_LAYERS:
            raise FileFault(
                f"stacks are nested into more than {MOST_LAYERS} layers; that is the limit",
                where=self._where,
                remedy="flatten the cut in the program that wrote it",
            )
        layers.append(_Layer())
        return layers[-1]

    def _parts(self, item: Item, kind: str) -> list[list[Raw]] | None:
        """The layers of a nested stack, from the lowest, each as long as the stack is on its track; None where it
        has to stay whole."""
        opened = rawjson.read(item.raw, _Track, self._where)
        if item.warps or opened.effects:
            name = item.name or "no name"
            self._notes.append(f"a nested stack ({name}) has effects of its own and is not taken apart")
            return None
        inner = [item.raw] if item.kind == "Track" else opened.children or []
        layers = []
        for raw in inner:
            layer = rawjson.read(raw, _Track, self._where)
            is_track = layer.OTIO_SCHEMA.startswith("Track.")
            if is_track and ((layer.kind or "Video") != kind or not layer.enabled):
                continue
            flat = [raw] if not is_track else layer.children or []
            layers.append(self._trimmed(self._flat(flat, kind), item))
        return layers or [[self._gap(item.length)]]

    def _flat(self, items: list[Raw], kind: str) -> list[Raw]:
        """Items of a layer with the stacks among them taken apart as well, as far as one layer holds them."""
        found: list[Raw] = []
        for item in map(self._read, items):
            parts = self._parts(item, kind) if item.kind in ("Stack", "Track") else None
            if parts is not None and len(parts) > 1:
                self._notes.append(
                    f"upper layers of a stack inside a stack ({item.name or 'no name'}) are left out"
                )
            found += parts[0] if parts else [item.raw]
        return found

    def _trimmed(self, raws: list[Raw], stack: Item) -> list[Raw]:
        """What the stack's source range shows of a layer, filled up with a gap."""
        start = stack.source.start_time.frames_at(float(self._rate)) if stack.source else 0.0
        end, at, filled = start + stack.length, 0.0, 0.0
        found: list[Raw] = []
        for item in map(self._read, raws):
            head, tail = max(0.0, start - at), max(0.0, at + item.length - end)
            if item.kind == "Transition":
                if start < at < end and found:
                    found.append(item.raw)
            elif head + tail < item.length:
                found.append(self._cut(item, head, tail) if head or tail else item.raw)
                filled += item.length - head - tail
            at += item.length
        if found and self._read(found[-1]).kind == "Transition":
            found.pop()
        return [*found, self._gap(stack.length - filled)] if filled < stack.length else found

    def _cut(self, item: Item, head: float, tail: float) -> Raw:
        opened = rawjson.open_object(item.raw, self._where)
        span = opened.get("source_range")
        if span is None or bytes(span) == b"null":
            known = item.default_media.available_range if item.default_media else None
            first = round(known.start_time.frames_at(float(self._rate))) if known else 0
            span = rawjson.encode(time_range(first, round(item.length), self._rate))
        backwards = sum(scalar < 0 for scalar in item.warps) % 2  # then it shows its source range from the end
        skipped = round((tail if backwards else head) * speed(item))
        moved = rawjson.open_object(shifted(span, skipped, self._rate, self._where), self._where)
        length = time_range(0, round(item.length - head - tail), self._rate)["duration"]
        opened["source_range"] = rawjson.encode(moved | {"duration": rawjson.encode(length)})
        return rawjson.encode(opened)

    def _gap(self, length: float) -> Raw:
        return rawjson.encode(
            {
                "OTIO_SCHEMA": "Gap.1",
                "metadata": {},
                "name": "",
                "source_range": time_range(0, round(length), self._rate),
                "effects": [],
                "markers": [],
                "enabled": True,
            }
        )

    def _new_track(self, layer: _Layer, below: _Track, kind: str) -> Raw:
        return rawjson.encode(
            {
                "OTIO_SCHEMA": "Track.1",
                "metadata": {},
                "name": f"{below.name or ''} (nested)".strip(),
                "source_range": None,
                "effects": [],
                "markers": [],
                "enabled": below.enabled,
                "children": layer.items,
                "kind": kind,
            }
        )
