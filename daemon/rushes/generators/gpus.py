"""The NVIDIA cards of this machine, as their driver's own tool, `nvidia-smi`, tells of them. No torch is needed.

The tool may be missing, broken, or hang when a card has fallen off its bus: it is never waited for longer than a
few seconds, and what it says is believed line by line.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from functools import cache

from rushes.generators.asking import NoAnswer as NoAnswer
from rushes.generators.asking import answer, first_line
from rushes_otio.text import printable

MIB = 1 << 20

ANSWER_S = 3.0
"""Seconds until a tool that says nothing is given up. A healthy one takes less than one, its first start aside."""

_CARD = ("uuid", "name", "driver_version", "memory.total", "memory.free")
_PROGRAM = ("gpu_uuid", "pid", "process_name", "used_memory")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card. Memory is in bytes, None where the driver does not say (cards that share the machine's)."""

    uuid: str
    name: str
    driver: str
    total: int | None
    free: int | None


@dataclass(frozen=True, slots=True)
class Program:
    """A process that computes on the card `uuid`, and the bytes that it holds there; None where the driver does
    not say."""

    uuid: str
    pid: int
    name: str
    held: int | None


def cards(timeout: float = ANSWER_S) -> list[Gpu]:
    """Every card; none where the machine has no `nvidia-smi`. `NoAnswer` where it has one that fails."""
    if (tool := shutil.which("nvidia-smi")) is None:
        return []
    said = answer([tool, f"--query-gpu={','.join(_CARD)}", "--format=csv,noheader,nounits"], timeout)
    found = [gpu for line in said.splitlines() if (gpu := _card(line)) is not None]
    if not found:
        raise NoAnswer(f"nvidia-smi says: {first_line(said)}")
    return found


def programs(timeout: float = ANSWER_S) -> list[Program]:
    """Who computes on the cards, as far as the driver tells; those it does not tell of are no fault."""
    if (tool := shutil.which("nvidia-smi")) is None:
        return []
    asked = [tool, f"--query-compute-apps={','.join(_PROGRAM)}", "--format=csv,noheader,nounits"]
    with contextlib.suppress(NoAnswer):
        return [found for line in answer(asked, timeout).splitlines() if (found := _program(line)) is not None]
    return []


def main_memory() -> int | None:
    """Bytes of the machine's own memory; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


@cache
def card_memory() -> int | None:
    """Bytes of the card with the most memory; None where none is known. Asked for once a process."""
    with contextlib.suppress(NoAnswer):
        return max((gpu.total for gpu in cards() if gpu.total is not None), default=None)
    return None


def _card(line: str) -> Gpu | None:
    """None for a line that tells of no card."""
    uuid, _, rest = line.partition(",")
    fields = [printable(field.strip(), 200) for field in rest.rsplit(",", 3)]
    if len(fields) != len(_CARD) - 1 or not uuid.startswith("GPU-"):
        return None
    name, driver, total, free = fields
    return Gpu(uuid.strip(), name, driver, _bytes(total), _bytes(free))


def _program(line: str) -> Program | None:
    """None for a line that tells of no process. Its name is whatever stands between the pid and the memory."""
    uuid, _, rest = line.partition(",")
    pid, _, rest = rest.partition(",")
    name, _, held = rest.rpartition(",")
    if not (uuid.strip().startswith("GPU-") and pid.strip().isdecimal()):
        return None
    return Program(uuid.strip(), int(pid), printable(name.strip(), 200), _bytes(held))


def _bytes(mib: str) -> int | None:
    """None for "[N/A]", "[Not Supported]" and what else is no number."""
    return int(mib) * MIB if mib.strip().isdecimal() else None
