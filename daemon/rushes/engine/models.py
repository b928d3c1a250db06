"""`rushes models add`: a folder of weights recognised, looked through, and written into the user's registry.

Nothing is loaded and nothing is run; of the weights only headers and bytes are read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from rushes.engine.modelsfile import ModelsFile, taken
from rushes.engine.studio import Studio
from rushes.generators import downloads, hub, installed
from rushes.generators.folders import Folder, blobs_of, read_folder, readable
from rushes.generators.models import QUALITIES, Model
from rushes.generators.safetensors_files import PICKLES, SUFFIX, check
from rushes.generators.templates import Template, checked, doubts, recognised
from rushes.generators.traits import ANIMATIC
from rushes.generators.weights import INSTALL, Digests, Weights, find
from rushes_otio.errors import BadRequest

Tell = Callable[[str, int, int], None]
"""Told what is being done, and how many bytes of how many are done."""

GIB = 1024**3
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks to be added. Empty is: not said."""

    source: str
    name: str = ""
    template: str = ""
    revision: str = ""
    download: bool = False
    accept: bool = False
    quality: str = ""
    dtype: str = ""
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Added:
    """A model that is in the registry now. `page` is where its licence is; `notes` are for the person."""

    name: str
    template: str
    source: str
    folder: str
    revision: str
    can: list[str]
    licence: str
    page: str
    accepted: bool
    files: int
    gib: float
    fingerprint: str
    registry: str
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def add(studio: Studio, wanted: Wanted, tell: Tell) -> Added:
    """Register a model. BadRequest or FileFault for one that cannot be used; then nothing is changed."""
    file = ModelsFile(studio.places)
    source, folder = _found(wanted, studio.weights.cache, tell)
    called = source if hub.is_name(source) else folder.path.name
    template_name = wanted.template or recognised(folder, called)
    template = checked(template_name, folder)
    name = _free_name(wanted.name or _name_of(called, folder.path), file.read())
    model = entry(wanted, template, folder, source)
    _check_weights(folder, model)
    located = Weights(Telling(studio.weights.digests, size_of(folder), tell), studio.weights.cache).located(model)
    file.add(name, model, f"{template.title}; licence: {model.licence}")
    return Added(
        name=name,
        template=template_name,
        source=model.source,
        folder=str(folder.path),
        revision=model.revision,
        can=list(model.can),
        licence=model.licence,
        page=template.page,
        accepted=model.accepted,
        files=len(located.files),
        gib=round(located.disk / GIB, 2),
        fingerprint=located.fingerprint(),
        registry=str(file.path),
        notes=_notes(name, model, template_name, doubts(template, folder)),
    )


def _check_weights(folder: Folder, model: Model) -> None:
    """FileFault for weights that are not whole."""
    for part in folder.components.values():
        for file in part.weights:
            check(folder.path / file)
    if model.adapter:
        check(Path(model.adapter))


def size_of(folder: Folder) -> int:
    """Bytes of everything that a model loads."""
    return sum((folder.path / file).stat().st_size for file in folder.files)


class Telling:
    """Digests that tell how far the reading of a model is."""

    def __init__(self, digests: Digests, total: int, tell: Tell) -> None:
        self._digests = digests
        self._total = total
        self._tell = tell
        self._done = 0

    def of(self, path: Path) -> str:
        self._tell(f"reading {path.name}", self._done, self._total)
        digest = self._digests.of(path)
        self._done += path.stat().st_size
        self._tell(f"reading {path.name}", self._done, self._total)
        return digest


def _found(wanted: Wanted, cache: Path, tell: Tell) -> tuple[str, Folder]:
    """What the entry will call the model's place, and the folder, downloaded first where that was asked for."""
    path = Path(wanted.source).expanduser()
    with readable(path):
        is_name = hub.is_name(wanted.source) and not path.exists()
    if wanted.download and not is_name:
        raise BadRequest(
            f"{wanted.source[:200]!r} is no name of a repository on the Hub",
            remedy="leave --download out for a folder; repositories are named OWNER/NAME",
        )
    if is_name:
        if wanted.download:
            return wanted.source, read_folder(downloads.download(wanted.source, wanted.revision, cache, tell))
        return wanted.source, read_folder(hub.find(wanted.source, wanted.revision, cache))
    _refuse_file(path)
    source = os.path.abspath(path)  # noqa: PTH100 (a link stays a link: people move what it leads to)
    return source, read_folder(find(source, "", cache))


