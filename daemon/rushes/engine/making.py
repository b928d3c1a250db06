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

from rushes.engine.bringing import brought_in
from rushes.engine.crew import Crew
from rushes.engine.edges import ShotPlan
from rushes.engine.models_of import Models, without_picture
from rushes.engine.motion import pieces
from rushes.engine.orders import derived_seed
from rushes.engine.picturing import Picturing
from rushes.engine.reasons import PICTURE, enter
from rushes.engine.recipe import finished_as, size_of
from rushes.engine.stagework import Answer, Ask, Notes, Stages, Stored
from rushes.engine.stills import keep_still
from rushes.engine.taking import Context, Made, Taking, pictured, spans
from rushes.stages.encode import check_delivery
from rushes.store.cache import Entry
from rushes.store.takes import TakeRecord
from rushes_otio.errors import ShotFault
from rushes_otio.schema import ShotBlock
from rushes_otio.text import printable

Outcome = Generator[Ask, Answer, Made]


@dataclass(slots=True)
class Making:
    """One take in the making. `planned` are the plans of the shots it continues from."""

    context: Context
    planned: Mapping[str, ShotPlan]
    scratch: Path
    handles: int

    def run(self) -> Outcome:
        """Make the take. ShotFault and MediaFault when it cannot be made."""
        recipe = self.recipe()
        check_delivery(size_of(recipe), recipe["delivery"]["codec"])
        previous = self._previous()
        if previous is not None:
            pictures = finished_as(pictured(previous), recipe)
            return (yield from (self._brought_anew if previous.added else self._anew)(pictures, previous))
        seed, n = self._seed(recipe)
        crew = self.crew(recipe)
        self.context.notes.warnings.extend(crew.warnings())
        picturing = self.picturing(crew, seed, self._stages(self.context.notes))
        if self.context.order.until == "keyframe":
            still = yield from picturing.keyframe()
            return keep_still(self.context, crew, str(seed), n, still)
        layout = crew.lengths.layout(self._needed + self.handles)
        made = yield from picturing.motion(layout)
        plate = picturing.plate(size_of(recipe))
        return (yield from Taking(self.context, crew, plate, str(seed), n, layout, made, None).run())

    def _anew(self, recipe: dict[str, Any], record: TakeRecord) -> Outcome:
        """A take whose pictures stand, whatever they were made by: finished as today says, or extended."""
        crew, notes = self.crew(recipe), self.context.notes
        for stage in ("text", "keyframe", "motion"):
            if stage in record.stages:
                notes.marks[stage], notes.status[stage] = record.stages[stage], "cached"
        kept = spans(record)
        have = crew.lengths.film_for(sum(span.frames for span in kept))
        enough = have >= self._needed
        layout = kept if enough else crew.lengths.layout(self._needed + self.handles, kept)
        picturing = self.picturing(crew, int(record.seed), self._stages(notes))
        made = yield from picturing.motion(layout, (yield from self._stored(crew, record, notes)))
        plate = picturing.plate(size_of(recipe))
        return (yield from Taking(self.context, crew, plate, record.seed, record.n, layout, made, record).run())

    def _brought_anew(self, recipe: dict[str, Any], record: TakeRecord) -> Outcome:
        """A take that was brought in from elsewhere, as the film wants it delivered today."""
        if self.context.plan.needed > record.window.frames:
            raise ShotFault(
                f"its take {record.take} came from elsewhere and has {record.window.frames} frames; the cut shows "
                f"{self.context.plan.needed}",
                remedy="bring a longer file, rushes takes FILM SHOT --add FILE, or render --another 1",
            )
        crew, made = brought_in(self.context.desk, record, recipe)
        take = Taking(self.context, crew, None, record.seed, record.n, spans(record), made, record)
        return (yield from take.run())

    @property
    def _needed(self) -> int:
        return max(1, self.context.plan.needed)

    def recipe(self) -> dict[str, Any]:
        """Today's recipe, with the model that the order names in place of the routed one."""
        recipe = self.context.plan.recipe
        if recipe is None:
            raise ShotFault("what it continues from has not been rendered", remedy="render that shot first")
        desk, order = self.context.desk, self.context.order
        models = Models(desk.studio.registry, desk.files, self.context.block.name)
        if order.until == "keyframe":
            if order.kind == "another":
                recipe = without_picture(recipe)
            return models.for_still(recipe, order.model)
        return models.rerouted(recipe, order.model) if order.model else recipe

    def crew(self, recipe: dict[str, Any]) -> Crew:
        """Who makes a recipe."""
        return Crew(self.context.desk.studio.registry, recipe, self.holding)

    def _stages(self, notes: Notes) -> Stages:
        return Stages(self.context.desk.studio.cache, self.scratch, notes)

    def picturing(self, crew: Crew, seed: int, stages: Stages) -> Picturing:
        """The picture stages of this shot, done by `crew`."""
        return Picturing(stages, self, crew, seed, self.context.plan.needed)

    # -- what is kept of the chosen take ---------------------------------------------------------------------

    def _previous(self) -> TakeRecord | None:
        """The record of the chosen take when its picture stands, so that it is finished or extended anew."""
        chosen, order = self.context.block.chosen, self.context.order
        again = order.kind == "another" or order.n is not None or order.model or order.until
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

    def _stored(self, crew: Crew, record: TakeRecord, notes: Notes) -> Generator[Ask, Answer, list[Entry]]:
        """The motion of a take, as it is in the cache; made again where that has dropped it. ShotFault where other
        models than then would make it."""
        cache = self.context.desk.studio.cache
        entries = [cache.get(piece.key) for piece in record.pieces]
        found = [e for e, piece in zip(entries, record.pieces, strict=True) if e and e.digest == piece.digest]
        if len(found) == len(record.pieces):
            return found
        crew.check_unchanged()
        made = yield from self.picturing(crew, int(record.seed), self._stages(notes)).motion(spans(record))
        if [entry.digest for entry in made] != [piece.digest for piece in record.pieces]:
            notes.warnings.append(f"the motion of {record.take} was made again, and its last bits are others here")
        return made

    def _seed(self, recipe: dict[str, Any]) -> tuple[int, int]:
        """The seed and its counter. A variation varies also when the shot's seed is set; a stale shot keeps the
        seed of its chosen take, which may have been another shot's."""
        block, order = self.context.block, self.context.order
        rows = self.context.shelf.rows(block.shot) if order.n is None and block.chosen else []
        kept = next((row for row in rows if block.chosen and row.take == block.chosen.take), None)
        n = kept.n if kept else order.n or 0
        if "seed" in recipe and n == 0:
            return int(recipe["seed"]), 0
        if kept and block.chosen and (n > 0 or "seed" not in block.chosen.recipe):
            return int(kept.seed), n
        return derived_seed(block.shot, n), n

    # -- pictures of other shots -----------------------------------------------------------------------------

    def holding(self, digest: str) -> Path:
        return self.context.desk.files.holding(digest)

    def motion(self, digest: str) -> Generator[Ask, Answer, Stored]:
        """The stored motion of a shot this one continues from; made again when the cache has dropped it."""
        block = self._upstream(digest)
        assert block.chosen is not None
        record = self.context.shelf.record(block, block.chosen.take)
        piece = next(piece for piece in record.pieces if piece.digest == digest)
        if record.added:
            brought, made = brought_in(self.context.desk, record, pictured(record))
            return _motion_of(brought, made[0], 0)
        crew = self.crew(pictured(record))
        entry = self.context.desk.studio.cache.get(piece.key)
        if entry is None or entry.digest != digest:
            entry = (yield from self._stored(crew, record, Notes()))[record.pieces.index(piece)]
        return _motion_of(crew, entry, piece.start)

    def movie(self, digest: str) -> Path:
        block = self._upstream(digest)
        assert block.chosen is not None
        return self.context.shelf.find(block, block.chosen.take).movie

    def _upstream(self, digest: str) -> ShotBlock:
        """The shot this one rests on whose chosen take has this motion."""
        for shot_id in self.context.plan.upstream:
            block = self.planned[shot_id].block
            if block.chosen and digest in (d for _, d in pieces(block.chosen.motion)):
                return block
        raise ShotFault(
            "the picture it continues from is not in the cut any more",
            remedy="point first_frame at another use, or unset it",
        )


def _motion_of(crew: Crew, entry: Entry, begins: int) -> Stored:
    return Stored(entry, begins, crew.mover.name, crew.mover.generator, crew.mover.card)
