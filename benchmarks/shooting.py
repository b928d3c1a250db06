"""Shots made by a real worker process, and what it says of them."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec

from benchmarks.direct import RATE, Shot, Work
from rushes.generators.base import Fields, MotionRequest, WordsRequest
from rushes.generators.cards import Card, Run
from rushes.stages.finish import FinishSpec
from rushes.worker.protocol import Cancelled, Done, Failed, Film, Lost, Motion, Piece, Ready, Words
from rushes.worker.supervisor import WorkerProcess, WorkerSettings

PATIENCE_S = 600


@dataclass
class Made:
    """`began` and `ended` are times; `computing` seconds of processor; `busy` the seconds of each stage, by kind;
    `loading` those of them that went into loading weights; `first` and `last` when the generate lane got to the
    motions, and was done with them."""

    began: float
    ended: float = 0.0
    first: float = 0.0
    last: float = 0.0
    loading: float = 0.0
    computing: float = 0.0
    busy: dict[str, list[float]] = field(default_factory=lambda: {"words": [], "motion": [], "film": []})
    digests: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def idle(self) -> float:
        """The share of the motions' time in which none was being made."""
        return max(0.0, 1 - sum(self.busy["motion"]) / (self.last - self.first))


def card_of(folder: str) -> Card:
    """The card of a tiny model: as the registry would make it."""
    pipeline = json.loads((Path(folder) / "model_index.json").read_text())["_class_name"]
    return Card(Path(folder).name, f"tiny-{folder}", folder, pipeline, dtype="float32", working_mib=64)


class Shooter:
    """A worker process for one device, used as the engine uses it: all words first, then the motions, each encoded
    while the next is made. With `card` all shots are of that model, whatever they say; with `words`, the stored
    form of a text, no text is read."""

    def __init__(
        self, state: Path, device: str = "cpu", card: Card | None = None, words: Path | None = None
    ) -> None:
        self._card, self._written = card, words
        self._process = WorkerProcess(WorkerSettings(state=state, device=device, warm=("diffusers",)))
        self._process.start()
        self._pid = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def shoot(self, shots: list[Shot], work: Work) -> Made:
        made = Made(time.perf_counter())
        before = computing(self._pid) if self._pid else 0.0
        asked = {self._words(shot, work): ("words", shot) for shot in shots if self._written is None}
        asked |= {self._motion(shot, work): ("motion", shot) for shot in shots}
        while asked:
            for done in self._heard():
                kind, shot = asked.pop(done.id)
                self._note(made, kind, done)
                if kind == "motion":
                    asked[self._film(shot, work)] = ("film", shot)
        made.ended = time.perf_counter()
        made.computing = computing(self._pid) - before
        return made

    def _heard(self) -> list[Done]:
        events = self._process.poll(PATIENCE_S)
        assert events, "the worker says nothing"
        for event in events:
            assert not isinstance(event, Failed | Lost | Cancelled), event
            self._pid = event.pid if isinstance(event, Ready) else self._pid
        return [event for event in events if isinstance(event, Done)]

    def _note(self, made: Made, kind: str, done: Done) -> None:
        now = time.perf_counter()
        made.busy[kind].append(done.seconds)
        made.loading += done.loading
        if kind == "motion":
            made.first, made.last = made.first or now - done.seconds, now
        elif kind == "film":
            made.digests.append(done.digest)
            made.memory.append(memory_of(self._pid))

    def _words(self, shot: Shot, work: Work) -> int:
        request = WordsRequest(self._run(shot, work), shot.prompt, work.negative)
        return self._process.submit(Words(generator="diffusers", request=request, out=f"{shot.out}.words"))

    def _motion(self, shot: Shot, work: Work) -> int:
        run = msgspec.structs.replace(self._run(shot, work), words=str(self._written or f"{shot.out}.words"))
        request = MotionRequest(Fields(), shot.seed, RATE, work.frames, run=run)
        return self._process.submit(Motion(generator="diffusers", request=request, out=f"{shot.out}.motion"))

    def _film(self, shot: Shot, work: Work) -> int:
        piece = Piece("diffusers", f"{shot.out}.motion", 0, work.frames, self._card_of(shot))
        film = Film(
            pieces=(piece,),
            rate=RATE,
            frames=work.frames,
            finish=FinishSpec(work.size, RATE),
            encode=work.encoding(),
            out=shot.out,
        )
        return self._process.submit(film)

    def _run(self, shot: Shot, work: Work) -> Run:
        return Run(self._card_of(shot), work.size, work.steps, work.guidance)

    def _card_of(self, shot: Shot) -> Card:
        return self._card or card_of(shot.folder)


def computing(pid: int) -> float:
    """Seconds of processor that a process has used, and those of its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / float(os.sysconf("SC_CLK_TCK"))


def memory_of(pid: int) -> float:
    """MiB of main memory that a process has."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024
