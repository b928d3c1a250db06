"""Whether a registered model fits this machine, and how: on the card as a whole, in parts, in blocks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rushes.engine.checks import Check
from rushes.generators.gpus import Gpu, Program
from rushes.generators.registry import TEXT
from rushes.generators.rungs import Rung, first_fitting, needed

GIB = 1 << 30

WORDS_WORKING = GIB // 2
"""Bytes that a text encoder takes beside its weights; a prompt is short."""

_LESS = "use a smaller model, or register it with a smaller size"
_HOW = {
    Rung.WHOLE: "as a whole",
    Rung.MODELS: "part by part (model offload)",
    Rung.GROUPS: "block by block, slowly (group offload)",
}


@dataclass(frozen=True, slots=True)
class Largest:
    """The card with the most memory, in bytes. `free` is what nobody has, with what Rushes itself has and can let
    go; `others` says who has the rest, for people."""

    total: int
    free: int
    others: str


@dataclass(frozen=True, slots=True)
class Room:
    """Where a model may lie. `card` is None where there is none, or its driver does not tell; `main` is the
    machine's own memory in bytes, None where it is not known."""

    card: Largest | None
    main: int | None

    @classmethod
    def of(cls, cards: list[Gpu], programs: list[Program], workers: Collection[int], main: int | None) -> Room:
        """`workers` are the PIDs of Rushes' own workers."""
        known = [(card.total, card) for card in cards if card.total is not None]
        if not known:
            return cls(None, main)
        total, card = max(known, key=lambda pair: pair[0])
        here = [program for program in programs if program.uuid == card.uuid]
        ours = sum(program.held or 0 for program in here if program.pid in workers)
        free = total if card.free is None else min(card.free + ours, total)
        others = ", ".join(held_by(program, workers) for program in here if program.pid not in workers)
        return cls(Largest(total, free, others), main)


@dataclass(frozen=True, slots=True)
class _Step:
    """Components that work together, and the bytes beside their weights. A model has two steps that never work at
    the same time: words and pictures."""

    sizes: Mapping[str, int]
    working: int

    def rung(self, free: int) -> Rung | None:
        return first_fitting(self.sizes, self.working, free)

    def least(self) -> int:
        return needed(self.sizes, self.working)[Rung.GROUPS]


def fit(name: str, sizes: Mapping[str, int], working: int, room: Room) -> Check:
    """The check called `name` of a model whose components have these sizes in bytes, and whose pictures take
    `working` bytes beside them."""
    words = _Step({part: size for part, size in sizes.items() if part in TEXT}, WORDS_WORKING)
    pictures = _Step({part: size for part, size in sizes.items() if part not in TEXT}, working)
    if room.card is None:
        return _on_processor(name, pictures, room.main)
    return _on_card(name, words, pictures, room.card, room.main)


def _on_processor(name: str, pictures: _Step, main: int | None) -> Check:
    wanted = needed(pictures.sizes, pictures.working)[Rung.WHOLE]
    said = f"on the processor: {gib(wanted)} GiB of this machine's {gib(main)}"
    return Check(name, main is None or wanted <= main, said, "use a smaller model, or a machine with more memory")


def _on_card(name: str, words: _Step, pictures: _Step, card: Largest, main: int | None) -> Check:
    rung, words_rung = pictures.rung(card.free), words.rung(card.free)
    if rung is None or words_rung is None:
        return _too_large(name, max(words.least(), pictures.least()), card)
    wanted = needed(pictures.sizes, pictures.working)
    said = f"on the card {_HOW[rung]}: {gib(wanted[rung])} of {gib(card.free)} GiB free"
    if words_rung is not Rung.WHOLE:
        said += f"; its text encoder {_HOW[words_rung]}"
    if rung is Rung.WHOLE:
        return Check(name, True, said)
    waiting = sum(pictures.sizes.values())
    said += f" (as a whole {gib(wanted[Rung.WHOLE])}), waiting in {gib(waiting)} of the machine's {gib(main)}"
    return Check(name, main is None or waiting <= main, said, _LESS)


def _too_large(name: str, least: int, card: Largest) -> Check:
    if least <= card.total:
        said = f"does not fit now: it takes {gib(least)} GiB, and {gib(card.free)} of {gib(card.total)} are free"
        return Check(name, False, said, f"end other programs on the card{card.others and ': ' + card.others}")
    said = f"does not fit: it takes {gib(least)} GiB even block by block, and the card has {gib(card.total)}"
    return Check(name, False, said, _LESS)


def held_by(program: Program, workers: Collection[int]) -> str:
    """Who holds how much of a card, for people."""
    who = "Rushes' worker" if program.pid in workers else program.name.replace("\\", "/").rpartition("/")[2]
    return f"{who} ({program.pid}) holds {'some' if program.held is None else gib(program.held) + ' GiB'}"


def gib(size: int | None) -> str:
    """Bytes as GiB, for people."""
    return "?" if size is None else f"{size / GIB:.1f}"
