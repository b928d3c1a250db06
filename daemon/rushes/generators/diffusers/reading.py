"""Large files, read piece by piece: the libraries that read them as a whole are silent meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rushes.generators.base import Watch
from rushes_otio.errors import FileFault

_PIECE = 64 << 20


def pieces(path: Path, watch: Watch) -> Iterator[bytes]:
    """The bytes of a file, in order. Tells how far it is, in MiB; FileFault for a file that cannot be read."""
    done = 0
    try:
        total = path.stat().st_size
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                watch.progress(done >> 20, total >> 20)
                yield piece
                done += len(piece)
    except OSError as error:
        text = f"the file cannot be read: {error.strerror or error}"
        raise FileFault(text, where=str(path), remedy="check the path") from None
