"""Exact frames of a movie file, by PyAV, which is the one decoder for everything.

A frame's number is its place in the order of showing, counted from 0; start timecodes, edit lists and the
order in which a long GOP is stored do not matter.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from rushes.media.probe import open_movie, picture_stream, picture_times
from rushes_otio.errors import BadRequest, MediaFault
from rushes_otio.text import printable

Picture = NDArray[np.uint8]
"""(height, width, 3), RGB, display-referred, full range."""

DeepPicture = NDArray[np.uint16]
"""As `Picture`, with 16 bits a sample: white is 65535."""

_REORDER = 16  # no codec shows a frame more than 16 places from where it is stored
_KNOWN_MATRICES = frozenset({1, 4, 5, 6, 7, 9})
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def read_frame(path: Path, number: int) -> Picture:
    """One frame at its own size. BadRequest when the file has no such frame; MediaFault when it cannot be read."""
    return next(iter_frames(path, number, 1))


def iter_frames(path: Path, start: int = 0, count: int | None = None) -> Iterator[Picture]:
    """`count` frames from `start`, or all the rest, in order and at their own size. Errors as `read_frame`."""
    return (_to_rgb(frame) for frame in _decoded(path, start, count))


def iter_deep_frames(path: Path, start: int = 0, count: int | None = None) -> Iterator[DeepPicture]:
    """As `iter_frames` with all the bits that the file has, within 3 of 65535 of the exact value. An 8-bit RGB
    file gives its own values times 257."""
    return (_to_deep_rgb(frame) for frame in _decoded(path, start, count))


def frames_digest(path: Path, start: int = 0, count: int | None = None) -> str:
    """sha256 over the decoded samples as the file stores them: equal exactly when the frames are bit for bit."""
    digest = hashlib.sha256()
    for frame in _decoded(path, start, count):
        digest.update(f"{frame.format.name} {frame.width}x{frame.height}\n".encode())
        for plane in frame.planes:
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            used = -(-plane.width * _bits_a_sample(frame, plane.width) // 8)
            digest.update(np.ascontiguousarray(rows[: plane.height, :used]).data)
    return digest.hexdigest()


def _bits_a_sample(frame: av.VideoFrame, plane_width: int) -> int:
    """Bits that one step of a plane takes: a component's storage when planar, the whole pixel when packed."""
    storage = 8 if frame.format.components[0].bits <= 8 else 16
    packed = len(frame.planes) == 1 and plane_width == frame.width
    return frame.format.padded_bits_per_pixel if packed else storage


def _decoded(path: Path, start: int, count: int | None) -> Iterator[av.VideoFrame]:
    with open_movie(path) as container:
        stream = picture_stream(container, path)
        times = picture_times(container, stream, path)
        stop = len(times) if count is None else start + count
        if not 0 <= start <= stop <= len(times):
            raise _no_such_frame(path, start, stop, len(times))
        stream.thread_type = "AUTO"
        container.seek(times[max(0, start - _REORDER)], stream=stream)
        wanted = iter(times[start:stop])
        expected = next(wanted, None)
        for frame in container.decode(stream):
            if expected is None:
                return
            if frame.pts == expected:
                yield frame
                expected = next(wanted, None)
        if expected is not None:
            raise MediaFault(
                f"frame {times.index(expected)} of {printable(path.name)} cannot be decoded",
                where=printable(str(path)),
                remedy="the file is damaged: make it again",
            )


def _no_such_frame(path: Path, start: int, stop: int, length: int) -> BadRequest:
    return BadRequest(
        f"frames {start} to {stop - 1} were asked for; {printable(path.name)} has frames 0 to {length - 1}",
        where=printable(str(path)),
        remedy="ask for frames that the file has",
    )


def _to_rgb(frame: av.VideoFrame) -> Picture:
    """By the matrix and range the file is tagged with; a file that says nothing is BT.709, limited."""
    return _converted(frame, "rgb24").astype(np.uint8, copy=False)


def _to_deep_rgb(frame: av.VideoFrame) -> DeepPicture:
    if frame.format.is_rgb and frame.format.components[0].bits <= 8:  # exact; ffmpeg would take it through YUV
        return _to_rgb(frame) * np.uint16(257)
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith(("yuvj", "gray"))
    levels = ColorRange.JPEG if full else ColorRange.MPEG
    white = 65535 if frame.format.is_rgb else _white(frame.format.components[0].bits, levels)
    picture: DeepPicture = _stretched(white)[_converted(frame, "rgb48le")]
    return picture


def _converted(frame: av.VideoFrame, pixels: str) -> NDArray[Any]:
    matrix = frame.colorspace if frame.colorspace in _KNOWN_MATRICES else Colorspace.ITU709
    full = frame.format.is_rgb or frame.format.name.startswith("yuvj")
    untagged = ColorRange.JPEG if full else ColorRange.MPEG
    return frame.reformat(
        format=pixels,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=frame.color_range or untagged,
        dst_color_range=ColorRange.JPEG,
        interpolation=_EXACT,
    ).to_ndarray()


@functools.cache
def _white(bits: int, levels: ColorRange) -> int:
    """What ffmpeg makes of the white of YUV with so many bits. As it scales by 256 whatever the depth, that is up
    to 65283 and not 65535 (8.1): a plate would lose half a percent of its light."""
    paper = av.VideoFrame(16, 16, "yuv444p" if bits == 8 else f"yuv444p{bits}le")
    paper.color_range = levels
    white, grey = (1 << bits) - 1 if levels == ColorRange.JPEG else 235 << (bits - 8), 1 << (bits - 1)
    for plane, level in zip(paper.planes, (white, grey, grey), strict=True):
        sample = level.to_bytes(1 if bits == 8 else 2, "little")
        plane.update(sample * (plane.buffer_size // len(sample)))
    return int(_converted(paper, "rgb48le").max())


@functools.cache
def _stretched(white: int) -> NDArray[np.uint16]:
    """For each 16-bit value the one that it is when `white` is 65535."""
    return ((np.arange(65536) * 65535 + white // 2) // white).clip(0, 65535).astype(np.uint16)
