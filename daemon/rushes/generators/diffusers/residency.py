"""Which weights are in memory: components of models by fingerprint and name, read once, the least recently used
given up first, and never one that somebody works with.

Two memories: the machine's own, where components are read and wait, and the card's, where they work. What gives
way on the card goes back to the machine's memory while there is room, else it is forgotten (`Shelf`).
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from rushes.generators.base import Watch
from rushes.generators.cards import Card
from rushes.generators.diffusers import ladder
from rushes.generators.diffusers.devices import FALLBACK_MEMORY, Device
from rushes.generators.diffusers.ladder import Needs
from rushes.generators.diffusers.loading import read_parts
from rushes.generators.diffusers.remembered import Remembered
from rushes.generators.diffusers.shelf import Entry, Shelf
from rushes.generators.diffusers.turns import Claim, Turns, patiently
from rushes.generators.folders import read_folder
from rushes.generators.gpus import MIB, main_memory
from rushes.generators.rungs import Rung
from rushes_otio.errors import BadRequest

T = TypeVar("T")


class Reader(Protocol):
    """Where components come from."""

    def size(self, card: Card, name: str) -> int:
        """About how many bytes of memory a component will take."""

    def read(self, card: Card, names: Collection[str], watch: Watch) -> Mapping[str, Any]:
        """Components on the CPU, ready to run; one that the model does not have is missing or None."""


class Folders:
    """Components from the model's folder."""

    def size(self, card: Card, name: str) -> int:
        folder = read_folder(Path(card.folder))
        part = folder.components.get(name)
        return sum((folder.path / file).stat().st_size for file in part.weights) if part else 0

    def read(self, card: Card, names: Collection[str], watch: Watch) -> Mapping[str, Any]:
        return read_parts(card, names, watch)


@dataclass(frozen=True)
class Loaded:
    """Components that are kept as long as the context that they come from is open; hold on to none of them after.
    `components` has every name that was asked for, None for what the model does not have. A decoder among them is
    on the card already."""

    components: Mapping[str, Any]
    device: torch.device
    rung: Rung
    place: Callable[[Any], None]
    """Places a pipeline object made of these components, with the adapters that were loaded into them since."""


class Full(Exception):
    """Memory ran out on this rung."""

    def __init__(self, rung: Rung, needs: Needs) -> None:
        super().__init__(rung.value)
        self.rung = rung
        self.needs = needs


