"""Files of weights in the format safetensors: what one holds, and whether it is one, without opening a tensor.

A file begins with the length of its header (8 bytes, little endian); the header is JSON that gives each tensor's
type, shape and place; the tensors follow without gaps, to the last byte. A renamed pickle, a page of a website, or
half a download is told as what it is. Limits are those of the safetensors library 0.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

import msgspec

from rushes_otio.errors import FileFault

SUFFIX = ".safetensors"

PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pickle", ".pkl"})
"""Endings of weights that can hold programs. They are never opened."""

HEADER_LIMIT = 100_000_000
"""Longest header, in bytes."""

_BITS = {
    **dict.fromkeys(("F4", "I4", "U4"), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
}
"""Bits of one value, by type."""

_AGAIN = "download it again; rushes models add HUB-ID --download goes on where a download stopped"

_LOOKALIKES: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a PyTorch archive (a pickle) under another name", "get the model in the safetensors format"),
    (b"\x80\x02", "a Python pickle under another name", "get the model in the safetensors format"),
    (b"\x80\x03", "a Python pickle under another name", "get the model in the safetensors format"),
    (b"\x80\x04", "a Python pickle under another name", "get the model in the safetensors format"),
    (b"\x80\x05", "a Python pickle under another name", "get the model in the safetensors format"),
    (b"GGUF", "a GGUF file under another name", "get the model in the safetensors format"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "run in its folder: git lfs pull"),
    (b"<", "a page of a website, not weights", _AGAIN),
    (b"{", "JSON, not weights", _AGAIN),
)


@dataclass(frozen=True, slots=True)
class Tensor:
    """What the header says of one tensor."""

    dtype: str  # "BF16", "F32" …
    shape: tuple[int, ...]

    @property
    def bits(self) -> int:
        """How many bits one value of it takes."""
        return _BITS[self.dtype]


@dataclass(frozen=True, slots=True)
class Header:
    """What a file holds: its tensors by name, and the words that whoever wrote it put beside them."""

    tensors: dict[str, Tensor]
    notes: dict[str, str]


class _Entry(msgspec.Struct):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_entry = msgspec.json.Decoder(_Entry)
_notes = msgspec.json.Decoder(dict[str, str])


def check(path: Path) -> Header:
    """The header of a file of weights, everything in it checked against the file's length. FileFault for a file
    that is not whole, or not safetensors at all. Reads the header only."""
    if path.suffix.lower() in PICKLES:
        raise FileFault(
            f"{path.suffix} files can hold programs, so they are never opened",
            where=str(path),
            remedy="get the model in the safetensors format",
        )
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            return _checked(_header(file, size, path), size, path)
    except OSError as error:
        raise FileFault(
            f"the weights cannot be read: {error.strerror or error}", where=str(path), remedy="check the path"
        ) from error


def _header(file: BinaryIO, size: int, path: Path) -> bytes:
    first = file.read(64)
    if not first:
        raise FileFault("the file is empty", where=str(path), remedy=_AGAIN)
    length = int.from_bytes(first[:8], "little")
    if not 2 <= length <= HEADER_LIMIT or first[8:9] != b"{":
        raise _something_else(first, path)
    if length > size - 8:
        text = f"the file is cut short within its header: {size:,} bytes of at least {length + 8:,}"
        raise FileFault(text, where=str(path), remedy=_AGAIN)
    file.seek(8)
    return file.read(length)


def _something_else(first: bytes, path: Path) -> FileFault:
    for start, what, remedy in _LOOKALIKES:
        if first.startswith(start):
            return FileFault(f"this is {what}", where=str(path), remedy=remedy)
    return FileFault(
        "this is no safetensors file: it does not begin with a header", where=str(path), remedy=_AGAIN
    )


def _checked(header: bytes, size: int, path: Path) -> Header:
    try:
        entries = _decoder.decode(header)
        notes = _notes.decode(entries.pop("__metadata__", msgspec.Raw(b"{}")))
        decoded = {name: _entry.decode(raw) for name, raw in entries.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileFault(f"the header is damaged: {error}", where=str(path), remedy=_AGAIN) from None
    _check_places(decoded, size - 8 - len(header), path)
    return Header({name: Tensor(e.dtype, tuple(e.shape)) for name, e in decoded.items()}, notes)


def _check_places(entries: dict[str, _Entry], room: int, path: Path) -> None:
    """Every tensor where the one before ends, as long as its shape says, and the last ends with the file."""
    end = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        begin, until = entry.data_offsets
        bits = _BITS.get(entry.dtype)
        if bits is None:
            raise FileFault(f"{name!r} is of an unknown type, {entry.dtype!r}", where=str(path), remedy=_AGAIN)
        if begin != end or min(entry.shape, default=0) < 0 or (until - begin) * 8 != prod(entry.shape) * bits:
            raise FileFault(f"the header is damaged: {name!r} is misplaced", where=str(path), remedy=_AGAIN)
        end = until
    if end > room:
        raise FileFault(
            f"the file is cut short: {room:,} bytes of weights of {end:,}", where=str(path), remedy=_AGAIN
        )
    if end < room:
        raise FileFault(f"{room - end:,} bytes follow the last tensor", where=str(path), remedy=_AGAIN)
