"""What is stored: the latents of a motion, and the embeddings of a text. Both are one safetensors file with a
head, JSON under the key "rushes" of its notes. Equal content, equal bytes: no dates, names sorted, one note only.

A motion:  latents  (1, channels, frames, height, width) float32, as the model works on them
           noise    the state of the random generator after the last step, for a VAE that is decoded with noise
           seam.*   what `seams` keeps of the frames before this piece
Words:     SET.NAME for each set of embeddings that the model's pipelines take, in the encoder's own dtype
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save

from rushes_otio.errors import MediaFault

_NOTE = "rushes"
_REMEDY = "render the shot again; a shot that goes on from another needs the same model"


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="motion"):
    """What is said of stored latents. `frames` is without the `overlap`; `dtype` is that of the words, through
    which LTX passes its latents on their way to the VAE; `timestep` and `noise` are decimals (LTX only)."""

    v: Literal[1]
    frames: int
    overlap: int
    size: tuple[int, int]
    pipeline: str
    dtype: str
    timestep: str = "0"
    noise: str = ""


@dataclass(frozen=True)
class Piece:
    """A stored motion, read. `more` are further small tensors."""

    head: Head
    latents: torch.Tensor
    more: dict[str, torch.Tensor] = field(default_factory=dict)


class WordsHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag="words"):
    """What is said of stored embeddings: the class that the model's folder names."""

    v: Literal[1]
    pipeline: str


def pack(piece: Piece) -> bytes:
    """The stored form of a motion."""
    latents = piece.latents.detach().to("cpu", torch.float32).contiguous()
    return _packed({"latents": latents, **piece.more}, piece.head)


def unpack(data: bytes) -> Piece:
    """`data` read back; MediaFault if another generator, or a fault of the disk, made it."""
    try:
        tensors = load(data)
        head = msgspec.json.decode(_note(data), type=Head)
        return Piece(head, tensors.pop("latents"), tensors)
    except (SafetensorError, KeyError, ValueError, TypeError, msgspec.MsgspecError) as error:
        raise _strange("motion", str(error)) from error


def pack_words(tensors: dict[str, torch.Tensor], pipeline: str) -> bytes:
    """The stored form of embeddings, by "SET.NAME"."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return _packed(plain, WordsHead(1, pipeline))


def read_words(path: str, wanted: str) -> dict[str, torch.Tensor]:
    """The set `wanted` of the embeddings in a file, by name. MediaFault if it has none."""
    try:
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(f"{wanted}.")]  # noqa: SIM118
            found = {name.partition(".")[2]: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError) as error:
        raise _strange("text", str(error)) from error
    if not found:
        raise _strange("text", f"it has no embeddings for {wanted}")
    return found


def load_piece(path: str) -> Piece:
    """The motion stored in the file `path`; MediaFault if it is not there or none of ours."""
    try:
        return unpack(Path(path).read_bytes())
    except OSError as error:
        raise _strange("motion", error.strerror or str(error)) from error


def _packed(tensors: dict[str, torch.Tensor], head: Head | WordsHead) -> bytes:
    note = msgspec.json.encode(head, order="sorted").decode()
    return bytes(save(dict(sorted(tensors.items())), {_NOTE: note}))


def _note(data: bytes) -> bytes:
    """The head in the file's own header; the library does not give it for bytes."""
    length = int.from_bytes(data[:8], "little")
    notes = msgspec.json.decode(data[8 : 8 + length], type=dict[str, msgspec.Raw])["__metadata__"]
    return msgspec.json.decode(notes, type=dict[str, str])[_NOTE].encode()


def _strange(what: str, why: str) -> MediaFault:
    return MediaFault(f"a stored {what} cannot be read as one of diffusers", where=why[:300], remedy=_REMEDY)
