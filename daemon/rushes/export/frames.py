"""A shot's chosen take as numbered pictures for compositing: OpenEXR, half floats, linear light.

Linear means: through the inverse of BT.709's OETF, which Nuke calls rec709. Frame 1001 is shot frame 0. The files
hold channels R, G and B, the frame rate, and nothing about film, machine or user.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rushes.engine.studio import Desk
from rushes.export.exporting import Progress, check_place
from rushes.limited import foreign
from rushes.media import ffmpeg
from rushes.media.process import Feed
from rushes.store.durable import fault_of, replace_with
from rushes_otio.errors import BadRequest
from rushes_otio.pointing import find_shot

FIRST = 1001
"""The number of shot frame 0, as in most VFX pipelines: there is room for handles before it."""

_PATTERN = re.compile(r"([^%]*)%0([1-9])d([^%]*\.exr)", re.IGNORECASE)
_INSIDE = "%06d.exr"


@dataclass(frozen=True, slots=True)
class Sequence:
    """Numbered files in a folder: `shot.%04d.exr`."""

    folder: Path
    head: str
    digits: int
    tail: str

    @classmethod
    def of(cls, pattern: Path) -> Sequence:
        """BadRequest where the name holds no number, more than one, or is no EXR."""
        found = _PATTERN.fullmatch(pattern.name)
        if found is None:
            raise BadRequest(
                f"{pattern.name} is not a name for numbered EXR files",
                where=str(pattern),
                remedy="say where the number goes, once: --frames shot.%04d.exr",
            )
        return cls(pattern.parent, found[1], int(found[2]), found[3])

    def file(self, number: int) -> Path:
        return self.folder / f"{self.head}{number:0{self.digits}d}{self.tail}"

    def numbers(self) -> list[int]:
        """Of the files that are there."""
        name = re.compile(rf"{re.escape(self.head)}(\d{{{self.digits},9}}){re.escape(self.tail)}")
        return sorted(int(found[1]) for file in self.folder.iterdir() if (found := name.fullmatch(file.name)))


@dataclass(frozen=True, slots=True)
class Exported:
    """The numbers of the first and the last file, and what there is to know: (use or name, what)."""

    first: int
    last: int
    lost: list[tuple[str, str]]


def export_frames(desk: Desk, shot: str, pattern: Path, progress: Progress) -> Exported:
    """Write every frame of the shot's chosen take, handles included, as `pattern` says. The files get their names
    when all are made. BadRequest for a shot without a take or a pattern that is none; MediaFault, FileFault."""
    sequence = Sequence.of(pattern)
    block = find_shot(desk.read(), shot).block
    if block.chosen is None:
        raise BadRequest(
            f"{block.name} has no take yet",
            where=block.shot,
            remedy=f"rushes render {desk.places.film.name} {shot}",
        )
    check_place(desk, sequence.file(FIRST))
    take = desk.shelf().find(block, block.chosen.take).movie
    found = foreign.probe(take)
    numbers = range(FIRST, FIRST + found.frames)
    try:
        _check_free(sequence, numbers)
        with tempfile.TemporaryDirectory(prefix=".rushes-", dir=sequence.folder) as folder:
            _write(take, Path(folder), found.size, found.rate, lambda done: progress(done, found.frames))
            for number in numbers:
                replace_with(Path(folder) / (_INSIDE % number), sequence.file(number))
        return Exported(numbers[0], numbers[-1], _left_over(sequence, numbers))
    except OSError as error:
        raise fault_of(error, sequence.folder) from error


def linear() -> NDArray[np.float32]:
    """Light, 0 to 1, of each 16-bit value: the inverse of BT.709's OETF, rounded to a half float."""
    value = np.arange(65536) / 65535
    light = np.where(value < 0.081, value / 4.5, ((value + 0.099) / 1.099) ** (1 / 0.45))
    return light.astype(np.float16).astype("<f4")


def _write(take: Path, folder: Path, size: tuple[int, int], rate: str, told: Callable[[int], None]) -> None:
    light = linear()
    output = ffmpeg.exr_output(ffmpeg.raw_input("gbrpf32le", size, rate), folder, _INSIDE, FIRST)
    feed = Feed(ffmpeg.arguments(output))
    try:
        with closing(foreign.iter_deep_frames(take)) as frames:
            for number, frame in enumerate(frames, 1):
                for channel in (1, 2, 0):  # in the order of gbrpf32le
                    feed.write(light[frame[:, :, channel]].data.cast("B"))
                told(number)
        feed.finish()
    except BaseException:
        feed.kill()
        raise


def _check_free(sequence: Sequence, numbers: range) -> None:
    for file in map(sequence.file, numbers):
        if file.is_dir():
            raise BadRequest("a folder has that name", where=str(file), remedy="name other files")


def _left_over(sequence: Sequence, numbers: range) -> list[tuple[str, str]]:
    """Files of an earlier, longer export would be read as part of this one."""
    others = [number for number in sequence.numbers() if number not in numbers]
    if not others:
        return []
    names = " and ".join(dict.fromkeys(sequence.file(number).name for number in (others[0], others[-1])))
    return [("", f"{len(others)} other files of that name are there too: {names}")]
