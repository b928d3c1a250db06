"""What the sequencer shows, pixel by pixel."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy


def pixel(scene: bpy.types.Scene, frame: int, x: int, y: int, folder: Path) -> tuple[int, int, int]:
    """The colour at (x, y), counted from the upper left, of a frame as the scene renders it; what that changes is
    put back. `folder` holds the picture."""
    path = folder / "pixel.bmp"
    with _as_bmp(scene, path):
        scene.frame_set(frame)
        bpy.ops.render.render(write_still=True, scene=scene.name)
    return _read(path.read_bytes(), x, y)


@contextmanager
def _as_bmp(scene: bpy.types.Scene, path: Path) -> Iterator[None]:
    """BMP, for it is the one format without loss that five lines can read."""
    render = scene.render
    before = scene.frame_current, render.filepath, render.image_settings.file_format
    render.filepath, render.image_settings.file_format = str(path), "BMP"
    try:
        yield
    finally:
        render.filepath, render.image_settings.file_format = before[1:]
        scene.frame_set(before[0])


def _read(bmp: bytes, x: int, y: int) -> tuple[int, int, int]:
    begin, (width, height, _, bits) = struct.unpack_from("<I", bmp, 10)[0], struct.unpack_from("<iiHH", bmp, 18)
    assert (0 <= x < width, 0 <= y < height, bits in (24, 32)) == (True, True, True), (width, height, bits)
    stride = (width * bits // 8 + 3) // 4 * 4
    at = begin + (height - 1 - y) * stride + x * bits // 8
    blue, green, red = bmp[at : at + 3]
    return red, green, blue
