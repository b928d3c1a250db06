"""What the generate lane does: keyframes, motions and single pictures, each one file."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from PIL import Image

from rushes.generators.base import Generator
from rushes.limited import foreign
from rushes.limited.pictures import png
from rushes.worker import protocol
from rushes.worker.lanes import Task, Unfit
from rushes.worker.loading import Generators
from rushes.worker.preview import jpeg_of_png
from rushes.worker.protocol import Done, Keyframe, Motion, Picture

MAX_PICTURE = 64 << 20
MAX_MOTION = 1 << 30
"""Bytes. The latents of 81 frames at 720p are 19 MB."""

PNG = b"\x89PNG\r\n\x1a\n"


def generate(work: Keyframe | Motion | Picture, task: Task, generators: Generators) -> Done:
    """Make the one file that `work` asks for. `Unfit` where what came out is not that."""
    began, loading = time.monotonic(), generators.loading
    match work:
        case Keyframe():
            made, frames = _png(generators.get(work.generator).keyframe(work.request, task.progress)), 1
            task.preview(lambda: jpeg_of_png(made))
        case Motion():
            made, frames = _motion(work, task, generators.get(work.generator))
        case Picture(generator=protocol.MOVIE):
            made, frames = _footage(work), 1
        case Picture():
            stored = read_motion(work.motion)
            made, frames = _png(generators.get(work.generator).picture(stored, work.frame)), 1
    task.progress(frames, frames)
    write_new(Path(work.out), made)
    digest = hashlib.sha256(made).hexdigest()
    return Done(
        id=work.id,
        digest=digest,
        size=len(made),
        frames=frames,
        seconds=time.monotonic() - began,
        loading=generators.loading - loading,
    )


def read_motion(path: str) -> bytes:
    """A stored motion; `Unfit` where it is larger than a motion may be."""
    with Path(path).open("rb") as file:
        stored = file.read(MAX_MOTION + 1)
    return _at_most(stored, MAX_MOTION, "motion")


def write_new(path: Path, content: bytes) -> None:
    """Write `content` as a new file. What lies at `path` is replaced, never followed nor written through."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o644), "wb") as file:
        file.write(content)


def _motion(work: Motion, task: Task, generator: Generator) -> tuple[bytes, int]:
    made = _at_most(generator.motion(work.request, task.progress), MAX_MOTION, "motion")
    length = generator.length(made)
    if length < work.request.frames:
        raise Unfit(
            "broken",
            f"{work.generator} made {length} frames of {work.request.frames}",
            "render again with another model",
        )
    return made, length


def _footage(work: Picture) -> bytes:
    """One frame of a movie file from outside, which a shot starts from."""
    return _png(png(Image.fromarray(foreign.read_frame(Path(work.motion), work.frame))))


def _png(made: bytes) -> bytes:
    if not made.startswith(PNG):
        raise Unfit("broken", "the generator made no PNG", "render again with another model")
    return _at_most(made, MAX_PICTURE, "picture")


def _at_most(made: bytes, limit: int, what: str) -> bytes:
    if len(made) > limit:
        raise Unfit(
            "limit",
            f"the {what} has {len(made)} bytes, {limit} are allowed",
            "ask for fewer frames or a smaller size",
        )
    return made
