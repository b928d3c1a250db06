"""Where loaded components lie, what is in use, and what gives way to what. Rungs are decided elsewhere."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from rushes.generators.diffusers import ladder
from rushes.generators.diffusers.devices import Device, size_of
from rushes.generators.diffusers.ticking import Tick
from rushes.generators.diffusers.turns import Claim
from rushes.generators.rungs import Rung


@dataclass(eq=False)
class Entry:
    """One component of one model. `rung` is how it is placed: None while it waits in main memory."""

    model: str
    name: str
    component: Any
    size: int
    used: int
    users: int = 1
    rung: Rung | None = None
    dropped: bool = False

    @property
    def module(self) -> torch.nn.Module | None:
        """None for what has no weights: tokenizers, schedulers, and components that a model does not have."""
        return self.component if isinstance(self.component, torch.nn.Module) else None


class Shelf:
    """Every component in memory. Safe from any thread; weights are moved while its lock is held."""

    def __init__(self, device: Device, budget: int) -> None:
        self._device = device
        self._budget = budget
        self._entries: dict[tuple[str, str], Entry] = {}
        self._clock = itertools.count()
        self._lock = threading.RLock()

    def take(self, model: str, names: Collection[str]) -> tuple[list[Entry], list[str]]:
        """Those of `names` that are here, in use from now on, and those that are not."""
        with self._lock:
            found = [self._entries[model, name] for name in names if (model, name) in self._entries]
            for entry in found:
                entry.users += 1
                entry.dropped = False
                entry.used = next(self._clock)
        here = {entry.name for entry in found}
        return found, [name for name in names if name not in here]

    def add(self, model: str, components: Mapping[str, Any]) -> list[Entry]:
        """New components, in use from now on."""
        with self._lock:
            new = [
                Entry(model, name, component, size_of(component), next(self._clock))
                for name, component in components.items()
            ]
            self._entries |= {(model, entry.name): entry for entry in new}
            self.make_room(0)
            return new

    def make_room(self, size: int) -> None:
        """Forget the least recently used that wait in main memory, until `size` more bytes are within the budget
        or nothing is left to forget."""
        with self._lock:
            idle = [entry for entry in self._idle() if not self._on_card(entry)]
            over = self._waiting_bytes() + size - self._budget
            freed = itertools.accumulate((entry.size for entry in idle), initial=0)
            self._forget(entry for entry, before in zip(idle, freed, strict=False) if before < over)

    def prepare(self, entries: Sequence[Entry], claim: Claim, tick: Tick) -> None:
        """Make room on the card for what is claimed, and bring there what stays there on this rung."""
        with self._lock:
            staying = [entry for entry in entries if claim.rung is Rung.WHOLE or ladder.stays(entry.name)]
            alone = [entry for entry in entries if entry.users == 1 and self._on_card(entry)]
            leaving = [entry for entry in alone if entry not in staying]
            self.make_room(sum(entry.size for entry in leaving))
            for entry in leaving:
                self._off(entry)
            self._make_card_room(entries, claim.size)
            for entry in staying:
                self._hold(entry, tick)

    def place(self, entries: Sequence[Entry], rung: Rung, tick: Tick, pipe: Any) -> None:  # noqa: ANN401
        """Place a pipeline object that is made of `entries`. One that somebody else works with stays as it is."""
        with self._lock:
            moving = [entry for entry in entries if not ladder.stays(entry.name) and entry.module is not None]
            free = [entry for entry in moving if entry.users == 1 or entry.rung is None]
            match rung:
                case Rung.WHOLE:
                    for entry in entries:
                        self._hold(entry, tick)
                case Rung.MODELS:
                    self._chain(free, pipe, tick)
                case Rung.GROUPS:
                    for entry in free:
                        self._spread(entry, tick)

    @contextmanager
    def returned(self, entries: Sequence[Entry]) -> Iterator[None]:
        """`entries` are in use until this ends."""
        with self.kept_unless_raised(entries):
            yield
        self._give_back(entries, torn=False)

    @contextmanager
    def kept_unless_raised(self, entries: Sequence[Entry]) -> Iterator[None]:
        """`entries` are in use until this fails."""
        try:
            yield
        except BaseException:
            self._give_back(entries, torn=True)
            raise

    def drop(self, model: str, names: Collection[str]) -> None:
        """Forget these, those in use as soon as they no longer are."""
        with self._lock:
            entries = [self._entries[model, name] for name in names if (model, name) in self._entries]
            for entry in entries:
                entry.dropped = True
            self._forget(entry for entry in entries if entry.users == 0)

    def put_away(self) -> None:
        """Make free what is not in use: on the card, or where there is none, in main memory."""
        with self._lock:
            for entry in self._idle():
                self._give_way(entry)
            if not self._device.offloads:
                self._forget(self._idle())
            self._device.empty()

    def _give_back(self, entries: Sequence[Entry], *, torn: bool) -> None:
        """`torn`: the work ended in the middle, and weights may lie where no finished run leaves them."""
        with self._lock:
            for entry in entries:
                entry.users -= 1
                if entry.users:
                    continue
                if entry.rung is Rung.MODELS or (torn and entry.rung is Rung.GROUPS):
                    self._off(entry)
            self._forget(entry for entry in entries if entry.dropped and entry.users == 0)

    def _idle(self) -> list[Entry]:
        """What nobody works with, the least recently used first."""
        return sorted(
            (entry for entry in self._entries.values() if entry.users == 0), key=lambda entry: entry.used
        )

    def _on_card(self, entry: Entry) -> bool:
        return entry.rung is Rung.WHOLE and self._device.offloads

    def _waiting_bytes(self) -> int:
        return sum(entry.size for entry in self._entries.values() if not self._on_card(entry))

    def _make_card_room(self, entries: Sequence[Entry], size: int) -> None:
        there = sum(entry.size for entry in entries if self._on_card(entry))
        for entry in [entry for entry in self._idle() if self._on_card(entry)]:
            if self._device.free() + there >= size:
                return
            self._give_way(entry)

    def _give_way(self, entry: Entry) -> None:
        """Back to main memory, or out of it where there is no room."""
        if self._on_card(entry):
            self.make_room(entry.size)
            if self._waiting_bytes() + entry.size > self._budget:
                return self._forget([entry])
        return self._off(entry)

    def _forget(self, entries: Iterable[Entry]) -> None:
        """Models hold on to themselves in circles, so nothing is free before the collector has been round."""
        gone = list(entries)
        for entry in gone:
            self._entries.pop((entry.model, entry.name), None)
            entry.component = None
        if any(entry.size for entry in gone):
            self._device.empty()

    def _hold(self, entry: Entry, tick: Tick) -> None:
        """On the card as a whole. Done again for one that is there: adapters may have been loaded into it."""
        if (module := entry.module) is None or (entry.users > 1 and entry.rung is not None):
            return
        if entry.rung not in (None, Rung.WHOLE):
            ladder.clear(module)
        entry.rung = Rung.WHOLE
        self._device.hold(module, tick)

    def _chain(self, entries: Sequence[Entry], pipe: Any, tick: Tick) -> None:  # noqa: ANN401
        modules = {}
        for entry in entries:
            self._off(entry)
            entry.rung = Rung.MODELS
            modules[entry.name] = entry.component
        ladder.chain(pipe, modules, self._device, tick)

    def _spread(self, entry: Entry, tick: Tick) -> None:
        """Not anew where it is spread already: locking the memory of large weights takes many seconds."""
        if entry.rung is not Rung.GROUPS:
            self._off(entry)
            beside = sum(other.size for other in self._entries.values() if other.rung is Rung.GROUPS)
            entry.rung = Rung.GROUPS
            ladder.spread(entry.component, self._device, beside, tick)

    def _off(self, entry: Entry) -> None:
        """In main memory, without hooks."""
        if (module := entry.module) is None or entry.rung is None:
            return
        ladder.clear(module)
        self._device.release(module)
        entry.rung = None
