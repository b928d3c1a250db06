"""A card, models and a watch that are made up: 1000 bytes here are a few gigabytes there."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from rushes.generators.base import Cancelled, Watch
from rushes.generators.cards import Card
from rushes.generators.diffusers.devices import size_of

SIZES = {"vae": 100, "transformer": 1000, "transformer_2": 1000, "text_encoder": 400}


class FakeCard:
    """A card with `size` bytes, of which other programs hold `others`. What it holds is what was brought there and
    is still alive."""

    name = "fake card"
    torch_device = torch.device("cpu")
    offloads = True

    def __init__(self, size: int) -> None:
        self.size = size
        self.others = 0
        self.most = 0
        self._held: weakref.WeakKeyDictionary[torch.nn.Module, int] = weakref.WeakKeyDictionary()

    def current(self) -> AbstractContextManager[object]:
        return nullcontext()

    def total(self) -> int:
        return self.size

    def free(self) -> int:
        return self.size - self.others - self.held()

    def held(self) -> int:
        return sum(self._held.values())

    def empty(self) -> None:
        gc.collect()

    def hold(self, module: torch.nn.Module, tick: Callable[[], None]) -> None:
        tick()
        if module in self._held:
            return
        if size_of(module) > self.free():
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate more than there is")
        self._held[module] = size_of(module)
        self.most = max(self.most, self.held())

    def release(self, module: torch.nn.Module) -> None:
        self._held.pop(module, None)

    def describe(self) -> dict[str, str]:
        return {"device": self.name}


class FakeReader:
    """Components of the sizes in SIZES; knows what it has read, and what of it is alive."""

    def __init__(self) -> None:
        self.reads: list[str] = []
        self._made: weakref.WeakSet[torch.nn.Module] = weakref.WeakSet()

    @property
    def alive(self) -> int:
        return sum(size_of(module) for module in self._made)

    def size(self, card: Card, name: str) -> int:
        return SIZES[name]

    def read(self, card: Card, names: Collection[str], watch: Watch) -> dict[str, Any]:
        watch.progress(0, len(names))
        self.reads += [f"{card.name}.{name}" for name in names]
        made = {name: torch.nn.Linear(SIZES[name] // 4, 1, bias=False) for name in names}
        for module in made.values():
            module.itself = [module]  # a circle, as models have them
            self._made.add(module)
        return made


class Quiet:
    """Nobody looks on; `wanted` may end."""

    def __init__(self) -> None:
        self.wanted = True

    def progress(self, done: int, total: int) -> None:
        if not self.wanted:
            raise Cancelled

    def now(self, doing: str) -> None: ...

    def preview(self, jpeg: Callable[[], bytes]) -> None: ...
