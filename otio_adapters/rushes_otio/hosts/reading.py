"""A host's rows as the text of a timeline, to be conformed to the film.

Tracks on which everything stands as in the film are the film's own, nested stacks included. On the others each
clip that was not changed has its very text; what stands between two clips that are still neighbours stays too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.build import rational_time
from rushes_otio.film import Film
from rushes_otio.hosts.betweens import Between
from rushes_otio.hosts.chains import Chain, Layers, chained, layered
from rushes_otio.hosts.clips import Clips, Span
from rushes_otio.hosts.lanes import Lane, Lanes
from rushes_otio.hosts.metas import Layer, Piece
from rushes_otio.hosts.rows import ChannelState, Dissolve
from rushes_otio.hosts.tracking import tracked
from rushes_otio.rawjson import RawObject

Place = tuple[int, int]
"""A track of a timeline and an item on it, by number."""


@dataclass
class Reading:
    """What rows say of a film's cut. With `same` they say that it is as it is; else `text` is the timeline, in
    which the row of a key became the clip at its `places`. Rows on `kept` tracks are what they were."""

    same: bool
    text: bytes = b""
    places: dict[Place, str] = field(default_factory=dict)
    kept: list[Piece] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Told:
    """What a host said, unpacked. Pieces with the keys in `ours` are not in its timeline yet."""

    pieces: Sequence[Piece]
    dissolves: Sequence[Dissolve]
    channels: Sequence[ChannelState] = ()
    ours: Collection[str] = ()


def read(film: Film, lanes: Lanes, told: Told, clips: Clips) -> Reading:
    """What a host's timeline says of the film, whose `lanes` are given."""
    return _Reader(film, lanes, told, clips).reading()


def layers_of(told: Told) -> tuple[Layers, Layers, list[str]]:
    """The layers of picture, those of sound, and what a film cannot hold of them."""
    chains, notes = chained(told.pieces, told.dissolves)
    picture = layered(chain for chain in chains if not chain.pieces[0].is_sound)
    return picture, layered(chain for chain in chains if chain.pieces[0].is_sound), notes


