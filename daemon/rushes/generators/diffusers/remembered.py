"""Which models had to step down the ladder, kept from one process to the next."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from rushes.generators.rungs import Rung

MOST = 1000
"""Models, by device, that are kept; the oldest go first."""


class Remembered:
    """The rung that each model had to step down to, by device, model and size of its work, in a small file. What
    cannot be read is forgotten: it is found out again by running out of memory once more."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rungs = _read(path) if path else {}

    def lowest(self, where: str, size: int) -> Rung:
        """The rung to start on for work of this size: the lowest that work of this size or less had to go to."""
        found = [rung for known, rung in self._rungs.get(where, {}).items() if int(known) <= size]
        return max((Rung(rung) for rung in found), key=list(Rung).index, default=Rung.WHOLE)

    def keep(self, where: str, size: int, rung: Rung) -> None:
        """From now on, start on `rung`, in this process and in later ones."""
        if self._path is not None:
            self._rungs = _read(self._path) | self._rungs
        self._rungs.setdefault(where, {})[str(size)] = rung.value
        self._rungs = dict(list(self._rungs.items())[-MOST:])
        if self._path is not None:
            _write(self._path, self._rungs)


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, str]])
    except (OSError, msgspec.DecodeError):
        return {}
    good = {rung.value for rung in Rung}
    return {
        where: {size: rung for size, rung in sizes.items() if _is_size(size) and rung in good}
        for where, sizes in found.items()
    }


def _write(path: Path, content: Mapping[str, Mapping[str, str]]) -> None:
    """A folder that cannot be written costs time, no picture."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with suppress(OSError):
        part.write_text(json.dumps(content, indent=1))
        part.replace(path)


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4