def _refuse_file(path: Path) -> None:
    with readable(path):
        if not path.is_file():
            return
    if path.suffix.lower() in PICKLES:
        check(path)  # says why
    if path.suffix.lower() == SUFFIX:
        check(path)
        text = "a single file of weights is no model: it lacks the text encoder, the VAE and their settings"
    else:
        text = "this is a file, and a model is a folder"
    raise BadRequest(
        text,
        where=str(path),
        remedy="give a diffusers folder, one with model_index.json: repositories named …-Diffusers hold one",
    )


def _name_of(called: str, folder: Path) -> str:
    """A name after the repository or the folder."""
    if blobs_of(folder) is not None:
        called = folder.parents[1].name.split("--")[-1]
    plain = re.sub(r"[^a-z0-9._-]+", "-", called.rpartition("/")[2].lower()).strip("-._")
    return plain.removesuffix("-diffusers")[:64] or "model"


def _free_name(name: str, entries: dict[str, Model]) -> str:
    reserved = (ANIMATIC.name, *QUALITIES)
    if not _NAME.fullmatch(name) or name in reserved:
        raise BadRequest(
            f"a model cannot be called {name[:80]!r}",
            remedy=f"use letters, digits, '.', '-' and '_', at most 64, and none of {', '.join(reserved)}",
        )
    if name in entries:
        raise taken(name)
    return name


def entry(wanted: Wanted, template: Template, folder: Folder, source: str) -> Model:
    """The entry of a model: its template's, with what the folder and the person say laid over it."""
    fields: dict[str, Any] = msgspec.to_builtins(template.model)
    fields |= {"source": source, "pipeline": folder.pipeline, "accepted": wanted.accept or not template.ask}
    fields |= {"revision": folder.path.name} if hub.is_name(source) and blobs_of(folder.path) else {}
    fields |= {key: said for key, said in (("quality", wanted.quality), ("dtype", wanted.dtype)) if said}
    for setting in wanted.settings:
        _set(fields, setting)
    if fields.get("adapter"):
        fields["adapter"] = os.path.abspath(Path(fields["adapter"]).expanduser())  # noqa: PTH100 (as for `source`)
        fields["can"] = [*fields["can"], *({"references"} - {*fields["can"]})]
    try:
        model = msgspec.convert(fields, Model, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(
            f"the model cannot be registered so: {error}", remedy=f"fields: {', '.join(Model.__struct_fields__)}"
        ) from None
    _check_sizes(model)
    return model


def _set(fields: dict[str, Any], setting: str) -> None:
    """Lay KEY=VALUE over the fields; a dot leads into a table: `final.steps=40`."""
    key, equals, text = setting.partition("=")
    *tables, last = key.strip().split(".")
    if not equals or not last:
        raise BadRequest(f"{setting[:80]!r} is no KEY=VALUE", remedy="write for example --set final.steps=40")
    for table in tables:
        inner = fields.get(table, {})
        if not isinstance(inner, dict):
            raise BadRequest(f"{table!r} has no fields of its own", where=setting[:80], remedy="write KEY=VALUE")
        fields[table] = fields = dict(inner)
    fields[last] = _value(key.strip(), text)


def _value(key: str, text: str) -> object:
    if key == "can":
        return [word for word in re.split(r"[,\s]+", text) if word]
    if ".params." not in key:
        return text
    try:
        return msgspec.json.decode(text, type=int | bool | str)
    except msgspec.DecodeError:
        return text


def _check_sizes(model: Model) -> None:
    for quality in QUALITIES:
        size = model.profile(quality).width_height
        if model.serves(quality) and any(side % model.multiple for side in size):
            raise BadRequest(
                f"the size for {quality}, {size[0]}x{size[1]}, is no multiple of {model.multiple}",
                remedy=f"choose one that is: --set {quality}.size=WIDTHxHEIGHT",
            )


def _notes(name: str, model: Model, template: str, doubts: list[str]) -> list[str]:
    """What a person should know of the model that was added."""
    notes = []
    if doubts:
        notes.append(f"taken for {template}, although {'; '.join(doubts)}: check its sizes, steps and rate")
    if not model.accepted:
        notes.append(f"it is not used until you accept its licence: rushes models accept {name}")
    if lacking := installed.missing():
        notes.append(f"to run it, install {', '.join(lacking)}: {INSTALL}")
    return notes
