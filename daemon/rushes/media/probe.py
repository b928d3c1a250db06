"""What a movie file is: opened safely, its frames counted, its colour, timecode and tags read. PyAV only.

A file may come from a stranger. Its first bytes decide how it is opened, never its name or what ffmpeg would
guess: a playlist that calls itself `.mp4` is refused before any demuxer sees it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import msgspec
from av.container import InputContainer
from av.video.stream import VideoStream

from rushes.media.ffmpeg import file_url
from rushes_otio.errors import MediaFault
from rushes_otio.text import printable

MAX_SIDE = 16384
_MOV_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_MXF_KEY = bytes.fromhex("060e2b34020501010d010201")
_CONTAINER_OWN = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "timecode"})


class Colour(msgspec.Struct, frozen=True):
    """Colour tags as code points of ITU-T H.273 (1 is BT.709, 2 is unspecified). `range`: 1 limited, 2 full."""

    matrix: int
    primaries: int
    transfer: int
    range: int


BT709 = Colour(matrix=1, primaries=1, transfer=1, range=1)


class Probe(msgspec.Struct, frozen=True):
    """A movie file as it lies on disk. `frames` were counted; nothing here is what a header only promised."""

    frames: int
    size: tuple[int, int]  # width, height
    rate: str  # exact average: "24000/1001"
    codec: str  # the decoder's name: "prores", "dnxhd", "h264"
    pixel_format: str
    bits: int  # of a sample: 8, 10, 12 …
    colour: Colour
    timecode: str  # of the first frame; "" when the file has none
    reel: str
    tags: dict[str, str]  # without those every container has
    has_audio: bool

    @property
    def seconds(self) -> Fraction:
        return self.frames / Fraction(self.rate)


def probe(path: Path) -> Probe:
    """Read `path`, a MOV, MP4, MKV, WebM, MXF or AVI with a picture. MediaFault for anything else."""
    with open_movie(path) as container:
        stream = picture_stream(container, path)
        context = stream.codec_context
        return Probe(
            frames=len(picture_times(container, stream, path)),
            size=(context.width, context.height),
            rate=_rate_of(stream, path),
            codec=context.name,
            pixel_format=context.pix_fmt or "",
            bits=context.format.components[0].bits if context.format else 8,
            colour=Colour(context.colorspace, context.color_primaries, context.color_trc, context.color_range),
            timecode=_first_tag(container, "timecode"),
            reel=_first_tag(container, "reel_name"),
            tags=own_tags(container),
            has_audio=bool(container.streams.audio),
        )


@contextlib.contextmanager
def open_movie(path: Path) -> Iterator[InputContainer]:
    """The file, opened by the format its first bytes say. What goes wrong inside the block with the media
    leaves it as MediaFault.
    """
    try:
        with av.open(
            file_url(path),
            format=_format_of(path),
            options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        ) as container:
            yield container
    except (av.FFmpegError, OSError) as fault:
        reason = fault.strerror or type(fault).__name__
        raise _refused(path, f"cannot be read: {printable(reason)}") from fault


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The first video stream; MediaFault when there is none or it is larger than 16384 pixels a side."""
    if not container.streams.video:
        raise _refused(path, "has no picture")
    stream = container.streams.video[0]
    width, height = stream.codec_context.width, stream.codec_context.height
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise _refused(path, f"is {width}x{height}; pictures may be up to {MAX_SIDE} pixels a side")
    return stream


def picture_times(container: InputContainer, stream: VideoStream, path: Path) -> list[int]:
    """The presentation time of every frame in the order of showing, by reading all packets and decoding none
    (15 ms for 170 MB). MediaFault when there are none, or the file ends inside one. Leaves the file at its end.
    """
    packets = [packet for packet in container.demux(stream) if packet.size and not packet.is_discard]
    times = [packet.pts for packet in packets if packet.pts is not None and not packet.is_corrupt]
    if not packets:
        raise _refused(path, "has no frames")
    if len(times) < len(packets):
        raise _refused(path, f"is cut short or damaged: {len(times)} of {len(packets)} frames are whole")
    return sorted(times)


def own_tags(container: InputContainer) -> dict[str, str]:
    """The file's tags, without those that its writer makes by itself."""
    return {key: text for key, text in container.metadata.items() if key not in _CONTAINER_OWN}


def _first_tag(container: InputContainer, key: str) -> str:
    """A tag that, depending on the format, lies on the file, the picture or the timecode track."""
    places = [container.metadata, *(stream.metadata for stream in container.streams)]
    return next((place[key] for place in places if key in place), "")


def _rate_of(stream: VideoStream, path: Path) -> str:
    rate = stream.average_rate or stream.base_rate
    if not rate:
        raise _refused(path, "has no frame rate")
    return f"{rate.numerator}/{rate.denominator}"


def _format_of(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    if head[4:8] in _MOV_ATOMS:
        return "mov"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    if head.startswith(_MXF_KEY):
        return "mxf"
    raise _refused(path, "is not a movie of a kind that is read here")


def _refused(path: Path, text: str) -> MediaFault:
    return MediaFault(
        f"{printable(path.name)} {text}",
        where=printable(str(path)),
        remedy="give a complete MOV, MP4, MKV, WebM, MXF or AVI file with at least one frame",
    )
