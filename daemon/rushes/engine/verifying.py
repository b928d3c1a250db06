"""Whether a take can be made again, here, bit for bit: its stages are run once more, past the cache."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rushes.engine.alone import Alone
from rushes.engine.making import Making
from rushes.engine.motion import joined, pieces
from rushes.engine.orders import Order
from rushes.engine.plan import Planner
from rushes.engine.recipe import size_of
from rushes.engine.stagework import Answer, Ask, Stages
from rushes.engine.studio import Desk
from rushes.engine.taking import Context, Taking, pictured, spans
from rushes.store.cache import StageCache
from rushes.store.takes import TakeRecord
from rushes.worker.protocol import Done
from rushes_otio.errors import BadRequest
from rushes_otio.pointing import find_shot


@dataclass(frozen=True, slots=True)
class Verdict:
    """`same`: motion and frames came out as they were, bit for bit. `differs` names what did not. `environment` is
    what is not as it was where the take was made: name -> [then, now]."""

    take: str
    same: bool
    differs: list[str] = field(default_factory=list)
    environment: dict[str, list[str]] = field(default_factory=dict)


def verify(desk: Desk, shot: str, take: str, alone: Alone) -> Verdict:
    """Make a take of a shot again, `take` or the chosen one, and compare. Nothing is kept of it. BadRequest for a
    take that was not made here; ShotFault where what it was made from is gone."""
    film = desk.read()
    block = find_shot(film, shot).block
    wanted = take or (block.chosen.take if block.chosen else "")
    if not wanted.startswith("t"):
        raise BadRequest(f"{block.name} has no take to verify", remedy="render it first, or name one with --take")
    shelf = desk.shelf()
    record = shelf.record(block, wanted)
    if record.added or not record.pieces:
        raise BadRequest(
            f"the take {wanted} was made elsewhere", remedy="only what was rendered here can be made again"
        )
    planner = Planner(film, desk.sources)
    plans = planner.some({block.shot})
    context = Context(desk, film, shelf, plans[block.shot], Order(named=True), {})
    with tempfile.TemporaryDirectory(prefix="rushes-verify-") as folder:
        making = Making(context, plans, alone.scratch, 0)
        again = _Again(making, record, Path(folder))
        return alone.run(again.run(), block.shot, block.name)


@dataclass(frozen=True, slots=True)
class _Again:
    making: Making
    record: TakeRecord
    folder: Path

    def run(self) -> Generator[Ask, Answer, Verdict]:
        record, context = self.record, self.making.context
        crew = self.making.crew(pictured(record))
        crew.check_unchanged()
        stages = Stages(StageCache(self.folder, 1 << 40), self.folder, context.notes)
        picturing = self.making.picturing(crew, int(record.seed), stages)
        layout = spans(record)
        made = yield from picturing.motion(layout)
        taking = Taking(
            context, crew, picturing.plate(size_of(crew.recipe)), record.seed, record.n, layout, made, None
        )
        differs = [] if [e.digest for e in made] == [p.digest for p in record.pieces] else ["motion"]
        frames = yield from self._frames(taking)
        differs += [] if frames == record.frames_digest else ["frames"]
        return Verdict(record.take, not differs, differs, _changed(record.environment, context.notes.environment))

    def _frames(self, taking: Taking) -> Generator[Ask, Answer, str]:
        """The digest of the frames, pass by pass as they were made: a take that was extended has several."""
        starts = [start for start, _ in pieces(self.record.frames_digest)]
        made: list[tuple[int, str]] = []
        for start, end in zip(starts, [*starts[1:], self.record.window.frames], strict=True):
            done = yield taking.film(self.record.take, self.folder / f"{start}.mov", start, end - start)
            assert isinstance(done, Done)
            made.append((start, done.digest))
        return joined(made)


def _changed(then: dict[str, Any], now: dict[str, str]) -> dict[str, list[str]]:
    return {
        name: [str(then[name]), value] for name, value in now.items() if name in then and str(then[name]) != value
    }
