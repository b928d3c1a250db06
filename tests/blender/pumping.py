"""Blender's own timer queue, run by hand.

The module bpy has no event loop, so what `bpy.app.timers` holds never fires there. Its wheels are not stripped of
their symbol table: `BLI_timer_execute`, which the event loop of a window calls, is found there and called by
address.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

SYMBOLS = (b"_ZN7blender17BLI_timer_executeEv", b"_Z17BLI_timer_executev", b"BLI_timer_execute")
"""From 5.1 on, before, and as plain C."""

_SYMTAB = 2
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")


def pump_until(until: Callable[[], object], seconds: float = 20.0) -> float:
    """Run the timers until `until` is true; how long that took, in seconds. AssertionError when time is up."""
    began = time.monotonic()
    while not until():
        took = time.monotonic() - began
        assert took < seconds, f"not within {seconds} s: {until}"
        turn()
        time.sleep(0.005)
    return time.monotonic() - began


def pump_for(seconds: float) -> None:
    """Run the timers for so long."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        turn()
        time.sleep(0.005)


def turn() -> None:
    """What one turn of the event loop does for timers: those that are due are called."""
    _timer_execute()()


@cache
def _timer_execute() -> Callable[[], None]:
    for start, path in _mappings():
        if path.name == "__init__.so" and path.parent.name == "bpy":
            found = _value(path)
            if found is not None:
                return ctypes.CFUNCTYPE(None)(start + found)
    return _tick_of_the_addon


def _tick_of_the_addon() -> None:
    """What is left where the symbols were stripped."""
    from rushes_blender import running

    running._tick()


def _mappings() -> Iterator[tuple[int, Path]]:
    """Where each file that this process has mapped begins in memory."""
    with Path("/proc/self/maps").open() as lines:
        for line in lines:
            parts = line.split(maxsplit=5)
            if len(parts) == 6 and int(parts[2], 16) == 0:
                yield int(parts[0].split("-")[0], 16), Path(os.path.realpath(parts[5].strip()))


def _value(path: Path) -> int | None:
    """The address of the first of SYMBOLS that the symbol table of an ELF file lists."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as elf:
        (sections_at,) = struct.unpack_from("<Q", elf, 0x28)
        size, count = struct.unpack_from("<HH", elf, 0x3A)
        sections = [_SECTION.unpack_from(elf, sections_at + i * size) for i in range(count)]
        for section in sections:
            if section[1] == _SYMTAB:
                names = sections[section[6]]
                return _symbol(elf[section[4] : section[4] + section[5]], elf[names[4] : names[4] + names[5]])
    return None


def _symbol(table: bytes, names: bytes) -> int | None:
    places = {names.find(b"\0" + name + b"\0") + 1 for name in SYMBOLS} - {0}
    for name, _, _, _, value, _ in _SYMBOL.iter_unpack(table):
        if name in places:
            return int(value)
    return None
