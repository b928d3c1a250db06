"""Making one take: from a planned shot to a movie on the shelf, as a coroutine over the stages.

    recipe ─► keyframe ─► motion (one or more pieces) ─► finish and encode, one pass ─► take

Before a stage is run the cache is looked at with its key; before the movie is made, the shelf. So a crash needs
no recovery of its own: what was finished is found, the rest is made.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from rushes.engine.edges import ShotPlan
from rushes.engine.motion import joined, pieces
from rushes.engine.orders import Order, derived_seed
from rushes.engine.reasons import FRAMES, PICTURE, enter
from rushes.engine.stagework import Answer, Ask, Layout, Notes, StageWork
from rushes.engine.studio import Desk
from rushes.media.join import join
from rushes.media.probe import probe
from rushes.media.tags import Tags
from rushes.stages import keys
from rushes.stages.encode import EncodeSpec, check_delivery, extension
from rushes.stages.finish import FinishSpec
from rushes.store.cache import Entry
from rushes.store.durable import publish
from rushes.store.shelf import Shelf
from rushes.store.takes import MadeBy, Piece, StageMark, TakeRecord, Window, take_name, write_record
from rushes.worker import protocol
from rushes_otio.errors import MediaFault, ShotFault
from rushes_otio.film import Film as FilmFile
from rushes_otio.schema import ShotBlock

STAGES = ("keyframe", "motion", "finish", "encode")


@dataclass(frozen=True, slots=True)
class Made:
    """A take that lies on the shelf, and how it came about."""

    shot: str
    take: str
    movie: Path
    frames: int
    motion: str
    recipe: dict[str, Any]
    stages: dict[str, str]  # stage -> "ran" | "cached"
    seconds: float
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Making:
    """One take in the making. `film` is the film as it was when the shot was planned; `planned` are the plans of
    the shots it continues from; `environment` says where the worker runs.
    """

    desk: Desk
    film: FilmFile
    shelf: Shelf
    plan: ShotPlan
    order: Order
    planned: Mapping[str, ShotPlan]
    environment: Mapping[str, str]
    scratch: Path
    handles: int
    notes: Notes = field(default_factory=Notes)

    @property
    def block(self) -> ShotBlock:
        return self.plan.block

    def run(self) -> Generator[Ask, Answer, Made]:
        """Make the take. ShotFault and MediaFault when it cannot be made."""
        recipe = self.recipe()
        size = _size(recipe)
        check_delivery(size, recipe["delivery"]["codec"])
        previous = self._previous()
        layout = self._layout(previous)
        seed, n = self._seed(recipe, previous)
        made = yield from self._stages(recipe, seed, self.notes).motion(layout)
        take = TakeMaking(self, recipe, str(seed), n, layout, made, previous)
        return (yield from take.run())

    def recipe(self) -> dict[str, Any]:
        """Today's recipe, with the model that the order names in place of the routed one."""
        recipe = self.plan.recipe
        if recipe is None:
            raise ShotFault("what it continues from has not been rendered", remedy="render that shot first")
        if not self.order.model:
            return recipe
        registry = self.desk.studio.registry
        routed = registry.route(self.order.model, None, self.block.name)
        return {**recipe, "model": {**routed, "asked": recipe["model"]["asked"]}}

    def _stages(self, recipe: dict[str, Any], seed: int, notes: Notes) -> StageWork:
        traits = self.desk.studio.registry.traits(recipe["model"]["name"])
        return StageWork(self.desk.studio.cache, self, self.scratch, traits, recipe, seed, notes)

    # -- what is kept of the chosen take ---------------------------------------------------------------------

    def _previous(self) -> TakeRecord | None:
        """The record of the chosen take when its picture stands, so that it is finished or extended anew."""
        chosen = self.block.chosen
        again = self.order.kind == "another" or self.order.n is not None or self.order.model
        if chosen is None or again or enter(self.plan.reasons, PICTURE):
            return None
        record = self.shelf.record(self.block, chosen.take)
        return record if record.pieces else None

    def _layout(self, previous: TakeRecord | None) -> Layout:
        needed = max(1, self.plan.needed)
        if previous is None:
            return [(0, needed + self.handles)]
        kept = [(piece.start, piece.frames) for piece in previous.pieces]
        have = sum(frames for _, frames in kept)
        return kept if have >= needed else [*kept, (have, needed + self.handles - have)]

    def _seed(self, recipe: dict[str, Any], previous: TakeRecord | None) -> tuple[int, int]:
        """The seed and its counter. A variation varies also when the shot's seed is set."""
        if previous is not None:
            return int(previous.seed), previous.n
        n = self.order.n if self.order.n is not None else self._chosen_n()
        if "seed" in recipe and n == 0:
            return int(recipe["seed"]), 0
        return derived_seed(self.block.shot, n), n

    def _chosen_n(self) -> int:
        """A stale shot keeps the seed of its chosen take."""
        chosen = self.block.chosen
        rows = self.shelf.rows(self.block.shot)
        return next((row.n for row in rows if chosen and row.take == chosen.take), 0)

    # -- pictures of other shots -----------------------------------------------------------------------------

    def holding(self, digest: str) -> Path:
        return self.desk.files.holding(digest)

    def motion(self, digest: str) -> Generator[Ask, Answer, tuple[Entry, int]]:
        """The stored motion of a shot this one continues from; made again when the cache has dropped it."""
        for shot_id in self.plan.upstream:
            block = self.planned[shot_id].block
            if block.chosen and digest in (d for _, d in pieces(block.chosen.motion)):
                return (yield from self._motion_of(block, digest))
        raise ShotFault(
            "the picture it continues from is not in the cut any more",
            remedy="point first_frame at another use, or unset it",
        )

    def _motion_of(self, block: ShotBlock, digest: str) -> Generator[Ask, Answer, tuple[Entry, int]]:
        assert block.chosen is not None
        record = self.shelf.record(block, block.chosen.take)
        for piece in record.pieces:
            entry = self.desk.studio.cache.get(piece.key)
            if piece.digest == digest and entry is not None:
                return entry, piece.start
        stages = self._stages(dict(record.recipe), int(record.seed), Notes())
        made = yield from stages.motion([(p.start, p.frames) for p in record.pieces])
        position = next(i for i, piece in enumerate(record.pieces) if piece.digest == digest)
        return made[position], record.pieces[position].start