class _Reader:
    def __init__(self, film: Film, lanes: Lanes, told: Told, clips: Clips) -> None:
        self._film = film
        self._lanes = lanes
        self._told = told
        self._clips = clips
        self._states = {state.channel: state for state in told.channels}
        picture, sound, notes = layers_of(told)
        self._result = Reading(same=True, notes=notes)
        self._layers = {False: picture, True: sound}
        self._tracking = {kind: tracked(self._layers[kind], lanes, sound=kind) for kind in (False, True)}
        self._on = {
            lane: (kind, layer) for kind, found in self._tracking.items() for layer, lane in found.lane.items()
        }
        self._transitions = {pair: item for lane in lanes.all for pair, item in lane.transitions()}
        self._tracks: list[tuple[RawObject, list[Raw]]] = []

    def reading(self) -> Reading:
        to_come = [False, True]
        for number, group in groupby(self._lanes.all, key=lambda lane: lane.track):
            lanes = list(group)
            if lanes[0].is_sound in to_come:
                to_come.remove(lanes[0].is_sound)
                self._new(lanes[0].is_sound, -1)
            self._group(number, lanes)
        for kind in to_come:
            self._new(kind, -1)
        result = self._result
        if not result.same:
            result.text = self._text()
        return result

    def _text(self) -> bytes:
        start = self._film.global_start
        shell = self._film.shell
        own = rawjson.encode(rational_time(0, self._film.rate)) if start is None else None
        timeline = {
            "OTIO_SCHEMA": rawjson.encode("Timeline.1"),
            "metadata": rawjson.encode({}),
            "name": rawjson.encode(self._film.name),
            "global_start_time": own or shell.timeline["global_start_time"],
        }
        tracks = [track | {"children": rawjson.encode(items)} for track, items in self._tracks]
        stack = {"OTIO_SCHEMA": rawjson.encode("Stack.1"), "children": rawjson.encode(tracks)}
        return bytes(rawjson.encode(timeline | {"tracks": rawjson.encode(stack)}))

    # -- tracks ----------------------------------------------------------------------------------------------

    def _group(self, number: int, group: list[Lane]) -> None:
        """A track of the film, with the layers of its stacks; and new tracks above them."""
        above = self._tracking[group[0].is_sound].new
        split = any(lane.number in above for lane in group[:-1])
        if not split and all(self._is_same(lane) for lane in group):
            items = [item.raw for item in self._film.tracks[number].items]
            self._tracks.append((self._film.shell.tracks[number], items))
            chains = (chain for lane in group for chain in self._chains(lane))
            self._result.kept += [piece for chain in chains for piece in chain.pieces]
            self._new(group[-1].is_sound, group[-1].number)
            return
        self._result.same = False
        self._result.notes += self._lanes.notes[number]
        for lane in group:
            if lane.number in self._on or lane is group[0]:
                self._changed(lane)
            self._new(lane.is_sound, lane.number)

    def _chains(self, lane: Lane) -> list[Chain]:
        kind, layer = self._on.get(lane.number, (False, ()))
        return self._layers[kind].get(layer, [])

    def _is_same(self, lane: Lane) -> bool:
        chains = self._chains(lane)
        pieces = [piece for chain in chains for piece in chain.pieces]
        if len(pieces) != len(lane.clips) or self._enabled(lane) != lane.enabled:
            return False
        if not all(self._clips.is_same(piece, clip) for piece, clip in zip(pieces, lane.clips, strict=True)):
            return False
        joined = {
            (out.row.use, into.row.use): dissolve.kind
            for chain in chains
            for (out, into), dissolve in zip(pairwise(chain.pieces), chain.dissolves, strict=True)
        }
        return joined == {pair: join.kind for pair, join in lane.joins.items()}

    def _enabled(self, lane: Lane) -> bool:
        """As the host has it, where anything of the track is there."""
        kind, layer = self._on.get(lane.number, (False, ()))
        there = [
            p for c in self._layers[kind].get(layer, ()) for p in c.pieces if p.row.key not in self._told.ours
        ]
        return self._is_on(layer) if there else lane.enabled

    def _is_on(self, layer: Layer) -> bool:
        state = self._states.get(int(layer[0]))
        return state is None or state.enabled

    def _changed(self, lane: Lane) -> None:
        shell = lane.shell
        if self._enabled(lane) != lane.enabled:
            shell = shell | {"enabled": rawjson.encode(not lane.enabled)}
        self._tracks.append((shell, self._items(self._chains(lane), lane)))

    def _new(self, sound: bool, above: int) -> None:
        """The new tracks above a lane of the film."""
        for layer in self._tracking[sound].new.get(above, ()):
            self._result.same = False
            state = self._states.get(int(layer[0]))
            shell: dict[str, Any] = {
                "OTIO_SCHEMA": "Track.1",
                "metadata": {},
                "name": state.name if state else "",
                "source_range": None,
                "effects": [],
                "markers": [],
                "enabled": self._is_on(layer),
                "children": [],
                "kind": "Audio" if sound else "Video",
            }
            opened = rawjson.open_object(rawjson.encode(shell), self._film.where)
            self._tracks.append((opened, self._items(self._layers[sound][layer], None)))

    # -- items -----------------------------------------------------------------------------------------------

    def _items(self, chains: Sequence[Chain], lane: Lane | None) -> list[Raw]:
        track, items = len(self._tracks), list[Raw]()
        between = Between(lane, self._transitions, self._film)
        end, last = 0, ""
        for chain in chains:
            items += between.items((last, _name(chain.pieces[0])), chain.left - end)
            end = chain.left
            joined = [between.dissolve(*pair) for pair in zip(*_pairs(chain), chain.dissolves, strict=True)]
            ends = [*joined, (chain.right, None)]
            for piece, (until, transition) in zip(chain.pieces, ends, strict=True):
                self._result.places[track, len(items)] = piece.row.key
                items.append(self._clips.clip(piece, Span(end, until)))
                items += [transition] if transition else []
                end, last = until, _name(piece)
        return items + between.tail(last)


def _pairs(chain: Chain) -> tuple[list[Piece], list[Piece]]:
    return chain.pieces[:-1], chain.pieces[1:]


def _name(piece: Piece) -> str:
    """The use of a piece among neighbours, where "" is none at all."""
    return piece.row.use or "?"
