"""Rows without metas: what lies in one is cut off where the meta's handles are, and stands on layers beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rushes_otio.hosts.clocks import frame_at
from rushes_otio.hosts.rows import Row

Layer = tuple[float, ...]
"""Where a row stands: its channel, and for what lies in a meta how far above the meta's lowest row. Sorts from the
lowest to the uppermost."""

_DEEPEST = 32
"""Metas inside each other; hosts that were measured let people make far fewer."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What is seen of a row: [left, right), which begins with media frame `first`."""

    row: Row
    layer: Layer
    left: int
    right: int
    first: int
    enabled: bool

    @property
    def is_sound(self) -> bool:
        return self.row.kind == "sound"

    @property
    def pace(self) -> float:
        """Media frames per frame; a speed that varies counts as 1."""
        return float(self.row.speed) if self.row.speed else 1.0

    def cut(self, left: int, right: int) -> Piece:
        """A part of it."""
        first = frame_at(self.first, self.pace, left - self.left)
        return Piece(self.row, self.layer, left, right, first, self.enabled)


def unpacked(rows: Iterable[Row]) -> tuple[list[Piece], list[str]]:
    """The rows that show something, and what a person should know of those that are left out."""
    rows = list(rows)
    metas = {row.key: row for row in rows if row.kind == "meta"}
    lowest: dict[tuple[str, bool], int] = defaultdict(lambda: 1 << 30)
    for row in rows:
        key = row.inside, row.kind == "sound"
        lowest[key] = min(lowest[key], row.channel)
    pieces, early = [], 0
    for row in rows:
        if row.kind == "meta" or row.right <= row.left:
            continue
        piece = _unpacked(row, metas, lowest)
        if piece is not None and piece.left < 0 < piece.right:
            piece = piece.cut(0, piece.right)
        if piece is not None and piece.left >= 0:
            pieces.append(piece)
        early += piece is not None and piece.right <= 0
    return pieces, [_early(early)] if early else []


def _early(count: int) -> str:
    which = "a strip lies" if count == 1 else f"{count} strips lie"
    return f"{which} before the film's first frame and so in no film"


def _unpacked(row: Row, metas: dict[str, Row], lowest: dict[tuple[str, bool], int]) -> Piece | None:
    """None of a row that the handles of a meta hide. A row in a meta that is not there stands by itself."""
    left, right, enabled = row.left, row.right, row.enabled
    path, inner = [], row
    for _ in range(_DEEPEST):
        meta = metas.get(inner.inside)
        if meta is None:
            break
        path.append(
            inner.channel - lowest[inner.inside, row.kind == "sound"] if inner is row else _above(inner, lowest)
        )
        left, right = max(left, meta.left), min(right, meta.right)
        enabled = enabled and meta.enabled
        inner = meta
    if right <= left:
        return None
    layer = [float(inner.channel), *map(float, reversed(path))]
    while len(layer) > 1 and layer[-1] == 0:
        layer.pop()
    whole = Piece(row, tuple(layer), row.left, row.right, row.first, enabled)
    return whole.cut(left, right) if (left, right) != (row.left, row.right) else whole


def _above(meta: Row, lowest: dict[tuple[str, bool], int]) -> int:
    return meta.channel - lowest[meta.inside, False]
