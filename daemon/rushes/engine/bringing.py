"""Work done elsewhere, a comp or a paint fix, brought in as a take: conformed to the shot's window, and chosen.

The file stands as the shot's motion, so that another codec or size is made from it later. One at another rate than
the film's is conformed once, and then that copy stands for it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rushes.engine.accept import Acceptance
from rushes.engine.alone import Alone
from rushes.engine.choosing import choose_by_hand
from rushes.engine.crew import Crew
from rushes.engine.lengths import Lengths, Span
from rushes.engine.makers import Maker, Prepared
from rushes.engine.orders import Order
from rushes.engine.plan import Planner
from rushes.engine.recipe import moving_as
from rushes.engine.stagework import Answer, Ask, Stages
from rushes.engine.studio import Desk
from rushes.engine.taking import Context, Made, Taking
from rushes.engine.undoing import remembering
from rushes.generators.cards import Card
from rushes.limited import foreign
from rushes.media.probe import Probe
from rushes.stages.encode import EncodeSpec
from rushes.stages.finish import FinishSpec
from rushes.store.cache import Entry
from rushes.store.digests import FileDigests
from rushes.store.locks import render_lock
from rushes.store.takes import MadeBy, TakeRecord
from rushes.worker import protocol
from rushes.worker.protocol import MOVIE
from rushes_otio.errors import BadRequest, ShotFault
from rushes_otio.film import Film
from rushes_otio.pointing import find_shot
from rushes_otio.resolve import Resolver

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".exr", ".dpx"})


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """`Maker` of what is there already."""

    name: str = MOVIE
    generator: str = MOVIE
    card: Card | None = None

    def prepared(self, stage: str, stages: Stages) -> Generator[Ask, Answer, Prepared]:
        del stage, stages
        raise BadRequest("a take that was made elsewhere cannot be made anew", remedy="render --another 1")

    def given(self) -> Prepared:
        raise BadRequest("a take that was made elsewhere has no still", remedy="render --another 1")


@dataclass(frozen=True)
class Brought(Crew):
    """Who made a take that came from elsewhere: a file at the film's rate, called `file` by the film."""

    file: str = ""

    @property
    def mover(self) -> Maker:
        return _Elsewhere()

    @property
    def rate(self) -> str:
        return str(self.recipe["rate"])

    @property
    def made_by(self) -> MadeBy:
        return MadeBy(MOVIE, 1)

    @property
    def added(self) -> str:
        return self.file


def brought_in(desk: Desk, record: TakeRecord, recipe: dict[str, Any]) -> tuple[Brought, list[Entry]]:
    """A take that was brought in, ready to be finished anew. ShotFault where its file is gone or another one."""
    crew = Brought(desk.studio.registry, recipe, desk.files.holding, record.added)
    piece = record.pieces[0]
    if desk.files.digest(record.added, record.name) != piece.digest:
        raise ShotFault(
            f"the file that {record.take} was made from has changed: {record.added}",
            remedy="bring it in again: rushes takes FILM SHOT --add FILE",
        )
    return crew, [Entry(piece.key, desk.files.locate(record.added, record.name), piece.digest)]


def bring(desk: Desk, shot: str, file: Path, alone: Alone) -> Made:
    """Bring `file` in as a take of a shot and choose it. BadRequest where it is no movie, or too short; Busy while
    the film is rendered: its takes are numbered by one at a time."""
    with render_lock(desk.studio.places, desk.places.film):
        return _bring(desk, shot, file, alone)


def _bring(desk: Desk, shot: str, file: Path, alone: Alone) -> Made:
    film = desk.read()
    block = find_shot(film, shot).block
    plan = Planner(film, desk.sources).some({block.shot})[block.shot]
    if plan.fault is not None:
        raise plan.fault
    recipe = plan.recipe
    if recipe is None:
        raise ShotFault("what it continues from has not been rendered", remedy="render that shot first")
    movie = _probed(file)
    called = desk.files.adopt(file)
    rate = str(film.rate)
    if movie.rate != rate:
        called = _conformed(desk, desk.files.locate(called, block.name), movie, rate, alone)
        movie = foreign.probe(desk.files.locate(called, block.name))
    window = max(plan.have, plan.needed) if block.chosen else plan.needed + _handles(film)
    if movie.frames < plan.needed:
        raise BadRequest(
            f"{file.name} has {movie.frames} frames, and the cut shows {plan.needed} of this shot",
            where=str(file),
            remedy=f"bring one of at least {plan.needed} frames; {window} cover its handles too",
        )
    crew = Brought(desk.studio.registry, moving_as(recipe, {"model": {}}), desk.files.holding, called)
    digest = desk.files.digest(called, block.name)
    entry = Entry(digest, desk.files.locate(called, block.name), digest)
    context = Context(desk, film, desk.shelf(), plan, Order(named=True), {})
    layout = [Span(0, min(movie.frames, window))]
    made = alone.run(Taking(context, crew, None, "0", 0, layout, [entry], None).run(), block.shot, block.name)
    with remembering(desk) as now:
        shelf = desk.shelf()
        Acceptance(made, context.order, waits=False).apply(now, shelf)
        choose_by_hand(desk, now, shelf, find_shot(now, block.shot).block, made.take)
    return made


def _handles(film: Film) -> int:
    """Frames of handle that the film asks for at the tail of a new take."""
    return int(Resolver(film).delivery()["handles"])


def _probed(file: Path) -> Probe:
    if not file.is_file():
        raise BadRequest(f"there is no file {file}", remedy="check the path; it is relative to where you are")
    if file.suffix.lower() in PICTURES:
        raise BadRequest(
            f"{file.name} is a picture, and a take is a movie",
            where=str(file),
            remedy="set a still on the shot: rushes set FILM SHOT keyframe=PICTURE; make a sequence a movie",
        )
    return foreign.probe(file)


def _conformed(desk: Desk, file: Path, movie: Probe, rate: str, alone: Alone) -> str:
    """A copy of a movie at the film's rate, among the film's references; how the film calls it."""
    frames = Lengths(rate, movie.rate).film_for(movie.frames)
    digest = FileDigests(desk.studio.database).of(file)
    out = (
        desk.places.refs / f"{file.stem.removesuffix('_' + digest[:8])}_{digest[:8]}_{rate.replace('/', '_')}.mov"
    )
    if not out.exists():
        size = (movie.size[0] // 2 * 2, movie.size[1] // 2 * 2)
        part = out.with_name(out.name + ".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        work = protocol.Film(
            pieces=(protocol.Piece(MOVIE, str(file), 0, movie.frames),),
            rate=movie.rate,
            frames=frames,
            finish=FinishSpec(size, rate, "fill", "motion"),
            encode=EncodeSpec(size, rate, "prores", "01:00:00:00", "", {}),
            out=str(part),
        )
        alone.make(Ask(f"{digest}:{rate}", "conform", MOVIE, work), file.name)
        part.replace(out)
    return out.relative_to(desk.places.film.parent).as_posix()