class Residency:
    """Safe from both lanes. `budget` is how many bytes of weights may lie in main memory, half of it where none is
    given. Work that alone takes more is done, and nothing else is kept then; it is kept until something else is
    read, as the next shot is most often of the same model."""

    def __init__(
        self,
        device: Device,
        remembered: Path | None = None,
        *,
        budget: int | None = None,
        reader: Reader | None = None,
    ) -> None:
        self.device = device
        self._reader = reader or Folders()
        self._remembered = Remembered(remembered)
        self._turns = Turns(device)
        self._shelf = Shelf(device, (main_memory() or FALLBACK_MEMORY) // 2 if budget is None else budget)
        self._reading = threading.Lock()

    @contextmanager
    def using(self, card: Card, names: Collection[str], watch: Watch, *, volume: int = 0) -> Iterator[Loaded]:
        """Read what is missing and make room on the card, where nothing that is in use is touched.

        `volume` is how much is made at once (width x height x frames), by which the ladder is remembered.
        BadRequest where memory runs out, with the next rung remembered, so that asking again may do.
        """
        try:
            with self._using(card, names, watch, volume, Rung.WHOLE, alone=False) as loaded:
                yield loaded
        except Full as full:
            raise self._given_up(card, volume, full) from full

    def run(
        self, card: Card, names: Collection[str], watch: Watch, do: Callable[[Loaded], T], *, volume: int = 0
    ) -> T:
        """`do` while the components are in use. When memory runs out, everything unused is put away and it is done
        once more, alone on the card and one rung down, which is remembered. BadRequest when it runs out again."""
        try:
            with self._using(card, names, watch, volume, Rung.WHOLE, alone=False) as loaded:
                return do(loaded)
        except Full as full:
            lowest = self._below(card, volume, full)
        self._shelf.put_away()
        try:
            with self._using(card, names, watch, volume, lowest, alone=True) as loaded:
                return do(loaded)
        except Full as full:
            raise self._given_up(card, volume, full) from full

    def drop(self, card: Card, names: Collection[str]) -> None:
        """Forget components; those in use as soon as they no longer are."""
        self._shelf.drop(card.fingerprint, names)

    @contextmanager
    def _using(
        self, card: Card, names: Collection[str], watch: Watch, volume: int, lowest: Rung, *, alone: bool
    ) -> Iterator[Loaded]:
        """As `using`, from `lowest` down. `Full` where memory runs out."""
        entries = self._taken(card, names, watch)
        with self.device.current(), self._shelf.returned(entries):
            needs = Needs({entry.name: entry.size for entry in entries}, card.working_mib * MIB)
            choose = partial(self._claim, card, volume, needs, lowest)
            with self._turns.turn(choose, alone, watch) as claim, _watched(claim.rung, needs):
                tick = partial(watch.progress, 0, 0)
                self._shelf.prepare(entries, claim, tick)
                components = {entry.name: entry.component for entry in entries}
                place = partial(self._shelf.place, entries, claim.rung, tick)
                try:
                    yield Loaded(components, self.device.torch_device, claim.rung, place)
                finally:
                    components.clear()

    def _taken(self, card: Card, names: Collection[str], watch: Watch) -> list[Entry]:
        """The components, in use from here on, in the order of `names`."""
        found, missing = self._shelf.take(card.fingerprint, names)
        if missing:
            with self._shelf.kept_unless_raised(found), patiently(self._reading, partial(watch.progress, 0, 0)):
                found += self._read(card, missing, watch)
        return sorted(found, key=lambda entry: list(names).index(entry.name))

    def _read(self, card: Card, names: Collection[str], watch: Watch) -> list[Entry]:
        """Those that the other lane has read meanwhile are not read again."""
        found, missing = self._shelf.take(card.fingerprint, names)
        if not missing:
            return found
        with self._shelf.kept_unless_raised(found):
            self._shelf.make_room(sum(self._reader.size(card, name) for name in missing))
            read = self._reader.read(card, missing, watch)
            return found + self._shelf.add(card.fingerprint, {name: read.get(name) for name in missing})

    def _claim(self, card: Card, volume: int, needs: Needs, lowest: Rung, room: int) -> Claim:
        """The rung for `room` bytes. On a card that nobody else uses, a forecast that nothing fits is not believed
        before memory has run out on the last rung."""
        if not self.device.offloads:
            return Claim(Rung.WHOLE, 0)
        known = self._remembered.lowest(self._where(card), volume.bit_length())
        rung = needs.fitting(room, ladder.lower(known, lowest))
        if rung is None and ladder.held_by_others(self.device):
            raise ladder.shortage(self.device, room, needs.on(Rung.GROUPS))
        rung = rung or Rung.GROUPS
        return Claim(rung, needs.on(rung))

    def _below(self, card: Card, volume: int, full: Full) -> Rung:
        """The rung to try next. It is remembered, unless another program filled the card: it will not always."""
        below = full.needs.below(full.rung) if self.device.offloads else None
        if below is not None and not ladder.held_by_others(self.device):
            self._remembered.keep(self._where(card), volume.bit_length(), below)
        return below or full.rung

    def _given_up(self, card: Card, volume: int, full: Full) -> BadRequest:
        self._below(card, volume, full)
        self._shelf.put_away()
        return ladder.shortage(self.device, self.device.free(), full.needs.on(full.rung))

    def _where(self, card: Card) -> str:
        return f"{self.device.name}, {self.device.total() // MIB} MiB: {card.fingerprint}"


@contextmanager
def _watched(rung: Rung, needs: Needs) -> Iterator[None]:
    """`Full` in place of whatever says that memory ran out. The frames it comes from hold on to the very tensors
    that are to be freed, so they are cleared."""
    try:
        yield
    except Exception as error:
        if not ladder.is_out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)
        raise Full(rung, needs) from None
