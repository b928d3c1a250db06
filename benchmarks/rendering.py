"""Rows about rendering: what the engine costs a job, and what piping frames to ffmpeg costs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from benchmarks.measure import Row, Work, best_of
from benchmarks.watching import Watched
from rushes.engine.changing import add_to_film, set_intent
from rushes.engine.newfilm import create_film
from rushes.engine.rendering import render_film
from rushes.engine.studio import Desk, Studio
from rushes.engine.wishes import Wishes
from rushes.generators.animatic import Animatic
from rushes.generators.base import Fields, KeyframeRequest, MotionRequest
from rushes.media import ffmpeg
from rushes.stages.encode import CODECS, Encoder, EncodeSpec
from rushes.store.durable import publish
from rushes.worker.inline import InlineWorkers
from rushes.worker.loading import BUILT_IN, Generators
from rushes_otio.setting import Level

SIZE, FRAMES = (256, 144), 8


def rows(folder: Path, shots: int, rounds: int) -> list[Row]:
    return [_engine(folder, shots, rounds), *_encoding(folder, rounds)]


def _engine(folder: Path, shots: int, rounds: int) -> Row:
    """Wall time of a render less that of the same stages called directly, a job. The worker is this process."""
    generators = Generators(BUILT_IN)
    engine, direct = float("inf"), float("inf")
    for turn in range(rounds):
        desk = _film(folder / f"ours{turn}", shots)
        engine = min(engine, *best_of([lambda desk=desk: _render(desk, generators)], 1))
        direct = min(direct, *best_of([_direct(folder / f"direct{turn}", shots)], 1))
    cost = (engine - direct) / shots * 1000
    said = f"{engine / shots * 1000:.1f} ms a job by the engine, {direct / shots * 1000:.1f} ms directly"
    return Row("the engine's cost a job on the animatic", None, cost, 15, "ms", detail=said)


def _render(desk: Desk, generators: Generators) -> None:
    render_film(desk, Wishes(), lambda _: None, InlineWorkers(generators))


def _film(folder: Path, shots: int) -> Desk:
    folder.mkdir()
    path = folder / "film.otio"
    create_film(path, None, "24/1")
    desk = Studio.of_user().desk(path)
    size = f"delivery.size={SIZE[0]}x{SIZE[1]}"
    set_intent(desk, lambda _: [Level("film")], [size, "delivery.handles=0"])
    for number in range(shots):
        add_to_film(desk, "SC010", "", FRAMES, [f"prompt=wave {folder.name} {number}"])
    return desk


def _direct(folder: Path, shots: int) -> Work:
    folder.mkdir()
    generator, watch = Animatic(), Watched()

    def work() -> None:
        for number in range(shots):
            fields = Fields(prompt=f"wave {folder.name} {number}", caption=f"wave {folder.name} {number}")
            still = folder / f"{number}.png"
            still.write_bytes(generator.keyframe(KeyframeRequest(fields, number), watch))
            request = MotionRequest(fields, number, "24/1", FRAMES, keyframe=str(still))
            motion = generator.motion(request, watch)
            part = folder / f"{number}.mov.part"
            with Encoder(part, EncodeSpec(SIZE, "24/1", "prores", "01:00:00:00", "", {})) as encoder:
                for frame in generator.frames(motion, SIZE, None, watch):
                    encoder.write(frame)
            publish(part, folder / f"{number}.mov", label="take")

    return work


def _encoding(folder: Path, rounds: int) -> list[Row]:
    size, count = (1280, 720), 48
    noise = np.random.default_rng(1).integers(0, 255, (4, size[1], size[0], 3), np.uint8)
    raw = folder / "frames.raw"
    raw.write_bytes(b"".join(noise[n % 4].tobytes() for n in range(count)))
    command = [ffmpeg.binary(), "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "1280x720"]
    options = [text for key, value in CODECS["prores"].options.items() for text in (f"-{_flag(key)}", str(value))]

    def from_file() -> object:
        end = ["-r", "24", "-i", str(raw), *options, "-f", "mov", str(folder / "reference.mov")]
        return subprocess.run([*command, *end], check=True)

    def piped() -> None:
        spec = EncodeSpec(size, "24/1", "prores", "01:00:00:00", "", {})
        with Encoder(folder / "piped.mov.part", spec) as encoder:
            for number in range(count):
                encoder.write(noise[number % 4])

    reading, piping = best_of([from_file, piped], rounds)
    said = f"{count / piping:.0f} against {count / reading:.0f} frames a second, 1280x720"
    return [
        Row("encode, default codec, piped from numpy", None, reading / piping, 0.9, "x", least=True, detail=said)
    ]


def _flag(key: str) -> str:
    return {"vcodec": "c:v"}.get(key, key)
