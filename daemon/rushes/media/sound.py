"""The sound of a media file: 48 kHz, stereo, from any sample on, by PyAV.

A file's time 0 is its first picture, or in a file without one the first sample of its sound. Of several sound
tracks in a file the first is heard. One channel is heard on both sides at its own level; more than two are mixed
down the way ffmpeg does it, which can be louder than full level.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from numpy.typing import NDArray

from rushes.media.ffmpeg import SAMPLE_RATE, file_url
from rushes.media.probe import open_movie
from rushes_otio.errors import BadRequest, MediaFault
from rushes_otio.text import printable

Samples: TypeAlias = NDArray[np.float32]
"""(samples, 2): left and right, full level at 1."""

_RATES = range(2_000, 1_000_000)
_LEAD_IN = Fraction(1, 2)  # seconds; a decoder of AAC, MP3 or Opus is right only some blocks after it began
_HEADS = {b"fLaC": "flac", b"OggS": "ogg", b"ID3": "mp3", b"caff": "caf"}
_FORMS = {b"RIFFWAVE": "wav", b"RF64WAVE": "wav", b"BW64WAVE": "wav", b"FORMAIFF": "aiff", b"FORMAIFC": "aiff"}
_MP3_LAYER = 0x02


def iter_sound(path: Path, start: float, seconds: float) -> Iterator[Samples]:
    """`seconds` of sound from `start`, as exact as the times in the file, in blocks of a second or two.

    Fewer where the sound ends earlier; silence where it begins later. BadRequest for a time that is none;
    MediaFault when the file cannot be read or has no sound.
    """
    if not (0 <= start < math.inf and 0 <= seconds < math.inf):
        raise BadRequest(
            f"{seconds} seconds of sound from {start} were asked for", remedy="ask for a time from 0 on"
        )
    first = round(start * SAMPLE_RATE)
    with _opened(path) as container:
        stream = _sound_stream(container, path)
        decoded = _decoded(container, stream, Fraction(first, SAMPLE_RATE))
        yield from _blocks(_between(decoded, first, first + round(seconds * SAMPLE_RATE)))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """As `open_movie`, also for files that hold nothing but sound."""
    try:
        known = _format_of(path)
        if known is None:
            with open_movie(path) as movie:
                yield movie
            return
        with av.open(
            file_url(path), format=known, options={"protocol_whitelist": "file"}, metadata_errors="replace"
        ) as container:
            yield container
    except (av.FFmpegError, OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise _refused(path, f"cannot be heard: {printable(reason)}") from fault


def _format_of(path: Path) -> str | None:
    """By the first bytes; None for what can only be a movie."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE6 == 0xE0 | _MP3_LAYER:
        return "mp3"
    form = _FORMS.get(head[:4] + head[8:])
    return form or next((name for start, name in _HEADS.items() if head.startswith(start)), None)


def _sound_stream(container: InputContainer, path: Path) -> AudioStream:
    if not container.streams.audio:
        raise _refused(path, "has no sound")
    stream = container.streams.audio[0]
    if stream.codec_context.sample_rate not in _RATES:
        raise _refused(path, f"has {stream.codec_context.sample_rate} samples a second")
    return stream


def _decoded(container: InputContainer, stream: AudioStream, start: Fraction) -> Iterator[tuple[int, Samples]]:
    """Samples from `start` seconds or earlier, each piece with the number of its first one."""
    zero = _time_zero(container, stream)
    channels = min(stream.codec_context.channels, 2)
    resampler = av.AudioResampler("flt", "mono" if channels == 1 else "stereo", SAMPLE_RATE)
    if start > _LEAD_IN:
        container.seek(math.floor((zero + start - _LEAD_IN) / _base(stream)), stream=stream)
    at = 0
    for number, frame in enumerate(itertools.chain(container.decode(stream), [None])):
        if number == 0 and frame is not None:
            at = round(((frame.pts or 0) * _base(stream) - zero) * SAMPLE_RATE)
        for piece in resampler.resample(frame):
            samples = piece.to_ndarray().reshape(-1, channels)
            yield at, np.broadcast_to(samples, (len(samples), 2))
            at += len(samples)


def _time_zero(container: InputContainer, stream: AudioStream) -> Fraction:
    """The file's time 0 in seconds of its own clock. A cover is a picture, but no picture of a movie."""
    movie = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    leading = movie[0] if movie else stream
    return (leading.start_time or 0) * _base(leading)


def _base(stream: av.VideoStream | AudioStream) -> Fraction:
    return stream.time_base or Fraction(1, av.time_base)


def _between(decoded: Iterator[tuple[int, Samples]], first: int, end: int) -> Iterator[Samples]:
    """The samples from `first` up to but not including `end`, silence before the first decoded one."""
    at = first
    for number, samples in decoded:
        while (silent := min(number, end, at + SAMPLE_RATE) - at) > 0:
            yield np.zeros((silent, 2), np.float32)
            at += silent
        piece = samples[max(0, at - number) : max(0, end - number)]
        at += len(piece)
        if len(piece):
            yield piece
        if at >= end:
            return


def _blocks(pieces: Iterator[Samples]) -> Iterator[Samples]:
    """Pieces put together until they are a second or more: each piece that goes to another process costs."""
    kept: list[Samples] = []
    for piece in pieces:
        kept.append(piece)
        if sum(map(len, kept)) >= SAMPLE_RATE:
            yield np.concatenate(kept)
            kept = []
    if kept:
        yield np.concatenate(kept)


def _refused(path: Path, text: str) -> MediaFault:
    return MediaFault(
        f"{printable(path.name)} {text}",
        where=printable(str(path)),
        remedy="give a WAV, AIFF, FLAC, MP3, Ogg, CAF, MOV, MP4, MKV, MXF or AVI file with sound",
    )
