"""The families of models that Rushes knows (`templates.toml`), and which of them a folder is."""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from rushes.generators.folders import Folder
from rushes.generators.models import Model
from rushes.generators.traits import DIFFUSERS
from rushes_otio.errors import BadRequest

Wanted = dict[str, str | int | bool]
"""What is so of a folder: settings by name; "present" and "absent" for those that are just there or not."""


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One known model; the head of `templates.toml` says what the fields are for. `model` is its entry, without
    what only a folder can say."""

    title: str
    family: str
    repository: str
    pipelines: list[str]
    needs: Wanted
    hints: Wanted
    called: str
    model: Model
    ask: bool = False
    page: str = ""

    def fits(self, folder: Folder) -> bool:
        """Whether a folder can be this model."""
        return folder.pipeline in self.pipelines and all(_is_so(folder, *need) for need in self.needs.items())

    def likeness(self, folder: Folder, called: str) -> tuple[int, bool]:
        """How much a folder that fits is like this model; `called` is the name it came under."""
        hints = sum(_is_so(folder, *hint) for hint in self.hints.items())
        return hints, re.search(self.called, called, re.IGNORECASE) is not None


def _is_so(folder: Folder, name: str, wanted: object) -> bool:
    found = folder.setting(name)
    if wanted in ("present", "absent"):
        return (found is not None) == (wanted == "present")
    return (found if found is not None else False) == wanted


@cache
def templates() -> dict[str, Template]:
    """Every template, by name."""
    shipped = tomllib.loads(files("rushes.generators").joinpath("templates.toml").read_text(encoding="utf-8"))
    return {name: _whole(entry, shipped["families"]) for name, entry in shipped["templates"].items()}


def _whole(entry: dict[str, Any], families: dict[str, dict[str, Any]]) -> Template:
    model = {"generator": DIFFUSERS.name, **families[entry["family"]], **entry["model"]}
    return msgspec.convert({**entry, "model": model}, Template)


def template(name: str) -> Template:
    """The template of this name; BadRequest, with close names, where there is none."""
    known = templates()
    if name in known:
        return known[name]
    close = get_close_matches(name, known, n=3, cutoff=0.4)
    raise BadRequest(
        f"no template is called {name[:80]!r}",
        remedy=f"use one of: {', '.join(close or known)}; rushes models known",
    )


def recognised(folder: Folder, called: str) -> str:
    """The name of the template that a folder is most like. BadRequest for a pipeline of another family."""
    fitting = {name: known for name, known in templates().items() if known.fits(folder)}
    if fitting:
        return max(fitting, key=lambda name: fitting[name].likeness(folder, called))
    same = [name for name, known in templates().items() if folder.pipeline in known.pipelines]
    if same:
        raise BadRequest(
            f"this {folder.pipeline} is put together otherwise than any model that is known here",
            where=str(folder.path),
            remedy=f"if it is one of these all the same, say so: --template {' | '.join(same)}",
        )
    pipelines = sorted({pipeline for known in templates().values() for pipeline in known.pipelines})
    raise BadRequest(
        f"{folder.pipeline[:80]} is no pipeline that Rushes runs",
        where=str(folder.path),
        remedy=f"use a model of one of these classes: {', '.join(pipelines)}",
    )


def checked(name: str, folder: Folder) -> Template:
    """The template that a person has named for a folder. BadRequest where its pipeline is of another class."""
    known = template(name)
    if folder.pipeline not in known.pipelines:
        raise BadRequest(
            f"the folder holds a {folder.pipeline[:80]}, and {name} is {' or '.join(known.pipelines)}",
            where=str(folder.path),
            remedy="leave --template out, or give a folder of that kind",
        )
    return known


def doubts(known: Template, folder: Folder) -> list[str]:
    """In which ways a folder is not the model of its template: a finetune, another size, a tiny one for tests."""
    wrong = [
        (name, wanted) for name, wanted in (known.needs | known.hints).items() if not _is_so(folder, name, wanted)
    ]
    return [f"{name} is {folder.setting(name)}, not {wanted}" for name, wanted in wrong]
