"""Gaps, fades and dissolves of a track that was changed in a host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.build import rational_time, time_range
from rushes_otio.film import Film
from rushes_otio.hosts.lanes import OTHER_DISSOLVES, Lane, Pair, kind_of_dissolve, whole
from rushes_otio.hosts.metas import Piece
from rushes_otio.hosts.rows import Dissolve
from rushes_otio.items import Item

_ALMOST = 1e-3


class Between:
    """What stands between the clips of a track that was changed. It is the film's own where both neighbours are,
    and the same hole between them; a fade stays with its clip."""

    def __init__(self, lane: Lane | None, transitions: Mapping[Pair, Item], film: Film) -> None:
        self._film = film
        self._own = {pair: items for pair, items in lane.between.items() if _stays(pair, lane)} if lane else {}
        self._transitions = transitions
        self._ends = {pair[0]: items[0] for pair, items in self._own.items() if _fades(items[:1])}
        self._begins = {pair[1]: items[-1] for pair, items in self._own.items() if _fades(items[-1:])}

    def items(self, pair: Pair, hole: int) -> list[Raw]:
        """What fills a hole of so many frames between two uses."""
        own = self._own.get(pair, [])
        if abs(sum(item.length for item in own) - hole) < _ALMOST:
            return [item.raw for item in own]
        if hole == 0:
            return []
        out, into = self._ends.get(pair[0]), self._begins.get(pair[1])
        fades = [[fade.raw] if fade is not None else [] for fade in (out, into)]
        return [*fades[0], self._gap(hole), *fades[1]]

    def tail(self, last: str) -> list[Raw]:
        """What follows the last use."""
        return [item.raw for item in self._own.get((last, ""), ())]

    def dissolve(self, left: Piece, right: Piece, said: Dissolve) -> tuple[int, Raw]:
        """Where the cut lies in the overlap of two pieces, and the transition over it."""
        own = self._transitions.get((left.row.use, right.row.use))
        frames = left.right - right.left
        if own is None or whole(own.in_offset) + whole(own.out_offset) != frames:
            return right.left, self._transition(said.kind, 0, frames)
        before = whole(own.in_offset)
        if kind_of_dissolve(own) == said.kind:
            return right.left + before, own.raw
        return right.left + before, self._transition(said.kind, before, frames - before)

    def _gap(self, frames: int) -> Raw:
        return rawjson.encode(
            {
                "OTIO_SCHEMA": "Gap.1",
                "metadata": {},
                "name": "",
                "source_range": time_range(0, frames, self._film.rate),
                "effects": [],
                "markers": [],
                "enabled": True,
            }
        )

    def _transition(self, kind: str, before: int, after: int) -> Raw:
        rate = self._film.rate
        return rawjson.encode(
            {
                "OTIO_SCHEMA": "Transition.1",
                "metadata": {},
                "name": kind if kind in OTHER_DISSOLVES else "",
                "in_offset": rational_time(before, rate),
                "out_offset": rational_time(after, rate),
                "transition_type": "Custom_Transition" if kind == "wipe" else "SMPTE_Dissolve",
            }
        )


def _stays(pair: Pair, lane: Lane) -> bool:
    """Not so a dissolve that is too long for its clips: no host showed it, and once they are longer one would."""
    kinds = [item.kind for item in lane.between[pair]]
    return lane.is_sound or not all(pair) or kinds != ["Transition"]


def _fades(items: Sequence[Item]) -> bool:
    return bool(items) and items[0].kind == "Transition"
