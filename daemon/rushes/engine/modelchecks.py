"""`rushes models list` and `check`: which registered models can be used here, and are their files whole?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rushes.engine.models import GIB, Tell, size_of
from rushes.engine.studio import Studio
from rushes.generators import installed
from rushes.generators.folders import Folder, check_inside, read_folder, readable
from rushes.generators.models import Model
from rushes.generators.safetensors_files import SUFFIX, check
from rushes.generators.templates import templates
from rushes.generators.weights import INSTALL, Weights, hub_digest
from rushes_otio.errors import BadRequest, FileFault, RushesError

_BLOCK = 1 << 24


@dataclass(frozen=True, slots=True)
class Row:
    """A registered model as a list shows it. `fault` is why it cannot be used here, None where it can."""

    name: str
    generator: str
    quality: str | None
    can: list[str]
    source: str
    folder: str | None
    gib: float | None
    licence: str
    accepted: bool
    installed: bool
    usable: bool
    fault: dict[str, str] | None
    fingerprint: str | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def rows(studio: Studio) -> list[Row]:
    """Every registered model, the animatic first."""
    return [_row(studio.weights, name, model) for name, model in studio.registry.models.items()]


def _row(weights: Weights, name: str, model: Model) -> Row:
    runs_weights = model.traits is not None and model.traits.models
    located = weights.locate(model) if runs_weights else None
    fault = _fault(weights, name, model)
    return Row(
        name=name,
        generator=model.generator,
        quality=model.quality or None,
        can=list(model.can),
        source=model.source,
        folder=str(located.folder) if located else None,
        gib=round(located.disk / GIB, 2) if located else None,
        licence=model.licence,
        accepted=model.accepted,
        installed=model.traits is not None and not (runs_weights and installed.missing()),
        usable=fault is None,
        fault=fault.as_dict() if fault else None,
        fingerprint=located.fingerprint() if located else None,
    )


def _fault(weights: Weights, name: str, model: Model) -> RushesError | None:
    """Why a model cannot be used on this machine, the first thing a person would mend."""
    if model.traits is None:
        return BadRequest(
            f"its generator, {model.generator!r}, is not known here",
            remedy="correct it, or install a Rushes that has it",
        )
    if not model.traits.models:
        return None
    if not model.accepted:
        return BadRequest(
            f"its licence, {model.licence or 'which it does not name'}, is not accepted",
            remedy=f"read it, then run: rushes models accept {name}",
        )
    if fault := weights.fault(model):
        return fault
    if lacking := installed.missing():
        return BadRequest(f"not installed: {', '.join(lacking)}", remedy=INSTALL)
    if wrong := installed.unsound():
        return BadRequest("; ".join(wrong), remedy=INSTALL)
    return None


@dataclass(frozen=True, slots=True)
class Known:
    """A model that Rushes knows how to run."""

    template: str
    title: str
    repository: str
    can: list[str]
    licence: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def known_models() -> list[Known]:
    """Every shipped template."""
    return [
        Known(name, known.title, known.repository, list(known.model.can), known.model.licence)
        for name, known in templates().items()
    ]


@dataclass(frozen=True, slots=True)
class Checked:
    """A model whose every byte was read."""

    name: str
    files: int
    gib: float
    faults: list[dict[str, str]]

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ok": not self.faults}


def check_models(studio: Studio, names: list[str], tell: Tell) -> list[Checked]:
    """Read every file of the models named, or of all that have files. BadRequest for a name that is not there."""
    entries = studio.registry.models
    unknown = [name for name in names if name not in entries]
    if unknown:
        raise BadRequest(
            f"no model called {unknown[0][:80]!r} is registered", remedy=f"registered: {', '.join(entries)}"
        )
    wanted = names or [name for name, model in entries.items() if model.source]
    return [_checked(studio, name, entries[name], tell) for name in wanted]


def _checked(studio: Studio, name: str, model: Model, tell: Tell) -> Checked:
    if not model.source:
        return Checked(name, 0, 0.0, [])
    try:
        folder = read_folder(studio.weights.folder(model))
    except RushesError as fault:
        return Checked(name, 0, 0.0, [fault.as_dict()])
    faults = list(_faults_of_files(studio, folder, name, tell))
    if not faults and (other := studio.weights.fault(model)):
        faults = [other]
    said = [fault.as_dict() for fault in faults]
    return Checked(name, len(folder.files), round(size_of(folder) / GIB, 2), said)


def _faults_of_files(studio: Studio, folder: Folder, name: str, tell: Tell) -> Iterator[RushesError]:
    reading = _Reading(name, size_of(folder), tell)
    for file in folder.files:
        reading.file = file
        try:
            with readable(folder.path / file):
                _check_file(studio, folder, file, reading)
        except RushesError as fault:
            yield fault


@dataclass(slots=True)
class _Reading:
    """How far a model is read."""

    name: str
    total: int
    tell: Tell
    file: str = ""
    done: int = 0

    def more(self, count: int) -> None:
        self.done += count
        self.tell(f"{self.name}: {self.file}", self.done, self.total)


def _check_file(studio: Studio, folder: Folder, file: str, reading: _Reading) -> None:
    """FileFault for a file that is not what it was, or not what the Hub says it is."""
    real = check_inside(folder.path, file)
    if file.endswith(SUFFIX):
        check(folder.path / file)
    by_hub = hub_digest(folder.path, file)
    found = _digests(real, reading)
    if by_hub is not None and by_hub not in found:
        raise FileFault(
            "the file is not the one of the Hub: it was damaged or changed",
            where=str(folder.path / file),
            remedy="delete it, then download it again: rushes models add HUB-ID --download",
        )
    if by_hub is None and studio.weights.digests.of(real) not in found:
        raise FileFault(
            "the file is not what it was when it was last read, though its date is: the disk may be failing",
            where=str(folder.path / file),
            remedy="copy it there again from where it came",
        )


def _digests(path: Path, reading: _Reading) -> tuple[str, str]:
    """The sha256 of a file, and its sha1 as git counts it, by which the Hub knows small files."""
    size = path.stat().st_size
    sha256 = hashlib.sha256()
    git = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    small = size <= _BLOCK
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
            if small:
                git.update(block)
            reading.more(len(block))
    return sha256.hexdigest(), git.hexdigest()
