"""What the encode lane does: pieces of motion decoded, finished and encoded in one streamed pass."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from rushes.generators.base import Frame
from rushes.limited import foreign
from rushes.stages.encode import Encoder
from rushes.stages.finish import conform
from rushes.worker.jobs import read_motion
from rushes.worker.lanes import Task, Unfit
from rushes.worker.loading import Generators
from rushes.worker.plates import composited
from rushes.worker.preview import jpeg_of_frame
from rushes.worker.protocol import MOVIE, Done, Film, Piece


def make_film(work: Film, task: Task, generators: Generators) -> Done:
    """Write the movie that `work` asks for. `Unfit` where the pieces hold too few frames; nothing is left at
    `out` then, nor after a cancel."""
    began = time.monotonic()
    part = Path(work.out)
    finished = conform(_joined(work, task, generators), work.finish, work.rate)
    if work.plate is not None:
        finished = composited(finished, work.plate, work.finish)
    with Encoder(part, work.encode) as encoder:
        for frame in itertools.islice(finished, work.skip, work.skip + work.frames):
            task.progress(encoder.count, work.frames)
            task.preview(partial(jpeg_of_frame, frame))
            encoder.write(frame)
        task.progress(encoder.count, work.frames)
        if encoder.count != work.frames:
            raise _too_few(encoder.count, work.frames)
    size = part.stat().st_size
    seconds = time.monotonic() - began
    return Done(id=work.id, digest=encoder.digest, size=size, frames=encoder.count, seconds=seconds)


def _joined(work: Film, task: Task, generators: Generators) -> Iterator[Frame]:
    for piece in work.pieces:
        count = 0
        for count, frame in enumerate(_frames(piece, work.finish.size, task, generators), 1):  # noqa: B007
            yield frame
        if count != piece.frames:
            raise _too_few(count, piece.frames)


def _frames(piece: Piece, size: tuple[int, int], task: Task, generators: Generators) -> Iterator[Frame]:
    if piece.generator == MOVIE:
        path = Path(piece.path)
        deep = foreign.probe(path).bits > 8
        return (foreign.iter_deep_frames if deep else foreign.iter_frames)(path, piece.start, piece.frames)
    generator = generators.get(piece.generator, task)
    frames = generator.frames(read_motion(piece.path), size, piece.card, task)
    return itertools.islice(frames, piece.start, piece.start + piece.frames)


def _too_few(found: int, wanted: int) -> Unfit:
    return Unfit("broken", f"{found} frames came of {wanted}", "render the shot again with --another")
