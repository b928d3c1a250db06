"""Sound put together sample by sample: the file of a clip as it is asked for, and the file it is mixed into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from rushes.media.ffmpeg import SAMPLE_RATE
from rushes.media.sound import Samples

LOUDEST = 100.0
"""Files of floats may hold anything. What is louder than this, 40 dB over full level, is no sound."""

_BYTES = 8  # of one sample: left and right, 32 bits each


@dataclass(frozen=True, slots=True)
class Ramp:
    """The level changes from `begins` to `ends` between two samples of the film."""

    first: int
    end: int
    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class Part:
    """How a clip is heard: in samples of the film, its file in samples from the file's beginning.

    It stands from `first` up to `end`, and is heard from `heard` up to `until`, transitions included.
    """

    first: int
    end: int
    heard: int
    until: int
    offset: float
    pace: float
    backwards: bool
    ramps: tuple[Ramp, ...]

    @property
    def steps(self) -> range:
        """Samples to play, counted from the in-point in the order of the file."""
        if self.backwards:
            return range(self.end - self.until, self.end - self.heard)
        return range(self.heard - self.first, self.until - self.first)

    def places(self, steps: range) -> range:
        """Where in the film these steps are heard, in the order of the film."""
        if self.backwards:
            return range(self.end - steps.stop, self.end - steps.start)
        return range(self.first + steps.start, self.first + steps.stop)

    def level(self, places: range) -> Samples:
        """The gain of each sample, (samples, 1)."""
        at = np.arange(places.start, places.stop) + 0.5
        gain = np.ones(len(places))
        for ramp in self.ramps:
            gain *= np.interp(at, (ramp.first, ramp.end), (ramp.begins, ramp.ends))
        return gain.astype(np.float32)[:, None]


class Tape:
    """The samples of one file by number, asked for in rising order. `missing` counts those it did not have."""

    def __init__(self, blocks: Iterator[Samples], first: int) -> None:
        self._blocks = blocks
        self._kept = np.zeros((0, 2), np.float32)
        self._at = first
        self.missing = 0

    def piece(self, first: int, end: int) -> Samples:
        """Samples `first` up to but not including `end`; silence where the file has none."""
        kept, held = [self._kept], self._at + len(self._kept)
        while held < end and (block := next(self._blocks, None)) is not None:
            kept.append(np.clip(np.nan_to_num(block), -LOUDEST, LOUDEST))
            held += len(block)
        whole, at = np.concatenate(kept), self._at
        piece = np.zeros((end - first, 2), np.float32)
        there = whole[max(0, first - at) : max(0, end - at)]
        piece[max(0, at - first) :][: len(there)] = there
        self.missing += len(piece) - len(there)
        self._kept = whole[max(0, first - at) :]
        self._at = held - len(self._kept)
        return piece

    def played(self, offset: float, pace: float, steps: range) -> Samples:
        """Sample `offset + pace * step` for each step, between two samples by linear interpolation."""
        at = offset + pace * np.arange(steps.start, steps.stop)
        whole = np.floor(at).astype(np.int64)
        piece = self.piece(int(whole[0]), int(whole[-1]) + 2)
        left, part = whole - whole[0], (at - whole).astype(np.float32)[:, None]
        played: Samples = piece[left] + (piece[left + 1] - piece[left]) * part
        return played


class Mix:
    """A file of `length` samples, silent at first."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        file.truncate(length * _BYTES)
        self._file = file
        self._length = length
        self._peak = 0.0

    def add(self, first: int, samples: Samples) -> None:
        mixed = self._read(first, len(samples)) + samples
        self._peak = max(self._peak, float(np.abs(mixed).max()))
        self._write(first, mixed)

    def clip(self) -> int | None:
        """Cut off what is louder than full level; the first block where that was so."""
        if self._peak <= 1:
            return None
        loud = [first for first in range(0, self._length, SAMPLE_RATE) if self._clipped(first)]
        return loud[0] if loud else None

    def _clipped(self, first: int) -> bool:
        block = self._read(first, min(SAMPLE_RATE, self._length - first))
        loud = bool(np.abs(block).max() > 1)
        if loud:
            self._write(first, np.clip(block, -1, 1))
        return loud

    def _read(self, first: int, count: int) -> Samples:
        self._file.seek(first * _BYTES)
        return np.frombuffer(self._file.read(count * _BYTES), np.float32).reshape(-1, 2)

    def _write(self, first: int, samples: Samples) -> None:
        self._file.seek(first * _BYTES)
        self._file.write(samples.tobytes())
