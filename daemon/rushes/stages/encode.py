"""The encode stage: frames in, one movie file out, through ffmpeg's standard input.

Every take is display-referred BT.709 in limited range, at a constant rate, silent, intra-only (so that a host
scrubs it and an extension can copy its packets), and is a QuickTime file: .mov alone keeps a timecode, a reel
name and tags of our own with all three codecs. The index stays at the end of the file, so a take that was cut
off cannot even be opened. The colour settings are those that ffprobe and PyAV read back right; filter, flags and
`write_colr` are all needed (ffmpeg 5.1 and 9.0).
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import numpy as np

from rushes.generators.base import Frame
from rushes.media import ffmpeg
from rushes.media.process import Feed
from rushes_otio.errors import BadRequest, MediaFault

LARGEST_SIDE = 8192
_COLOUR = {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "color_range": "tv"}
_SOUND: dict[str, dict[str, str | int]] = {
    ".mov": {"acodec": "pcm_s24le"},
    ".mp4": {"acodec": "aac", "b:a": "256k"},
}
_PIXELS = {"uint8": "rgb24", "uint16": "rgb48le"}


class Codec(msgspec.Struct, frozen=True):
    """One delivery codec: what a person calls it, ffmpeg's options, and the smallest picture it takes."""

    label: str
    options: dict[str, str | int]
    smallest: tuple[int, int]  # width, height
    extension: str = ".mov"

    @property
    def encoder(self) -> str:
        """ffmpeg's name of the encoder, as in `ffmpeg.encoders()`."""
        return str(self.options["vcodec"])


CODECS = {
    "prores": Codec(
        "ProRes 422 HQ, 10 bit",
        # "prores" is four times as fast as "prores_ks" for a third more bytes
        {"vcodec": "prores", "profile:v": 3, "vendor": "apl0", "pix_fmt": "yuv422p10le"},
        (16, 16),
    ),
    "dnxhr": Codec(
        "DNxHR HQX, 10 bit",
        {"vcodec": "dnxhd", "profile:v": "dnxhr_hqx", "pix_fmt": "yuv422p10le"},
        (256, 120),
    ),
    "h264": Codec(
        "H.264 all-intra, 8 bit",
        {"vcodec": "libx264", "preset": "veryfast", "crf": 16, "g": 1, "bf": 0, "pix_fmt": "yuv420p"},
        (16, 16),
    ),
}

VIEWING = Codec(
    "H.264 to watch",
    {"vcodec": "libx264", "preset": "veryfast", "crf": 18, "pix_fmt": "yuv420p"},
    (16, 16),
    ".mp4",
)
"""What an exported .mp4 is: small and playable everywhere. No delivery, for it is not intra-only."""

_ALL = {**CODECS, "view": VIEWING}


class EncodeSpec(msgspec.Struct, frozen=True):
    """What a take's file is to be. `tags` may be large (300 kB are tested) and hold any text but NUL."""

    size: tuple[int, int]  # width, height
    rate: str  # "24000/1001"
    codec: str  # a name in CODECS, or "view"
    timecode: str  # of the first frame, non-drop: "01:00:00:00"
    reel: str  # the shot id
    tags: dict[str, str]


def extension(codec: str) -> str:
    """The suffix of a file of that codec, with its dot. BadRequest for an unknown one."""
    return _codec(codec).extension


def check_delivery(size: tuple[int, int], codec: str) -> None:
    """BadRequest when `codec` is unknown or cannot hold pictures of `size` (width, height)."""
    known = _codec(codec)
    (width, height), (least_width, least_height) = size, known.smallest
    fits = least_width <= width <= LARGEST_SIDE and least_height <= height <= LARGEST_SIDE
    if fits and width % 2 == 0 and height % 2 == 0:
        return
    raise BadRequest(
        f"{known.label} cannot hold pictures of {width}x{height}",
        where="delivery.size",
        remedy=f"use even numbers from {least_width}x{least_height} to {LARGEST_SIDE}x{LARGEST_SIDE}",
    )


