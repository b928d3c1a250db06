"""The same work without Rushes: a script that calls the pipelines as a person would write it. Run as a child.

python -m benchmarks.direct build FOLDER NAME …     # tiny models, below FOLDER
python -m benchmarks.direct render < WORK           # a line of JSON when it is ready, and one a shot
"""

from __future__ import annotations

import importlib.util
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rushes.stages.encode import Encoder, EncodeSpec
from rushes.store.durable import publish

RATE = "24/1"
TINY = Path(__file__).parents[1] / "tests" / "tiny.py"


@dataclass(frozen=True)
class Shot:
    """One shot: the folder of its model, its words, its seed."""

    folder: str
    prompt: str
    seed: int
    out: str


@dataclass(frozen=True)
class Work:
    """How every shot is made. `size` is (width, height)."""

    size: tuple[int, int]
    frames: int
    steps: int
    guidance: str = "5"
    negative: str = "blurry"

    def encoding(self) -> EncodeSpec:
        return EncodeSpec(self.size, RATE, "prores", "01:00:00:00", "", {})


def order(work: Work, shots: list[Shot]) -> str:
    """What `render` reads."""
    return json.dumps({"work": asdict(work), "shots": [asdict(shot) for shot in shots]})


def build(folder: Path, names: list[str]) -> None:
    """Tiny models by the builder of the tests."""
    spec = importlib.util.spec_from_file_location("tiny", TINY)
    assert spec and spec.loader
    tiny = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    for name in names:
        tiny.TinyModels(folder).folder(name)


def render(ordered: dict[str, Any]) -> None:
    """Load every model that is named, then make every shot."""
    import torch
    from diffusers import DiffusionPipeline
    from diffusers.utils import logging

    logging.disable_progress_bar()
    work = Work(**{**ordered["work"], "size": tuple(ordered["work"]["size"])})
    shots = [Shot(**shot) for shot in ordered["shots"]]
    folders = {shot.folder for shot in shots}
    pipes = {folder: DiffusionPipeline.from_pretrained(folder, dtype=torch.float32) for folder in folders}
    for pipe in pipes.values():
        pipe.set_progress_bar_config(disable=True)
    _say({"ready": True})
    for shot in shots:
        began, before = time.perf_counter(), _computing()
        digest = _shoot(pipes[shot.folder], shot, work)
        _say({"seconds": time.perf_counter() - began, "computing": _computing() - before, "digest": digest})


def _shoot(pipe: Any, shot: Shot, work: Work) -> str:  # noqa: ANN401
    import numpy as np
    import torch

    width, height = work.size
    made = pipe(
        prompt=shot.prompt,
        negative_prompt=work.negative,
        width=width,
        height=height,
        num_frames=work.frames,
        num_inference_steps=work.steps,
        guidance_scale=float(work.guidance),
        generator=torch.Generator("cpu").manual_seed(shot.seed),
        output_type="np",
    ).frames[0]
    part = Path(f"{shot.out}.part")
    with Encoder(part, work.encoding()) as encoder:
        for frame in made:
            encoder.write((frame * 65535).round().astype(np.uint16))
    publish(part, Path(shot.out), label="take")
    return encoder.digest


def _computing() -> float:
    """Seconds of processor so far, those of ffmpeg too."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _say(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(Path(sys.argv[2]), sys.argv[3:])
    else:
        render(json.load(sys.stdin))
