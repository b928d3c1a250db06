"""A film made of a sequence: strips as they lie there become shots, texts above them their prompts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import bpy

from .. import scenes
from ..strips import compat
from .linking import default_film, new_film
from .making import become_shots, candidates
from .meaning import ASKS, CANCELLED, InSequence, displayed, selected
from .talking import Talk

if TYPE_CHECKING:
    from collections.abc import Callable

    from .meaning import Outcome, Scene, Strip

_MOST_TEXT = 1 << 16


def texts_over(strip: Strip, texts: list[Strip]) -> list[Strip]:
    """The text strips that are of this strip, by channel and time: those that share half of the one's time or of
    the other's. One that reaches a few frames into the next shot is not of that too."""
    found = [text for text in texts if 2 * _shared(strip, text) >= min(_length(strip), _length(text))]
    return sorted(found, key=lambda text: (text.channel, compat.get(text, compat.LEFT)))


def _shared(one: Strip, other: Strip) -> int:
    left = max(compat.get(one, compat.LEFT), compat.get(other, compat.LEFT))
    right = min(compat.get(one, compat.RIGHT), compat.get(other, compat.RIGHT))
    return max(0, right - left)


def _length(strip: Strip) -> int:
    return compat.get(strip, compat.RIGHT) - compat.get(strip, compat.LEFT)


def prompt_of(strip: Strip, texts: list[Strip]) -> str:
    """What the texts over a strip say, as it is written: a line of text is text, whatever it looks like."""
    said = (" ".join(str(getattr(text, "text", "")).split()) for text in texts_over(strip, texts))
    return "\n".join(line for line in said if line)[:_MOST_TEXT]


class RUSHES_OT_make_film(InSequence):
    """Make a film of the sequence. Movies, images and colours become shots, the texts over them their prompts"""

    bl_idname = "rushes.make_film"
    bl_label = "Make Film of Sequence"
    bl_options = ASKS

    filepath: bpy.props.StringProperty(name="Film", subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    only_selected: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Only Selected", description="Of the selected strips; others stay what they are"
    )
    mute_texts: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Mute Texts", description="Mute the text strips that became prompts", default=True
    )

    @classmethod
    def why_not(cls, scene: Scene | None) -> str:
        why = super().why_not(scene)
        if why or scene is None:
            return why
        if scenes.film_of(scene):
            return "The scene is linked to a film already. Make Shot turns strips into shots of it"
        return "" if candidates(displayed(scene)) else "The sequence has no movie, image or colour strips"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Outcome:
        self.filepath = self.filepath or str(default_film())
        self.only_selected = len(candidates(selected(compat.edit_scene(context)))) > 1
        return context.window_manager.invoke_props_dialog(self, width=480)

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        strips = candidates(selected(scene) if self.only_selected else displayed(scene))
        if not strips:
            self.report({"ERROR"}, "No movie, image or colour strip is selected")
            return CANCELLED
        texts = [strip for strip in displayed(scene) if strip.type == "TEXT" and not strip.mute]
        makings = [{"key": strip.name, "prompt": prompt_of(strip, texts)} for strip in _in_order(strips)]
        used = [text.name for strip in strips for text in texts_over(strip, texts)] if self.mute_texts else []
        path = bpy.path.abspath(self.filepath) if self.filepath else str(default_film())
        with Talk(self, scene, path) as talk:

            def shoot() -> None:
                found = talk.scene()
                if found is not None:
                    become_shots(talk, found, makings, partial(_mute, used))

            new_film(talk, "", lambda linked: _sized(talk, linked, shoot))
        return talk.outcome


def _in_order(strips: list[Strip]) -> list[Strip]:
    return sorted(strips, key=lambda strip: (compat.get(strip, compat.LEFT), strip.channel))


def _sized(talk: Talk, scene: Scene, then: Callable[[], None]) -> None:
    """Have takes made in the size of the scene, where a movie can have it."""
    render = scene.render
    size = [side * render.resolution_percentage // 100 for side in (render.resolution_x, render.resolution_y)]
    if any(side % 2 for side in size):
        then()
        return
    assignment = f"delivery.size={size[0]}x{size[1]}"
    talk.ask({"type": "set", "whole_film": True, "assignments": [assignment]}, lambda _: then())


def _mute(texts: list[str], scene: Scene) -> None:
    for strip in compat.strips_all(scene):
        if strip.type == "TEXT" and strip.name in texts:
            strip.mute = True


CLASSES: tuple[type, ...] = (RUSHES_OT_make_film,)
