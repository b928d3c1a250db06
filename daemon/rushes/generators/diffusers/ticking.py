"""Life signs of libraries that are silent: one for each tensor that they convert, move or lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch.overrides import TorchFunctionMode

Tick = Callable[[], None]
"""Is called again and again by what takes long; it may raise, and so end it."""

_SLOW = frozenset({torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.pin_memory})


class Ticking(TorchFunctionMode):
    """A context in which `tick` is called before each tensor that this thread converts, moves or locks."""

    def __init__(self, tick: Tick) -> None:
        super().__init__()
        self._tick = tick

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: Iterable[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if func in _SLOW:
            self._tick()
        return func(*args, **(kwargs or {}))
