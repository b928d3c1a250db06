"""The finish stage: the generator's pictures brought to the size and rate of the film. Streamed, in order.

Time: source frame i is shown from i/r1 to (i+1)/r1, output frame j begins at j/r2. An output frame exists when
it begins while the source is still shown, so n source frames make ceil(n * r2 / r1); past the last source
frame's beginning, that frame stands still.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import TypeAlias, TypeVar

import msgspec
import numpy as np
from PIL import Image, ImageOps

from rushes.generators.base import Frame
from rushes.media import ffmpeg
from rushes.media.process import Feed
from rushes_otio.errors import BadRequest, MediaFault

T = TypeVar("T")
Sizer: TypeAlias = Callable[[Image.Image, tuple[int, int], Image.Resampling], Image.Image]

_LOOK_AHEAD = 3  # source frames that ffmpeg's minterpolate must see after the one it is working on


def _stretched(picture: Image.Image, size: tuple[int, int], method: Image.Resampling) -> Image.Image:
    return picture.resize(size, method)


_SIZERS: dict[str, Sizer] = {
    "fill": ImageOps.fit,  # cover, centred, the surplus cut off
    "fit": ImageOps.pad,  # all of the picture, black around it
    "stretch": _stretched,  # all of the picture in all of the frame, whatever that does to its shape
}


class FinishSpec(msgspec.Struct, frozen=True):
    """How a take is to be shown."""

    size: tuple[int, int]  # width, height
    rate: str  # "24000/1001"
    fit: str = "fill"  # "fill" | "fit" | "stretch", which no intent asks for: it undoes another stretch
    interpolation: str = "repeat"  # "repeat" | "blend" | "motion"


def finished_length(frames: int, source_rate: str, rate: str) -> int:
    """How many frames at `rate` come of `frames` at `source_rate`: the ceiling of frames * rate / source_rate."""
    return math.ceil(frames / _step(source_rate, rate))


def needed_source_frames(frames: int, source_rate: str, rate: str) -> int:
    """The fewest frames at `source_rate` of which `frames` at `rate` can be made."""
    return math.floor((frames - 1) * _step(source_rate, rate)) + 1 if frames > 0 else 0


def conform(frames: Iterable[Frame], spec: FinishSpec, source_rate: str) -> Iterator[Frame]:
    """`frames` at the size and rate of `spec`, exactly `finished_length` of them. A frame that is right already
    is passed on, not copied. BadRequest for an unknown fit or interpolation.

    `repeat` and `blend` keep 16 bits. `motion` is ffmpeg's minterpolate, which works in 8 bits: so does what it
    yields. Pictures in between are made at the smaller of both sizes: that takes a fraction of the time.
    """
    fitted = sizer(spec.fit)
    retimer = _known(_RETIMERS, "interpolation", spec.interpolation)
    if _step(source_rate, spec.rate) == 1:
        return _sized(frames, spec.size, fitted)
    first, every = _peeked(iter(frames))
    width, height = spec.size
    if first is not None and first.shape[0] * first.shape[1] < width * height:
        return _sized(retimer(every, source_rate, spec.rate), spec.size, fitted)
    return retimer(_sized(every, spec.size, fitted), source_rate, spec.rate)


def _sized(frames: Iterable[Frame], size: tuple[int, int], fitted: Sizer) -> Iterator[Frame]:
    return (_resized(frame, size, fitted) for frame in frames)


def _peeked(frames: Iterator[Frame]) -> tuple[Frame | None, Iterator[Frame]]:
    """The first frame, and all of them."""
    first = next(frames, None)
    return first, frames if first is None else itertools.chain([first], frames)


def sizer(fit: str) -> Sizer:
    """How a picture is brought to a size. BadRequest for an unknown fit."""
    return _known(_SIZERS, "fit", fit)


def _known(table: Mapping[str, T], field: str, name: str) -> T:
    if name not in table:
        raise BadRequest(f"{field} cannot be {name!r}", where=field, remedy="use one of " + ", ".join(table))
    return table[name]


def _step(source_rate: str, rate: str) -> Fraction:
    """Source frames that pass during one output frame."""
    try:
        source, output = Fraction(source_rate), Fraction(rate)
    except (ValueError, ZeroDivisionError):
        source = output = Fraction(0)
    if source <= 0 or output <= 0:
        raise BadRequest(
            f"cannot go from rate {source_rate!r} to {rate!r}", remedy="a rate is a fraction such as 24000/1001"
        )
    return source / output


def _resized(frame: Frame, size: tuple[int, int], fitted: Sizer) -> Frame:
    height, width, _ = frame.shape
    if (width, height) == size:
        return frame
    if frame.dtype == np.uint8:
        return np.asarray(fitted(Image.fromarray(frame), size, Image.Resampling.LANCZOS))
    # Pillow has no 16-bit RGB; its float pictures hold 16 bits exactly, one channel at a time.
    planes = [Image.fromarray(frame[:, :, c].astype(np.float32)) for c in range(3)]
    sized = np.dstack([np.asarray(fitted(plane, size, Image.Resampling.LANCZOS)) for plane in planes])
    return sized.round().clip(0, 65535).astype(np.uint16)


def _repeated(frames: Iterator[Frame], source_rate: str, rate: str) -> Iterator[Frame]:
    step = _step(source_rate, rate)
    made = 0
    for number, frame in enumerate(frames):
        while made * step < number + 1:
            yield frame
            made += 1


def _blended(frames: Iterator[Frame], source_rate: str, rate: str) -> Iterator[Frame]:
    step = _step(source_rate, rate)
    made = 0
    for number, (left, right) in enumerate(itertools.pairwise(_held(frames))):
        while made * step < number + 1:
            yield _mixed(left, right, made * step - number)
            made += 1


def _held(frames: Iterator[Frame]) -> Iterator[Frame]:
    """`frames` with the last one twice."""
    last = None
    for last in frames:
        yield last
    if last is not None:
        yield last


def _mixed(left: Frame, right: Frame, part: Fraction) -> Frame:
    if part == 0 or left is right:
        return left
    mixed = (left + (right.astype(np.float32) - left) * np.float32(part)).round()
    return mixed.astype(np.uint8) if left.dtype == np.uint8 else mixed.astype(np.uint16)


def _moved(frames: Iterator[Frame], source_rate: str, rate: str) -> Iterator[Frame]:
    """Through ffmpeg. The frames are asked for in the caller's thread; what is ready is handed on at once."""
    first = next(frames, None)
    if first is None:
        return
    feed = _interpolator(first, source_rate, rate)
    fed = made = 0
    last = first
    try:
        for last in itertools.chain([first], frames):
            feed.write(_eight_bit(last).data.cast("B"))
            fed += 1
            while not feed.output.empty():
                yield _picture(feed, first)
                made += 1
        for _ in range(_LOOK_AHEAD):
            feed.write(_eight_bit(last).data.cast("B"))
        feed.end_input()
        for _ in range(finished_length(fed, source_rate, rate) - made):
            yield _picture(feed, first)
    finally:
        feed.kill()


def _interpolator(first: Frame, source_rate: str, rate: str) -> Feed:
    height, width, channels = first.shape
    source = ffmpeg.raw_input("rgb24", (width, height), source_rate)
    output = ffmpeg.raw_output(ffmpeg.interpolated(source, rate), "rgb24")
    return Feed(ffmpeg.arguments(output), output_chunk=height * width * channels)


def _picture(feed: Feed, like: Frame) -> Frame:
    data = feed.output.get()
    if not data:
        feed.finish()
        raise MediaFault("ffmpeg made too few frames between those it was given", remedy="use blend or repeat")
    return np.frombuffer(data, np.uint8).reshape(like.shape)


def _eight_bit(frame: Frame) -> Frame:
    if frame.dtype == np.uint8:
        return frame.astype(np.uint8, order="C", copy=False)
    return ((frame.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


_RETIMERS: dict[str, Callable[[Iterator[Frame], str, str], Iterator[Frame]]] = {
    "repeat": _repeated,
    "blend": _blended,
    "motion": _moved,
}
