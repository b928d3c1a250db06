"""The ffmpeg program: where it is and how its commands are written. `process` runs them.

Command graphs are built with ffmpeg-python, here and nowhere else, and compiled to an argument list; no shell,
no text from a film in a filter. Every file is opened as `file:` with its absolute path and with protocol and
format allow-lists, because ffmpeg takes names like `concat:a|b` and playlists disguised as movies for inputs.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import ffmpeg
import imageio_ffmpeg

from rushes.media.process import run
from rushes_otio.errors import BadRequest, MediaFault
from rushes_otio.text import printable

Stream: TypeAlias = Any
"""A node of an ffmpeg-python graph; the library has no types."""

MOV_FLAGS = "use_metadata_tags+write_colr"  # without the first, tags of our own are dropped silently
# An .mp4 is made to be watched, also from the network: its index goes to the front.
_CONTAINER_FLAGS = {"mov": MOV_FLAGS, "mp4": f"{MOV_FLAGS}+faststart"}
SAMPLE_RATE = 48_000
"""Of all sound that is written."""

OVERRIDE = "RUSHES_FFMPEG"
_FOREIGN_FORMATS = "mov,matroska,mxf,avi,wav"


def binary() -> str:
    """Path of the ffmpeg program: `RUSHES_FFMPEG`, else the one that comes with imageio-ffmpeg."""
    chosen = os.environ.get(OVERRIDE)
    if chosen is None:
        return _bundled()
    if not os.access(chosen, os.X_OK) or Path(chosen).is_dir():
        raise MediaFault(
            "the ffmpeg that was asked for is not a program",
            where=f"{OVERRIDE}={printable(chosen)}",
            remedy=f"point {OVERRIDE} to an ffmpeg program, or unset it to use the built-in one",
        )
    return chosen


@functools.cache
def _bundled() -> str:
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as fault:
        raise MediaFault(
            "no ffmpeg program was found",
            remedy=f"install the package imageio-ffmpeg again, or set {OVERRIDE} to an ffmpeg program",
        ) from fault


def version() -> str:
    """ffmpeg's version as it names itself: `n9.0.2-17-g2a571b6068`."""
    words = _ask("-version").split(maxsplit=3)
    return words[2] if words[:2] == ["ffmpeg", "version"] else "unknown"


def encoders() -> frozenset[str]:
    """Names of the video encoders this ffmpeg has: `prores`, `dnxhd`, `libx264` …"""
    return frozenset(re.findall(r"^ V\S{5} (\S+)", _ask("-encoders"), flags=re.MULTILINE))


def _ask(question: str) -> str:
    return run([binary(), "-hide_banner", question]).decode(errors="replace")


def file_url(path: Path) -> str:
    """`path` as ffmpeg and PyAV must be given it: no other protocol, no option, no address."""
    return f"file:{path.absolute()}"


def raw_input(pixel_format: str, size: tuple[int, int], rate: str) -> Stream:
    """Raw frames of `size` (width, height) that are fed through standard input."""
    width, height = size
    return ffmpeg.input(
        "pipe:0",
        protocol_whitelist="pipe",
        format="rawvideo",
        pix_fmt=pixel_format,
        s=f"{width}x{height}",
        framerate=rate,
    )


def movie_input(path: Path) -> Stream:
    """A media file, our own or a stranger's. Playlists and pictures are refused by ffmpeg itself."""
    return ffmpeg.input(file_url(path), protocol_whitelist="file", format_whitelist=_FOREIGN_FORMATS)


def sound_input(path: Path) -> Stream:
    """Raw sound of ours at SAMPLE_RATE: little-endian 32-bit floats, left and right in turn."""
    return ffmpeg.input(file_url(path), protocol_whitelist="file", format="f32le", ar=SAMPLE_RATE, ac=2)


def to_bt709(video: Stream) -> Stream:
    """RGB as limited-range BT.709, tagged as such. No transfer change: what comes in is display-referred."""
    tags = dict.fromkeys(("color_primaries", "color_trc", "colorspace"), "bt709")
    flags = "accurate_rnd+full_chroma_int"
    limited = video.filter("scale", out_color_matrix="bt709", out_range="tv", flags=flags)
    return limited.filter("setparams", range="tv", **tags)


def interpolated(video: Stream, rate: str) -> Stream:
    """RGB at another rate, new frames made along the motion between the old ones; 8 bits a sample. A shot has no
    cut in it: what changes much from one frame to the next is no reason to repeat one."""
    flags = "accurate_rnd+full_chroma_int"
    planar = video.filter("scale", out_color_matrix="bt709", out_range="pc", flags=flags)
    moved = planar.filter("format", "yuv444p").filter("minterpolate", fps=rate, mi_mode="mci", scd="none")
    return moved.filter("scale", in_color_matrix="bt709", in_range="pc", flags=flags)


def raw_output(video: Stream, pixel_format: str) -> Stream:
    """Raw frames on standard output, read by `Feed.output`."""
    return ffmpeg.output(video, "pipe:1", format="rawvideo", pix_fmt=pixel_format)


def movie_output(
    streams: Sequence[Stream], path: Path, tags: Path, container: str, options: Mapping[str, str | int]
) -> Stream:
    """A "mov" or "mp4" file at `path`, whatever its suffix, of `streams`, each from an input of its own, and with
    the tags in the file `tags` (see `tags_text`).

    The format is named, so neither a suffix such as `.part` nor a `%` in the path means anything to ffmpeg.
    The tags are one more input; as nothing is mapped from it, the graph cannot hold it and it goes last.
    """
    flags = {"format": container, "movflags": _CONTAINER_FLAGS[container], "map_metadata": str(len(streams))}
    movie = ffmpeg.output(*streams, file_url(path), **flags, **options)
    return movie.global_args("-protocol_whitelist", "file", "-f", "ffmetadata", "-i", file_url(tags))


def exr_output(video: Stream, folder: Path, name: str, first: int) -> Stream:
    """OpenEXR files of half floats in `folder`, numbered from `first` on; `name` is like `%04d.exr`.

    Each line is packed by itself: blocks of 16 make files 7 % smaller, but take a quarter longer to write
    (measured), and compositors ask for single lines.
    """
    pattern = f"{file_url(folder).replace('%', '%%')}/{name}"  # a `%` in the folder's own path means itself
    options = {"format:v": "half", "compression": "zip1", "start_number": first}
    return ffmpeg.output(video, pattern, format="image2", vcodec="exr", **options)


def tags_text(tags: Mapping[str, str]) -> str:
    """`tags` in ffmpeg's metadata format, which has no limit of size as an argument list has."""
    return ";FFMETADATA1\n" + "".join(f"{key}={_escaped(key, text)}\n" for key, text in tags.items())


def _escaped(key: str, text: str) -> str:
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise BadRequest(
            f"the tag {printable(key)} holds a character that no movie file can carry",
            where=printable(text, 60),
            remedy="remove the NUL or the broken character from the text",
        )
    return re.sub(r"([=;#\\\n\r])", r"\\\1", text)


def arguments(output: Stream) -> list[str]:
    """The command for a graph. An existing output file is replaced."""
    command = [binary(), "-hide_banner", "-nostdin", "-v", "error"]
    return list(output.compile(cmd=command, overwrite_output=True))
