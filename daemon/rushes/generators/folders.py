"""A folder of a model as diffusers saves it: `model_index.json` names the components, each in a folder of its own.

What is read is decided here and nowhere else: the files that a pipeline really loads. What would make a library
run code that came with the weights, or read outside the folder, is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from rushes.generators.safetensors_files import PICKLES, SUFFIX
from rushes_otio.errors import FileFault

INDEX = "model_index.json"

CONFIG_LIMIT = 16 * 1024**2
"""Longest JSON file that is looked into, in bytes. The list of shards of the largest models has some 200 KB."""

LIBRARIES = ("diffusers", "transformers")
"""Where components may come from."""

_STEMS = {"diffusers": "diffusion_pytorch_model", "transformers": "model"}
_LIGHT = re.compile(r"(Tokenizer|TokenizerFast|Scheduler|Processor|ProcessorFast|ProcessorPil|FeatureExtractor)$")
_READ_WITHOUT_WEIGHTS = {".json", ".txt", ".model", ".jinja"}
_CODE = ("auto_map", "custom_pipeline", "custom_pipelines")
_COMPONENT = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SAFE = "use a model that diffusers and transformers know by themselves"


@dataclass(frozen=True, slots=True)
class Component:
    """One component: its class, and the files it is loaded from, relative to the model's folder."""

    name: str
    library: str
    kind: str  # the name of its class
    files: tuple[str, ...]
    weights: tuple[str, ...]  # those of the files that are weights


