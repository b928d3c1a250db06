"""Clips of a film as the rows that a host makes strips of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from rushes_otio.film import Film
from rushes_otio.hosts.channels import Channels
from rushes_otio.hosts.clocks import clock_of, seen, start_time
from rushes_otio.hosts.lanes import Lane, Lanes, Standing
from rushes_otio.hosts.rows import Dissolve, Kind, Row
from rushes_otio.text import printable
from rushes_otio.timing import Rate


class Shown(NamedTuple):
    """The file that a host shows for a clip: its absolute path, what it is, how many frames it has (0 where that
    is not known or a still), and its size where that is known."""

    path: str
    kind: Kind
    frames: int
    size: tuple[int, int] | None


Show = Callable[[Standing, int], Shown]
"""The file for a clip, of which so many frames from the file's first are asked for: a slate can be made as
long."""


@dataclass(frozen=True, slots=True)
class Laid:
    """Rows and dissolves that a host is to make, in the order of the film's tracks."""

    rows: list[Row]
    dissolves: list[Dissolve]


def laid(film: Film, lanes: Lanes, channels: Mapping[str, int], show: Show) -> Laid:
    """The clips whose uses are in `channels`, which has the lowest channel of each one's lane. Clips that dissolve
    into each other stand on that and the next one in turns, the dissolve above them and the effects that retime
    them."""
    rows: list[Row] = []
    dissolves: list[Dissolve] = []
    for lane in lanes.all:
        offered = [clip for clip in lane.clips if clip.use in channels]
        rows += [_row(clip, lane, channels[clip.use] + clip.roll, show, film.rate) for clip in offered]
        for (out, into), join in lane.joins.items():
            if out in channels and into in channels:
                cut = join.into.left
                dissolves.append(
                    Dissolve(
                        key=f"{into} dissolve",
                        channel=channels[into] + lane.over,
                        left=cut - join.before,
                        right=cut + join.after,
                        out=out,
                        into=into,
                        kind=join.kind,
                    )
                )
    return Laid(rows, dissolves)


def _row(clip: Standing, lane: Lane, channel: int, show: Show, rate: Rate) -> Row:
    left, right = clip.left - clip.head, clip.right + clip.tail
    guess = clock_of(clip.item, "", rate, sound=lane.is_sound)
    needed = guess.number(start_time(clip.item, rate)) + (right - left) * guess.ratio
    shown = show(clip, max(1, round(needed)))
    clock = clock_of(clip.item, shown.path, rate, sound=lane.is_sound)
    first, speed = seen(clip.item, clock, rate, clip.head)
    return Row(
        key=clip.use,
        kind=shown.kind,
        channel=channel,
        left=left,
        right=right,
        use=clip.use,
        shot=clip.shot,
        name=printable(_name(clip), 200),
        path=shown.path,
        first=first,
        length=shown.frames,
        enabled=clip.item.enabled,
        speed=speed,
        size=shown.size,
        zero=round(clock.number(rate.shot_zero)) if clip.shot else 0,
    )


def _name(clip: Standing) -> str:
    block = clip.item.block
    return (block.name if block is not None else "") or clip.item.name or clip.use


def tracks(lanes: Lanes, channels: Channels) -> list[dict[str, Any]]:
    """The film's tracks, each once for every channel that it has, or would have, in the host."""
    return [
        {
            "label": lane.label,
            "kind": lane.kind,
            "channel": channels[lane.number] + step,
            "name": printable(lane.name, 200),
            "enabled": lane.enabled,
        }
        for lane in lanes.all
        if lane.number in channels
        for step in range(lane.width)
    ]


def scenes(film: Film) -> list[dict[str, Any]]:
    """Where each scene is: from its first to its last clip on the lowest video track, in record frames."""
    found: list[dict[str, Any]] = []
    items = film.video[0].items if film.video else []
    spans: dict[str, tuple[int, int]] = {}
    for item in items:
        if item.block and item.block.scene:
            start, end = round(item.start), round(item.start + item.length)
            spans[item.block.scene] = (spans.get(item.block.scene, (start, end))[0], end)
    for scene in film.block.scenes:
        if scene.id in spans:
            start, end = spans[scene.id]
            name = printable(f"{scene.code} {scene.name}".strip(), 200)
            found.append({"name": name, "start": start, "frames": end - start})
    return found
