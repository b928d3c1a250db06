"""From what a person asked to what is to be made: which shots, in which order, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass, field

from rushes.engine.edges import ShotPlan
from rushes.engine.orders import Order
from rushes.engine.plan import Plan
from rushes.engine.recipe import moving_as
from rushes.store.shelf import Shelf
from rushes_otio.errors import BadRequest
from rushes_otio.text import printable

_WITHOUT_STILL = {"first_frame", "plate"}


@dataclass(frozen=True, slots=True)
class Wishes:
    """A render as a person asked for it. No `shots` means the whole film. `watch`: nobody asked, the film is
    watched. `only` leaves the other shots out of a render of the whole film."""

    shots: tuple[str, ...] = ()
    another: int = 0
    until: str = ""
    model: str = ""
    watch: bool = False
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A shot that is not made, and why."""

    shot: str
    name: str
    text: str
    remedy: str = ""


@dataclass(slots=True)
class Worklist:
    """Orders by shot in the order they are to be made; invalid shots, shots passed over, and fresh ones."""

    orders: list[tuple[str, Order]] = field(default_factory=list)
    failed: list[Refusal] = field(default_factory=list)
    skipped: list[Refusal] = field(default_factory=list)
    fresh: int = 0


def worklist(plan: Plan, wishes: Wishes, shelf: Shelf) -> Worklist:
    """What `wishes` come to. Naming a shot also renders what it continues from, if that is stale, first."""
    if wishes.another and not wishes.shots:
        raise BadRequest(
            "--another makes variations of the shots you name", remedy="rushes render FILM SHOT --another 4"
        )
    named = set(wishes.shots)
    found = Worklist()
    for shot_id in _wanted(plan, wishes):
        shot = plan.shots[shot_id]
        refusal = _refused(shot, wishes, shelf, named=shot_id in named)
        if shot.state == "invalid":
            found.failed.append(_invalid(shot))
        elif refusal is not None:
            found.skipped.append(refusal)
        elif shot.state == "fresh" and shot_id not in named and not wishes.until:
            found.fresh += 1
        else:
            found.orders += [(shot_id, order) for order in _orders(shot, wishes, shelf, named=shot_id in named)]
    return found


def _wanted(plan: Plan, wishes: Wishes) -> list[str]:
    if not wishes.shots:
        return [shot for shot in plan.shots if wishes.only is None or shot in wishes.only]
    wanted: dict[str, None] = {}
    for shot_id in wishes.shots:
        if not wishes.until:  # a still starts from nothing else
            wanted.update(dict.fromkeys(_stale_upstreams(plan, shot_id)))
        wanted[shot_id] = None
    return list(wanted)


def _stale_upstreams(plan: Plan, shot_id: str) -> list[str]:
    """What has to be rendered before a shot can be, furthest first."""
    found: dict[str, None] = {}
    left = [shot_id]
    while left:
        for upstream in plan.shots[left.pop()].upstream:
            if upstream not in found and plan.shots[upstream].renderable:
                found[upstream] = None
                left.append(upstream)
    return list(reversed(found))


def _refused(shot: ShotPlan, wishes: Wishes, shelf: Shelf, *, named: bool) -> Refusal | None:
    block = shot.block
    name = printable(block.name, 60)
    if block.locked and (shot.state != "fresh" or named):
        return Refusal(block.shot, name, "it is locked", f"rushes takes FILM {block.shot} --unlock")
    if wishes.until == "keyframe" and (shot.today or {}).keys() & _WITHOUT_STILL:
        return Refusal(block.shot, name, "it starts from another picture and has no still", "render it as a whole")
    if not named and _waits(shot, wishes, shelf):
        text = f"its take {block.waiting} waits to be chosen"
        return Refusal(block.shot, name, text, f"rushes takes FILM {block.shot} --choose {block.waiting}")
    return None


def _waits(shot: ShotPlan, wishes: Wishes, shelf: Shelf) -> bool:
    """Whether today's take of a shot is made already and waits for a person who chose another one by hand."""
    block = shot.block
    if block.waiting is None or shot.recipe is None or not _keeps_hands_take(shot, watch=wishes.watch):
        return False
    rows = {take.take for take in shelf.takes(block.shot)}
    if block.waiting not in rows:
        return False
    return moving_as(dict(shelf.record(block, block.waiting).recipe), shot.recipe) == shot.recipe


def stays_waiting(shot: ShotPlan, order: Order) -> bool:
    """Whether the take that `order` makes waits to be chosen, and the one a person chose stays in the cut."""
    return not order.named and _keeps_hands_take(shot, watch=order.watch)


def _keeps_hands_take(shot: ShotPlan, *, watch: bool) -> bool:
    """Whether a person chose the shot's take by hand, and neither that person nor another asked for a new one: the
    film is watched, or the shot is stale only through other shots."""
    chosen = shot.block.chosen
    if chosen is None or chosen.by != "hand" or not shot.reasons:
        return False
    return watch or all(reason.via for reason in shot.reasons)


def _invalid(shot: ShotPlan) -> Refusal:
    fault = shot.fault
    assert fault is not None  # invalid shots carry their fault
    return Refusal(shot.block.shot, printable(shot.block.name, 60), fault.text, fault.remedy)


def _orders(shot: ShotPlan, wishes: Wishes, shelf: Shelf, *, named: bool) -> list[Order]:
    if wishes.another and named:
        first = _next_n(shot, shelf)
        return [
            Order("another", n, wishes.until, wishes.model, named) for n in range(first, first + wishes.another)
        ]
    again = named and shot.state == "fresh" and not wishes.model
    n = _next_n(shot, shelf) if again else None
    return [Order("render", n, wishes.until, wishes.model, named, wishes.watch)]


def _next_n(shot: ShotPlan, shelf: Shelf) -> int:
    """The seed counter of the next variation: more than any take of the shot had, freed ones included."""
    return max(shot.block.next_take - 2, *(row.n for row in shelf.rows(shot.block.shot)), -1) + 1
