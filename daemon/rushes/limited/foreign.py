"""Files from outside, opened in a limited child: timelines, movies, sound, pictures.

What these functions return and raise is what `rushes_otio.build` and `media` return and raise; where the child
goes over a limit or crashes, that is a FileFault for a cut and a MediaFault for the rest.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from rushes.limited import tasks
from rushes.limited.process import GIB, parts
from rushes.limited.tasks import Limits

if TYPE_CHECKING:
    from rushes.media.frames import DeepPicture, Picture
    from rushes.media.probe import Probe
    from rushes.media.sound import Samples
    from rushes_otio.formats.reading import ReadCut
    from rushes_otio.formats.writing import Written
    from rushes_otio.timing import Rate

Suffix = Literal[".edl", ".xml"]
Program = Literal["", "resolve", "premiere"]

FILES = Limits(memory=4 * GIB, computing=60, silence=30)
"""For what is read as a whole."""

CUTS = Limits(memory=4 * GIB, computing=600, silence=9, pace=0.5e6)
"""For timelines: a small one that takes ten seconds was made to. Adapters take their time with a large one."""

FRAMES = Limits(memory=8 * GIB, computing=600, silence=45)
"""For decoding: 8K takes about 5 GiB with 16 threads, and the first frame may lie behind thousands that are not
wanted. Less silence than a worker may keep, so that the file is blamed and not the worker."""


def read_cut(path: Path, rate: Rate) -> ReadCut:
    """As `rushes_otio.formats.reading.read_cut`: the text of a timeline, and notes."""
    from rushes_otio.formats.reading import ReadCut

    notes, text = _all(tasks.Cut(str(path), str(rate)))
    return ReadCut(text, msgspec.json.decode(notes, type=list[str]))


def write_cut(timeline: Path, suffix: Suffix, rate: Rate, program: Program) -> Written:
    """As `rushes_otio.formats.writing.write_cut`, of the timeline in a file."""
    from rushes_otio.formats.writing import Written

    lost, text = _all(tasks.Written(str(timeline), suffix, str(rate), program))
    return Written(text, msgspec.json.decode(lost, type=list[tuple[str, str]]))


def probe(path: Path) -> Probe:
    """As `media.probe.probe`."""
    from rushes.media.probe import Probe

    return msgspec.json.decode(_whole(tasks.Probe(str(path))), type=Probe)


def read_frame(path: Path, number: int) -> Picture:
    """As `media.frames.read_frame`."""
    with closing(iter_frames(path, number, 1)) as frames:
        return next(frames)


def iter_frames(path: Path, start: int = 0, count: int | None = None) -> Generator[Picture, None, None]:
    """As `media.frames.iter_frames`. The child starts with the first frame and ends when this is closed."""
    import numpy as np

    with closing(parts(tasks.Frames(str(path), start, count), FRAMES)) as frames:
        for part, data in frames:
            yield np.frombuffer(data, np.uint8).reshape(part.shape)


def iter_deep_frames(path: Path, start: int = 0, count: int | None = None) -> Generator[DeepPicture, None, None]:
    """As `media.frames.iter_deep_frames`. The child starts with the first frame and ends when this is closed."""
    import numpy as np

    with closing(parts(tasks.Frames(str(path), start, count, depth=16), FRAMES)) as frames:
        for part, data in frames:
            yield np.frombuffer(data, np.uint16).reshape(part.shape)


def iter_sound(path: Path, start: float, seconds: float) -> Generator[Samples, None, None]:
    """As `media.sound.iter_sound`. The child starts with the first block and ends when this is closed."""
    import numpy as np

    with closing(parts(tasks.Sound(str(path), start, seconds), FRAMES)) as blocks:
        for part, data in blocks:
            yield np.frombuffer(data, np.float32).reshape(part.shape)


def picture(path: Path) -> bytes:
    """A picture file as a PNG: upright, 8-bit RGB or, with transparent parts, RGBA, and nothing but pixels.
    MediaFault for anything but PNG, JPEG, WebP, TIFF, BMP or GIF of at most 80 million pixels."""
    return _whole(tasks.Picture(str(path)))


def _whole(task: tasks.Task) -> bytes:
    with closing(parts(task, FILES)) as answers:
        return b"".join(body for _, body in answers)


def _all(task: tasks.Task) -> tuple[bytes, bytes]:
    with closing(parts(task, CUTS)) as answers:
        first, second = (bytes(body) for _, body in answers)
    return first, second
