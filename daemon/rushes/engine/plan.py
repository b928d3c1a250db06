"""What is fresh, stale, missing or invalid, and why: today's recipes against the accepted ones.

No cache, no media and no GPU is looked at. Shots that continue from others are planned after them, whatever the
order of the cut.
"""

from __future__ import annotations

import graphlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from rushes.engine.circles import circles
from rushes.engine.edges import Edges, Known, Place, ShotPlan, Uses
from rushes.engine.reasons import FRAMES, Reason, differences
from rushes.engine.recipe import POINTING, Recipe, Sources, accepted_recipe, build
from rushes.generators.needs import ROUTED
from rushes_otio.cut import conflict, needed_frames, shown
from rushes_otio.errors import ShotFault
from rushes_otio.film import Film, Shot
from rushes_otio.resolve import Resolved, Resolver, shot_place
from rushes_otio.schema import ShotBlock
from rushes_otio.tracks import without_gc
from rushes_otio.values import Expected, boundary

_ON_FILES = frozenset({"references", "loras", "keyframe", *POINTING})


@dataclass(slots=True)
class Plan:
    """Every shot of the cut, in cut order."""

    shots: dict[str, ShotPlan] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for shot in self.shots.values():
            found[shot.state] = found.get(shot.state, 0) + 1
        return found


def plan(film: Film, sources: Sources) -> Plan:
    """The plan of a whole film."""
    with without_gc():
        return Planner(film, sources).plan()


class Planner:
    """Plans the shots of one film as it is now."""

    def __init__(self, film: Film, sources: Sources) -> None:
        self.film = film
        self.resolver = Resolver(film)
        self._known = Known(film, sources, Uses(film), {})
        self._asked: dict[str, int] = {}  # shot -> frames other shots ask of it
        self._graph: dict[str, set[str]] = {}  # shot -> shots it continues from
        self._cycles: dict[str, tuple[str, ...]] = {}

    def plan(self) -> Plan:
        for shot_id in self._order():
            self._known.planned[shot_id] = self._planned(self.film.shots[shot_id])
        for shot_id, shot in self.film.shots.items():
            if shot_id not in self._known.planned:
                self._known.planned[shot_id] = self._planned(shot)
        return Plan({shot_id: self._known.planned[shot_id] for shot_id in self.film.shots})

    def again(self, before: Plan, changed: set[str]) -> Plan:
        """The plan of a film whose shots, all but the `changed` ones, are as they were planned `before`. What
        rests on files or other shots is planned anew in any case, and so is what others rest on."""
        upstream = {above for shot in before.shots.values() for above in shot.upstream}
        resting = {shot_id for shot_id, shot in before.shots.items() if _rests_on_more(shot)}
        done = self.some((changed | upstream | resting) & self.film.shots.keys())
        found = {shot_id: _detached(shot) for shot_id, shot in done.items()}
        return Plan({shot_id: found.get(shot_id) or before.shots[shot_id] for shot_id in self.film.shots})

    def some(self, wanted: set[str]) -> dict[str, ShotPlan]:
        """The plans of some shots, and of those they continue from, without planning the whole film."""
        order = self._order()
        needed = self._with_upstreams(wanted)
        for shot_id in [*(s for s in order if s in needed), *sorted(needed.difference(order))]:
            self._known.planned[shot_id] = self._planned(self.film.shots[shot_id])
        return {shot_id: self._known.planned[shot_id] for shot_id in needed}

    def _with_upstreams(self, wanted: set[str]) -> set[str]:
        found, left = set(), [s for s in wanted if s in self.film.shots]
        while left:
            shot_id = left.pop()
            if shot_id not in found:
                found.add(shot_id)
                left += self._graph.get(shot_id, ())
        return found

    def _order(self) -> list[str]:
        """Shots that point at other shots and those they point at, upstream first; cycles are set apart."""
        pointing = [s for s in self.film.shots.values() if _may_point(s.block)]
        graph = self._graph = {s.block.shot: self._upstreams(s) for s in pointing}
        try:
            return list(graphlib.TopologicalSorter(graph).static_order())
        except graphlib.CycleError:
            for circle in circles(graph):
                blocks = (self.film.shots[m].block for m in sorted(circle))
                names = tuple(b.name or b.shot for b in blocks)
                self._cycles.update(dict.fromkeys(circle, names))
                graph.update({member: set() for member in circle})
            return list(graphlib.TopologicalSorter(graph).static_order())

    def _upstreams(self, shot: Shot) -> set[str]:
        """The shots that a shot's raw intent points at; also counts the frames asked of them."""
        found: set[str] = set()
        for value in _pointers(shot.block):
            place = self._known.uses.find(value["from"])
            block = place[0].items[place[1]].block if place else None
            if place is not None and block is not None:
                found.add(block.shot)
                frame = self._frame(value["at"], place)
                self._asked[block.shot] = max(self._asked.get(block.shot, 0), frame + 1)
        return found

    def _frame(self, at: object, place: Place) -> int:
        if isinstance(at, int):
            return at
        try:
            return max(0, shown(self.film, *place).end)
        except ShotFault:
            return 0

    def _planned(self, shot: Shot) -> ShotPlan:
        block = shot.block
        uses = tuple(item.use or "" for item in shot.items)
        try:
            return self._healthy(shot, uses)
        except ShotFault as fault:
            if not fault.where:
                fault.where = shot_place(self.film, block)
            return ShotPlan(block, uses, "invalid", have=_have(shot), fault=fault)

    def _healthy(self, shot: Shot, uses: tuple[str, ...]) -> ShotPlan:
        block = shot.block
        self._refuse(shot)
        resolved = self.resolver.resolve(block)
        needed = max(needed_frames(self.film, shot), self._asked.get(block.shot, 0))
        where = shot_place(self.film, block)
        accepted = accepted_recipe(block, where)
        edges = Edges(self._known, accepted, where)
        values = {name: edges.value(name, resolved.values[name]) for name in POINTING if name in resolved.values}
        today = build(self.film, resolved, values, accepted, self.resolver.delivery(), self._known.sources, where)
        have = _have(shot)
        reasons = self._reasons(today, block, resolved, edges, needed, have)
        return ShotPlan(
            block,
            uses,
            "missing" if block.chosen is None else "stale" if reasons else "fresh",
            needed,
            have,
            reasons,
            today,
            resolved,
            tuple(edges.upstream),
            notes=(*edges.notes, *(f"unknown key in the intent, kept: {k}" for k in resolved.unknown)),
        )

    def _refuse(self, shot: Shot) -> None:
        cycle = self._cycles.get(shot.block.shot)
        if cycle:
            raise ShotFault(
                f"shots continue from each other in a circle: {', '.join(cycle)}",
                remedy="unset first_frame or last_frame of one of them: rushes set FILM SHOT first_frame=",
            )
        differing = conflict(self.film, shot)
        if differing:
            raise differing

    def _reasons(
        self, today: Recipe, block: ShotBlock, resolved: Resolved, edges: Edges, needed: int, have: int
    ) -> tuple[Reason, ...]:
        if block.chosen is None:
            return ()
        found = differences(today, block.chosen.recipe, resolved, edges.via)
        return (*found, Reason(FRAMES, have, needed)) if needed > have else found


