"""The stored form of a motion: a ZIP, not compressed and without dates, so that equal moves are equal bytes.

move.json    {"v": 1, "frames": n, "move": …, "caption": …, "action": …}
poses        n × 3 little-endian int32: what each frame sees (`camera.UNITS`)
dissolve     n little-endian uint16: how much of `end.png` is in each frame, 65535 is all of it
picture.png  the picture that the camera moves over, at native size
end.png      only with a last frame: the picture that it ends on
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from rushes_otio.errors import MediaFault

ALL = 65535
_REMEDY = "render the shot again; a shot that goes on from another needs the same generator"


class Head(msgspec.Struct, frozen=True):
    """`move.json`."""

    v: int
    frames: int
    move: str
    caption: str
    action: str


@dataclass(frozen=True)
class Piece:
    """A stored motion, read. Pictures are PNG files."""

    head: Head
    poses: NDArray[np.int32]
    dissolve: NDArray[np.uint16]
    picture: bytes
    end: bytes | None


def pack(piece: Piece) -> bytes:
    """The stored form of `piece`."""
    members = {
        "move.json": msgspec.json.encode(piece.head),
        "poses": piece.poses.astype("<i4").tobytes(),
        "dissolve": piece.dissolve.astype("<u2").tobytes(),
        "picture.png": piece.picture,
    }
    if piece.end is not None:
        members["end.png"] = piece.end
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for name, data in members.items():
            file.writestr(_entry(name), data)
    return out.getvalue()


def load(path: str) -> Piece:
    """The stored form in the file `path`; MediaFault if it is not there or none of ours."""
    try:
        data = Path(path).read_bytes()
    except OSError as fault:
        raise MediaFault(
            f"a stored motion cannot be read: {fault.strerror}", where=path, remedy=_REMEDY
        ) from fault
    return unpack(data)


def unpack(data: bytes) -> Piece:
    """`data` read back; MediaFault if another generator, or a fault of the disk, made it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            members = {entry.filename: file.read(entry) for entry in _stored(file)}
        head = msgspec.json.decode(members["move.json"], type=Head)
        poses = np.frombuffer(members["poses"], "<i4").reshape(head.frames, 3).astype(np.int32)
        mixed = np.frombuffer(members["dissolve"], "<u2").reshape(head.frames).astype(np.uint16)
        return Piece(head, poses, mixed, members["picture.png"], members.get("end.png"))
    except (zipfile.BadZipFile, KeyError, ValueError, msgspec.MsgspecError) as fault:
        raise MediaFault(
            "a stored motion cannot be read as one of the animatic generator",
            where=str(fault),
            remedy=_REMEDY,
        ) from fault


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # the same byte on every platform
    return entry


def _stored(file: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Its members; a compressed one is not ours, and could be a bomb."""
    entries = file.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise zipfile.BadZipFile("a member is compressed")
    return entries
