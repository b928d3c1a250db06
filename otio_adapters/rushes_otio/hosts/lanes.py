"""A film's tracks as hosts see them: flat, in whole frames, clips that dissolve into each other overlapping.

A nested stack is taken apart onto lanes of its own, for hosts; in the film it stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from rushes_otio import rawjson
from rushes_otio.errors import RushesError
from rushes_otio.film import Film
from rushes_otio.hosts.clocks import clock_of, pace_of
from rushes_otio.items import Item, read_item
from rushes_otio.nesting import unnested
from rushes_otio.rawjson import RawObject
from rushes_otio.shell import Shell
from rushes_otio.tracks import Track, decode_timeline, read_tracks

NESTS = ("Stack", "Track")

OTHER_DISSOLVES = ("gamma_cross", "wipe")

Pair = tuple[str, str]
"""The uses of two neighbours; "" where there is none."""


@dataclass(slots=True, eq=False)
class Standing:
    """A clip of the film at its place, [left, right). Under dissolves it is shown `head` frames before and `tail`
    frames after that. Clips that dissolve into each other have `roll` 0 and 1 in turns."""

    item: Item
    lane: int
    left: int
    right: int
    use: str
    shot: str
    is_sound: bool
    head: int = 0
    tail: int = 0
    roll: int = 0

    @property
    def length(self) -> int:
        return self.right - self.left


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """A transition that hosts show: `before` frames of it lie before the cut, `after` behind it."""

    out: Standing
    into: Standing
    item: Item
    before: int
    after: int

    @property
    def kind(self) -> str:
        return kind_of_dissolve(self.item)


def kind_of_dissolve(item: Item) -> str:
    """What rows call a transition: those that came from a host have its word as their name."""
    return item.name if item.name in OTHER_DISSOLVES else "cross"


@dataclass(slots=True, eq=False)
class Lane:
    """A flat track. `track` is the film's that it is, or is a layer of; `shell` is its text without its items.

    `between` holds what stands between two neighbours and is not shown, by their uses. Where it is `retimed`,
    hosts need an effect above a clip.
    """

    number: int
    track: int
    label: str
    kind: str
    name: str
    enabled: bool
    items: list[Item]
    shell: RawObject
    clips: list[Standing] = field(default_factory=list)
    joins: dict[Pair, Join] = field(default_factory=dict)
    between: dict[Pair, list[Item]] = field(default_factory=dict)
    retimed: bool = False

    @property
    def is_sound(self) -> bool:
        return self.kind == "Audio"

    @property
    def over(self) -> int:
        """How far above its lowest channel a lane's dissolves stand: above the two on which its clips stand in
        turns, and the effects over those."""
        return (2 if self.joins else 1) * (2 if self.retimed else 1)

    @property
    def width(self) -> int:
        """Of how many channels it needs."""
        return self.over + (1 if self.joins else 0)

    def chains(self) -> Iterator[list[Standing]]:
        """The clips, those together that dissolve into each other."""
        chain: list[Standing] = []
        for clip in self.clips:
            if chain and (chain[-1].use, clip.use) not in self.joins:
                yield chain
                chain = []
            chain.append(clip)
        if chain:
            yield chain

    def transitions(self) -> Iterator[tuple[Pair, Item]]:
        """The transition between two neighbours, also one that is too long to be shown."""
        yield from ((pair, join.item) for pair, join in self.joins.items())
        for pair, items in self.between.items():
            if all(pair) and len(items) == 1 and items[0].kind == "Transition":
                yield pair, items[0]


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """All of them, in the order of the film's tracks. `notes` are about stacks that were taken apart, by track."""

    all: list[Lane]
    by_use: dict[str, Standing]
    notes: dict[int, list[str]]

    @property
    def clips(self) -> Iterator[Standing]:
        return (clip for lane in self.all for clip in lane.clips)


