"""What `rushes doctor` says of GPUs: the cards, what must be installed for them, and which models fit and how.

A machine without a GPU is sound: the animatic needs none. torch is never imported here; a short child process is
asked whether it sees the card.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Protocol

from rushes.engine.checks import Check
from rushes.engine.fitting import Room, fit, gib, held_by
from rushes.generators import gpus, installed
from rushes.generators.asking import NoAnswer, answer
from rushes.generators.gpus import Gpu, Program
from rushes.generators.registry import Registry
from rushes.limited.environment import clean_environment
from rushes_otio.text import printable

TORCH_S = 60.0
"""Seconds for a child to import torch and use the card: both are slow from a cold disk."""

_TRY_CUDA = """
import torch
built = torch.version.cuda
if built is None:
    print("NO this torch was built without CUDA")
elif not torch.cuda.is_available():
    print(f"NO torch, built for CUDA {built}, does not see the card")
else:
    try:
        torch.ones(8, device="cuda").sum().item()
        print(f"ok CUDA {built} on {torch.cuda.get_device_name(0)}")
    except Exception as error:
        print("NO torch cannot use the card:", str(error).partition(chr(10))[0])
"""


class Machine(Protocol):
    """What is asked of the machine. Everything answers within a time of its own."""

    def cards(self) -> list[Gpu]:
        """The cards; `NoAnswer` where the driver is there and does not work."""

    def programs(self) -> list[Program]:
        """Who computes on them."""

    def version(self, distribution: str) -> str | None:
        """Of what is installed beside Rushes."""

    def torch_sees(self) -> str:
        """What torch says of the card after it has used it; `NoAnswer` with why it cannot."""

    def memory(self) -> int | None:
        """Bytes of the machine's own memory."""


class ThisMachine:
    """The machine that this runs on."""

    def cards(self) -> list[Gpu]:
        return gpus.cards()

    def programs(self) -> list[Program]:
        return gpus.programs()

    def version(self, distribution: str) -> str | None:
        return installed.version(distribution)

    def torch_sees(self) -> str:
        said = answer([sys.executable, "-P", "-c", _TRY_CUDA], TORCH_S, clean_environment())
        told = said.strip().rpartition("\n")[2]  # warnings come before it
        if not told.startswith("ok "):
            raise NoAnswer(printable(told.removeprefix("NO "), 300))
        return printable(told.removeprefix("ok "), 300)

    def memory(self) -> int | None:
        return gpus.main_memory()


def gpu_checks(registry: Registry, machine: Machine, workers: Collection[int]) -> list[Check]:
    """Everything about GPUs. `workers` are the PIDs of Rushes' own workers: what they hold, they let go of."""
    try:
        cards, programs, broken = machine.cards(), machine.programs(), ""
    except NoAnswer as error:
        cards, programs, broken = [], [], str(error)
    room = Room.of(cards, programs, workers, machine.memory())
    return [
        *(_no_card(registry, broken) if not cards else _of_cards(cards, programs, workers)),
        *_of_packages(registry, machine, bool(cards)),
        *(_of_model(name, registry, room) for name in registry.models if _has_weights(registry, name)),
    ]


def _has_weights(registry: Registry, name: str) -> bool:
    traits = registry.models[name].traits
    return traits is not None and traits.models


def _no_card(registry: Registry, broken: str) -> list[Check]:
    if broken:
        remedy = "repair or update the NVIDIA driver until nvidia-smi lists the card"
        return [Check("gpu", not registry.has_weights, f"{broken}; the animatic needs no GPU", remedy)]
    meaning = "models with weights run on the processor, very slowly"
    return [Check("gpu", True, f"none found; {meaning if registry.has_weights else 'the animatic needs none'}")]


def _of_cards(cards: list[Gpu], programs: list[Program], workers: Collection[int]) -> list[Check]:
    found = []
    for number, card in enumerate(cards):
        memory = f"{gib(card.free)} of {gib(card.total)} GiB free"
        holders = [p for p in programs if p.uuid == card.uuid]
        held = "".join(f"; {held_by(program, workers)}" for program in holders)
        name = "gpu" if len(cards) == 1 else f"gpu {number}"
        found.append(Check(name, True, f"{card.name}, driver {card.driver}, {memory}{held}"))
    return found


def _of_packages(registry: Registry, machine: Machine, has_card: bool) -> list[Check]:
    missing, unsound = installed.missing(machine.version), installed.unsound(machine.version)
    if unsound:
        wanted = " ".join(f"'{name}{bounds}'" for name, bounds in installed.SOUND.items())
        return [Check("diffusers", False, "; ".join(unsound), f"pip install --upgrade {wanted}")]
    if missing:
        said = f"not installed: {', '.join(missing)}; only models with weights need it"
        return [Check("diffusers", not registry.has_weights, said, "pip install 'rushes[diffusers]'")]
    versions = ", ".join(f"{name} {machine.version(name)}" for name in installed.NEEDED)
    sound = Check("diffusers", True, versions)
    return [sound, _of_torch(machine)] if has_card else [sound]


def _of_torch(machine: Machine) -> Check:
    try:
        return Check("torch", True, f"computes on the card: {machine.torch_sees()}")
    except NoAnswer as error:
        remedy = "install the torch for this card and its driver: https://pytorch.org/get-started/locally"
        return Check("torch", False, str(error), remedy)


def _of_model(name: str, registry: Registry, room: Room) -> Check:
    fault, located = registry.fault(name), registry.located(name)
    if fault or located is None:
        said = fault or "its weights are not on this machine"
        return Check(f"model {name}", False, said, "rushes models check says what is missing")
    return fit(f"model {name}", located.sizes, registry.models[name].working_mib << 20, room)
