"""The ladder by which a model fits a card: which rung it starts on, and how its weights are placed on one.

A decoder stays on the card on every rung: it is small, and the encode lane decodes with its weights while the
next motion is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import accelerate.hooks
import diffusers.hooks.group_offloading as groups
import torch
from accelerate.hooks import CpuOffload, UserCpuOffloadHook
from diffusers import ModelMixin
from diffusers.hooks import apply_group_offloading

from rushes.generators import rungs
from rushes.generators.diffusers.devices import FALLBACK_MEMORY, Device, size_of
from rushes.generators.diffusers.ticking import Tick, Ticking
from rushes.generators.gpus import main_memory
from rushes.generators.rungs import Rung
from rushes_otio.errors import BadRequest

_SAID = (
    "out of memory",
    "can't allocate memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "unable to find an engine to execute",  # cuDNN, where no algorithm has the memory that it works with
)
_GROUP_HOOKS = (groups._GROUP_OFFLOADING, groups._LAYER_EXECUTION_TRACKER, groups._LAZY_PREFETCH_GROUP_OFFLOADING)


def stays(name: str) -> bool:
    """Whether a component stays on the card on every rung."""
    return name == "vae" or name.endswith("_vae")


def is_out_of_memory(error: BaseException) -> bool:
    """torch has an exception for it, but its libraries, and its own allocators, raise others as well."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in _SAID)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run takes: bytes of each component, and `working` beside them."""

    sizes: Mapping[str, int]
    working: int

    def on(self, rung: Rung) -> int:
        """Bytes that it takes on the card on this rung."""
        fixed = sum(size for name, size in self.sizes.items() if stays(name))
        moving = {name: size for name, size in self.sizes.items() if not stays(name)}
        return rungs.needed(moving, self.working + fixed)[rung]

    def fitting(self, room: int, lowest: Rung) -> Rung | None:
        """The fastest rung, not above `lowest`, that fits in `room`; None where the last one does not."""
        allowed = list(Rung)[list(Rung).index(lowest) :]
        return next((rung for rung in allowed if self.on(rung) <= room), None)

    def below(self, rung: Rung) -> Rung | None:
        """The next rung that takes less than this one. With one component beside the decoder, keeping one there
        at a time saves nothing."""
        lower = list(Rung)[list(Rung).index(rung) + 1 :]
        return next((other for other in lower if self.on(other) < self.on(rung)), None)


def lower(one: Rung, other: Rung) -> Rung:
    """The one of the two that takes less."""
    return max(one, other, key=list(Rung).index)


def held_by_others(device: Device) -> int:
    """Bytes that other programs hold; 0 for the little that a desktop takes."""
    others = device.total() - device.free() - device.held()
    return others if others > device.total() // 10 else 0


def shortage(device: Device, free: int, needed: int) -> BadRequest:
    """What a person is told when a model does not fit on the card, whatever is tried."""
    remedy = "ask for a smaller size or fewer frames, or use a smaller model"
    if others := held_by_others(device):
        remedy = f"close the other programs that use it (they hold {_gib(others)}), or {remedy}"
    return BadRequest(
        f"there is not enough memory on {device.name}: {_gib(free)} are free and about {_gib(needed)} are needed",
        remedy=remedy,
    )


def spread(module: torch.nn.Module, device: Device, beside: int, tick: Tick) -> None:
    """Place a component on the lowest rung: blocks come to the card when they run and go again, those of a card
    by a stream of their own while the last one still runs. `beside`: bytes of others that are on this rung."""
    stream = device.torch_device.type == "cuda"
    blocks = isinstance(module, ModelMixin)
    if not getattr(module, "_supports_group_offloading", True):
        device.hold(module, tick)
        return
    with Ticking(tick):
        apply_group_offloading(
            module,
            onload_device=device.torch_device,
            offload_device=torch.device("cpu"),
            # Models of transformers keep their blocks deeper down than "block_level" looks.
            offload_type="block_level" if blocks else "leaf_level",
            num_blocks_per_group=1 if blocks else None,
            use_stream=stream,
            # A stream wants its weights locked in main memory, of which not much may be locked; torch takes half
            # as much again for them.
            low_cpu_mem_usage=stream and size_of(module) + beside > (main_memory() or FALLBACK_MEMORY) // 3,
        )


def chain(pipe: Any, modules: Mapping[str, torch.nn.Module], device: Device, tick: Tick) -> None:  # noqa: ANN401
    """Place components on the middle rung: each comes to the card when it runs, in the place of the one before it.

    As `pipe.enable_model_cpu_offload()`, which cannot be told to leave the decoder alone."""
    before = None
    order = str(pipe.model_cpu_offload_seq or "").split("->")
    for name in order:
        if name in modules:
            before = _offloaded(modules[name], _Coming(device, before, tick))
    for name in modules.keys() - set(order):
        _offloaded(modules[name], _Coming(device, None, tick))


def _offloaded(module: torch.nn.Module, hook: _Coming) -> UserCpuOffloadHook:
    accelerate.hooks.add_hook_to_module(module, hook, append=True)
    return UserCpuOffloadHook(module, hook)


class _Coming(CpuOffload):
    """Brings a component to the card before it runs, and takes the one before it away."""

    def __init__(self, device: Device, before: UserCpuOffloadHook | None, tick: Tick) -> None:
        super().__init__(device.torch_device, before)
        self._tick = tick

    def pre_forward(self, module: torch.nn.Module, *args: object, **kwargs: object) -> object:
        with Ticking(self._tick):
            return super().pre_forward(module, *args, **kwargs)


def clear(module: torch.nn.Module) -> None:
    """Take every hook of the two lower rungs off again. The weights stay where they are."""
    accelerate.hooks.remove_hook_from_module(module, recurse=True)
    for part in module.modules():
        if registry := getattr(part, "_diffusers_hook", None):
            for name in _GROUP_HOOKS:
                registry.remove_hook(name, recurse=False)


def _gib(size: int) -> str:
    return f"{max(size, 0) / (1 << 30):.1f} GiB"