def lanes_of(film: Film) -> Lanes:
    """The film as hosts see it."""
    lanes: list[Lane] = []
    notes: dict[int, list[str]] = {}
    for number, track in enumerate(film.tracks):
        shell = film.shell.tracks[number]
        flat, notes[number] = _flat(film, track, shell)
        for layer, own in flat:
            label = track.label if own is shell else ""
            lanes.append(Lane(len(lanes), number, label, track.kind, layer.name, layer.enabled, layer.items, own))
    for lane in lanes:
        _fill(lane, film)
    by_use: dict[str, Standing] = {}
    for lane in lanes:
        for clip in lane.clips:
            by_use.setdefault(clip.use, clip)
    return Lanes(lanes, by_use, notes)


# -- stacks ---------------------------------------------------------------------------------------------------


def _flat(film: Film, track: Track, shell: RawObject) -> tuple[list[tuple[Track, RawObject]], list[str]]:
    """A track, and the layers that its stacks need above it. Stacks that cannot be taken apart stay."""
    if not any(item.kind in NESTS for item in track.items):
        return [(track, shell)], []
    alone = Shell(_shell("Timeline.1"), _shell("Stack.1"), [shell])
    try:
        text = rawjson.shield(alone.text([[item.raw for item in track.items]]))
        flat, notes = unnested(text, film.rate, film.where, lambda _: True)
        data, timeline = decode_timeline(flat, film.where)
        layers = read_tracks(timeline, film.where, partial(read_item, rate=float(film.rate)))
    except RushesError:
        return [(track, shell)], []
    if flat is text:
        return [(track, shell)], notes
    raws = [each.children or [] for each in timeline.tracks.children or ()]
    shells = [shell, *Shell.of(data, raws, film.where).tracks[1:]]
    return list(zip(layers, shells, strict=True)), notes


def _shell(schema: str) -> RawObject:
    return {"OTIO_SCHEMA": rawjson.encode(schema)}


# -- places ---------------------------------------------------------------------------------------------------


def _fill(lane: Lane, film: Film) -> None:
    last: Standing | None = None
    hidden: list[Item] = []
    for item in lane.items:
        clip = _standing(lane, item, film)
        if clip is None:
            hidden.append(item)
            continue
        _between(lane, last, hidden, clip)
        lane.clips.append(clip)
        last, hidden = clip, []
    lane.between[last.use if last else "", ""] = hidden
    lane.retimed = not lane.is_sound and any(_is_retimed(clip.item, film) for clip in lane.clips)


def _is_retimed(item: Item, film: Film) -> bool:
    """Whether a host that plays the clip's medium has to change its speed; backwards alone needs no effect."""
    media = item.default_media
    path = (media.target_url or "") if media is not None else ""
    return abs(pace_of(item, clock_of(item, path, film.rate))) != 1.0


def _standing(lane: Lane, item: Item, film: Film) -> Standing | None:
    """What hosts show is a clip that is at least a frame long and can be referred to."""
    left, right = whole(item.start), whole(item.start + item.length)
    if item.kind != "Clip" or not item.use or right <= left or lane.kind not in ("Video", "Audio"):
        return None
    shot = item.block.shot if item.block is not None and item.block.shot in film.shots else ""
    return Standing(item, lane.number, left, right, item.use, shot, lane.is_sound)


def _between(lane: Lane, last: Standing | None, hidden: list[Item], clip: Standing) -> None:
    pair = (last.use if last else "", clip.use)
    if last is not None and len(hidden) == 1 and hidden[0].kind == "Transition" and not lane.is_sound:
        before, after = whole(hidden[0].in_offset), whole(hidden[0].out_offset)
        fits = before < last.length + last.head and _since(lane, last) + before <= last.length
        if before + after > 0 and fits and after < clip.length and pair not in lane.joins:
            lane.joins[pair] = Join(last, clip, hidden[0], before, after)
            last.tail, clip.head, clip.roll = after, before, 1 - last.roll
            return
    lane.between.setdefault(pair, hidden)


def _since(lane: Lane, clip: Standing) -> int:
    """How far into a clip the transition before it lasts."""
    before = lane.clips[-2] if len(lane.clips) > 1 else None
    join = lane.joins.get((before.use, clip.use)) if before else None
    return join.after if join else 0


def whole(frames: float) -> int:
    """The nearest whole frame; a half is rounded up, so that what was one place stays one."""
    return math.floor(frames + 0.5)
