"""Which layers of a host are which tracks of the film: those that most of the track's clips stand on, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rushes_otio.hosts.chains import Layers
from rushes_otio.hosts.lanes import Lane, Lanes
from rushes_otio.hosts.metas import Layer

_CLIP = 1 << 20  # a clip that stays on its track counts for more than any number of empty tracks that are filled


@dataclass(frozen=True, slots=True)
class Tracking:
    """`lane` says for a layer which lane of the film it goes on as; `new` holds for a lane (-1: before the first
    of its kind) the further layers above it, as new tracks."""

    lane: dict[Layer, int]
    new: dict[int, list[Layer]]


def tracked(layers: Layers, lanes: Lanes, *, sound: bool) -> Tracking:
    """The tracks of one kind, picture or sound. The order of layers is the order of tracks."""
    keys = list(layers)
    own = [lane for lane in lanes.all if lane.is_sound == sound and lane.kind in ("Video", "Audio")]
    votes = [_votes(layers, key, lanes) for key in keys]
    pairs = _in_order(votes, own)
    lane_of = {keys[layer]: own[lane].number for layer, lane in pairs}
    new: dict[int, list[Layer]] = {}
    last = -1
    for key in keys:
        last = lane_of.get(key, last)
        if key not in lane_of:
            new.setdefault(last, []).append(key)
    return Tracking(lane_of, new)


def _votes(layers: Layers, key: Layer, lanes: Lanes) -> Counter[int]:
    known = (lanes.by_use.get(piece.row.use) for chain in layers[key] for piece in chain.pieces)
    return Counter(clip.lane for clip in known if clip is not None)


def _in_order(votes: Sequence[Counter[int]], own: Sequence[Lane]) -> list[tuple[int, int]]:
    """Pairs of a layer and a lane, both by index, rising in both, with most votes together. A lane that nobody
    votes for is as good as a new track, and better."""
    wanted = {lane for counted in votes for lane in counted}
    best = [[0] * (len(own) + 1)]
    for counted in votes:
        above, row = best[-1], [0]
        for index, lane in enumerate(own):
            row.append(max(above[index + 1], row[index], above[index] + _weight(counted, lane, wanted)))
        best.append(row)
    pairs = []
    layer, index = len(votes), len(own)
    while layer and index:
        if best[layer][index] == best[layer][index - 1]:
            index -= 1
        elif best[layer][index] == best[layer - 1][index]:
            layer -= 1
        else:
            layer, index = layer - 1, index - 1
            pairs.append((layer, index))
    return pairs


def _weight(counted: Counter[int], lane: Lane, wanted: set[int]) -> int:
    return counted[lane.number] * _CLIP + (lane.number not in wanted)