@dataclass(frozen=True)
class Folder:
    """A model's folder, looked through. `settings` are those of the pipeline itself (`boundary_ratio` …)."""

    path: Path
    pipeline: str
    settings: dict[str, Any]
    components: dict[str, Component]
    _configs: dict[str, dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Everything that the pipeline loads, sorted."""
        return tuple(sorted({INDEX, *(file for part in self.components.values() for file in part.files)}))

    def setting(self, name: str) -> Any:  # noqa: ANN401
        """`boundary_ratio` of the pipeline, `transformer.num_layers` of a component, or, for the name of a
        component, its class; None where there is no such thing."""
        component, _, key = name.partition(".")
        if not key:
            found = self.components.get(name)
            return found.kind if found else self.settings.get(name)
        return self._config(component).get(key)

    def _config(self, component: str) -> dict[str, Any]:
        if component not in self._configs:
            own = ("config.json", "scheduler_config.json", "preprocessor_config.json")
            files = self.components[component].files if component in self.components else ()
            found = next((file for file in files if file.rpartition("/")[2] in own), None)
            self._configs[component] = read_json(self.path / found) if found else {}
        return self._configs[component]


@contextmanager
def readable(path: Path | str) -> Iterator[None]:
    """What the system refuses inside the block becomes a FileFault."""
    try:
        yield
    except OSError as error:
        raise FileFault(
            f"the model cannot be read: {error.strerror or error}",
            where=str(error.filename or path),
            remedy="check the path, and who may read it",
        ) from error


def read_folder(path: Path) -> Folder:
    """The model in a folder. FileFault for what is no such folder, lacks a file, or is refused."""
    with readable(path):
        return _read_folder(path)


def _read_folder(path: Path) -> Folder:
    index = read_json(_index(path))
    kind = index.get("_class_name")
    if not isinstance(kind, str):
        text = "the pipeline is code that came with the model" if kind else "it does not say which pipeline it is"
        raise FileFault(text, where=str(path / INDEX), remedy=_SAFE)
    _refuse_code(index, path / INDEX)
    named = {name: value for name, value in index.items() if not name.startswith("_")}
    parts = {name: value for name, value in named.items() if isinstance(value, list)}
    components = {name: _component(path, name, value) for name, value in parts.items() if value != [None, None]}
    folder = Folder(path, kind, {n: v for n, v in named.items() if n not in parts}, components)
    for file in folder.files:
        check_inside(path, file)
    return folder


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of a model. FileFault."""
    try:
        if path.stat().st_size > CONFIG_LIMIT:
            raise FileFault(
                f"the file is over {CONFIG_LIMIT // 1024**2} MiB",
                where=str(path),
                remedy="download the model again",
            )
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise _missing(path, error.strerror or str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileFault(
            f"the file is damaged: {error}", where=str(path), remedy="download the model again"
        ) from None


def check_inside(folder: Path, file: str) -> Path:
    """The real path of a file of a model. FileFault for one that is missing, or a link out of the folder; the
    Hub's cache keeps its files beside the folder, as links, and those are in order."""
    path = folder / file
    real = Path(os.path.realpath(path))
    if not real.is_file():
        raise _missing(path, "there is no such file")
    if not any(real.is_relative_to(os.path.realpath(root)) for root in (folder, *_stores(folder))):
        raise FileFault(
            "this is a link that leads out of the model's folder",
            where=str(path),
            remedy="put the file itself there",
        )
    return real


def blobs_of(folder: Path) -> Path | None:
    """Where the Hub's cache keeps the files of the repository that `folder` is a snapshot of; None elsewhere."""
    is_snapshot = folder.parent.name == "snapshots" and folder.parents[1].name.startswith("models--")
    return folder.parents[1] / "blobs" if is_snapshot else None


def _stores(folder: Path) -> Iterator[Path]:
    """The blobs of the repository, and those that repositories share (huggingface_hub 2)."""
    blobs = blobs_of(folder)
    if blobs is not None:
        yield blobs
        yield blobs.parents[1] / "blobs"


def _index(path: Path) -> Path:
    if (path / INDEX).is_file():
        return path / INDEX
    if not path.is_dir():
        text, remedy = "the folder of the model is not there", "connect the disk it is on, or correct its path"
    elif (path / "modular_model_index.json").is_file():
        text, remedy = (
            "this is a modular pipeline, which Rushes does not run",
            "use the model's plain diffusers folder",
        )
    elif path.name.startswith("models--"):
        name = "/".join(path.name.split("--")[1:3])
        text, remedy = "this is a folder of the Hub's cache", f"name the repository: rushes models add {name}"
    elif (path / "config.json").is_file():
        text, remedy = f"this is one component of a model: it has no {INDEX}", "give the folder above it"
    else:
        text = f"this is no model: it has no {INDEX}"
        remedy = "give a folder as diffusers saves it, such as that of a repository whose name ends in -Diffusers"
    raise FileFault(text, where=str(path), remedy=remedy)


def _component(folder: Path, name: str, made_of: list[Any]) -> Component:
    where = str(folder / INDEX)
    library, kind = made_of if len(made_of) == 2 else (None, None)
    if not _COMPONENT.fullmatch(name):
        raise FileFault(f"{name[:80]!r} is no name of a component", where=where, remedy=_SAFE)
    if library not in LIBRARIES or not isinstance(kind, str):
        raise FileFault(
            f"the component {name!r} comes from {str(library)[:80]!r}, neither diffusers nor transformers",
            where=where,
            remedy=_SAFE,
        )
    if not (folder / name).is_dir():
        raise _missing(folder / name, "there is no such folder")
    light = _LIGHT.search(kind) is not None
    weights, lists = ((), ()) if light else _weights(folder, name, str(library))
    files = (*_light_files(folder / name, name), *lists, *weights)
    if not files:
        raise _missing(folder / name, "the folder is empty")
    _refuse_code_in(folder, name, files)
    return Component(name, str(library), kind, tuple(sorted(set(files))), weights)


def _light_files(folder: Path, name: str) -> list[str]:
    """Settings and vocabularies. Lists of shards are left to `_weights`: only one of them is read."""
    found = [file.name for file in folder.iterdir() if file.suffix in _READ_WITHOUT_WEIGHTS]
    return [f"{name}/{file}" for file in found if not file.endswith(".index.json")]


def _weights(folder: Path, name: str, library: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files of weights that the library will read, and the list of them where there is one."""
    single = f"{_STEMS[library]}{SUFFIX}"
    listed = f"{single}.index.json"
    has_single, has_list = (folder / name / single).is_file(), (folder / name / listed).is_file()
    if has_list and (library == "diffusers" or not has_single):
        return _shards(folder / name / listed, name), (f"{name}/{listed}",)
    if has_single:
        return (f"{name}/{single}",), ()
    raise _no_weights(folder / name, single)


def _shards(listed: Path, name: str) -> tuple[str, ...]:
    shards = read_json(listed).get("weight_map")
    files = sorted({str(file) for file in shards.values()}) if isinstance(shards, dict) else []
    wrong = [file for file in files if not re.fullmatch(r"[\w.-]+\.safetensors", file)]
    if wrong or not files:
        said = f"names {wrong[0][:80]!r} as weights" if wrong else "names no weights"
        raise FileFault(f"the list of shards {said}", where=str(listed), remedy="download the model again")
    return tuple(f"{name}/{file}" for file in files)


def _no_weights(folder: Path, wanted: str) -> FileFault:
    there = sorted(file.name for file in folder.iterdir())
    pickles = [file for file in there if Path(file).suffix.lower() in PICKLES]
    variants = [file for file in there if file.endswith(SUFFIX)]
    if pickles:
        return FileFault(
            f"the weights are pickles ({pickles[0]}), which can hold programs and are never opened",
            where=str(folder),
            remedy="get the model in the safetensors format",
        )
    if variants:
        return FileFault(
            f"{wanted} is missing; there is {variants[0]}",
            where=str(folder),
            remedy=f"download the plain files of the model, or rename a variant to {wanted}",
        )
    return _missing(folder / wanted, "there is no such file")


def _refuse_code_in(folder: Path, name: str, files: tuple[str, ...]) -> None:
    programs = sorted(file.name for file in (folder / name).glob("*.py"))
    if programs:
        where = str(folder / name / programs[0])
        raise FileFault("the component is code that came with the model", where=where, remedy=_SAFE)
    for file in files:
        if file.endswith("config.json"):
            _refuse_code(read_json(folder / file), folder / file)


def _refuse_code(settings: dict[str, Any], where: Path) -> None:
    key = next((key for key in _CODE if settings.get(key)), None)
    if key is not None:
        raise FileFault(f"the model wants to run code that came with it ({key})", where=str(where), remedy=_SAFE)


def _missing(path: Path, why: str) -> FileFault:
    return FileFault(
        f"a part of the model is missing: {why}",
        where=str(path),
        remedy="copy it there, or download the model: rushes models add HUB-ID --download",
    )
