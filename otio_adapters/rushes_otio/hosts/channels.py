"""Which channel of a host each lane of a film has, or would have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import count

from rushes_otio.errors import BadRequest
from rushes_otio.hosts.lanes import Lane, Lanes
from rushes_otio.hosts.tracking import Tracking

MOST_CHANNELS = 1024

Channels = dict[int, int]
"""The lowest channel of a lane, by its number."""


def channels_of(
    lanes: Lanes, tracking: Mapping[bool, Tracking], used: Collection[int], muted: Collection[int]
) -> Channels:
    """Where the lanes are in a host, and for those that are not there where they would be: sound lowest, a lane
    that is above another one also above it there. On `used` channels something stands; nothing that is to be
    seen goes onto `muted` ones. What hosts put above the clips of a lane stays beneath the next one. BadRequest
    when there are too many."""
    taken = {*used}
    found: Channels = {}
    laid = _laid(lanes)
    for sound in (True, False):
        there = {lane: int(layer[0]) for layer, lane in tracking[sound].lane.items()}
        own = [lane for lane in lanes.all if lane.is_sound == sound and lane.kind in ("Video", "Audio")]
        taken |= {there[lane.number] + step for lane in own if lane.number in there for step in range(lane.width)}
        for index, lane in enumerate(own):
            if lane.number in there:
                found[lane.number] = there[lane.number]
                continue
            below = 0 if sound else max((found[each.number] for each in own[:index]), default=0)
            above = min((there[each.number] for each in own[index:] if each.number in there), default=None)
            shut = taken | {*muted} if lane.enabled else taken
            found[lane.number] = _channel(lane, laid[lane.number], below, None if sound else above, shut)
            taken |= {found[lane.number] + step for step in range(lane.width)}
    if max(found.values(), default=0) > MOST_CHANNELS:
        raise BadRequest(
            f"the film has {len(found):,} tracks; a timeline of channels has {MOST_CHANNELS:,} at most",
            remedy="move clips that do not overlap onto fewer tracks",
        )
    return found


def _laid(lanes: Lanes) -> Channels:
    """The channels of the lanes in an empty timeline."""
    found, channel = {}, 1
    for lane in sorted(lanes.all, key=lambda each: not each.is_sound):
        found[lane.number] = channel
        channel += lane.width
    return found


def _channel(lane: Lane, wanted: int, below: int, above: int | None, taken: Collection[int]) -> int:
    """A channel between two others on which nothing stands; on top, where there is none; else anywhere."""
    width = lane.width
    channel = max(wanted, below + 1)
    if above is not None and channel + width > above:
        channel = below + 1
    while any(channel + step in taken for step in range(width)):
        channel += 1
    if above is not None and channel + width > above:
        channel = max(taken, default=0) + 1
    if channel + width > MOST_CHANNELS + 1:
        channel = next(each for each in count(1) if not any(each + step in taken for step in range(width)))
    return channel
