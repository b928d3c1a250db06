"""Shots made of strips: of an empty place, of footage, pictures and colours; and a use made a shot of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import bpy

from .. import scenes
from ..edits import pulling
from ..strips import compat, marks, swapping
from . import spots
from .meaning import ASKS, CANCELLED, InFilm, OnShots, owner, selected
from .talking import Talk

if TYPE_CHECKING:
    from .meaning import Outcome, Scene, Strip

KINDS = frozenset({"MOVIE", "IMAGE", "COLOR"})
"""Of strips that can become shots."""

_GREY = (0.18, 0.18, 0.18)


def candidates(strips: list[Strip]) -> list[Strip]:
    """Those that can become shots and are none."""
    return [strip for strip in strips if strip.type in KINDS and not marks.shot_of(strip)]


def become_shots(
    talk: Talk, scene: Scene, makings: list[dict[str, Any]], then: Callable[[Scene], None] = lambda _: None
) -> None:
    """Have strips become shots, each row of `makings` naming one, and show what they show."""

    def made(answer: dict[str, Any]) -> None:
        found = talk.scene()
        if found is not None and _made(talk, found, answer, {making["key"] for making in makings}):
            then(found)

    talk.pull(scene, made, makings)


def _made(talk: Talk, scene: Scene, answer: dict[str, Any], keys: set[str]) -> bool:
    """Whether any of them did."""
    showings = {showing["shot"]: showing for showing in answer["media"]}
    made = [row for row in answer["ids"] if row["key"] in keys and row["shot"] in showings]
    by_name = {strip.name: strip for strip in compat.strips_all(scene)}
    for row in made:
        strip = by_name.get(row["key"])
        problem = swapping.show(scene, strip, showings[row["shot"]]) if strip is not None else ""
        if problem:
            talk.say(problem, "WARNING")
    if not made:
        talk.fail({"text": "No shot came of it", "remedy": "; ".join(answer.get("notes", []))})
        talk.otherwise()
        return False
    talk.changed()
    talk.say(f"Shots made: {len(made)}")
    return True


class _Asked(InFilm):
    """Asks what is to be seen."""

    prompt: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Prompt",
        description="What is in the picture. @ mentions a character, style or location",
        options={"SKIP_SAVE"},
    )
    action: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Action", description="What happens during the shot", options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Outcome:
        return context.window_manager.invoke_props_dialog(self, width=480)

    def draw(self, context: bpy.types.Context) -> None:
        first = self.layout.row()
        first.activate_init = True  # one can type at once; not so where `use_property_split` is on
        first.prop(self, "prompt")
        self.layout.prop(self, "action")

    def making(self, name: str) -> dict[str, Any]:
        """What is asked of the daemon for the strip of that name."""
        return {"key": name, "prompt": self.prompt, "action": self.action}


class RUSHES_OT_new_shot_here(_Asked):
    """Make a shot in the gap at the playhead, or over the preview range, on the active strip's channel"""

    bl_idname = "rushes.new_shot_here"
    bl_label = "New Shot"
    bl_options = ASKS

    frames: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Frames",
        description="Length where neither a strip nor a range ends the gap",
        default=48,
        min=1,
        max=10_000,
    )

    def draw(self, context: bpy.types.Context) -> None:
        super().draw(context)
        if not compat.edit_scene(context).use_preview_range:
            self.layout.prop(self, "frames")

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        spot = spots.find(scene, self.frames)
        if spot is None:
            self.report({"ERROR"}, "No channel is free there")
            return CANCELLED
        name = _empty(scene, spot)
        with Talk(self, scene) as talk:
            talk.otherwise = partial(_remove, talk, name)
            become_shots(talk, scene, [self.making(name)])
        return talk.outcome


def _empty(scene: Scene, spot: spots.Spot) -> str:
    """An empty picture there, selected alone, until the shot has a slate; its name."""
    for strip in compat.strips_all(scene):
        strip.select = False
    made: Any = compat.new_effect(owner(compat.ensure_editor(scene)), "New Shot", "COLOR", *spot)
    made.color = _GREY
    made.select = True
    scene.sequence_editor.active_strip = made
    return str(made.name)


def _remove(talk: Talk, name: str) -> None:
    """Take the empty picture away again: no shot came of it."""
    scene = talk.scene()
    if scene is None:
        return
    for strip in compat.strips_all(scene):
        if strip.name == name and strip.type == "COLOR":
            compat.siblings(scene, strip).remove(strip)


class RUSHES_OT_make_shot(_Asked):
    """Turn the selected movies, images and colours into shots. Footage is shown until a take is chosen"""

    bl_idname = "rushes.make_shot"
    bl_label = "Make Shot"
    bl_options = ASKS

    @classmethod
    def why_not(cls, scene: Scene | None) -> str:
        why = super().why_not(scene)
        if why or scene is None or candidates(_meant(scene)):
            return why
        return "No movie, image or colour strip is selected that is not a shot already"

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        makings = [self.making(strip.name) for strip in candidates(_meant(scene))]
        with Talk(self, scene) as talk:
            become_shots(talk, scene, makings)
        return talk.outcome


def _meant(scene: Scene) -> list[Strip]:
    """The selected strips, else the active one."""
    active = compat.active_strip(scene)
    return selected(scene) or ([active] if active is not None else [])


class RUSHES_OT_make_unique(OnShots):
    """Make the selected strips shots of their own, which show the same take until they are changed"""

    bl_idname = "rushes.make_unique"
    bl_label = "Make Unique"
    bl_options = ASKS

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        names = [strip.name for strip in _meant(scene) if marks.shot_of(strip)]
        if not _shared(scene, names):
            self.report({"WARNING"}, "Nothing else shows what the selected strips show: they are unique")
            return CANCELLED
        with Talk(self, scene) as talk:
            talk.pull(scene, lambda _: _fork(talk, names))
        return talk.outcome


def _fork(talk: Talk, names: list[str]) -> None:
    """Fork the uses of these strips, whose marks say by now which they are."""
    scene = talk.scene()
    for strip in _shared(scene, names) if scene is not None else []:
        talk.ask({"type": "fork", "use": marks.use_of(strip)}, partial(_forked, talk, strip.name))


def _shared(scene: Scene, names: list[str]) -> list[Strip]:
    """Those of these strips that are to leave their shot. Where all strips of a shot would, the first keeps it."""
    leaving: list[Strip] = []
    for shot in dict.fromkeys(marks.shot_of(strip) for strip in compat.strips_all(scene) if strip.name in names):
        uses = marks.strips_of(scene, shot) if shot else []
        meant = [strip for strip in uses if strip.name in names]
        leaving += meant[1:] if len(meant) == len(uses) else meant
    return leaving


def _forked(talk: Talk, name: str, answer: dict[str, Any]) -> None:
    scene = talk.scene()
    if scene is None:
        return
    for strip in compat.strips_all(scene):
        if strip.name == name:
            marks.mark(strip, answer["use"], answer["shot"])
    pulling.agree(scene, answer["use"], answer["shot"])
    scenes.set_known(scene, list(dict.fromkeys([*scenes.known(scene), answer["use"]])))
    talk.changed()
    talk.say(f"{name} is the shot {answer['name']} now")


CLASSES: tuple[type, ...] = (RUSHES_OT_new_shot_here, RUSHES_OT_make_shot, RUSHES_OT_make_unique)
