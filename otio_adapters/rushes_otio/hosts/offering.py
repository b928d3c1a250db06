"""What the film has and a host was never given, and where it goes in the host's timeline: to its own place where
that is free, else after the end. What lies beside each other in time stays so.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from rushes_otio.film import Film
from rushes_otio.hosts.channels import Channels
from rushes_otio.hosts.clocks import clock_of, seen
from rushes_otio.hosts.lanes import Join, Lane, Lanes, Standing
from rushes_otio.hosts.metas import Piece
from rushes_otio.hosts.rows import Dissolve, Row

Taken = tuple[int, int, int]
"""A channel, and from where to where something stands on it."""


@dataclass
class Offer:
    """Pieces and dissolves beside those of the host, as if they were in its timeline. `channels` has those of the
    lanes, by use."""

    pieces: list[Piece] = field(default_factory=list)
    dissolves: list[Dissolve] = field(default_factory=list)
    channels: dict[str, int] = field(default_factory=dict)


class Free:
    """Which places nothing stands at."""

    def __init__(self, taken: Iterable[Taken]) -> None:
        self._spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.end = 0
        for each in sorted(taken):
            self.take(each)

    def take(self, taken: Taken) -> None:
        channel, left, right = taken
        spans = self._spans[channel]
        begin, end = self._touched(channel, left, right)
        merged = [(left, right), *spans[begin:end]]
        spans[begin:end] = [(min(each[0] for each in merged), max(each[1] for each in merged))]
        self.end = max(self.end, right)

    def has(self, place: Taken) -> bool:
        begin, end = self._touched(*place)
        return begin == end

    def _touched(self, channel: int, left: int, right: int) -> tuple[int, int]:
        spans = self._spans[channel]
        return bisect_right(spans, left, key=lambda span: span[1]), bisect_left(
            spans, right, key=lambda span: span[0]
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Clips of one lane that dissolve into each other, all of which the host lacks."""

    lane: Lane
    channel: int
    clips: list[Standing]

    @property
    def left(self) -> int:
        return self.clips[0].left

    @property
    def right(self) -> int:
        return self.clips[-1].right

    def spans(self) -> Iterator[tuple[Standing, int, int, int]]:
        """The clips, with the channel, the left and the right of each."""
        for number, clip in enumerate(self.clips):
            left = clip.left - (clip.head if number else 0)
            right = clip.right + (clip.tail if number < len(self.clips) - 1 else 0)
            yield clip, self.channel + number % 2, left, right

    def joins(self) -> Iterator[Join]:
        for out, into in zip(self.clips, self.clips[1:], strict=False):
            yield self.lane.joins[out.use, into.use]

    def places(self, moved: int) -> list[Taken]:
        clips = [(channel, left + moved, right + moved) for _, channel, left, right in self.spans()]
        return [*clips, *(self.over(join, moved) for join in self.joins())]

    def over(self, join: Join, moved: int) -> Taken:
        """Where a dissolve stands."""
        cut = join.into.left + moved
        return self.channel + self.lane.over, cut - join.before, cut + join.after


def offered(film: Film, lanes: Lanes, channels: Channels, free: Free, there: Collection[str]) -> Offer:
    """Everything of the film whose use is not in `there`, at places that are `free`. A film of which nothing is
    there yet is kept together."""
    offer = Offer()
    runs = sorted(_runs(lanes, channels, there), key=lambda each: each.left)
    is_new = not any(use in lanes.by_use for use in there)
    displaced = []
    for cluster in [runs] if is_new and runs else list(_clusters(runs)):
        if all(free.has(place) for run in cluster for place in run.places(0)):
            _put(offer, cluster, 0, film, free)
        else:
            displaced.append(cluster)
    for cluster in displaced:
        _put(offer, cluster, free.end - cluster[0].left, film, free)
    return offer


def _runs(lanes: Lanes, channels: Channels, there: Collection[str]) -> Iterator[_Run]:
    for lane in lanes.all:
        for chain in lane.chains():
            run: list[Standing] = []
            for clip in chain:
                if clip.use not in there:
                    run.append(clip)
                elif run:
                    yield _Run(lane, channels[lane.number], run)
                    run = []
            if run:
                yield _Run(lane, channels[lane.number], run)


def _clusters(runs: Iterable[_Run]) -> Iterator[list[_Run]]:
    """Those together that overlap in time; given and returned from the left."""
    cluster: list[_Run] = []
    end = 0
    for run in runs:
        if cluster and run.left >= end:
            yield cluster
            cluster, end = [], 0
        cluster.append(run)
        end = max(end, run.right)
    if cluster:
        yield cluster


def _put(offer: Offer, cluster: Iterable[_Run], moved: int, film: Film, free: Free) -> None:
    for run in cluster:
        _put_run(offer, run, moved, film)
        for place in run.places(moved):
            free.take(place)


def _put_run(offer: Offer, run: _Run, moved: int, film: Film) -> None:
    for clip, channel, left, right in run.spans():
        media = clip.item.default_media
        path = (media.target_url or "") if media else ""
        clock = clock_of(clip.item, path, film.rate, sound=run.lane.is_sound)
        first, speed = seen(clip.item, clock, film.rate, clip.left - left)
        row = Row(
            key=key_of(clip.use),
            kind="sound" if run.lane.is_sound else "movie",
            channel=channel,
            left=left + moved,
            right=right + moved,
            use=clip.use,
            shot=clip.shot,
            path=path,
            first=first,
            enabled=clip.item.enabled,
            speed=speed,
        )
        offer.pieces.append(Piece(row, (float(channel),), row.left, row.right, first, row.enabled))
        offer.channels[clip.use] = run.channel
    for join in run.joins():
        channel, left, right = run.over(join, moved)
        out, into = key_of(join.out.use), key_of(join.into.use)
        offer.dissolves.append(
            Dissolve(
                key=f"{into} dissolve",
                channel=channel,
                left=left,
                right=right,
                out=out,
                into=into,
                kind=join.kind,
            )
        )


def key_of(use: str) -> str:
    """What a row is called that is not in the host yet: a name that no row of a host has."""
    return f"\0{use}"
