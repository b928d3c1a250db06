"""The last two stages of a take, finish and encode, in one pass, and the take's way to the shelf."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from rushes.engine.crew import Crew
from rushes.engine.edges import ShotPlan
from rushes.engine.lengths import Layout, Span
from rushes.engine.motion import joined
from rushes.engine.orders import Order
from rushes.engine.reasons import FRAMES
from rushes.engine.recipe import moving_as, size_of
from rushes.engine.stagework import Answer, Ask, Notes
from rushes.engine.studio import Desk
from rushes.media.join import join
from rushes.media.probe import probe
from rushes.media.tags import Tags
from rushes.stages import keys
from rushes.stages.encode import EncodeSpec, extension
from rushes.stages.finish import FinishSpec
from rushes.store.cache import Entry
from rushes.store.durable import publish
from rushes.store.shelf import Shelf
from rushes.store.takes import Piece, StageMark, TakeRecord, Window, take_name, write_record
from rushes.worker import protocol
from rushes.worker.plates import Plate
from rushes_otio.errors import MediaFault
from rushes_otio.film import Film as FilmFile
from rushes_otio.schema import ShotBlock

STAGES = ("text", "keyframe", "motion", "finish", "encode")


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
class Context:
    """What all stages of one take share. `film` is the film as it was when the shot was planned; `environment`
    says where the worker runs.
    """

    desk: Desk
    film: FilmFile
    shelf: Shelf
    plan: ShotPlan
    order: Order
    environment: Mapping[str, str]
    notes: Notes = field(default_factory=Notes)

    @property
    def block(self) -> ShotBlock:
        return self.plan.block


def spans(record: TakeRecord) -> list[Span]:
    """The pieces of a take's motion."""
    return [Span(piece.start, piece.frames, piece.overlap, piece.ends) for piece in record.pieces]


def pictured(record: TakeRecord) -> dict[str, Any]:
    """The recipe that a take's pictures were made by. That of a take which was chosen by hand, and finished anew
    since, is not what the film asked for then."""
    return dict(record.pictured or record.recipe)


def identity(film: str, record: TakeRecord) -> Tags:
    """What the movie of a take says of itself; `film` is the film's id."""
    said = {"film": film, "name": record.name, "seed": record.seed, "recipe": pictured(record)}
    key = record.stages["encode"].key if "encode" in record.stages else ""
    return Tags(record.shot, record.take, key, msgspec.json.encode(said).decode())


