"""Rows as the text of clips: of the film's own clip where the row names one, else of what the row says."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.build import shot_clip, time_range
from rushes_otio.conforming.alignment import likely_begin
from rushes_otio.conforming.omitted import omitted_rows, with_block
from rushes_otio.film import Film
from rushes_otio.hosts.clocks import Clock, clock_of, pace_of, runs_as, seen, start_of, start_time
from rushes_otio.hosts.lanes import Lanes, Standing
from rushes_otio.hosts.metas import Piece
from rushes_otio.hosts.rows import Row
from rushes_otio.items import DEFAULT_MEDIA, MAX_FRAMES, Item, read_item
from rushes_otio.schema import ShotBlock

Named = Callable[[str], str]
"""What the film calls the file at an absolute path."""

_NUMBERED = re.compile(r"(.*?)([0-9]+)(\.[^./\\]+)")
_TIMELESS = ("image", "color", "text", "scene", "other")
_TIME = ("LinearTimeWarp.", "FreezeFrame.", "TimeEffect.")
_ALMOST = 1e-3


@dataclass(frozen=True, slots=True)
class Span:
    """What a clip shows of a piece: [left, right), without what only a dissolve shows."""

    left: int
    right: int


class Clips:
    """Makes the clips of a timeline that is to be conformed to `film`."""

    def __init__(self, film: Film, lanes: Lanes, named: Named) -> None:
        self._film = film
        self._lanes = lanes
        self._named = named
        self._omitted = omitted_rows(film)

    def is_known(self, row: Row) -> bool:
        """Whether the row shows a clip or a shot of the film, wherever it is."""
        return self._clip_of(row) is not None or self._shot(row) != ""

    def is_same(self, piece: Piece, clip: Standing) -> bool:
        """Whether a piece is a clip of the film as it stands there, dissolves included."""
        if (piece.row.use, piece.enabled) != (clip.use, clip.item.enabled) or not self._clip_of(piece.row):
            return False
        if (piece.left, piece.right) != (clip.left - clip.head, clip.right + clip.tail):
            return False
        return self._begins_the_same(piece, clip.item, clip.head)

    def clip(self, piece: Piece, span: Span) -> Raw:
        """The text of a clip that shows a piece of a row."""
        known = self._clip_of(piece.row)
        if known is not None:
            return self._of_film(known.item, known.shot, known, piece, span)
        shot = self._shot(piece.row)
        if shot:
            return self._of_film(self._first_use(shot), shot, None, piece, span)
        return self._foreign(piece, span)

    # -- clips of the film -----------------------------------------------------------------------------------

    def _clip_of(self, row: Row) -> Standing | None:
        """The clip that the row names; none where the editor took back which shot that is."""
        known = self._lanes.by_use.get(row.use)
        return None if known is not None and row.told == known.shot != row.shot else known

    def _shot(self, row: Row) -> str:
        return row.shot if row.shot in self._film.shots or row.shot in self._omitted else ""

    def _first_use(self, shot: str) -> Item:
        found = self._film.shots.get(shot)
        if found is not None:
            return found.items[0]
        where = f"{self._film.where}: omitted"
        block = rawjson.open_object(self._omitted[shot], where)
        clip = block.pop("clip", None)
        if clip is None:
            clip = shot_clip(rawjson.read(self._omitted[shot], ShotBlock, where), 1, self._film.rate)
        return read_item(with_block(clip, block, where), where, float(self._film.rate))

    def _of_film(self, item: Item, shot: str, known: Standing | None, piece: Piece, span: Span) -> Raw:
        is_untouched = known is not None and self._is_untouched(piece, known, span)
        if is_untouched and item.bare and item.enabled == piece.enabled:
            return item.raw
        where = self._film.where
        opened = rawjson.open_object(item.raw, where)
        metadata = rawjson.member(opened, "metadata", where)
        metadata = {"rushes": rawjson.encode(_mark(item, shot, piece.row))} if shot else metadata
        changes: dict[str, Raw | None] = {
            "metadata": rawjson.encode(metadata),
            "enabled": rawjson.encode(piece.enabled),
            "markers": rawjson.encode([]),
        }
        clock = self._clock(piece, item)
        if not (_is_still(piece) or runs_as(piece.row.speed, seen(item, clock, self._film.rate, 0)[1])):
            changes["effects"] = rawjson.encode(_with_speed(opened, piece.pace / clock.ratio, where))
        if not is_untouched:
            start = self._start(piece, item, clock, span)
            changes["source_range"] = self._range(round(start) if shot else start, span.right - span.left)
        return rawjson.patch(item.raw, changes, where)

    def _clock(self, piece: Piece, item: Item) -> Clock:
        return clock_of(item, piece.row.path, self._film.rate, sound=piece.is_sound)

    def _begins_the_same(self, piece: Piece, item: Item, head: int) -> bool:
        """Whether a piece begins with the frame that the film's clip shows `head` frames before its in-point, and
        runs as fast. A still has no frames."""
        if _is_still(piece):
            return True
        first, said = seen(item, self._clock(piece, item), self._film.rate, head)
        return runs_as(piece.row.speed, said) and piece.first == first

    def _is_untouched(self, piece: Piece, known: Standing, span: Span) -> bool:
        length = span.right - span.left
        if length != known.length or abs(known.item.length - length) > _ALMOST:
            return False
        return self._begins_the_same(piece, known.item, span.left - piece.left)

    def _start(self, piece: Piece, item: Item, clock: Clock, span: Span) -> float:
        head, length = span.left - piece.left, span.right - span.left
        said, pace = seen(item, clock, self._film.rate, 0)[1], pace_of(item, clock)
        if _is_still(piece) or (pace >= 0 and self._begins_the_same(piece, item, head)):
            return start_time(item, self._film.rate)
        runs_on = runs_as(piece.row.speed, said)
        return start_of(piece.first, pace if runs_on else piece.pace, head, length, clock)

    # -- clips of the host's own -----------------------------------------------------------------------------

    def _foreign(self, piece: Piece, span: Span) -> Raw:
        row, length = piece.row, span.right - span.left
        first = 0.0
        if not _is_still(piece):
            first = start_of(piece.first, piece.pace, span.left - piece.left, length, Clock(0.0, 1.0))
        return rawjson.encode(
            {
                "OTIO_SCHEMA": "Clip.2",
                "metadata": {},
                "name": row.name,
                "source_range": self._range(first, length),
                "effects": [_warp(piece.pace)] if piece.pace != 1.0 and not _is_still(piece) else [],
                "markers": [],
                "enabled": piece.enabled,
                "media_references": {DEFAULT_MEDIA: self._media(row, self._file(row, first + length))},
                "active_media_reference_key": DEFAULT_MEDIA,
            }
        )

    def _file(self, row: Row, end: float) -> dict[str, Any] | None:
        """The range of a file of which a clip shows what lies before `end`; None where that is not known. Of a
        clip that is hours into a file it has to be: the hours would be read as timecode."""
        rate = self._film.rate
        if row.length or likely_begin(row.first, 3600.0 * rate.nominal) == 0:
            return time_range(0, row.length, rate) if row.length else None
        return time_range(0, min(max(1, math.ceil(end)), MAX_FRAMES), rate)

    def _media(self, row: Row, known: dict[str, Any] | None) -> dict[str, Any]:
        media: dict[str, Any] = {
            "OTIO_SCHEMA": "ExternalReference.1",
            "metadata": {},
            "name": "",
            "available_range": known,
            "available_image_bounds": None,
        }
        path = self._named(row.path) if row.path else ""
        if row.kind == "images" and (numbered := _NUMBERED.fullmatch(path.rpartition("/")[2])):
            return media | self._images(path.rpartition("/")[0], numbered)
        if path:
            return media | {"target_url": path}
        kind = "Missing" if row.kind in ("movie", "image", "images", "sound") else row.kind
        if kind == "Missing":
            return media | {"OTIO_SCHEMA": "MissingReference.1"}
        return media | {"OTIO_SCHEMA": "GeneratorReference.1", "generator_kind": kind, "parameters": {}}

    def _images(self, folder: str, numbered: re.Match[str]) -> dict[str, Any]:
        return {
            "OTIO_SCHEMA": "ImageSequenceReference.1",
            "target_url_base": folder,
            "name_prefix": numbered[1],
            "name_suffix": numbered[3],
            "start_frame": int(numbered[2]),
            "frame_step": 1,
            "rate": float(self._film.rate),
            "frame_zero_padding": len(numbered[2]),
            "missing_frame_policy": "error",
        }

    def _range(self, start: float, length: int) -> Raw:
        nearest = round(start)
        span = time_range(nearest, length, self._film.rate)
        if abs(start - nearest) > _ALMOST:
            span["start_time"]["value"] = start
        return rawjson.encode(span)


def _is_still(piece: Piece) -> bool:
    return piece.row.kind in _TIMELESS


def _mark(item: Item, shot: str, row: Row) -> dict[str, Any]:
    """Who a clip is, as far as conforming asks."""
    block = item.block
    assert block is not None
    chosen = {"take": block.chosen.take} if block.chosen else None
    return {"use": row.use, "shot": shot, "shift": block.shift, "chosen": chosen}


def _with_speed(opened: rawjson.RawObject, pace: float, where: str) -> list[Raw]:
    raw = opened.get("effects", Raw(b"null"))
    effects = [] if bytes(raw) == b"null" else rawjson.read(raw, list[Raw], where)
    kept = [each for each in effects if not _schema(each, where).startswith(_TIME)]
    return [*kept, *([rawjson.encode(_warp(pace))] if pace != 1.0 else [])]


def _schema(effect: Raw, where: str) -> str:
    return rawjson.read(rawjson.open_object(effect, where).get("OTIO_SCHEMA", Raw(b'""')), str, where)


def _warp(pace: float) -> dict[str, Any]:
    schema, name = ("LinearTimeWarp.1", "LinearTimeWarp") if pace else ("FreezeFrame.1", "FreezeFrame")
    return {"OTIO_SCHEMA": schema, "metadata": {}, "name": "", "effect_name": name, "time_scalar": pace}