def _detached(shot: ShotPlan) -> ShotPlan:
    """With a block of its own: its text is a view into that of the whole film, which a plan that is kept would
    keep in memory."""
    return replace(shot, block=msgspec.structs.replace(shot.block, intent=shot.block.intent.copy()))


def _rests_on_more(shot: ShotPlan) -> bool:
    """Whether a shot's recipe holds more than its own text and what it inherits."""
    if shot.today is None:
        return True
    found = _ON_FILES & shot.today.keys()
    return bool(found - {"keyframe"} or (found and not shot.today["keyframe"].get(ROUTED)))


def _may_point(block: ShotBlock) -> bool:
    raw = bytes(block.intent)
    return any(key in raw for key in (b'"from"', b'"plate"', b'"mask"', b"\\u"))  # \\u: keys may be escaped


def _pointers(block: ShotBlock) -> list[dict[str, Any]]:
    """The well-formed references to uses in a shot's raw intent; the others make it invalid later."""
    found = []
    with suppress(msgspec.DecodeError):
        intent = msgspec.json.decode(block.intent)
        for name in POINTING if isinstance(intent, dict) else ():
            value = intent.get(name)
            value = {"from": value, "at": 0} if isinstance(value, str) else value
            with suppress(Expected):
                found.append(boundary(value))
    return [value for value in found if "from" in value]


def _have(shot: Shot) -> int:
    """Frames of the chosen take, as the film has them."""
    if shot.block.chosen is None:
        return 0
    media = shot.items[0].default_media
    return round(media.available_range.duration.value) if media and media.available_range else 0
