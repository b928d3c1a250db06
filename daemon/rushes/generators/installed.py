"""What the generator `diffusers` needs installed beside Rushes, and which versions of it are sound.

Read from the metadata of what is installed; none of it is imported.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable
from dataclasses import dataclass

Version = Callable[[str], str | None]
"""The installed version of a distribution; None where there is none."""

Numbers = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Versions from `least` on and, where `below` is set, before that one. `why` is fit for a person."""

    least: Numbers
    below: Numbers | None
    why: str

    def __str__(self) -> str:
        return f">={_dotted(self.least)}" + (f",<{_dotted(self.below)}" if self.below else "")


SOUND: dict[str, Bounds] = {
    "torch": Bounds((2, 10), None, "older ones can be made to run code by a file of weights"),
    "diffusers": Bounds(
        (0, 38),
        (0, 43),
        "older ones can be made to run code by a folder of weights, and newer ones may make other pictures",
    ),
}

NEEDED = (*SOUND, "transformers", "accelerate", "safetensors", "peft", "ftfy")


def version(distribution: str) -> str | None:
    """What is installed here."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def missing(installed: Version = version) -> list[str]:
    """The distributions that are not there."""
    return [name for name in NEEDED if installed(name) is None]


def unsound(installed: Version = version) -> list[str]:
    """One sentence for each that is there in a version that must not be used, or is not known."""
    found = [(name, said, bounds) for name, bounds in SOUND.items() if (said := installed(name)) is not None]
    return [
        f"{name} is {said} and not {bounds}: {bounds.why}"
        for name, said, bounds in found
        if not _within(said, bounds)
    ]


def _within(said: str, bounds: Bounds) -> bool:
    """What is not yet finished, such as 2.10.0rc1, comes before what it will be; a build, such as 2.10.0+cu128, is
    what it is a build of. What is no version is within nothing."""
    found = re.match(r"(\d{1,9}(?:\.\d{1,9})*)(.*)", said)
    if found is None:
        return False
    numbers, least = _padded(tuple(map(int, found[1].split(".")))), _padded(bounds.least)
    unfinished = re.match(r"[.\-_]?(a|b|c|rc|dev|pre)", found[2]) is not None
    enough = numbers > least or (numbers == least and not unfinished)
    return enough and (bounds.below is None or numbers < _padded(bounds.below))


def _padded(numbers: Numbers) -> Numbers:
    return numbers + (0,) * (8 - len(numbers))


def _dotted(numbers: Numbers) -> str:
    return ".".join(map(str, numbers))
