"""Generators by name: imported at first use, or earlier by a thread that warms up. Names come from messages,
import paths only from this program and the worker's command line."""

from __future__ import annotations

import contextlib
import importlib
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import cast

from rushes.generators.base import Generator, Unwatched, Watch
from rushes.worker.lanes import LOADING
from rushes_otio.errors import BadRequest

BUILT_IN: Mapping[str, str] = {
    "animatic": "rushes.generators.animatic:Animatic",
    "diffusers": "rushes.generators.diffusers:Diffusers",
}

_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")

_TICK_S = 0.1

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
        self._begun: dict[str, Future[Generator]] = {}
        self._lock = threading.Lock()

    def get(self, name: str, watch: Watch) -> Generator:
        """The generator called `name`; BadRequest where there is none. Libraries take seconds to import, from a
        slow disk minutes: `watch` is told meanwhile, and whoever is cancelled waits no longer."""
        if name not in self._targets:
            raise BadRequest(
                f"there is no generator {name!r} here", remedy="use one of " + ", ".join(sorted(self._targets))
            )
        begun = self._begin(name)
        if not begun.done():
            watch.now(LOADING)
            while not wait([begun], _TICK_S).done:
                watch.progress(0, 0)
            watch.now("")
        return begun.result()

    def warm(self, names: Sequence[str]) -> None:
        """Import these in the background, so that the first request does not wait for it. What fails here fails
        again, with a name, when it is used."""
        threading.Thread(target=self._warm, args=(names,), name="warm", daemon=True).start()

    def _warm(self, names: Sequence[str]) -> None:
        for name in names:
            with contextlib.suppress(Exception):
                self.get(name, Unwatched())

    def _begin(self, name: str) -> Future[Generator]:
        with self._lock:
            if name not in self._begun:
                self._begun[name] = Future()
                make = threading.Thread(target=self._make, args=(name,), name=f"import-{name}", daemon=True)
                make.start()
            return self._begun[name]

    def _make(self, name: str) -> None:
        future = self._begun[name]
        try:
            made = _made(name, self._targets[name])
            if device := made.device():
                self._claim(device)
        except BaseException as error:  # a library may even end the program
            with self._lock:
                del self._begun[name]
            future.set_exception(error)
        else:
            future.set_result(made)


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
