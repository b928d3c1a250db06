"""The seam between two pieces of a shot: what is kept of the frames before it, and how those after it are mended.

A piece that goes on from another begins with frames that are known. Two things tell how its colours are off:

* The known frames, coded and decoded once more, come out a little different: their tone (a gain and an offset a
  channel) is put right in all new frames; what is left of their low frequencies fades out over `FADE` frames.
* The first new frames, beside the last known ones: a colour or contrast that comes in at the seam in larger steps
  than such things change by on either side of it is a cast of the model. It is taken out of all new frames, so
  that each piece has the colours of the first. It may come in slowly, for a decoder looks back.

All of it is measured on a grid of cells, so that neither grain nor sharpness counts. Values are 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint16]
Floats = NDArray[np.float32]

PAST = "seam.past"
FADE = 12  # frames
_WHITE = 65535
_CELLS = (18, 32)
_NEAR = 8  # frames on either side of a seam that are looked at
_SETTLED = 8  # new frames in which a cast comes in: two latent frames
_OTHERS = 4  # steps beside those at the seam
_WIDER = 3.0  # of their deviation
_GAIN = 1.25
_OFFSET = 0.15
_FLAT = 1e-3  # a contrast below this says nothing


def measured(known: Pictures) -> dict[str, Floats]:
    """What is kept of the frames (overlap, height, width, 3) before a seam, to be stored in the piece that goes on
    from them: under `PAST` the last of them as grids (n, rows, columns, 3), about 7 kB a frame."""
    return {PAST: np.stack([_cells(picture) for picture in known[-_NEAR:]])}


def mended(frames: Iterator[Pictures], overlap: int, stored: Mapping[str, Floats]) -> Iterator[Pictures]:
    """The new frames of a piece, from all its decoded frames (height, width, 3), whose first `overlap` are known,
    and what `measured` gave."""
    past = np.asarray(stored[PAST], np.float32)
    own = np.stack([_cells(picture) for picture in islice(frames, overlap)][-len(past) :])
    tone = _tone(own, past)
    first = list(islice(frames, _SETTLED + _NEAR))
    if not first:
        return
    residual = (past - tone.laid(own)).mean(axis=0)
    cast = _cast(past, tone.laid(np.stack([_cells(picture) for picture in first])))
    for n, picture in enumerate(chain(first, frames)):
        whole = tone.then(cast[min(n, len(cast) - 1)])
        yield _stored(whole.laid(_values(picture)) + _fading(residual, n, picture.shape))


@dataclass(frozen=True)
class _Tone:
    """A gain and an offset for each channel."""

    gain: Floats
    offset: Floats

    def laid(self, values: Floats) -> Floats:
        return values * self.gain + self.offset

    def then(self, other: _Tone) -> _Tone:
        return _Tone(self.gain * other.gain, self.offset * other.gain + other.offset)


def _between(was: Floats, wanted: Floats, gain: Floats) -> _Tone:
    """The tone with that gain that brings the mean `was` to `wanted`; small: what is large is no colour cast."""
    gain = np.clip(gain, 1 / _GAIN, _GAIN)
    return _Tone(gain, was * (1 - gain) + np.clip(wanted - was, -_OFFSET, _OFFSET))


def _tone(own: Floats, known: Floats) -> _Tone:
    """What makes the known frames as they come out again what they were."""
    contrast, wanted = own.std(axis=(0, 1, 2)), known.std(axis=(0, 1, 2))
    gain = np.where(np.minimum(contrast, wanted) > _FLAT, wanted / np.maximum(contrast, _FLAT), 1)
    return _between(own.mean(axis=(0, 1, 2)), known.mean(axis=(0, 1, 2)), gain.astype(np.float32))


def _cast(past: Floats, new: Floats) -> list[_Tone]:
    """What takes the model's cast out of each of the first new frames; the last of them holds for all further."""
    was, means = past.mean(axis=(1, 2)), new.mean(axis=(1, 2))
    off, more = _come_in(was, means), _come_in(_contrast(past), _contrast(new))
    return [_between(mean, mean - off[n], np.exp(-more[n])) for n, mean in enumerate(means[: len(off)])]


def _contrast(grids: Floats) -> Floats:
    return np.log(np.maximum(grids.std(axis=(1, 2)), _FLAT))


def _come_in(past: Floats, new: Floats) -> Floats:
    """What has come into each of the first `new` (frames, channels) at the seam: the sum of the steps there that
    are well beyond the others, on either side of it. Too few others say nothing."""
    at_seam = np.diff(np.concatenate([past[-1:], new[:_SETTLED]]), axis=0)
    others = np.concatenate([np.diff(past, axis=0), np.diff(new[_SETTLED:], axis=0)])
    if len(others) < _OTHERS:
        return np.zeros_like(at_seam)
    step = at_seam - others.mean(axis=0)
    usual = _WIDER * others.std(axis=0)
    sure = np.clip(1 - (usual / np.maximum(np.abs(step), 1e-9)) ** 2, 0, 1)
    return np.cumsum(step * sure, axis=0, dtype=np.float32)


def _fading(residual: Floats, n: int, shape: tuple[int, ...]) -> Floats | float:
    """What is left of `residual` in the new frame `n`, as large as a frame."""
    if n >= FADE:
        return 0.0
    part = 0.5 + 0.5 * np.cos(np.pi * (n + 1) / (FADE + 1))
    down, across = _spread(residual.shape[0], shape[0]), _spread(residual.shape[1], shape[1])
    return np.einsum("yr,rcx,wc->ywx", down, np.float32(part) * residual, across, optimize=True)


def _spread(cells: int, pixels: int) -> Floats:
    """(pixels, cells): how much each cell has of each pixel, linear between the centres of cells."""
    at = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(cells)[None])).astype(np.float32)


def _cells(picture: Pictures) -> Floats:
    """The means of the cells of a grid over `picture`: (rows, columns, 3)."""
    values: NDArray[Any] = _values(picture)
    for axis, most in enumerate(_CELLS):
        pixels = values.shape[axis]
        edges = np.linspace(0, pixels, min(most, pixels) + 1).round().astype(int)
        shape = [-1 if n == axis else 1 for n in range(3)]
        values = np.add.reduceat(values, edges[:-1], axis=axis) / np.diff(edges).reshape(shape).astype(np.float32)
    return values.astype(np.float32)


def _values(picture: Pictures) -> Floats:
    return picture.astype(np.float32) / np.float32(_WHITE)


def _stored(values: Floats) -> Pictures:
    return np.rint(np.clip(values, 0, 1) * np.float32(_WHITE)).astype(np.uint16)