def _codec(name: str) -> Codec:
    if name not in _ALL:
        raise BadRequest(
            f"there is no codec {name!r}", where="delivery.codec", remedy="use one of " + ", ".join(CODECS)
        )
    return _ALL[name]


class Encoder:
    """Writes one movie file, frame by frame:

        with Encoder(part, spec) as encoder:
            for frame in frames:
                encoder.write(frame)
        encoder.count, encoder.digest

    Leaving the block normally waits for ffmpeg and raises MediaFault if it failed or no frame was written.
    However it fails, ffmpeg is gone and `path` is removed. The caller syncs, checks and renames the file.

    `sound` is a file of raw samples (see `ffmpeg.sound_input`) as long as the movie is to be; no take has one.
    """

    def __init__(self, path: Path, spec: EncodeSpec, sound: Path | None = None) -> None:
        check_delivery(spec.size, spec.codec)
        self.count = 0
        self._path = path
        self._spec = spec
        self._sound = sound
        self._tags = path.with_name(path.name + ".tags")
        self._pixels = ""
        self._sha = hashlib.sha256()
        self._hasher = ThreadPoolExecutor(1, thread_name_prefix="frames-digest")
        self._feed: Feed | None = None

    @property
    def digest(self) -> str:
        """sha256 of the frames written so far: one line with their pixel format and size, then their bytes."""
        return self._sha.hexdigest()

    @property
    def pid(self) -> int | None:
        """Process id of ffmpeg, which starts with the first frame."""
        return self._feed.pid if self._feed else None

    def write(self, frame: Frame) -> None:
        """The next frame; blocks at ffmpeg's pace. BadRequest when it does not look like the first one."""
        pixels = _PIXELS.get(frame.dtype.name, "")
        width, height = self._spec.size
        if frame.shape != (height, width, 3) or not pixels or pixels != (self._pixels or pixels):
            raise BadRequest(
                f"frame {self.count} is {frame.shape} {frame.dtype}; the take is {(height, width, 3)} "
                f"{self._pixels or 'uint8 or uint16'}",
                remedy="conform the frames to the delivery before they are encoded",
            )
        if self._feed is None:
            self._feed = self._start(pixels)
        data = np.ascontiguousarray(frame, frame.dtype.newbyteorder("<")).data.cast("B")
        hashed = self._hasher.submit(self._sha.update, data)
        self._feed.write(data)
        hashed.result()
        self.count += 1

    def _start(self, pixels: str) -> Feed:
        spec = self._spec
        self._pixels = pixels
        self._sha.update(f"{pixels} {spec.size[0]}x{spec.size[1]}\n".encode())
        self._tags.write_bytes(ffmpeg.tags_text(spec.tags).encode())
        streams = [ffmpeg.to_bt709(ffmpeg.raw_input(pixels, spec.size, spec.rate))]
        codec = _codec(spec.codec)
        sound_options: dict[str, str | int] = {}
        if self._sound is not None:
            streams.append(ffmpeg.sound_input(self._sound))
            sound_options = _SOUND[codec.extension]
        options = {
            **codec.options,
            **sound_options,
            **_COLOUR,
            "timecode": spec.timecode,
            "metadata:s:v:0": f"reel_name={spec.reel}",
        }
        container = codec.extension.removeprefix(".")
        return Feed(ffmpeg.arguments(ffmpeg.movie_output(streams, self._path, self._tags, container, options)))

    def close(self) -> None:
        """Wait for ffmpeg to finish the file. MediaFault when it failed or had nothing to write."""
        try:
            if self._feed is None:
                raise MediaFault("no frame was made", remedy="ask for at least one frame")
            self._feed.finish()
        except BaseException:
            self.discard()
            raise
        self._tidy()

    def discard(self) -> None:
        """End ffmpeg and remove the unfinished file."""
        if self._feed is not None:
            self._feed.kill()
        self._tidy()
        self._path.unlink(missing_ok=True)

    def _tidy(self) -> None:
        self._hasher.shutdown()
        self._tags.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()
