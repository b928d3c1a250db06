"""Rows about generation: tiny models on the processor, by a worker, and by calling the pipelines on the same work.

They say what Rushes adds. How fast a model is, and everything about a GPU, `benchmarks.gpu` measures.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import films
from benchmarks.direct import Shot, Work
from benchmarks.measure import Row
from benchmarks.scripted import Direct, directly
from benchmarks.shooting import Made, Shooter

WORK = Work((128, 128), 17, 8)
SMALL = Work((64, 64), 9, 2)
MODELS = ("wan_t2v", "wan22_t2v")
SHOTS, MANY, WARMING = 20, 100, 2


def rows(folder: Path, rounds: int) -> list[Row]:
    """None where the extra `diffusers` is not installed."""
    if importlib.util.find_spec("diffusers") is None:
        print("generation: the extra diffusers is not installed; nothing is measured")
        return []
    os.environ["OMP_NUM_THREADS"] = "1"  # one thread each: the same bits, and no fight over shared cores
    stage = _Stage.built(folder / "generation")
    return [
        _cold(stage, rounds),
        *_warm(stage, rounds),
        *films.rows(folder / "films", stage.models[0], WORK, SHOTS, rounds),
        _memory(stage),
    ]


@dataclass
class _Stage:
    """Where the models are and the shots go."""

    folder: Path
    models: list[str]
    made: int = 0

    @classmethod
    def built(cls, folder: Path) -> _Stage:
        folder.mkdir()
        subprocess.run([sys.executable, "-m", "benchmarks.direct", "build", str(folder), *MODELS], check=True)
        return cls(folder, [str(folder / name) for name in MODELS])

    def shots(self, count: int, models: int = 1) -> list[Shot]:
        """New shots, of so many models in turn. Their words and seeds do not repeat."""
        first, self.made = self.made, self.made + count
        return [
            Shot(self.models[n % models], f"wave number {n}", n, str(self.folder / f"{n}.mov"))
            for n in range(first, first + count)
        ]

    def elsewhere(self, shots: list[Shot]) -> list[Shot]:
        """The same shots, going to other files."""
        return [Shot(shot.folder, shot.prompt, shot.seed, f"{shot.out}.direct.mov") for shot in shots]


def _cold(stage: _Stage, rounds: int) -> Row:
    """From no process at all to the first finished shot."""
    ours, direct = float("inf"), float("inf")
    for _ in range(rounds):
        shots = stage.shots(1)
        began = time.perf_counter()
        with Shooter(stage.folder / "state") as shooter:
            shooter.shoot(shots, WORK)
            ours = min(ours, time.perf_counter() - began)
        found = directly(stage.elsewhere(shots), WORK)
        direct = min(direct, found.loading + found.seconds[0])
    said = f"{ours:.1f} s against {direct:.1f} s, imports and weights included"
    return Row("a first shot, cold, against the pipeline called directly", None, ours / direct, detail=said)


def _warm(stage: _Stage, rounds: int) -> list[Row]:
    found: list[Row] = []
    for models, named in ((1, "one model"), (2, "two models in turn")):
        ours, direct = _in_turns(stage, models, rounds)
        quickest, by_hand = min(made.seconds for made in ours), min(sum(script.seconds) for script in direct)
        least = min(made.computing for made in ours) / min(sum(script.computing) for script in direct)
        same = all(made.digests == script.digests for made, script in zip(ours, direct, strict=True))
        said = f"{quickest / SHOTS * 1000:.0f} ms a shot against {by_hand / SHOTS * 1000:.0f}"
        loading, idle = min(made.loading for made in ours), min(made.idle for made in ours)
        found += [
            Row(f"{SHOTS} shots of {named}, warm, against directly", None, quickest / by_hand, 1.02, detail=said),
            Row("  seconds of processor, against directly", None, least, 1.02),
            Row("  takes with other pictures", None, 0 if same else 1, 0, ""),
            Row("  loading weights, of all shots", None, loading * 1000, unit="ms"),
            Row("  idle between motions, share of the time", None, idle, 0.02),
        ]
    return found


def _in_turns(stage: _Stage, models: int, rounds: int) -> tuple[list[Made], list[Direct]]:
    """The same shots by either, round after round."""
    ours: list[Made] = []
    direct: list[Direct] = []
    with Shooter(stage.folder / "state") as shooter:
        shooter.shoot(stage.shots(WARMING * models, models), WORK)
        for _ in range(rounds):
            warm, shots = stage.shots(WARMING * models, models), stage.shots(SHOTS, models)
            ours.append(shooter.shoot(shots, WORK))
            direct.append(directly(stage.elsewhere(warm + shots), WORK).after(len(warm)))
    return ours, direct


def _memory(stage: _Stage) -> Row:
    """A straight line through the worker's memory after each shot, the first fifth left out."""
    with Shooter(stage.folder / "state") as shooter:
        memory = shooter.shoot(stage.shots(MANY), SMALL).memory[MANY // 5 :]
    slope = float(np.polyfit(np.arange(len(memory)), memory, 1)[0]) * MANY
    said = f"{memory[0]:.0f} MiB at first, {memory[-1]:.0f} MiB at last"
    return Row(f"growth of the worker's memory over {MANY} shots", None, slope, unit="MiB", detail=said)
