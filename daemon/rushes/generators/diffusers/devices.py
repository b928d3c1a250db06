"""Where models run, an NVIDIA card or the processor: its memory, and moving weights there and back."""

from __future__ import annotations

import gc
import os
import platform
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Protocol

import torch

from rushes.generators import gpus
from rushes.generators.diffusers.ticking import Tick, Ticking

FALLBACK_MEMORY = 8 << 30
"""Bytes of main memory that are assumed where the system does not say."""


class Device(Protocol):
    """One device. All sizes are bytes; safe from any thread."""

    @property
    def name(self) -> str:
        """As its maker calls it."""

    @property
    def torch_device(self) -> torch.device:
        """Where tensors go."""

    @property
    def offloads(self) -> bool:
        """Whether weights that are not on it lie in another memory, so that moving them away frees its own."""

    def current(self) -> AbstractContextManager[object]:
        """What does not say which device it means (streams, waiting) means this one inside, in this thread."""

    def total(self) -> int:
        """All of its memory, whoever holds it."""

    def free(self) -> int:
        """What this process could still put there, without giving up anything that it holds."""

    def held(self) -> int:
        """What this process holds there: weights and what running models work with."""

    def empty(self) -> None:
        """Wait for what still runs and give memory that nothing uses back to the system."""

    def hold(self, module: torch.nn.Module, tick: Tick) -> None:
        """Bring weights here; nothing where they are here. `tick` is called again and again, and may raise.
        torch.OutOfMemoryError where they do not fit."""

    def release(self, module: torch.nn.Module) -> None:
        """Bring weights back to the machine's main memory; nothing where they are there."""

    def describe(self) -> dict[str, str]:
        """What of it can change the last bits of a picture."""


class CudaDevice:
    """An NVIDIA card."""

    offloads = True

    def __init__(self, index: int = 0) -> None:
        self.torch_device = torch.device("cuda", index)
        self.name = str(torch.cuda.get_device_name(index))
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True

    def current(self) -> AbstractContextManager[object]:
        return torch.cuda.device(self.torch_device)

    def total(self) -> int:
        return int(torch.cuda.mem_get_info(self.torch_device)[1])

    def free(self) -> int:
        """Memory that torch keeps for itself and does not use counts as free."""
        kept = torch.cuda.memory_reserved(self.torch_device) - self.held()
        return int(torch.cuda.mem_get_info(self.torch_device)[0]) + kept

    def held(self) -> int:
        return int(torch.cuda.memory_allocated(self.torch_device))

    def empty(self) -> None:
        gc.collect()
        torch.cuda.synchronize(self.torch_device)
        torch.cuda.empty_cache()
        torch._C._host_emptyCache()  # of main memory, locked for the lowest rung

    def hold(self, module: torch.nn.Module, tick: Tick) -> None:
        with Ticking(tick):  # weights that are read from a disk as they are moved can take minutes
            module.to(self.torch_device)

    def release(self, module: torch.nn.Module) -> None:
        module.to("cpu")

    def describe(self) -> dict[str, str]:
        return self._described

    @cached_property
    def _described(self) -> dict[str, str]:
        major, minor = torch.cuda.get_device_capability(self.torch_device)
        return {
            "device": self.name,
            "capability": f"{major}.{minor}",
            "cuda": str(torch.version.cuda),
            "cudnn": str(torch.backends.cudnn.version()),
            "driver": _driver(self.name),
        }


class CpuDevice:
    """The processor: weights and work lie in main memory, and nothing is gained by moving them."""

    offloads = False
    name = "cpu"
    torch_device = torch.device("cpu")

    def current(self) -> AbstractContextManager[object]:
        return nullcontext()

    def total(self) -> int:
        return gpus.main_memory() or FALLBACK_MEMORY

    def free(self) -> int:
        try:
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
        except (AttributeError, ValueError, OSError):
            return self.total()

    def held(self) -> int:
        return 0

    def empty(self) -> None:
        gc.collect()

    def hold(self, module: torch.nn.Module, tick: Tick) -> None:
        """They are here."""

    def release(self, module: torch.nn.Module) -> None:
        """They are there."""

    def describe(self) -> dict[str, str]:
        return {
            "device": platform.processor() or platform.machine(),
            "capability": str(torch.backends.cpu.get_cpu_capability()),
            "threads": str(torch.get_num_threads()),
        }


def best(asked: str = "auto") -> Device:
    """The device of this name, "cuda:0" or "cpu"; for "auto", the first NVIDIA card where there is one that torch
    can use, else the processor."""
    if asked == "cpu" or not torch.cuda.is_available():
        return CpuDevice()
    return CudaDevice(0 if asked == "auto" else torch.device(asked).index or 0)


def size_of(component: object) -> int:
    """Bytes of a component's weights, those that it uses twice counted once; 0 for one without any."""
    if not isinstance(component, torch.nn.Module):
        return 0
    tensors = [*component.parameters(), *component.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _driver(name: str) -> str:
    """The driver's version; empty where its own tool does not say."""
    try:
        return next((card.driver for card in gpus.cards() if card.name == name), "")
    except gpus.NoAnswer:
        return ""
