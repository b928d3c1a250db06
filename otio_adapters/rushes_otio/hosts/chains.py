"""Pieces that dissolve into each other overlap on channels of their own. Here they become one chain, which
stands on one layer; whatever else overlaps is put onto layers above.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rushes_otio.errors import BadRequest
from rushes_otio.hosts.metas import Layer, Piece
from rushes_otio.hosts.rows import Dissolve

MOST_LAYERS = 1024

_STEP = 1 / 4096
"""Between a layer and what was put above it: less than any layer inside a meta lies above another."""


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Pieces from the left, and the dissolves between them."""

    pieces: list[Piece]
    dissolves: list[Dissolve]

    @property
    def left(self) -> int:
        return self.pieces[0].left

    @property
    def right(self) -> int:
        return self.pieces[-1].right


Layers = dict[Layer, list[Chain]]
"""From the lowest to the uppermost; on each the chains from the left."""


def chained(pieces: Iterable[Piece], dissolves: Iterable[Dissolve]) -> tuple[list[Chain], list[str]]:
    """The chains, and what a person should know of dissolves that a film cannot hold."""
    by_key = {piece.row.key: piece for piece in pieces}
    into: dict[str, Dissolve] = {}
    out: dict[str, Dissolve] = {}
    lost = 0
    for dissolve in sorted(dissolves, key=lambda each: each.left):
        left, right = by_key.get(dissolve.out), by_key.get(dissolve.into)
        if left is None or right is None:
            continue
        before = into.get(dissolve.out)
        since = by_key[before.out].right if before else left.left
        if not (_overlap(left, right) and since <= right.left) or dissolve.out in out or dissolve.into in into:
            lost += 1
            continue
        out[dissolve.out] = into[dissolve.into] = dissolve
    chains = [_chain(piece, by_key, out) for piece in by_key.values() if piece.row.key not in into]
    return chains, [f"{lost} dissolves are not between two strips that follow each other"] if lost else []


def _overlap(left: Piece, right: Piece) -> bool:
    return not left.is_sound and not right.is_sound and left.left < right.left < left.right < right.right


def _chain(piece: Piece, by_key: dict[str, Piece], out: dict[str, Dissolve]) -> Chain:
    chain = Chain([piece], [])
    while (dissolve := out.get(chain.pieces[-1].row.key)) is not None:
        chain.pieces.append(by_key[dissolve.into])
        chain.dissolves.append(dissolve)
    return chain


def layered(chains: Iterable[Chain]) -> Layers:
    """The chains of one kind, each on a layer where nothing else is. BadRequest when there are too many."""
    ordered = sorted(chains, key=lambda each: (each.left, each.pieces[0].layer, each.pieces[0].row.key))
    there: dict[Layer, list[Piece]] = defaultdict(list)
    for piece in sorted((p for chain in ordered for p in chain.pieces), key=lambda each: each.left):
        there[piece.layer].append(piece)
    found: Layers = defaultdict(list)
    for chain in ordered:
        home = _home(chain, there)
        while found[home] and found[home][-1].right > chain.left:
            home = (*home[:-1], home[-1] + _STEP)
        found[home].append(chain)
        if len(found) > MOST_LAYERS:
            raise BadRequest(
                f"the timeline has over {MOST_LAYERS:,} layers; that is the limit",
                remedy="move strips that do not overlap onto fewer channels",
            )
    return dict(sorted(found.items()))


def _home(chain: Chain, there: dict[Layer, list[Piece]]) -> Layer:
    """The lowest layer of a chain, or the uppermost, where no piece that comes there from another one passes
    anything else on its way."""
    layers = [piece.layer for piece in chain.pieces]
    lowest, uppermost = min(layers), max(layers)
    return uppermost if lowest != uppermost and _passes(chain, lowest, there) else lowest


def _passes(chain: Chain, home: Layer, there: dict[Layer, list[Piece]]) -> bool:
    own = {*chain.pieces}
    for piece in chain.pieces:
        for layer, others in there.items():
            if home <= layer < piece.layer and any(_at(piece, others, own)):
                return True
    return False


def _at(piece: Piece, others: Sequence[Piece], own: Collection[Piece]) -> Iterable[Piece]:
    """What is there at the time of a piece, its `own` chain aside."""
    before = bisect_left(others, piece.right, key=lambda each: each.left)
    for other in reversed(others[:before]):
        if other.right <= piece.left:
            return
        if other not in own:
            yield other
