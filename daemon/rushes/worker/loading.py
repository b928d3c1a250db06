"""Generators by name: imported at first use, or earlier by a thread that warms up. Names come from messages,
import paths only from this program and the worker's command line."""

from __future__ import annotations

import importlib
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from rushes.generators.base import Generator
from rushes_otio.errors import BadRequest

BUILT_IN: Mapping[str, str] = {
    "animatic": "rushes.generators.animatic:Animatic",
    "diffusers": "rushes.generators.diffusers:Diffusers",
}

_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


Claim = Callable[[str], None]
"""Takes a device for this process alone; Busy where another one has it."""


class Generators:
    """One instance of each generator a process may use. Safe from any thread. A generator that needs a device has
    it claimed before it is used for the first time."""

    def __init__(self, targets: Mapping[str, str], claim: Claim = lambda _: None) -> None:
        for name, target in targets.items():
            if _TARGET.fullmatch(target) is None:
                raise BadRequest(f"{target!r} is no generator", where=name, remedy="write it as module:Class")
        self._targets = dict(targets)
        self._claim = claim
        self._made: dict[str, Generator] = {}
        self._lock = threading.Lock()
        self.loading = 0.0
        """Seconds that loading has taken so far."""

    def get(self, name: str) -> Generator:
        """The generator called `name`; BadRequest where there is none."""
        if name not in self._targets:
            raise BadRequest(
                f"there is no generator {name!r} here", remedy="use one of " + ", ".join(sorted(self._targets))
            )
        with self._lock:
            if name not in self._made:
                began = time.monotonic()
                made = _made(name, self._targets[name])
                if device := made.device():
                    self._claim(device)
                self._made[name] = made
                self.loading += time.monotonic() - began
            return self._made[name]

    def warm(self, names: Sequence[str]) -> None:
        """Import these in the background, so that the first request does not wait for it. What fails here fails
        again, with a name, when it is used."""
        threading.Thread(target=self._warm, args=(names,), name="warm", daemon=True).start()

    def _warm(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                self.get(name)
            except Exception:
                continue


def _made(name: str, target: str) -> Generator:
    module, _, class_name = target.partition(":")
    try:
        return cast(Generator, getattr(importlib.import_module(module), class_name)())
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("rushes"):
            raise
        raise BadRequest(
            f"the generator {name} is not installed here: there is no {error.name}",
            remedy=f"pip install 'rushes[{name}]', or set another model, for example model=animatic",
        ) from error
