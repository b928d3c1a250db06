"""Which clips were moved: those that are out of order when as many as possible are taken to be in order.

The rest is the longest increasing subsequence of the old places, in the new order. So one clip that jumps over ten
is one move and not ten, and clips that only gave way are none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def in_order(places: Sequence[int]) -> set[int]:
    """The indices of a longest strictly increasing subsequence (patience sorting, n log n)."""
    tails: list[int] = []  # the smallest last place of an increasing run of each length
    last: list[int] = []  # the index where that place stands
    before: list[int] = [-1] * len(places)
    for index, place in enumerate(places):
        length = bisect_left(tails, place)
        if length == len(tails):
            tails.append(place)
            last.append(index)
        else:
            tails[length], last[length] = place, index
        before[index] = last[length - 1] if length else -1
    kept: set[int] = set()
    index = last[-1] if last else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return kept
