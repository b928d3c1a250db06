"""Which clip of a new cut goes on as which clip of the old one, where several of both show the same file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from rushes_otio.conforming.alignment import overlap, run, shows_last
from rushes_otio.conforming.returned import Placed

Pairs = dict[int, Placed]
"""Order of the new clip → the old clip."""

MOST_PAIRS = 10_000
"""Pairs that are weighed one by one; beyond, clips are only compared with those near them in the file."""

ANY = -float("inf")

_NEAR = 8


def pair(
    new: Sequence[Placed],
    old: Sequence[Placed],
    hour: float,
    beside: Callable[[Placed, Placed], int],
    least: float = 0.0,
) -> Pairs:
    """Each old clip goes on as one new clip at most: the one with the very range, else the one that shows its last
    frame, else the one that shows most of it; among equals the one with the same neighbours (`beside` counts
    them), else the nearest in order. Both show more than `least` frames of the file in common; with `ANY`, what
    has nothing in common is paired too, in the end.
    """
    if len(new) == 1 and len(old) == 1:
        return {new[0].order: old[0]} if overlap(new[0], old[0], hour) > least else {}
    found: Pairs = {}
    taken: set[int] = set()
    weighed = sorted(_weighed(new, old, hour, beside, least), key=lambda each: each[0], reverse=True)
    for _, clip, before in weighed:
        if clip.order not in found and before.order not in taken:
            found[clip.order] = before
            taken.add(before.order)
    return found


_Weight = tuple[bool, bool, float, int, int]


def _weighed(
    new: Sequence[Placed],
    old: Sequence[Placed],
    hour: float,
    beside: Callable[[Placed, Placed], int],
    least: float,
) -> Iterable[tuple[_Weight, Placed, Placed]]:
    for clip, before in _candidates(new, old):
        shared = overlap(clip, before, hour)
        if shared > least:
            exact = shared == run(clip) == run(before)
            last = shows_last(clip, before, hour)
            near = -abs(clip.order - before.order)
            yield (exact, last, max(shared, 0.0), beside(clip, before), near), clip, before


def _candidates(new: Sequence[Placed], old: Sequence[Placed]) -> Iterable[tuple[Placed, Placed]]:
    if len(new) * len(old) <= MOST_PAIRS:
        return ((clip, before) for clip in new for before in old)
    return _near_in_file(new, old)


def _near_in_file(new: Sequence[Placed], old: Sequence[Placed]) -> Iterable[tuple[Placed, Placed]]:
    """Clips with the same range, in order; and for each clip the ones that start nearest in the file."""
    same = defaultdict(list)
    for before in reversed(old):
        same[before.first, before.length].append(before)
    for clip in new:
        if same[clip.first, clip.length]:
            yield clip, same[clip.first, clip.length].pop()
    ranked = sorted([*new, *old], key=lambda each: (each.first, each.order))
    olds = {id(each) for each in old}
    for at, clip in enumerate(ranked):
        if id(clip) not in olds:
            around = ranked[max(0, at - _NEAR) : at + _NEAR + 1]
            yield from ((clip, before) for before in around if id(before) in olds)
