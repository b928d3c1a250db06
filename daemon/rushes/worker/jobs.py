"""What the generate lane does: words, keyframes, motions and single pictures, each one file."""

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
from rushes.worker.plates import footage
from rushes.worker.preview import jpeg_of_png
from rushes.worker.protocol import Done, Keyframe, Motion, Picture, Words

MAX_PICTURE = 64 << 20
MAX_MOTION = 1 << 30
"""Bytes. The latents of 81 frames at 720p are 19 MB."""

PNG = b"\x89PNG\r\n\x1a\n"


def generate(work: Words | Keyframe | Motion | Picture, task: Task, generators: Generators) -> Done:
    """Make the one file that `work` asks for. `Unfit` where what came out is not that."""
    began = time.monotonic()
    frames, environment = 1, {}
    if isinstance(work, Picture) and work.generator == protocol.MOVIE:
        made = _footage(work)
    else:
        generator = generators.get(work.generator, task)
        made, frames = _made(work, task, generator)
        environment = dict(generator.environment())
    task.progress(frames, frames)
    write_new(Path(work.out), made)
    digest = hashlib.sha256(made).hexdigest()
    return Done(
        id=work.id,
        digest=digest,
        size=len(made),
        frames=frames,
        seconds=time.monotonic() - began,
        loading=task.loading,
        environment=environment,
    )


def _made(work: Words | Keyframe | Motion | Picture, task: Task, generator: Generator) -> tuple[bytes, int]:
    """What comes out, and how many frames it is."""
    match work:
        case Words():
            return _at_most(generator.words(work.request, task), MAX_MOTION, "text"), 1
        case Keyframe():
            still = _png(generator.keyframe(work.request, task))
            task.preview(lambda: jpeg_of_png(still))
            return still, 1
        case Motion():
            return _motion(work, task, generator)
        case Picture():
            return _png(generator.picture(read_motion(work.motion), work.frame, work.card, task)), 1


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
    under = footage(work.plate, work.request, task) if work.plate else None
    made = _at_most(generator.motion(work.request, task, under), MAX_MOTION, "motion")
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