@dataclass(slots=True)
class Taking:
    """One take, once the motion of its shot is there."""

    context: Context
    crew: Crew
    plate: Plate | None
    seed: str
    n: int
    layout: Layout
    pieces: list[Entry]
    previous: TakeRecord | None

    def run(self) -> Generator[Ask, Answer, Made]:
        shelf, block = self.context.shelf, self.context.block
        there = shelf.with_key(self.key, block.shot)
        if there is not None:
            self._note("cached", 0.0, there.key)
            record = shelf.record(block, there.take)
            return self._made(record, Path(there.path))
        take = take_name(shelf.new_number(block))
        movie = shelf.path_for(self.context.film, block, take, extension(self.codec))
        part = movie.with_name(movie.name + ".part")
        ask = self._ask(take, part)
        done = yield ask
        assert isinstance(done, protocol.Done)  # the file is this take's own: nobody else makes it
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
    def recipe(self) -> dict[str, Any]:
        return self.crew.recipe

    @property
    def frames(self) -> int:
        """Of the take, at the film's rate."""
        return self.crew.lengths.film_for(sum(span.frames for span in self.layout))

    @property
    def motion(self) -> str:
        return joined([(s.begins, e.digest) for s, e in zip(self.layout, self.pieces, strict=True)])

    @property
    def codec(self) -> str:
        return str(self.recipe["delivery"]["codec"])

    @property
    def finish(self) -> FinishSpec:
        recipe = self.recipe
        fit = "stretch" if self.plate else recipe["fit"]  # back to where the plate was stretched from
        return FinishSpec(size_of(recipe), recipe["rate"], fit, recipe["interpolation"])

    @property
    def finish_key(self) -> str:
        finish = msgspec.to_builtins(self.finish)
        if "mask" in self.recipe:
            finish |= {name: self.recipe[name] for name in ("plate", "mask", "fit")}
        if self.crew.rate != self.recipe["rate"]:
            finish |= {"from": self.crew.rate}
        return keys.finish_key(self.motion, self.frames, finish)

    @property
    def key(self) -> str:
        return keys.encode_key(self.finish_key, self.codec)

    @property
    def accepted(self) -> dict[str, Any]:
        """What the film is to accept the take for: today's recipe, also where older pictures stand."""
        today = self.context.plan.recipe if self.previous is not None else None
        return self.recipe if today is None else moving_as(today, self.recipe)

    @property
    def _extends(self) -> bool:
        """Whether only a tail is missing: then the packets of the previous movie are copied, bit for bit."""
        reasons = self.context.plan.reasons
        return self.previous is not None and bool(reasons) and all(r.input == FRAMES for r in reasons)

    @property
    def _old(self) -> TakeRecord:
        assert self.previous is not None
        return self.previous

    # -- how it is made --------------------------------------------------------------------------------------

    def _ask(self, take: str, part: Path) -> Ask:
        skip = self._old.window.frames if self._extends else 0
        out = part.with_name(part.name.replace(".mov.", ".tail.mov.")) if self._extends else part
        return self.film(take, out, skip, self.frames - skip)

    def film(self, take: str, out: Path, skip: int, frames: int) -> Ask:
        """To have `frames` frames of the take, from frame `skip` on, written to `out`."""
        mover = self.crew.mover
        sources = zip(self.layout, self.pieces, strict=True)
        work = protocol.Film(
            pieces=tuple(
                protocol.Piece(mover.generator, str(e.path), 0, s.frames, mover.card) for s, e in sources
            ),
            rate=self.crew.rate,
            skip=skip,
            frames=frames,
            plate=self.plate if "mask" in self.recipe else None,
            finish=self.finish,
            encode=self._encode_spec(take),
            out=str(out),
        )
        # With the file's name: what two shots make of one motion are two takes.
        return Ask(f"{self.key}:{out}", "encode", mover.name, work)

    def _encode_spec(self, take: str) -> EncodeSpec:
        rate = self.context.film.rate
        return EncodeSpec(
            self.finish.size,
            str(rate),
            self.codec,
            rate.timecode(rate.shot_zero),
            self.context.block.shot,
            self._tags(take).to_metadata(),
        )

    def _tags(self, take: str) -> Tags:
        film, block = self.context.film, self.context.block
        said = {"film": film.block.film, "name": block.name, "seed": self.seed, "recipe": self.recipe}
        return Tags(block.shot, take, self.key, msgspec.json.encode(said).decode())

    def _join(self, part: Path, take: str) -> None:
        context = self.context
        tail = part.with_name(part.name.replace(".mov.", ".tail.mov."))
        old = context.shelf.find(context.block, self._old.take).movie
        join(old, tail, part, self._tags(take).to_metadata(), context.block.shot)
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
        notes = self.context.notes
        for stage, key, digest in (("finish", self.finish_key, self.motion), ("encode", self.key, encoded)):
            notes.status[stage] = status
            notes.marks[stage] = StageMark(key, digest)
        notes.seconds["encode"] = seconds

    def _record(self, take: str, movie: str, frames_digest: str) -> TakeRecord:
        context, accepted = self.context, self.accepted
        marks = {**context.notes.marks, "motion": StageMark(self.pieces[-1].key, self.motion)}
        return TakeRecord(
            shot=context.block.shot,
            take=take,
            name=context.block.name,
            movie=movie,
            recipe=accepted,
            pictured={} if accepted == self.recipe else self.recipe,
            seed=self.seed,
            n=self.n,
            asked=msgspec.to_builtins(context.order),
            stages={k: m for k, m in marks.items() if k != "picture"},
            window=Window(self.frames, str(context.film.rate), self.finish.size),
            codec=self.codec,
            frames_digest=frames_digest,
            generator=self.crew.made_by,
            added=self.crew.added,
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            intent=msgspec.json.decode(context.block.intent),
            pieces=[
                Piece(s.begins, s.frames, e.key, e.digest, s.overlap, s.ends)
                for s, e in zip(self.layout, self.pieces, strict=True)
            ],
            environment={**context.environment, **context.notes.environment},
            seconds={k: round(v, 3) for k, v in context.notes.seconds.items()},
            log=list(context.notes.warnings),
        )

    def _made(self, record: TakeRecord, movie: Path) -> Made:
        notes = self.context.notes
        stages = {name: notes.status[name] for name in STAGES if name in notes.status}
        return Made(
            record.shot,
            record.take,
            movie,
            record.window.frames,
            self.motion,
            self.accepted,
            stages,
            sum(notes.seconds.values()),
            tuple(notes.warnings),
        )
