"""Making one take: from a planned shot to a movie on the shelf, as a coroutine over the stages.

    recipe ─► keyframe ─► motion (one or more pieces) ─► finish and encode, one pass ─► take

Before a stage is run the cache is looked at with its key; before the movie is made, the shelf. So a crash needs
no recovery of its own: what was finished is found, the rest is made.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rushes.engine.edges import ShotPlan
from rushes.engine.motion import pieces
from rushes.engine.orders import derived_seed
from rushes.engine.reasons import PICTURE, enter
from rushes.engine.stagework import Answer, Ask, Layout, Notes, StageWork
from rushes.engine.stills import keep_still
from rushes.engine.taking import Context, Made, Taking, size_of
from rushes.stages.encode import check_delivery
from rushes.store.cache import Entry
from rushes.store.takes import TakeRecord
from rushes_otio.errors import ShotFault
from rushes_otio.schema import ShotBlock
from rushes_otio.text import printable


@dataclass(slots=True)
class Making:
    """One take in the making. `planned` are the plans of the shots it continues from."""

    context: Context
    planned: Mapping[str, ShotPlan]
    scratch: Path
    handles: int

    def run(self) -> Generator[Ask, Answer, Made]:
        """Make the take. ShotFault and MediaFault when it cannot be made."""
        recipe = self.recipe()
        size = size_of(recipe)
        check_delivery(size, recipe["delivery"]["codec"])
        previous = self._previous()
        layout = self._layout(previous)
        seed, n = self._seed(recipe, previous)
        stages = self._stages(recipe, seed, self.context.notes)
        if self.context.order.until == "keyframe":
            still = yield from stages.keyframe()
            return keep_still(self.context, recipe, str(seed), n, still)
        made = yield from stages.motion(layout)
        take = Taking(self.context, recipe, str(seed), n, layout, made, previous)
        return (yield from take.run())

    def recipe(self) -> dict[str, Any]:
        """Today's recipe, with the model that the order names in place of the routed one."""
        recipe = self.context.plan.recipe
        if recipe is None:
            raise ShotFault("what it continues from has not been rendered", remedy="render that shot first")
        if not self.context.order.model:
            return recipe
        registry = self.context.desk.studio.registry
        routed = registry.route(self.context.order.model, None, self.context.block.name)
        return {**recipe, "model": {**routed, "asked": recipe["model"]["asked"]}}

    def _stages(self, recipe: dict[str, Any], seed: int, notes: Notes) -> StageWork:
        traits = self.context.desk.studio.registry.traits(recipe["model"]["name"])
        return StageWork(self.context.desk.studio.cache, self, self.scratch, traits, recipe, seed, notes)

    # -- what is kept of the chosen take ---------------------------------------------------------------------

    def _previous(self) -> TakeRecord | None:
        """The record of the chosen take when its picture stands, so that it is finished or extended anew."""
        chosen = self.context.block.chosen
        again = (
            self.context.order.kind == "another" or self.context.order.n is not None or self.context.order.model
        )
        if chosen is None or again or enter(self.context.plan.reasons, PICTURE):
            return None
        shelf, block = self.context.shelf, self.context.block
        if all(take.take != chosen.take for take in shelf.takes(block.shot)):
            missing = (
                f"the take {chosen.take} of {printable(block.name, 60)} is not in the folder: it is made anew"
            )
            self.context.notes.warnings.append(missing)
            return None  # a film that was copied without its takes
        record = shelf.record(block, chosen.take)
        return record if record.pieces else None

    def _layout(self, previous: TakeRecord | None) -> Layout:
        needed = max(1, self.context.plan.needed)
        if previous is None:
            return [(0, needed + self.handles)]
        kept = [(piece.start, piece.frames) for piece in previous.pieces]
        have = sum(frames for _, frames in kept)
        return kept if have >= needed else [*kept, (have, needed + self.handles - have)]

    def _seed(self, recipe: dict[str, Any], previous: TakeRecord | None) -> tuple[int, int]:
        """The seed and its counter. A variation varies also when the shot's seed is set."""
        if previous is not None:
            return int(previous.seed), previous.n
        n = self.context.order.n if self.context.order.n is not None else self._chosen_n()
        if "seed" in recipe and n == 0:
            return int(recipe["seed"]), 0
        return derived_seed(self.context.block.shot, n), n

    def _chosen_n(self) -> int:
        """A stale shot keeps the seed of its chosen take."""
        chosen = self.context.block.chosen
        rows = self.context.shelf.rows(self.context.block.shot)
        return next((row.n for row in rows if chosen and row.take == chosen.take), 0)

    # -- pictures of other shots -----------------------------------------------------------------------------

    def holding(self, digest: str) -> Path:
        return self.context.desk.files.holding(digest)

    def motion(self, digest: str) -> Generator[Ask, Answer, tuple[Entry, int]]:
        """The stored motion of a shot this one continues from; made again when the cache has dropped it."""
        for shot_id in self.context.plan.upstream:
            block = self.planned[shot_id].block
            if block.chosen and digest in (d for _, d in pieces(block.chosen.motion)):
                return (yield from self._motion_of(block, digest))
        raise ShotFault(
            "the picture it continues from is not in the cut any more",
            remedy="point first_frame at another use, or unset it",
        )

    def _motion_of(self, block: ShotBlock, digest: str) -> Generator[Ask, Answer, tuple[Entry, int]]:
        assert block.chosen is not None
        record = self.context.shelf.record(block, block.chosen.take)
        for piece in record.pieces:
            entry = self.context.desk.studio.cache.get(piece.key)
            if piece.digest == digest and entry is not None:
                return entry, piece.start
        stages = self._stages(dict(record.recipe), int(record.seed), Notes())
        made = yield from stages.motion([(p.start, p.frames) for p in record.pieces])
        position = next(i for i, piece in enumerate(record.pieces) if piece.digest == digest)
        return made[position], record.pieces[position].start
