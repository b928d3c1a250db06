"""EDLs put the cut at the beginning of a dissolve. Where the film has the same dissolve elsewhere around its cut,
the cut is put back there: the picture is the same, and nobody trimmed anything.
"""

from __future__ import annotations

from itertools import pairwise

from rushes_otio.conforming.returned import Placed
from rushes_otio.cut import speed
from rushes_otio.items import Item

Known = dict[int, Placed]
"""The order of a clip that came back → the clip of the film it goes on as."""


def put_back(clips: list[Placed], known: Known) -> None:
    """Move the cuts of dissolves in the clips of a returned cut, in place."""
    for left, right in pairwise(clips):
        came = _between(left, right)
        if came is None or came.in_offset:
            continue
        before, after = known.get(left.order), known.get(right.order)
        if before is None or after is None:
            continue
        own = _between(before, after)
        if own is not None and own.in_offset and own.in_offset + own.out_offset == came.out_offset:
            shift = own.in_offset
            if left.length + shift == before.length or right.length - shift == after.length:
                _move(left, right, shift)
                came.in_offset, came.out_offset = own.in_offset, own.out_offset


def _between(left: Placed, right: Placed) -> Item | None:
    """The transition between two clips that stand beside each other."""
    if left.track is not right.track or right.index != left.index + 2:
        return None
    found = left.track.items[left.index + 1]
    return found if found.kind == "Transition" else None


def _move(left: Placed, right: Placed, frames: float) -> None:
    """A reversed clip shows its range from the end: it grows at the head of the range and is cut at its tail."""
    left.length += frames
    left.item.length += frames
    if _backwards(left.item):
        left.first -= frames * speed(left.item)
    if not _backwards(right.item):
        right.first += frames * speed(right.item)
    right.length -= frames
    right.item.length -= frames
    right.item.start += frames


def _backwards(item: Item) -> bool:
    return sum(scalar < 0 for scalar in item.warps) % 2 == 1
