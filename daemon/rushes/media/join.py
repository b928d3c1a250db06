"""Takes made from takes without decoding: packets are copied, so every frame stays bit for bit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from rushes.media.ffmpeg import MOV_FLAGS, file_url
from rushes.media.probe import Probe, open_movie, own_tags, picture_stream, probe
from rushes_otio.errors import MediaFault
from rushes_otio.text import printable


def remux(old: Path, out: Path, tags: Mapping[str, str], reel: str) -> None:
    """`old` as a new file with another identity: `tags` replace or join those it has, `reel` replaces its reel.

    The pictures, the start timecode and the colour tags stay. `out` may end in `.part`; it is removed when
    this fails. MediaFault for anything but an intra-only movie of one rate.
    """
    _copy([old], out, tags, reel)


def join(old: Path, tail: Path, out: Path, tags: Mapping[str, str], reel: str) -> None:
    """The frames of `old` followed by those of `tail`, in one file; otherwise as `remux`.

    Both must have come from one encoder with one setting: same codec, size, rate, pixel format, colour tags
    and codec header. MediaFault names what differs.
    """
    _copy([old, tail], out, tags, reel)


def _copy(sources: list[Path], out: Path, tags: Mapping[str, str], reel: str) -> None:
    parts = [probe(source) for source in sources]
    _check_alike(parts, sources)
    with open_movie(sources[0]) as first, new_movie(out) as container:
        template = picture_stream(first, sources[0])
        rate = Fraction(parts[0].rate)
        stream = container.add_stream_from_template(template)
        stream.time_base = 1 / rate
        stream.codec_context.framerate = rate  # the timecode track is made from this
        stream.metadata["reel_name"] = reel
        container.metadata.update({**own_tags(first), **tags})
        if parts[0].timecode:
            container.metadata["timecode"] = parts[0].timecode
        for number, packet in enumerate(_packets(sources, template.codec_context.extradata)):
            packet.stream = stream
            packet.time_base = 1 / rate  # not the stream's, which the first packet changes
            packet.pts = packet.dts = number
            packet.duration = 1
            container.mux(packet)


@contextlib.contextmanager
def new_movie(out: Path) -> Iterator[OutputContainer]:
    """A new QuickTime file; removed again when the block fails. MediaFault when it cannot be written."""
    try:
        with av.open(file_url(out), "w", format="mov", options={"movflags": MOV_FLAGS}) as container:
            yield container
    except BaseException as fault:
        out.unlink(missing_ok=True)
        if not isinstance(fault, (av.FFmpegError, OSError)):
            raise
        raise MediaFault(
            f"{printable(out.name)} cannot be written: {fault.strerror}",
            where=printable(str(out)),
            remedy="see whether the disk is full or write-protected",
        ) from fault


def _packets(sources: list[Path], header: bytes | None) -> Iterator[Packet[VideoStream]]:
    for source in sources:
        with open_movie(source) as container:
            stream = picture_stream(container, source)
            if stream.codec_context.extradata != header:
                raise _unlike(source, "its codec header")
            for packet in container.demux(stream):
                if packet.size and not (packet.is_keyframe and packet.pts == packet.dts):
                    raise _unlike(source, "not every frame is a key frame, which")
                if packet.size:
                    yield packet


def _check_alike(parts: list[Probe], sources: list[Path]) -> None:
    for part, source in zip(parts[1:], sources[1:], strict=True):
        for field in ("codec", "size", "rate", "pixel_format", "colour"):
            if getattr(part, field) != getattr(parts[0], field):
                raise _unlike(source, f"its {field.replace('_', ' ')} ({getattr(part, field)})")


def _unlike(source: Path, what: str) -> MediaFault:
    return MediaFault(
        f"{printable(source.name)} cannot be joined bit for bit: {what} does not fit",
        where=printable(str(source)),
        remedy="render the shot anew at its new length, with --another",
    )
