"""What an operator is about: the scene whose sequence is edited, its film, the strips and shots that are meant.
And why it cannot run, as Blender says it of a greyed button.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import bpy

from .. import running, scenes
from ..strips import compat, marks

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems, OperatorTypeFlagItems

    from ..link.films import Film

    Outcome = set[OperatorReturnItems]
    Options = ClassVar[set[OperatorTypeFlagItems]]
    Strip = bpy.types.Strip
    Scene = bpy.types.Scene

FINISHED: Outcome = {"FINISHED"}
CANCELLED: Outcome = {"CANCELLED"}

EDITS: set[OperatorTypeFlagItems] = {"REGISTER", "UNDO"}
ASKS: set[OperatorTypeFlagItems] = {"REGISTER"}
"""Of those whose answer comes later: they push their undo step themselves, when it has come."""


def film_path(scene: Scene | None) -> str:
    """The film that the scene is linked to and that this user trusts; "" without one."""
    path = scenes.film_of(scene) if scene is not None else ""
    return path if path and scenes.trusted(path) else ""


def film_of(scene: Scene) -> Film | None:
    """What is known of the scene's film; None before the daemon said anything of it."""
    path = film_path(scene)
    return running.session().film(path) if path else None


def owner(editor: bpy.types.SequenceEditor) -> Any:  # noqa: ANN401 (an editor or a meta strip)
    """What the strips in sight belong to: the meta strip that was entered, else the sequence editor."""
    entered = list(editor.meta_stack)
    return entered[-1] if entered else editor


def displayed(scene: Scene) -> list[Strip]:
    """The strips in sight."""
    return list(compat.strips(owner(scene.sequence_editor))) if scene.sequence_editor is not None else []


def selected(scene: Scene) -> list[Strip]:
    """What is selected, by channel and time; a selected meta strip stands for the strips in it."""
    found = [strip for top in displayed(scene) if top.select for strip in _with_children(top)]
    return sorted(found, key=lambda strip: (strip.channel, compat.get(strip, compat.LEFT)))


def _with_children(strip: Strip) -> Iterator[Strip]:
    yield strip
    if strip.type == "META":
        for child in compat.strips(strip):
            yield from _with_children(child)


def active_shot(scene: Scene) -> str:
    """The shot of the active strip; "" where that is none of ours."""
    strip = compat.active_strip(scene)
    return marks.shot_of(strip) if strip is not None else ""


def selected_shots(scene: Scene) -> list[str]:
    """The shots of the selected strips, in the order of the cut, each once; else the active strip's."""
    strips = sorted(selected(scene), key=lambda strip: compat.get(strip, compat.LEFT))
    found = dict.fromkeys(marks.shot_of(strip) for strip in strips)
    return [shot for shot in found if shot] or [shot for shot in (active_shot(scene),) if shot]


def row(scene: Scene, shot: str) -> dict[str, Any]:
    """What the film's status says of a shot; empty while that is not known."""
    film = film_of(scene)
    return film.rows.get(shot, {}) if film is not None else {}


def shot_name(scene: Scene, shot: str) -> str:
    return str(row(scene, shot).get("name") or shot)


_ELSEWHERE = "The scene is linked from another file, and can only be edited there"


class InSequence(bpy.types.Operator):
    """Can run where there is a scene whose sequence is edited."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        scene = compat.edit_scene(context)
        is_linked = scene is not None and compat.linked(scene)
        why = _ELSEWHERE if is_linked else cls.why_not(scene)
        if why:
            cls.poll_message_set(why)
        return not why

    @classmethod
    def why_not(cls, scene: Scene | None) -> str:
        """What stands against it, for people; "" when nothing does."""
        return "" if scene is not None else "There is no scene whose sequence could be edited"


class InFilm(InSequence):
    """Needs a film."""

    @classmethod
    def why_not(cls, scene: Scene | None) -> str:
        if scene is None or not scenes.film_of(scene):
            return "The scene is not linked to a film. Use Link Film first"
        if not film_path(scene):
            return "The film that this file names was not linked by you. Use Link Film if you trust it"
        return ""


class OnShots(InFilm):
    """Works on the shots of the selected strips."""

    @classmethod
    def why_not(cls, scene: Scene | None) -> str:
        why = super().why_not(scene)
        if why or scene is None or active_shot(scene) or any(marks.shot_of(s) for s in selected(scene)):
            return why
        return "No strip of a shot is selected. Make Shot turns a strip into one"


class OnActiveShot(InFilm):
    """Works on the shot of the active strip."""

    @classmethod
    def why_not(cls, scene: Scene | None) -> str:
        why = super().why_not(scene)
        if why or scene is None or active_shot(scene):
            return why
        return "The active strip is no shot. Make Shot turns it into one"
