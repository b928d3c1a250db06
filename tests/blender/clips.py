"""Small movies and sounds with known pictures, made by ffmpeg, each once a session."""

from __future__ import annotations

import math
import shutil
import struct
import subprocess
import wave
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    "black": (0, 0, 0),
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "white": (255, 255, 255),
}

Picture = str | int | Colour | Callable[[int], int | Colour]
"""A name in COLOURS, a grey level, a colour, or what tells one of the last two for each frame."""


@dataclass
class Clips:
    """Makes them in `kept`, and copies of them in `folder`."""

    ffmpeg: str
    kept: Path
    folder: Path

    def __call__(
        self,
        name: str,
        frames: int = 24,
        picture: Picture = "red",
        size: tuple[int, int] = (320, 180),
        rate: str = "24",
    ) -> Path:
        """A movie NAME.mov without loss: what Blender shows of frame i is exactly `picture`, in every pixel."""
        colours = [_colour(picture, frame) for frame in range(frames)]
        made = self.kept / f"{sha256(repr((colours, size, rate)).encode()).hexdigest()[:16]}.mov"
        if not made.exists():
            self._make(made, colours, size, rate)
        return self._copy(made, self.folder / f"{name}.mov")

    def tone(self, name: str, seconds: float = 1.0, pitch: float = 440.0) -> Path:
        """A sound NAME.wav of one channel."""
        samples = [int(8000 * math.sin(i * pitch * math.tau / 48000)) for i in range(int(seconds * 48000))]
        path = self.folder / f"{name}.wav"
        with wave.open(str(path), "wb") as out:
            out.setparams((1, 2, 48000, len(samples), "NONE", "not compressed"))
            out.writeframes(struct.pack(f"<{len(samples)}h", *samples))
        return path

    def _make(self, path: Path, colours: list[Colour], size: tuple[int, int], rate: str) -> None:
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-r", rate, "-i", "pipe:"]
        pictures = b"".join(bytes(colour) * (size[0] * size[1]) for colour in colours)
        command = [self.ffmpeg, "-v", "error", "-y", *raw, "-c:v", "png", str(path)]
        subprocess.run(command, input=pictures, check=True)

    def _copy(self, made: Path, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, path)
        return path


def _colour(picture: Picture, frame: int) -> Colour:
    if isinstance(picture, str):
        return COLOURS[picture]
    found = picture(frame) if callable(picture) else picture
    return (found, found, found) if isinstance(found, int) else found