@dataclass(slots=True)
class TakeMaking:
    """The last two stages of one take, in one pass, and its way to the shelf."""

    making: Making
    recipe: dict[str, Any]
    seed: str
    n: int
    layout: Layout
    pieces: list[Entry]
    previous: TakeRecord | None

    def run(self) -> Generator[Ask, Answer, Made]:
        shelf, block = self.making.shelf, self.making.block
        there = shelf.with_key(self.key, block.shot)
        if there is not None:
            self._note("cached", 0.0, there.key)
            record = shelf.record(block, there.take)
            return self._made(record, Path(there.path))
        take = take_name(shelf.new_number(block))
        movie = shelf.path_for(self.making.film, block, take, extension(self.codec))
        movie.parent.mkdir(parents=True, exist_ok=True)
        part = movie.with_name(movie.name + ".part")
        ask = self._ask(take, part)
        done = yield ask
        assert isinstance(done, protocol.Done)  # the key is this shot's own: nobody else makes it
        self._note("ran", done.seconds, done.digest)
        digest = done.digest
        if self._extends:
            digest = f"{self._old.frames_digest}+{self._old.window.frames}:{digest}"
            self._join(part, take)
        record = self._record(take, movie.name, digest)
        write_record(movie.with_suffix(".json"), record)
        publish(part, movie, label="take")
        shelf.put(movie, record)
        return self._made(record, movie)

    # -- what is to come out ---------------------------------------------------------------------------------

    @property
    def frames(self) -> int:
        return sum(frames for _, frames in self.layout)

    @property
    def motion(self) -> str:
        return joined([(start, e.digest) for (start, _), e in zip(self.layout, self.pieces, strict=True)])

    @property
    def codec(self) -> str:
        return str(self.recipe["delivery"]["codec"])

    @property
    def finish(self) -> FinishSpec:
        recipe = self.recipe
        return FinishSpec(_size(recipe), recipe["rate"], recipe["fit"], recipe["interpolation"])

    @property
    def finish_key(self) -> str:
        return keys.finish_key(self.motion, self.frames, msgspec.to_builtins(self.finish))

    @property
    def key(self) -> str:
        return keys.encode_key(self.finish_key, self.codec)

    @property
    def _extends(self) -> bool:
        """Whether only a tail is missing: then the packets of the previous movie are copied, bit for bit."""
        reasons = self.making.plan.reasons
        return self.previous is not None and bool(reasons) and all(r.input == FRAMES for r in reasons)

    @property
    def _old(self) -> TakeRecord:
        assert self.previous is not None
        return self.previous

    # -- how it is made --------------------------------------------------------------------------------------

    def _ask(self, take: str, part: Path) -> Ask:
        skip = self._old.window.frames if self._extends else 0
        out = part.with_name(part.name.replace(".mov.", ".tail.mov.")) if self._extends else part
        name = self.recipe["model"]["name"]
        generator = self.making.desk.studio.registry.traits(name).name
        sources = zip(self.layout, self.pieces, strict=True)
        work = protocol.Film(
            pieces=tuple(protocol.Piece(generator, str(e.path), 0, frames) for (_, frames), e in sources),
            rate=self.recipe["rate"],
            skip=skip,
            frames=self.frames - skip,
            finish=self.finish,
            encode=self._encode_spec(take),
            out=str(out),
        )
        return Ask(self.key, "encode", work)

    def _encode_spec(self, take: str) -> EncodeSpec:
        rate = self.making.film.rate
        return EncodeSpec(
            self.finish.size,
            str(rate),
            self.codec,
            rate.timecode(rate.shot_zero),
            self.making.block.shot,
            self._tags(take).to_metadata(),
        )

    def _tags(self, take: str) -> Tags:
        film, block = self.making.film, self.making.block
        said = {"film": film.block.film, "name": block.name, "seed": self.seed, "recipe": self.recipe}
        return Tags(block.shot, take, self.key, msgspec.json.encode(said).decode())

    def _join(self, part: Path, take: str) -> None:
        making = self.making
        tail = part.with_name(part.name.replace(".mov.", ".tail.mov."))
        old = making.shelf.find(making.block, self._old.take).movie
        join(old, tail, part, self._tags(take).to_metadata(), making.block.shot)
        tail.unlink()
        found = probe(part).frames
        if found != self.frames:
            raise MediaFault(
                f"the joined take has {found} frames instead of {self.frames}",
                where=str(old),
                remedy="render the shot again with --another 1",
            )

    # -- what is said about it -------------------------------------------------------------------------------

    def _note(self, status: str, seconds: float, encoded: str) -> None:
        notes = self.making.notes
        for stage, key, digest in (("finish", self.finish_key, self.motion), ("encode", self.key, encoded)):
            notes.status[stage] = status
            notes.marks[stage] = StageMark(key, digest)
        notes.seconds["encode"] = seconds

    def _record(self, take: str, movie: str, frames_digest: str) -> TakeRecord:
        making, recipe = self.making, self.recipe
        traits = making.desk.studio.registry.traits(recipe["model"]["name"])
        marks = {**making.notes.marks, "motion": StageMark(self.pieces[-1].key, self.motion)}
        return TakeRecord(
            shot=making.block.shot,
            take=take,
            name=making.block.name,
            movie=movie,
            recipe=recipe,
            seed=self.seed,
            n=self.n,
            asked=msgspec.to_builtins(making.order),
            stages={k: m for k, m in marks.items() if k != "picture"},
            window=Window(self.frames, str(making.film.rate), self.finish.size),
            codec=self.codec,
            frames_digest=frames_digest,
            generator=MadeBy(traits.name, traits.version),
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            intent=msgspec.json.decode(making.block.intent),
            pieces=[
                Piece(start, frames, e.key, e.digest)
                for (start, frames), e in zip(self.layout, self.pieces, strict=True)
            ],
            environment=dict(making.environment),
            seconds={k: round(v, 3) for k, v in making.notes.seconds.items()},
            log=list(making.notes.warnings),
        )

    def _made(self, record: TakeRecord, movie: Path) -> Made:
        notes = self.making.notes
        stages = {name: notes.status[name] for name in STAGES if name in notes.status}
        return Made(
            record.shot,
            record.take,
            movie,
            record.window.frames,
            self.motion,
            self.recipe,
            stages,
            sum(notes.seconds.values()),
            tuple(notes.warnings),
        )


def _size(recipe: dict[str, Any]) -> tuple[int, int]:
    width, _, height = str(recipe["delivery"]["size"]).partition("x")
    return int(width), int(height)
