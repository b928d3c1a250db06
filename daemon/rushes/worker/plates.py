"""Footage that a shot is made over: a plate, and a mask that says where. Read frame by frame, in limited children.

Plate and mask are framed as the delivery frames them, and only then stretched to the size of the model: what the
model makes is stretched back and lies over the plate to the pixel, whatever shape the model's pictures have.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rushes.generators.base import Footage, Frame, MotionRequest, Watch
from rushes.limited import foreign
from rushes.stages.finish import FinishSpec, conform, finished_length, sizer
from rushes_otio.errors import BadRequest
from rushes_otio.text import printable

Mask = NDArray[np.uint8]
Picture = TypeVar("Picture", bound=NDArray[Any])

_STILLS = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF8", b"BM")  # and WebP, whose head is longer
_NOISE = 3  # levels by which the black and white of a mask are off after a lossy codec
_CLEANED = ((np.arange(256) - _NOISE) * 255 / (255 - 2 * _NOISE)).round().clip(0, 255).astype(np.uint8)


class Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A movie file whose frame `first`, at its own rate, lies under shot frame 0; or a picture, which stands for
    every frame. It is opened by what it holds, not by its name."""

    path: str
    first: int = 0


class Plate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a shot is made over, in the delivery's framing: a `size` (width, height) of its shape, and `fit` as in
    a FinishSpec. White in `mask` is made anew; without a mask everything is.

    `start` is the first shot frame that is wanted, and `least` how many the footage must hold from shot frame 0
    on, both at the rate that the pictures are wanted at. Past its end the last picture holds.
    """

    layer: Layer
    size: tuple[int, int]
    fit: str = "fill"
    mask: Layer | None = None
    start: int = 0
    least: int = 1


def footage(plate: Plate, request: MotionRequest, watch: Watch) -> Footage:
    """All that `request` is made over, at the size of its model. BadRequest when plate or mask has too few frames;
    MediaFault when one cannot be read."""
    if request.run is None:
        raise BadRequest("only a model makes a plate anew", remedy="choose one that can: rushes models list")
    watch.now("reading the plate")
    size, count, rate = request.run.size, request.overlap + request.frames, request.rate
    grounds = _layer(plate, plate.layer, "plate", rate).eight_bit(plate.start, rate)
    framed = _each(grounds, lambda picture: _framed(picture, plate.size, plate.fit))
    with closing(_each(framed, lambda picture: _framed(picture, size, "stretch"))) as pictures:
        stack = _stacked(pictures, count, watch)
    if plate.mask is None:
        return Footage(stack)
    framed_masks = _masks(plate, plate.mask, plate.size, rate)
    with closing(_each(framed_masks, lambda mask: _fitted(mask, size, "stretch"))) as masks:
        return Footage(stack, _stacked(masks, count, watch))


def composited(finished: Iterator[Frame], plate: Plate, spec: FinishSpec) -> Iterator[Frame]:
    """The finished pictures, of the size and rate of `spec`, where the mask is white; the plate, bit for bit,
    where it is black; both in its greys. With 16 bits when either has more than 8. Errors as `footage`."""
    first = next(finished, None)
    if first is None or plate.mask is None:
        yield from () if first is None else itertools.chain([first], finished)
        return
    layer = _layer(plate, plate.layer, "plate", spec.rate)
    deep = first.dtype == np.uint16 or layer.bits > 8
    shown = layer.deep if deep else layer.eight_bit
    framed = _each(shown(plate.start, spec.rate), lambda picture: _framed(picture, spec.size, plate.fit))
    with closing(framed) as grounds, closing(_masks(plate, plate.mask, spec.size, spec.rate)) as masks:
        for made, ground, mask in zip(itertools.chain([first], finished), grounds, masks, strict=False):
            yield _laid(_deepened(made) if deep else made, ground, mask)


def _laid(made: Frame, ground: Frame, mask: Mask) -> Frame:
    """`made` over `ground`. Only where the mask is grey is anything computed."""
    laid = np.where((mask == 255)[:, :, None], made, ground)
    grey = (mask > 0) & (mask < 255)
    part = mask[grey].astype(np.uint32)[:, None]
    laid[grey] = (made[grey] * part + ground[grey] * (255 - part) + 127) // 255
    return laid


# -- the files -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Movie:
    """`length` frames from frame `first` on."""

    path: Path
    first: int
    length: int
    rate: str
    bits: int

    def eight_bit(self, start: int, rate: str) -> Generator[Frame, None, None]:
        """What is shown at `rate` from shot frame `start` on, without end."""
        return self._shown(foreign.iter_frames, start, rate)

    def deep(self, start: int, rate: str) -> Generator[Frame, None, None]:
        """As `eight_bit`, with 16 bits."""
        return self._shown(foreign.iter_deep_frames, start, rate)

    def _shown(
        self, read: Callable[[Path, int], Generator[Any, None, None]], start: int, rate: str
    ) -> Generator[Frame, None, None]:
        step, last = Fraction(self.rate) / Fraction(rate), self.length - 1
        at = min(math.floor(start * step), last)
        with closing(read(self.path, self.first + at)) as frames:
            picture = next(frames)
            for number in itertools.count(start):
                while at < min(math.floor(number * step), last):
                    picture, at = next(frames), at + 1
                yield picture


@dataclass(frozen=True, slots=True)
class _Still:
    picture: Frame
    bits: int = 8

    def eight_bit(self, start: int, rate: str) -> Generator[Frame, None, None]:
        del start, rate
        yield from itertools.repeat(self.picture)

    def deep(self, start: int, rate: str) -> Generator[Frame, None, None]:
        return self.__class__(_deepened(self.picture)).eight_bit(start, rate)


def _layer(plate: Plate, layer: Layer, what: str, rate: str) -> _Movie | _Still:
    path = Path(layer.path)
    if _is_picture(path):
        return _Still(_over_black(foreign.picture(path)))
    found = foreign.probe(path)
    length = max(0, found.frames - layer.first)
    lasts = finished_length(length, found.rate, rate)
    if lasts < max(plate.least, 1):
        from_there = f" from frame {layer.first} on" if layer.first else ""
        raise BadRequest(
            f"the {what} lasts {lasts} frames{from_there}, the shot {plate.least}",
            where=printable(layer.path),
            remedy=f"use a longer {what}, or trim the shot",
        )
    return _Movie(path, layer.first, length, found.rate, found.bits)


def _is_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False  # why, the child will say
    return head.startswith(_STILLS) or (head[:4], head[8:]) == (b"RIFF", b"WEBP")


def _over_black(png: bytes) -> Frame:
    picture = Image.open(BytesIO(png)).convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture).convert("RGB"))


# -- their pictures --------------------------------------------------------------------------------------------


def _each(pictures: Generator[Any, None, None], made: Callable[[Any], Picture]) -> Generator[Picture, None, None]:
    """What becomes of each; nothing is done twice for a picture that is shown again."""
    last: Any = None
    with closing(pictures):
        for picture in pictures:
            if picture is not last:
                last, result = picture, made(picture)
            yield result


def _framed(picture: Frame, size: tuple[int, int], fit: str) -> Frame:
    return next(conform([picture], FinishSpec(size, "1", fit), "1"))


def _masks(plate: Plate, layer: Layer, size: tuple[int, int], rate: str) -> Generator[Mask, None, None]:
    """The mask's pictures, framed as the plate's."""
    shown = _layer(plate, layer, "mask", rate).eight_bit(plate.start, rate)
    return _each(shown, lambda picture: _fitted(_grey(picture), size, plate.fit))


def _grey(picture: Frame) -> Mask:
    grey: Mask = _CLEANED[np.asarray(Image.fromarray(picture).convert("L"))]
    return grey


def _fitted(mask: Mask, size: tuple[int, int], fit: str) -> Mask:
    """Bilinear: a filter with negative lobes would put faint rings outside of the mask."""
    return np.asarray(sizer(fit)(Image.fromarray(mask), size, Image.Resampling.BILINEAR))


def _stacked(pictures: Iterator[Picture], count: int, watch: Watch) -> NDArray[np.uint8]:
    first = next(pictures)
    stack = np.empty((count, *first.shape), np.uint8)
    for number, picture in enumerate(itertools.chain([first], itertools.islice(pictures, count - 1))):
        stack[number] = picture
        watch.progress(number + 1, count)
    return stack


def _deepened(frame: Frame) -> NDArray[np.uint16]:
    deep = frame.astype(np.uint16, copy=False)
    return deep * np.uint16(257) if frame.dtype == np.uint8 else deep
