"""The fields of the panel: what the active shot asks for. Nothing of it is kept in the .blend: it is read from the
film, and what is typed is set there, in the undo step that Blender makes of an edited field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

import bpy

from .. import running
from ..edits import journal, pulling
from ..texts import printable
from . import mentions, subject
from .faults import say_once

if TYPE_CHECKING:
    from .details import Detail
    from .subject import Subject

LONGEST = 1 << 14
"""Characters. A text field that names no limit cuts what is longer than 550 bytes when it is edited."""

SHARED = frozenset({"camera", "model", "style", "location"})
"""Fields that are set on all selected shots. The others are the active one's."""

Found = Iterable[tuple[str, str]]


def _scene(group: bpy.types.PropertyGroup) -> bpy.types.Scene:
    return cast("bpy.types.Scene", group.id_data)


def _getter(name: str) -> Callable[[bpy.types.PropertyGroup], str]:
    def get(self: bpy.types.PropertyGroup) -> str:
        try:
            return _shown(subject.of_scene(_scene(self)).detail, name)
        except Exception:
            say_once()
            return ""

    return get


def _setter(name: str, label: str) -> Callable[[bpy.types.PropertyGroup, str], None]:
    def set_(self: bpy.types.PropertyGroup, value: str) -> None:
        try:
            assign(subject.of_scene(_scene(self)), name, value.strip(), label)
        except Exception:
            say_once()

    return set_


def assign(about: Subject, name: str, value: str, label: str) -> None:
    """Set a field on the shots that it is of. Shots that have that value already are left as they are; one of
    which nothing is known yet is named in the film's notes, for what it had could not be brought back."""
    for shot in about.shots if name in SHARED else [about.shot]:
        detail = subject.details.of(about.path, shot)
        if detail is None:
            _note(about, f"{shot} was still being read: its {label.lower()} is as it was")
        elif _shown(detail, name) != value:
            was = str(detail.own.get(name) or "")
            body = {"type": "set", "film": about.path, "shots": [shot]}
            forward, back = ({**body, "assignments": [f"{name}={text}"]} for text in (value, was))
            subject.details.assume(about.path, shot, name, value)
            journal.do(about.scene, forward, back, label)
            subject.details.refresh(about.path, shot)


def _shown(detail: Detail | None, name: str) -> str:
    """A field as it is edited: on one line. What was typed on several is only changed when it is edited."""
    return printable(detail.own.get(name) or "", LONGEST).strip() if detail is not None else ""


def _note(about: Subject, text: str) -> None:
    if about.film is not None:
        about.film.note(printable(text))
        running.redraw()


def _library(context: bpy.types.Context, part: str) -> list[dict[str, Any]]:
    film = subject.of(context).film
    return list(film.library.get(part, ())) if film is not None else []


def propose_mentions(_self: bpy.types.PropertyGroup, context: bpy.types.Context, text: str) -> Found:
    try:
        found = mentions.completions(text, _library(context, "entries"))
        return [(each, printable(who, 60)) for each, who in found]
    except Exception:
        say_once()
        return []


def _search(names: Callable[[bpy.types.Context], Found]) -> Callable[..., Found]:
    """What a field of one name proposes, whatever is typed: Blender picks what fits."""

    def search(_self: bpy.types.PropertyGroup, context: bpy.types.Context, _text: str) -> Found:
        try:
            return [(str(name), printable(what or "", 60)) for name, what in names(context)]
        except Exception:
            say_once()
            return []

    return search


def _entries(kind: str) -> Callable[[bpy.types.Context], Found]:
    def names(context: bpy.types.Context) -> Found:
        found = [entry for entry in _library(context, "entries") if entry.get("kind") == kind]
        return [(entry["name"], entry.get("description", "")) for entry in found]

    return names


def _models(context: bpy.types.Context) -> Found:
    return [(model["name"], model.get("what", "")) for model in _library(context, "models")]


def _cameras(context: bpy.types.Context) -> Found:
    return [(str(camera), "") for camera in _library(context, "cameras")]


def _text(name: str, label: str, description: str, search: Callable[..., Found] | None = None) -> Any:  # noqa: ANN401
    """A field of the intent."""
    given: dict[str, Any] = {"search": search, "search_options": {"SUGGESTION"}} if search is not None else {}
    return bpy.props.StringProperty(
        name=label, description=description, maxlen=LONGEST, get=_getter(name), set=_setter(name, label), **given
    )


def _is_automatic(group: bpy.types.PropertyGroup) -> bool:
    return pulling.is_automatic(_scene(group))


def _set_automatic(group: bpy.types.PropertyGroup, value: bool) -> None:
    pulling.set_automatic(_scene(group), value)


class RUSHES_PG_scene(bpy.types.PropertyGroup):
    """Of a scene: what its active shot asks for, and how its sequence follows the film."""

    auto_pull: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Update Film Automatically",
        description="Take the cut into the film by itself, a moment after it was changed",
        get=_is_automatic,
        set=_set_automatic,
    )
    prompt: _text(  # type: ignore[valid-type]
        "prompt", "Prompt", "What is in the picture. @ mentions a character of the film", propose_mentions
    )
    action: _text(  # type: ignore[valid-type]
        "action", "Action", "What happens during the shot. @ mentions a character of the film", propose_mentions
    )
    negative: _text("negative", "Avoid", "What is to be kept out of the picture")  # type: ignore[valid-type]
    camera: _text("camera", "Camera", "How the camera moves", _search(_cameras))  # type: ignore[valid-type]
    model: _text(  # type: ignore[valid-type]
        "model", "Model", "What makes the shot: a model's name, or draft or final", _search(_models)
    )
    style: _text("style", "Style", "A style of the film's library", _search(_entries("style")))  # type: ignore[valid-type]
    location: _text(  # type: ignore[valid-type]
        "location", "Location", "A location of the film's library", _search(_entries("location"))
    )
    seed: _text("seed", "Seed", "Digits. The same seed and the same words make the same picture")  # type: ignore[valid-type]


CLASSES: tuple[type, ...] = (RUSHES_PG_scene,)


def _is_overlay_shown(manager: bpy.types.WindowManager) -> bool:
    return bool(manager.get("rushes_states", True))


def _show_overlay(manager: bpy.types.WindowManager, value: bool) -> None:
    manager["rushes_states"] = value
    running.redraw()


def register() -> None:
    scene_type: Any = bpy.types.Scene
    manager_type: Any = bpy.types.WindowManager
    scene_type.rushes = bpy.props.PointerProperty(type=RUSHES_PG_scene, name="Rushes")
    manager_type.rushes_states = bpy.props.BoolProperty(
        name="Shot States",
        description="Show on each strip how its shot is: out of date, rendering, failed",
        get=_is_overlay_shown,
        set=_show_overlay,
    )


def unregister() -> None:
    for owner, name in ((bpy.types.Scene, "rushes"), (bpy.types.WindowManager, "rushes_states")):
        if hasattr(owner, name):
            delattr(owner, name)
